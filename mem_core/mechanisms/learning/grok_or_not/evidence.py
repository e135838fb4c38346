"""How a run's tables speak to each claim: the number measured, and what it must be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

from mem_core.mechanisms.contract import Evidence, Relation, Result
from mem_core.mechanisms.learning.grok_or_not.accuracies import COEXISTENCE, GIVEN_UP, RECALLED
from mem_core.mechanisms.learning.grok_or_not.recording import BINS, LOW_FIRST, NOW, TEST, TRAIN

UNDERSTOOD = 0.95
"""Share of test pairs right from which on the rule counts as understood."""
MEMORISED = 0.99
"""Share of training labels fitted from which on they count as memorised."""
TENTHS = 10
LOW_IPR, HIGH_IPR = 0.3, 0.5


def _last(result: Result) -> dict[str, Any]:
    return result.tables["result"].rows()[0]


def _course(result: Result, measure: str) -> list[tuple[int, float]]:
    table = result.tables["accuracy"].where(measure=measure)
    return list(zip(table["step"].tolist(), table["accuracy"].tolist(), strict=True))


def _at(result: Result, measure: str, step: int) -> float:
    return dict(_course(result, measure)).get(step, math.nan)


def _first_step(result: Result, measure: str, level: float) -> int | None:
    return next((step for step, value in _course(result, measure) if value >= level), None)


def rule_stays(results: Sequence[Result]) -> Evidence:
    """Measure the lowest test accuracy of the runs."""
    tests = [_last(result)["test"] for result in results]
    return Evidence(min(tests), 0.95, ">=", "test " + ", ".join(f"{value:.2f}" for value in tests))


def wrong_labels_fall(results: Sequence[Result]) -> Evidence:
    """Measure by how much each run keeps fewer wrong labels than the one before, the smallest fall."""
    given = [_last(result)["given"] for result in results]
    fall = min(earlier - later for earlier, later in pairwise(given))
    return Evidence(fall, 0.0, ">=", "kept " + ", ".join(f"{value:.2f}" for value in given))


def wrong_labels_end(results: Sequence[Result]) -> Evidence:
    """Measure the share of wrong labels kept."""
    return Evidence(_last(results[0])["given"], 0.15, "<=")


def train_ends_at_the_right_labels(results: Sequence[Result]) -> Evidence:
    """Measure training accuracy at the end beside the share of right labels."""
    row = _last(results[0])
    expected = 1 - row["corruption"]
    return Evidence(row["train"], (round(expected - 0.03, 2), round(expected + 0.03, 2)), "within")


def more_periodic(results: Sequence[Result]) -> Evidence:
    """Measure by how much the mean IPR of the later runs is above that of the first, the smallest rise."""
    means = [float(result.tables["neuron_mean"]["ipr"][-1]) for result in results]
    rise = min(means[1:]) - means[0]
    return Evidence(rise, 0.1, ">=", "mean IPR " + ", ".join(f"{value:.2f}" for value in means))


def in_phase(name: str) -> Callable[[Sequence[Result]], Evidence]:
    """Return a check that all runs end in the phase of that name."""

    def check(results: Sequence[Result]) -> Evidence:
        found = [_last(result)["phase"] for result in results]
        return Evidence(fmean(phase == name for phase in found), 1.0, ">=", ", ".join(found).lower())

    return check


def half_inverted(results: Sequence[Result]) -> Evidence:
    """Measure the share of wrong labels kept, which must be neither most nor hardly any."""
    return Evidence(_last(results[0])["given"], (GIVEN_UP, RECALLED), "within", _last(results[0])["phase"].lower())


def two_stages(results: Sequence[Result]) -> Evidence:
    """Measure the peak of training accuracy."""
    step, peak = max(_course(results[0], TRAIN), key=lambda point: point[1])
    test = _at(results[0], TEST, step)
    end = _last(results[0])
    return Evidence(
        peak,
        0.95,
        ">=",
        f"at step {step}, test {test:.2f} there; at the end train {end['train']:.2f}, test {end['test']:.2f}",
    )


def falls_while_test_rises(results: Sequence[Result]) -> Evidence:
    """Measure the smaller of two changes after training accuracy peaks: its fall, and the rise of test accuracy."""
    step, peak = max(_course(results[0], TRAIN), key=lambda point: point[1])
    end = _last(results[0])
    return Evidence(min(peak - end["train"], end["test"] - _at(results[0], TEST, step)), 0.1, ">=", f"from step {step}")


def _holds_both(result: Result) -> str:
    """Say why a run cannot show two memories side by side; empty if it can."""
    name = _last(result)["phase"]
    if name != COEXISTENCE or _last(result)["given"] is None:
        return f"this run ends in {name.lower()}, not with a rule and wrong labels side by side"
    return ""


def _left(result: Result, table: str, share: float, measure: str) -> float:
    rows = result.tables[table].where(measure=measure).rows()
    return next(float(row["accuracy"]) for row in rows if math.isclose(row["share"], share))


def after_cutting(
    table: str, share: float, measure: str, threshold: float, relation: Relation
) -> Callable[[Sequence[Result]], Evidence]:
    """Measure what is left of `measure` after cutting `share` of the neurons, in a run that holds both memories."""

    def check(results: Sequence[Result]) -> Evidence:
        reason = _holds_both(results[0])
        if reason:
            return Evidence.missing(reason)
        before = _left(results[0], table, 0.0, measure)
        return Evidence(_left(results[0], table, share, measure), threshold, relation, f"{before:.2f} before cutting")

    return check


def cut_train(results: Sequence[Result]) -> Evidence:
    """Measure training accuracy without the least periodic half, in a run that holds both memories."""
    reason = _holds_both(results[0])
    if reason:
        return Evidence.missing(reason)
    expected = 1 - _last(results[0])["corruption"]
    return Evidence(
        _left(results[0], LOW_FIRST, 0.5, TRAIN), (round(expected - 0.03, 2), round(expected + 0.03, 2)), "within"
    )


def valley(results: Sequence[Result]) -> Evidence:
    """Measure the valley between the two peaks of the IPR histogram: its lowest tenth over the smaller peak."""
    reason = _holds_both(results[0])
    if reason:
        return Evidence.missing(reason)
    counts = results[0].tables["histogram"].where(when=NOW)["neurons"].tolist()
    tenths = [sum(counts[start : start + BINS // TENTHS]) for start in range(0, BINS, BINS // TENTHS)]
    left, right = tenths.index(max(tenths[:5])), 5 + tenths[5:].index(max(tenths[5:]))
    depth = min(tenths[left:right]) / min(tenths[left], tenths[right])
    return Evidence(depth, 0.5, "<=", "neurons in tenths of IPR: " + " ".join(map(str, tenths)))


def memorised_step(results: Sequence[Result]) -> Evidence:
    """Measure when the slowest run has memorised its training labels."""
    steps = [_first_step(result, TRAIN, MEMORISED) for result in results]
    if None in steps:
        return Evidence.missing("a network has not memorised its training pairs")
    return Evidence(float(max(step or 0 for step in steps)), 24.0, "<=", "memorised at " + ", ".join(map(str, steps)))


def not_understood(results: Sequence[Result]) -> Evidence:
    """Measure the best test accuracy on the way."""
    return Evidence(max(value for _, value in _course(results[0], TEST)), UNDERSTOOD, "<=", "best test accuracy")


def understood_within(low: float, high: float) -> Callable[[Sequence[Result]], Evidence]:
    """Return a check that the rule is understood between two steps."""

    def check(results: Sequence[Result]) -> Evidence:
        step = _first_step(results[0], TEST, UNDERSTOOD)
        if step is None:
            return Evidence.missing(f"not understood within {_last(results[0])['steps']} steps")
        return Evidence(float(step), (low, high), "within")

    return check


def u_shape(results: Sequence[Result]) -> Evidence:
    """Measure by how many steps decay 5 is ahead of its neighbours, and 2 of 1, the smallest lead."""
    steps = [_first_step(result, TEST, UNDERSTOOD) for result in results]
    reached = [step for step in steps if step is not None]
    if len(reached) < len(steps):
        return Evidence.missing("a network has not understood the rule in its steps")
    one, two, five, ten = reached
    return Evidence(
        float(min(one - two, two - five, ten - five)), 2.0, ">=", "understood at " + ", ".join(map(str, reached))
    )


def rule_held(results: Sequence[Result]) -> Evidence:
    """Measure mean test accuracy from step 100 to 250."""
    held = [value for step, value in _course(results[0], TEST) if 100 <= step <= 250]
    return Evidence(fmean(held), 0.98, ">=", f"lowest {min(held):.2f}")


def rule_halfway(results: Sequence[Result]) -> Evidence:
    """Measure test accuracy at step 350."""
    return Evidence(_at(results[0], TEST, 350), (0.7, 0.86), "within")


def rule_gone(results: Sequence[Result]) -> Evidence:
    """Measure test accuracy at the end."""
    return Evidence(_last(results[0])["test"], 0.1, "<=", f"{_at(results[0], TEST, 500):.2f} at step 500")


def weights_shrink(results: Sequence[Result]) -> Evidence:
    """Measure what is left of the matrix norms since step 250, of the one that shrinks least."""
    norms = results[0].tables["norms"]
    shrunk = []
    for matrix in dict.fromkeys(norms["matrix"].tolist()):
        course = norms.where(matrix=matrix)
        sizes = dict(zip(course["step"].tolist(), course["norm"].tolist(), strict=True))
        shrunk.append(sizes[max(sizes)] / sizes[250])
    return Evidence(max(shrunk), 0.9, "<=", "norms of U, V, W: " + ", ".join(f"{value:.2f}" for value in shrunk))


def dropout_gives_up(results: Sequence[Result]) -> Evidence:
    """Measure the share of wrong labels kept."""
    row = _last(results[0])
    return Evidence(row["given"], 0.5, "<=", f"test {row['test']:.2f}")


def gains(results: Sequence[Result]) -> Evidence:
    """Measure the mean strength of aperiodic neurons over that of periodic ones."""
    rows = results[0].tables["neurons"].rows()
    low = [row["strength"] for row in rows if row["ipr"] < LOW_IPR]
    high = [row["strength"] for row in rows if row["ipr"] >= HIGH_IPR]
    if not low or not high:
        return Evidence.missing("all neurons are of one kind")
    note = f"{fmean(low):.2f} for {len(low)} neurons, {fmean(high):.2f} for {len(high)}"
    return Evidence(fmean(low) / fmean(high), 0.8, "<=", note)
