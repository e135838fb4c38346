"""What the paper says, as far as models of one block and 8,500 parameters show it; the mean of four models decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import cast

from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.state_space.longmamba.filters import Mode
from mem_core.mechanisms.state_space.longmamba.models import MODELS, TRAINED_LENGTH, Task
from mem_core.mechanisms.state_space.longmamba.presentation import accuracy_of
from mem_core.mechanisms.state_space.longmamba.settings import ScanFilterSettings

LENGTH = 16 * TRAINED_LENGTH
"""Tokens in the longest test, 512."""
TWICE = 2 * TRAINED_LENGTH
"""The first length past the trained one at which a filter acts, 64."""

FOUR_MODELS = tuple({"task": "one needle", "test_length": LENGTH, "model": model} for model in MODELS)
"""One run for each model measures every length up to 512."""
FOUR_MARKED = tuple({"task": "marked value", "test_length": TWICE, "model": model} for model in MODELS)


def mean_accuracy(results: Sequence[Result], length: int, mode: Mode) -> float:
    """Average one accuracy over the models."""
    return fmean(accuracy_of(result.tables, length, mode) for result in results)


def missing(results: Sequence[Result], length: int, task: Task) -> str:
    """Say what these runs lack to speak of a task at a length; empty if nothing."""
    for result in results:
        settings = cast(ScanFilterSettings, result.settings)
        if settings.task != task:
            return f"this run has another task than {task}"
        if length not in result.tables["accuracy"]["length"]:
            return f"this run has no test at {length} tokens"
    return ""


def difference(
    length: int, better: Mode, other: Mode, least: float, task: Task = "one needle"
) -> Callable[[Sequence[Result]], Evidence]:
    """Ask that one mode beats another at a length by at least so much."""

    def check(results: Sequence[Result]) -> Evidence:
        if reason := missing(results, length, task):
            return Evidence.missing(reason)
        first, second = (mean_accuracy(results, length, mode) for mode in (better, other))
        return Evidence(first - second, least, ">=", f"{better} {first:.0%}, {other} {second:.0%} at {length} tokens")

    return check


def at_least(length: int, mode: Mode, least: float) -> Callable[[Sequence[Result]], Evidence]:
    """Ask for an accuracy at a length."""

    def check(results: Sequence[Result]) -> Evidence:
        if reason := missing(results, length, "one needle"):
            return Evidence.missing(reason)
        return Evidence(mean_accuracy(results, length, mode), least, ">=", f"{mode} at {length} tokens")

    return check


def check_alignment(results: Sequence[Result]) -> Evidence:
    """Compare the distance of the global heads' decay from its target after and before the filter."""
    before, after = [], []
    for result in results:
        heads = result.tables["heads"].where(kind="global head")
        before += abs(heads["log10_before"] - heads["log10_target"]).tolist()
        after += abs(heads["log10_after"] - heads["log10_target"]).tolist()
    if not before:
        return Evidence.missing("no head is global at this θ")
    note = f"{fmean(before):.1f} powers of ten from the target before the filter, {fmean(after):.1f} after"
    return Evidence(fmean(after) / fmean(before), 0.5, "<=", note)


CLAIMS = (
    Claim(
        key="recall-far-past-training",
        statement="At 16 times the trained length, skipping unimportant tokens in global heads restores recall: the "
        "filter adds at least 40 points of accuracy, with no change of any weight.",
        source="abstract; project page (RULER)",
        paper_value="RULER average accuracy up to +24.58 points over the vanilla model",
        check=difference(LENGTH, "LongMamba", "off", 0.4),
        variants=FOUR_MODELS,
        repeats=True,
    ),
    Claim(
        key="recall-at-eight-times",
        statement="At 8 times the trained length the filtered model still answers at least 90 % right.",
        source="abstract",
        paper_value="no figure for this task",
        check=at_least(8 * TRAINED_LENGTH, "LongMamba", 0.9),
        variants=FOUR_MODELS,
        repeats=True,
    ),
    Claim(
        key="harmless-when-short",
        statement="At twice the trained length, where the plain model still copes, the filter costs at most 2 points.",
        source="section on receptive-field enlargement; the code filters only past the trained length",
        paper_value="unchanged up to the trained length",
        check=difference(TWICE, "LongMamba", "off", -0.02),
        variants=FOUR_MODELS,
        repeats=True,
    ),
    Claim(
        key="which-tokens-matters",
        statement="It matters which tokens are skipped: skipping as many by chance is no better than skipping none.",
        source="control of this experiment; the paper picks tokens by Δ",
        paper_value="no figure",
        check=difference(8 * TRAINED_LENGTH, "off", "random skip", 0.0),
        variants=FOUR_MODELS,
        repeats=True,
    ),
    Claim(
        key="decay-comes-back",
        statement="The filter brings the cumulative decay of global heads back toward its value at the trained length: "
        "it at least halves the distance, in powers of ten.",
        source="alignment of the cumulative decay; load_align_target.py in the code",
        paper_value="figure 1: the attention of global channels is restored",
        check=check_alignment,
        variants=FOUR_MODELS,
        repeats=True,
    ),
    Claim(
        key="needs-delta-to-know",
        statement="The limit: where Δ cannot know which token matters (a value counts only after a marker, and Δ sees "
        "one token at a time), the filter hurts, at twice the trained length by at least 10 points.",
        source="limit found with this experiment; not in the paper",
        paper_value="no figure",
        check=difference(TWICE, "off", "LongMamba", 0.1, "marked value"),
        variants=FOUR_MARKED,
        repeats=True,
    ),
)
