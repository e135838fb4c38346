"""What the paper says, measured on runs of this experiment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.learning.infinite_lr.plans import SWEPT_RATIOS
from mem_core.mechanisms.learning.infinite_lr.results import AVERAGE, FORGETTING, LEARNING
from mem_core.mechanisms.learning.infinite_lr.settings import (
    AUTHORS,
    CONSTANT_SWEEP,
    COSINE,
    INFINITE,
    SCHEDULES,
    WORD_PAIRS,
)
from mem_core.mechanisms.learning.infinite_lr.training import MAIN

PAPER, PARENT = "arXiv 2503.02844", "arXiv 2403.08763"

LOWER_BY, FORGETS_LESS_BY = 0.03, 0.1
"""Least differences between the schedules, nats."""
SPIKE_STEPS = 100
LARGEST_SPIKE = 0.3
"""Of the infinite schedule, over the cosine's."""
LARGEST_DISTANCE = 0.015
"""Between the averages of the two loops, nats."""

SWEPT = ({"sweep": CONSTANT_SWEEP},)
AUTHORS_LOOP = ({"branch": AUTHORS},)


def average_gain(results: Sequence[Result]) -> Evidence:
    """Average loss of repeated cosine minus that of the infinite schedule."""
    return _gain(results[0], AVERAGE, LOWER_BY)


def forgetting_gain(results: Sequence[Result]) -> Evidence:
    """Forgetting of repeated cosine minus that of the infinite schedule."""
    return _gain(results[0], FORGETTING, FORGETS_LESS_BY)


def lower_at_small_peak(results: Sequence[Result]) -> Evidence:
    """Average loss of repeated cosine minus that of the infinite schedule, at a third of the peak."""
    return _gain(results[0], AVERAGE, 0.0)


def spike_shrinks(results: Sequence[Result]) -> Evidence:
    """Rise of the loss on task 1 in the first steps of task 2, infinite over cosine."""
    starts, ends = zip(*(_around_second_task(results[0], schedule) for schedule in SCHEDULES), strict=True)
    rises = [end - start for start, end in zip(starts, ends, strict=True)]
    if rises[1] <= 0:
        return Evidence.missing("Task 1 is not forgotten in this run, so there is no spike to compare with.")
    note = ", ".join(
        f"{schedule} {start:.2f} → {end:.2f}" for schedule, start, end in zip(SCHEDULES, starts, ends, strict=True)
    )
    return Evidence(rises[0] / rises[1], LARGEST_SPIKE, "<=", note)


def forgetting_rises(results: Sequence[Result]) -> Evidence:
    """Smallest step of forgetting from one constant rate to the next higher."""
    losses = _swept(results[0], FORGETTING)
    return Evidence(min(later - earlier for earlier, later in pairwise(losses)), 0, ">=", _listed(losses))


def learning_improves(results: Sequence[Result]) -> Evidence:
    """Largest step of the learning loss from one constant rate to the next higher."""
    losses = _swept(results[0], LEARNING)
    return Evidence(max(later - earlier for earlier, later in pairwise(losses)), 0, "<=", _listed(losses))


def best_rate_inside(results: Sequence[Result]) -> Evidence:
    """Constant rate with the lowest average."""
    losses = _swept(results[0], AVERAGE)
    best = SWEPT_RATIOS[losses.index(min(losses))]
    return Evidence(best, (SWEPT_RATIOS[1], SWEPT_RATIOS[-2]), "within", _listed(losses))


def loops_agree(results: Sequence[Result]) -> Evidence:
    """Distance between the averages of the infinite schedule in the two loops."""
    if in_other_units := _not_in_nats(results[0]):
        return in_other_units
    ours, authors = (_score(result, INFINITE, AVERAGE) for result in results)
    return Evidence(abs(ours - authors), LARGEST_DISTANCE, "<=", f"same data {ours:.3f}, authors {authors:.3f}")


def small_rewarming_is_as_good(results: Sequence[Result]) -> Evidence:
    """Average loss of a cosine with a low re-warm peak minus that of the infinite schedule."""
    cosine, infinite = (_score(results[0], schedule, AVERAGE) for schedule in (COSINE, INFINITE))
    return Evidence(cosine - infinite, 0, "<=", f"cosine {cosine:.3f}, infinite {infinite:.3f}")


def _gain(result: Result, measure: str, threshold: float) -> Evidence:
    if in_other_units := _not_in_nats(result):
        return in_other_units
    infinite, cosine = (_score(result, schedule, measure) for schedule in SCHEDULES)
    return Evidence(cosine - infinite, threshold, ">=", f"infinite {infinite:.3f}, cosine {cosine:.3f}")


def _not_in_nats(result: Result) -> Evidence | None:
    """Return evidence of nothing where the losses are not in the unit of the thresholds."""
    settings: Any = result.settings
    if settings.task == WORD_PAIRS:
        return None
    return Evidence.missing("The threshold is in nats: this claim is about word pairs.")


def _score(result: Result, schedule: str, measure: str) -> float:
    return float(result.tables["scores"].where(schedule=schedule, measure=measure)["loss"][0])


def _swept(result: Result, measure: str) -> list[float]:
    table = result.tables["sweep"].where(schedule=INFINITE, measure=measure)
    return [float(table.where(value=ratio)["loss"][0]) for ratio in SWEPT_RATIOS]


def _around_second_task(result: Result, schedule: str) -> tuple[float, float]:
    """Return the main branch's loss on task 1 at the start of task 2 and after its first steps."""
    settings: Any = result.settings
    rows = result.tables["first_task"].where(schedule=schedule, part=MAIN).rows()
    steps = (settings.steps, settings.steps + min(SPIKE_STEPS, settings.steps))
    start, end = (max((row for row in rows if row["step"] <= step), key=lambda row: row["step"]) for step in steps)
    return start["loss"], end["loss"]


def _listed(losses: Sequence[float]) -> str:
    return ", ".join(f"{ratio:g}: {loss:.3f}" for ratio, loss in zip(SWEPT_RATIOS, losses, strict=True))


CLAIMS = (
    Claim(
        key="lower-average",
        statement=(
            "After three tasks the average loss of the infinite schedule is at least 0.03 nats below that of repeated "
            "cosine annealing, both with the same peak rate."
        ),
        source=f"{PAPER}, abstract",
        paper_value="better than repeated cosine for vision and language pre-training",
        check=average_gain,
    ),
    Claim(
        key="less-forgetting",
        statement="The infinite schedule forgets at least 0.1 nats less than repeated cosine annealing.",
        source=f"{PAPER}, abstract",
        paper_value="re-warming causes forgetting",
        check=forgetting_gain,
    ),
    Claim(
        key="lower-at-small-peak",
        statement="At a peak of 0.01 and a constant rate of half the peak the infinite schedule ends no higher either.",
        source=f"{PAPER}, abstract; the second peak rate is ours",
        check=lower_at_small_peak,
        variants=({"peak_rate": 0.01, "constant_ratio": 0.5},),
    ),
    Claim(
        key="no-spike",
        statement=(
            "It is the re-warming that does the damage: in the first 100 steps of task 2 the loss on task 1 rises at "
            "most 0.3 times as much without it."
        ),
        source=f"{PAPER}, abstract; {PARENT}, on re-warming",
        check=spike_shrinks,
    ),
    Claim(
        key="forgetting-rises",
        statement="A higher constant rate forgets more, at every step from 0.05 to 1 of the peak.",
        source=f"{PAPER}, on the choice of the constant rate; measured here",
        check=forgetting_rises,
        variants=SWEPT,
    ),
    Claim(
        key="learning-improves",
        statement="A higher constant rate learns each new task better, at every step from 0.05 to 1 of the peak.",
        source=f"{PAPER}, on the choice of the constant rate; measured here",
        check=learning_improves,
        variants=SWEPT,
    ),
    Claim(
        key="best-rate-inside",
        statement="So the average loss is lowest in between: neither at 0.05 nor at 1 of the peak.",
        source=f"{PAPER}, on the choice of the constant rate; measured here",
        check=best_rate_inside,
        variants=SWEPT,
    ),
    Claim(
        key="authors-loop-average",
        statement="The same in the authors' loop, whose main branch waits during an annealing: lower by 0.03 nats.",
        source="github.com/Pauljanson002/MAE-1, trainer.py",
        check=average_gain,
        variants=AUTHORS_LOOP,
    ),
    Claim(
        key="authors-loop-forgetting",
        statement="And less forgetting in the authors' loop, by at least 0.1 nats.",
        source="github.com/Pauljanson002/MAE-1, trainer.py",
        check=forgetting_gain,
        variants=AUTHORS_LOOP,
    ),
    Claim(
        key="loops-agree",
        statement="The two loops end within 0.015 nats of one another.",
        source="github.com/Pauljanson002/MAE-1, trainer.py; measured here",
        check=loops_agree,
        variants=({}, *AUTHORS_LOOP),
    ),
    Claim(
        key="small-rewarming",
        statement=(
            "An honest control: a cosine that warms up again to only 0.15 of its peak is as good or better. What is "
            "left to the infinite schedule is that no task's length need be known."
        ),
        source="a control of our own, not in the paper",
        check=small_rewarming_is_as_good,
        variants=({"rewarm_ratio": 0.15},),
    ),
)
