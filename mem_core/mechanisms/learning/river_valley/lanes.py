"""Which training runs answer the learner's question, and what each of their checkpoints is charged.

Runs are lanes on one axis of one array: they see the same batches and differ in their learning rates alone. A lane
that starts late copies the weights of its parent; plain gradient descent has no other state to copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import cast

from mem_core.mechanisms.learning.river_valley.settings import (
    CONSTANT,
    COSINE,
    CYCLIC,
    WSD,
    WSD_CHARGED,
    WSD_S,
    RiverValleySettings,
)
from mem_core.training import schedules
from mem_core.training.schedules import DecayOf, DecayShape, PlannedDecay, Rates


@dataclass(frozen=True, eq=False)
class Lane:
    """One training run, or a branch of one.

    Attributes:
        schedule: whose run it is.
        start: step at which it begins.
        rates: learning rate of every step from `start` on.
        parent: the lane whose weights are copied at `start`; None begins with a table of zeros.
    """

    schedule: str
    start: int
    rates: Rates
    parent: Lane | None = None

    @property
    def stop(self) -> int:
        """Step after which it ends."""
        return self.start + len(self.rates)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The weights that a schedule offers for a budget.

    Attributes:
        schedule, budget: what it answers.
        lane, step: whose weights they are, and after which step.
        charged: steps paid for by then, those of earlier runs and branches that were thrown away included.
    """

    schedule: str
    budget: int
    lane: Lane
    step: int
    charged: int


@dataclass(frozen=True, eq=False)
class Plan:
    """All training of one run of the experiment.

    Attributes:
        lanes: parents before their branches.
        checkpoints: one for each schedule and budget.
        decays: first and last step of every decay.
    """

    lanes: tuple[Lane, ...]
    checkpoints: tuple[Checkpoint, ...]
    decays: tuple[tuple[int, int], ...]

    def of(self, schedule: str) -> tuple[Checkpoint, ...]:
        """Return the checkpoints of one schedule, by budget."""
        return tuple(checkpoint for checkpoint in self.checkpoints if checkpoint.schedule == schedule)


def plan_training(settings: RiverValleySettings, selected: Sequence[str], peak: float) -> Plan:
    """Lay out the lanes for the schedules selected, all with the same peak rate."""
    budgets = settings.budgets
    stable = Lane(CONSTANT, 0, whole_schedule(settings, CONSTANT, budgets, peak, settings.warmup))
    checkpoints: list[Checkpoint] = []
    for schedule in selected:
        if schedule == WSD:
            checkpoints += _branches(settings, WSD, peak, stable, budgets)
        elif schedule == COSINE:
            checkpoints += _separate_cosines(settings, peak)
        else:
            rates = whole_schedule(settings, schedule, budgets, peak, settings.warmup)
            lane = stable if schedule == CONSTANT else Lane(schedule, 0, rates)
            checkpoints += [Checkpoint(schedule, budget, lane, budget, budget) for budget in budgets]
    if WSD in selected and WSD_S in selected:
        checkpoints += _branches(settings, WSD_CHARGED, peak, stable, affordable_ends(budgets, settings.decay_fraction))
    lanes = dict.fromkeys(checkpoint.lane for checkpoint in checkpoints)
    if any(lane.parent is stable for lane in lanes):
        lanes = dict.fromkeys([stable, *lanes])
    decays = [(lane.start, lane.stop) for lane in lanes if lane.parent]
    if WSD_S in selected:
        decays += [(item.budget - item.steps, item.budget) for item in planned_decays(settings)]
    return Plan(tuple(lanes), tuple(checkpoints), tuple(decays))


def whole_schedule(
    settings: RiverValleySettings, schedule: str, budgets: Sequence[int], peak: float, warmup: int = 0
) -> Rates:
    """Return the rates of a schedule from the first step to the last budget."""
    last, floor, fraction, shape = budgets[-1], settings.floor_ratio, settings.decay_fraction, _shape(settings)
    if schedule == CONSTANT:
        return schedules.constant(last, peak, warmup_steps=warmup)
    if schedule == COSINE:
        return schedules.cosine(last, peak, floor_ratio=floor, warmup_steps=warmup)
    if schedule == CYCLIC:
        return schedules.cyclic_cosine(budgets, peak, floor_ratio=floor, warmup_steps=warmup)
    if schedule == WSD:
        return schedules.wsd(last, peak, decay_fraction=fraction, floor_ratio=floor, shape=shape, warmup_steps=warmup)
    return schedules.wsd_s(
        budgets,
        peak,
        decay_fraction=fraction,
        floor_ratio=floor,
        shape=shape,
        decay_of=cast(DecayOf, settings.decay_of),
        warmup_steps=warmup,
    )


def planned_decays(settings: RiverValleySettings) -> tuple[PlannedDecay, ...]:
    """Plan the decays of WSD-S."""
    return schedules.planned_decays(settings.budgets, settings.decay_fraction, cast(DecayOf, settings.decay_of))


def affordable_ends(budgets: Sequence[int], decay_fraction: float) -> tuple[int, ...]:
    """Say how far a WSD run gets by each budget if the decays that it threw away before are charged to it.

    With D_j the decay thrown away at budget j, the k-th checkpoint stands at T_k - sum_(j<k) D_j.

    >>> affordable_ends([500, 1000, 2000], 0.1)
    (500, 950, 1855)
    """
    ends: list[int] = []
    thrown_away = 0
    for budget in budgets:
        ends.append(budget - thrown_away)
        thrown_away += schedules.decay_length(ends[-1], decay_fraction)
    return tuple(ends)


def _shape(settings: RiverValleySettings) -> DecayShape:
    return cast(DecayShape, settings.decay_shape)  # its control admits no other


def _branches(
    settings: RiverValleySettings, schedule: str, peak: float, stable: Lane, ends: Sequence[int]
) -> Iterator[Checkpoint]:
    """Copy the stable run before each end, decay the copy, and throw it away afterwards."""
    thrown_away = 0
    for budget, end in zip(settings.budgets, ends, strict=True):
        length = schedules.decay_length(end, settings.decay_fraction)
        rates = schedules.decay(length, peak, floor_ratio=settings.floor_ratio, shape=_shape(settings))
        yield Checkpoint(schedule, budget, Lane(schedule, end - length, rates, stable), end, end + thrown_away)
        thrown_away += length


def _separate_cosines(settings: RiverValleySettings, peak: float) -> Iterator[Checkpoint]:
    """Train from scratch for every budget: a cosine must know its end from the first step on."""
    budgets = settings.budgets
    for budget, charged in zip(budgets, accumulate(budgets), strict=True):
        rates = schedules.cosine(budget, peak, floor_ratio=settings.floor_ratio, warmup_steps=settings.warmup)
        yield Checkpoint(COSINE, budget, Lane(COSINE, 0, rates), budget, charged)
