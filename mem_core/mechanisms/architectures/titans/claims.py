"""What the paper says, measured on runs of this experiment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mem_core.mechanisms.architectures.titans.lesson import FAST, ONE_LAYER, SLOW
from mem_core.mechanisms.architectures.titans.settings import EVEN, LINEAR
from mem_core.mechanisms.contract import Claim, Evidence, Result

PAPER = "arXiv 2501.00663"
MOMENTUM = 0.8
INTERIOR = (0.01, 0.02, 0.05, 0.1, 0.2)
STRONG = 0.4
"""A forget gate that empties the memory before it is read."""
EARLY, LATE, LINEAR_END = 200, 1000, 1600
"""Pairs after which the two depths are compared."""


def momentum_helps(results: Sequence[Result]) -> Evidence:
    """How much lower the error on the last 12 pairs is with momentum."""
    return _gain(results[0], (0.0, 0.0), (MOMENTUM, 0.0))


def forgetting_helps(results: Sequence[Result]) -> Evidence:
    """How much lower it is with momentum and forgetting than with momentum alone."""
    return _gain(results[0], (MOMENTUM, 0.0), (MOMENTUM, 0.05))


def below_no_forgetting(results: Sequence[Result]) -> Evidence:
    """How much lower the best forget gate between 0.01 and 0.2 is than no forgetting."""
    return _above_best(results[0], 0.0, 0.03)


def below_strong_forgetting(results: Sequence[Result]) -> Evidence:
    """How much lower it is than strong forgetting."""
    return _above_best(results[0], STRONG, 0.2)


def blows_up(results: Sequence[Result]) -> Evidence:
    """Error of strong momentum without forgetting."""
    error = _error(results[0], MOMENTUM, 0.0)
    return Evidence(error, 10, ">=", "1 is knowing nothing")


def is_stabilised(results: Sequence[Result]) -> Evidence:
    """Error of the same momentum with forgetting."""
    without = _error(results[0], MOMENTUM, 0.0)
    return Evidence(_error(results[0], MOMENTUM, 0.2), 1, "<=", f"{without:.3g} without forgetting")


def depth_pays(results: Sequence[Result]) -> Evidence:
    """How much lower the error of two layers is after 1000 pairs of the even rule, the worse of the two."""
    return _ahead(results[0], EVEN, LATE, 0.25)


def depth_pays_late(results: Sequence[Result]) -> Evidence:
    """How much higher the error of two layers is after 200 pairs of the even rule, the better of the two."""
    return _behind(results[0], EVEN, EARLY)


def depth_is_for_curves(results: Sequence[Result]) -> Evidence:
    """How much higher the error of two layers is after 1600 pairs of a linear rule, the better of the two."""
    return _behind(results[0], LINEAR, LINEAR_END)


def _error(result: Result, momentum: float, forget: float) -> float:
    """Return the error on the last 12 pairs; a memory that diverged has no row, and an infinite error."""
    rows = result.tables["sweep"].where(momentum=momentum, forget=forget).rows()
    return float(rows[0]["error"]) if rows else math.inf


def _gain(result: Result, before: tuple[float, float], after: tuple[float, float]) -> Evidence:
    """Compare two memories, each given as surprise decay and forget gate."""
    first, second = _error(result, *before), _error(result, *after)
    if math.isinf(first):
        return Evidence.missing("The memory to compare with diverged: lower step_size.")
    return Evidence(first - second, 0.05, ">=", f"{first:.3f} before, {second:.3f} after")


def _above_best(result: Result, forget: float, threshold: float) -> Evidence:
    found = {gate: _error(result, 0.0, gate) for gate in INTERIOR}
    best = min(found, key=lambda gate: found[gate])
    error = _error(result, 0.0, forget)
    note = f"{found[best]:.3f} at α = {best:g}, {error:.3f} at {forget:g}"
    return Evidence(error - found[best], threshold, ">=", note)


def _lesson_errors(result: Result, target: str, pairs: int) -> dict[str, float]:
    """Return the errors on unseen pairs by memory; empty if the run learned another rule or was shorter."""
    settings: Any = result.settings
    if settings.target != target:
        return {}
    return {str(row["memory"]): float(row["error"]) for row in result.tables["lesson"].where(pairs=pairs).rows()}


def _ahead(result: Result, target: str, pairs: int, threshold: float) -> Evidence:
    errors = _lesson_errors(result, target, pairs)
    if not errors:
        return _needs(target, pairs)
    return Evidence(errors[ONE_LAYER] - max(errors[FAST], errors[SLOW]), threshold, ">=", _listed(errors))


def _behind(result: Result, target: str, pairs: int) -> Evidence:
    errors = _lesson_errors(result, target, pairs)
    if not errors:
        return _needs(target, pairs)
    return Evidence(min(errors[FAST], errors[SLOW]) - errors[ONE_LAYER], 0, ">=", _listed(errors))


def _listed(errors: dict[str, float]) -> str:
    return "; ".join(f"{name}: {error:.3f}" for name, error in errors.items())


def _needs(target: str, pairs: int) -> Evidence:
    return Evidence.missing(f"Needs a lesson of the {target} rule that reaches {pairs} pairs.")


CLAIMS = (
    Claim(
        key="momentum-helps",
        statement=(
            "Momentum makes recent pairs better remembered: at a surprise decay of 0.8 the error on the last 12 of 120 "
            "pairs is at least 0.05 lower than without."
        ),
        source=f"{PAPER}, table 5, ablation of momentum",
        paper_value="perplexity 27.01 with, 28.98 without; long context 92.68 and 87.12",
        check=momentum_helps,
    ),
    Claim(
        key="forgetting-helps",
        statement="On top of momentum, a forget gate of 0.05 lowers that error by at least another 0.05.",
        source=f"{PAPER}, table 5, ablation of weight decay",
        paper_value="perplexity 27.01 with, 29.04 without; long context 92.68 and 85.60",
        check=forgetting_helps,
    ),
    Claim(
        key="some-forgetting-is-best",
        statement=(
            "At a step size of 0.5, without momentum, the best forget gate lies between 0.01 and 0.2, at least 0.03 "
            "below no forgetting."
        ),
        source=f"{PAPER}, section 3.1, equation 13",
        paper_value="weight decay keeps the memory from overfilling",
        check=below_no_forgetting,
        variants=({"step_size": 0.5},),
    ),
    Claim(
        key="too-much-forgetting-empties",
        statement="The same best forget gate is at least 0.2 below one of 0.4: a U with an inside minimum.",
        source=f"{PAPER}, section 3.1, equation 13",
        check=below_strong_forgetting,
        variants=({"step_size": 0.5},),
    ),
    Claim(
        key="momentum-alone-blows-up",
        statement=(
            "At a step size of 0.25, momentum of 0.8 without forgetting ends with an error of 10 or more: far worse "
            "than knowing nothing."
        ),
        source=f"{PAPER}, table 5, ablation of weight decay",
        check=blows_up,
        variants=({"step_size": 0.25},),
    ),
    Claim(
        key="forgetting-stabilises",
        statement="With a forget gate of 0.2 the same memory ends below 1: decay is also the stabiliser.",
        source=f"{PAPER}, table 5, ablation of weight decay",
        check=is_stabilised,
        variants=({"step_size": 0.25},),
    ),
    Claim(
        key="depth-pays",
        statement=(
            "What no matrix can represent, two layers learn: after 1000 pairs of an even rule their error on new "
            "pairs is at least 0.25 below that of one layer."
        ),
        source=f"{PAPER}, section 5.5, figures 7 and 8; table 5, linear memory",
        paper_value="perplexity 27.01 with a deep memory, 28.49 with a linear one",
        check=depth_pays,
    ),
    Claim(
        key="depth-pays-late",
        statement="It takes them more than 200 pairs: until then two layers are no better than one.",
        source=f"{PAPER}, section 5.5 compares trained models; measured here",
        check=depth_pays_late,
    ),
    Claim(
        key="depth-is-for-curves",
        statement="On a linear rule one layer is at least as good, still after 1600 pairs.",
        source=f"{PAPER}, section 5.5 compares trained models; measured here",
        check=depth_is_for_curves,
        variants=({"target": LINEAR, "depth_pairs": LINEAR_END},),
    ),
)
