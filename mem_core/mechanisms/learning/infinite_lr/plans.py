"""Which training runs answer the learner's question: the learning rates of each, from the first task to the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from mem_core.mechanisms.learning.infinite_lr.settings import (
    CONSTANT_SWEEP,
    COSINE,
    FLOOR_RATIO,
    INFINITE,
    PEAK_SWEEP,
    TASKS,
    InfiniteSettings,
)
from mem_core.training.continual_schedules import CooldownShape, exponential_decay, infinite, repeated_cosine
from mem_core.training.schedules import Rates

SWEPT_RATIOS = (0.05, 0.15, 0.3, 0.5, 1.0)
SWEPT_PEAKS = (0.1, 0.3, 1.0, 3.0)  # times the peak rate that is set


@dataclass(frozen=True, eq=False)
class Plan:
    """One training run.

    Attributes:
        schedule: whose it is.
        ratio: constant rate over the peak; a cosine has none and takes no notice of it.
        peak: highest rate.
        rates: of every step of all tasks; of the main branch, where there are annealed copies.
        annealing: rates of every annealed copy; None where the run itself ends each task at the lowest rate.
    """

    schedule: str
    ratio: float
    peak: float
    rates: Rates
    annealing: Rates | None = None


def plan_training(settings: InfiniteSettings) -> list[Plan]:
    """Lay out all runs: those of the infinite schedule first, and of each schedule the settings' own first."""
    ratio, peak = settings.constant_ratio, settings.peak_rate
    ratios, peaks = [ratio], [peak]
    if settings.sweep == CONSTANT_SWEEP:
        ratios += [other for other in SWEPT_RATIOS if other != ratio]
    if settings.sweep == PEAK_SWEEP:
        peaks += [factor * peak for factor in SWEPT_PEAKS if factor != 1]
    infinites = [infinite_plan(settings, one, other) for one in ratios for other in peaks]
    return [*infinites, *(cosine_plan(settings, one) for one in peaks)]


def infinite_plan(settings: InfiniteSettings, ratio: float, peak: float) -> Plan:
    """Plan a run under the infinite schedule, whose copies are annealed at the end of every task."""
    rates = infinite(
        TASKS * settings.steps,
        peak,
        constant_ratio=ratio,
        warmup_steps=settings.warmup,
        cooldown_steps=settings.cooldown_steps,
        shape=cast(CooldownShape, settings.cooldown_shape),  # its control admits no other
    )
    annealing = exponential_decay(settings.anneal_steps, ratio * peak, FLOOR_RATIO * peak)
    return Plan(INFINITE, ratio, peak, rates, annealing)


def cosine_plan(settings: InfiniteSettings, peak: float) -> Plan:
    """Plan a run under repeated cosine annealing."""
    rates = repeated_cosine(
        settings.steps,
        TASKS,
        peak,
        floor_ratio=FLOOR_RATIO,
        warmup_steps=settings.warmup,
        rewarm_ratio=settings.rewarm_ratio,
    )
    return Plan(COSINE, settings.constant_ratio, peak, rates)
