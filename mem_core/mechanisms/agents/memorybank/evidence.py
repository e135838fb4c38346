"""Evidence for the claims, read from the tables of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from mem_core.mechanisms.agents.memorybank.curves import FAMILIES
from mem_core.mechanisms.agents.memorybank.fit_tables import HELD_OUT
from mem_core.mechanisms.agents.memorybank.forgetting import FIFO, HAZARD, LRU, NONE, RANDOM, RANK, RELEASED
from mem_core.mechanisms.agents.memorybank.fsrs import DECAY
from mem_core.mechanisms.agents.memorybank.spacing import FSRS, MASSED, MEMORYBANK, SPACED
from mem_core.mechanisms.contract import Evidence, Result
from mem_core.mechanisms.tables import Table

EBBINGHAUS = "Ebbinghaus"
COMPARED = (HAZARD, RANK, RANDOM, LRU, FIFO, NONE, RELEASED)
"""Policies of the claim about the store."""


def _fit(result: Result, curve: str, column: str, subject: str = EBBINGHAUS) -> float:
    """Read one number of one fitted curve; NaN if the run does not have it."""
    found = result.tables["fits"].where(subject=subject, curve=curve)
    return float(found[column][0]) if len(found) else math.nan


def _ssd_ratio(result: Result, curve: str) -> Evidence:
    exponential, other = _fit(result, "exponential", "ssd"), _fit(result, curve, "ssd")
    held_out = bool((result.tables["measurements"]["series"] == HELD_OUT).any())
    if math.isnan(exponential) or math.isnan(other) or held_out:
        return Evidence.missing(f"Fit the exponential and the {curve} curve to all seven points of Ebbinghaus.")
    return Evidence(exponential / other, 50.0, ">=", f"SSD {exponential:.4f} against {other:.5f}")


def check_exponential(results: Sequence[Result]) -> Evidence:
    """Compare the misfit of the one-parameter exponential with that of the power curve."""
    return _ssd_ratio(results[0], "power")


def check_order(results: Sequence[Result]) -> Evidence:
    """Measure the smallest step between neighbours in the order that AIC should give."""
    aic = {family.name: _fit(results[0], family.name, "aic") for family in FAMILIES}
    exponentials = min(aic[name] for name in ("exponential", "scaled exponential", "exponential to a floor"))
    order = [
        max(aic["Ebbinghaus 1885"], aic["Ebbinghaus 1880"]),
        aic["power"],
        aic["logarithmic"],
        aic["two exponentials"],
        exponentials,
    ]
    steps = [later - earlier for earlier, later in pairwise(order)]
    return Evidence(min(steps), 0.0, ">=", "AIC " + " < ".join(f"{value:.2f}" for value in order))


def check_tie(results: Sequence[Result]) -> Evidence:
    """Compare Ebbinghaus's two formulas."""
    gap = abs(_fit(results[0], "Ebbinghaus 1885", "aic") - _fit(results[0], "Ebbinghaus 1880", "aic"))
    return Evidence(gap, 1.0, "<=", "difference of AIC")


def _miss(result: Result, curve: str) -> float:
    return abs(_fit(result, curve, "last_predicted") - _fit(result, curve, "last_measured"))


def check_prediction(results: Sequence[Result]) -> Evidence:
    """Measure how far the power curve and Ebbinghaus's formula miss the month they have not seen."""
    power, formula = _miss(results[0], "power"), _miss(results[0], "Ebbinghaus 1885")
    return Evidence(max(power, formula), 0.02, "<=", f"power misses by {power:.3f}, the 1885 formula by {formula:.3f}")


def check_exponential_prediction(results: Sequence[Result]) -> Evidence:
    """Measure how far the scaled exponential misses the month."""
    predicted = _fit(results[0], "scaled exponential", "last_predicted")
    return Evidence(_miss(results[0], "scaled exponential"), 0.15, ">=", f"it predicts {predicted:.3f}")


def check_fsrs(results: Sequence[Result]) -> Evidence:
    """Compare FSRS's curve with one free parameter with the exponential with one free parameter."""
    return _ssd_ratio(results[0], "FSRS-6")


def check_exponent(results: Sequence[Result]) -> Evidence:
    """Ask whether FSRS's exponent lies among those of the four learners."""
    fits = results[0].tables["fits"].where(curve="Wickelgren")
    fitted = sorted(float(value) for value in fits["exponent"])
    return Evidence(DECAY, (fitted[0], fitted[-1]), "within", "fitted: " + ", ".join(f"{x:.3f}" for x in fitted))


def _lives(result: Result, policy: str, column: str = "late_hit_rate") -> list[float]:
    return [float(value) for value in result.tables["store_lives"].where(policy=policy)[column]]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def check_store(results: Sequence[Result]) -> Evidence:
    """Count the lives in which hazard answers more than random, and more than FIFO, with as many pieces."""
    hazard = _lives(results[0], HAZARD)
    wins = [sum(a > b for a, b in zip(hazard, _lives(results[0], other), strict=True)) for other in (RANDOM, FIFO)]
    size = _mean(_lives(results[0], HAZARD, "end_size"))
    rates = ", ".join(f"{name} {_mean(_lives(results[0], name)):.3f}" for name in COMPARED)
    return Evidence(
        min(wins), 8.0, ">=", f"{wins[0]} against random, {wins[1]} against FIFO; {size:.0f} pieces; hit rates {rates}"
    )


def check_released(results: Sequence[Result]) -> Evidence:
    """Measure how much the released formula still answers."""
    size = _mean(_lives(results[0], RELEASED, "end_size"))
    return Evidence(_mean(_lives(results[0], RELEASED)), 0.05, "<=", f"{size:.1f} pieces left")


def _last_strength(table: Table, rule: str, schedule: str) -> float:
    return float(table.where(rule=rule, schedule=schedule)["strength"][-1])


def check_spacing(results: Sequence[Result]) -> Evidence:
    """Compare FSRS's stability after spaced and after massed reviews."""
    table = results[0].tables["spacing_strength"]
    spaced, massed = _last_strength(table, FSRS, SPACED), _last_strength(table, FSRS, MASSED)
    return Evidence(spaced / massed, 10.0, ">=", f"S = {spaced:.1f} days against {massed:.1f}")


def check_blindness(results: Sequence[Result]) -> Evidence:
    """Measure how far MemoryBank's strength is from 1 + number of recalls, whatever the spacing."""
    table = results[0].tables["spacing_strength"].where(rule=MEMORYBANK)
    misses = [abs(float(row["strength"]) - float(row["review"])) for row in table.rows()]
    return Evidence(max(misses), 0.0, "<=", f"S = {_last_strength(table, MEMORYBANK, MASSED):g} in both")
