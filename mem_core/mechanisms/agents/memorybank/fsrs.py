"""FSRS-6, the scheduler of open spaced-repetition programs: when a memory is next due, and what a review does to it.

Two numbers describe a memory: its stability S, the days until its retention has fallen to 0.9, and its difficulty D
from 1 to 10. Source: the package `fsrs` 6.3.2 (open-spaced-repetition/py-fsrs), whose default weights these are; w0
to w20 there are the fields below in order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

AGAIN, HARD, GOOD, EASY = 1, 2, 3, 4
"""Ratings of a review: forgotten, recalled with effort, recalled, recalled at once."""

DECAY = 0.1542
"""w20, the exponent of the retention curve; no unit."""
RETENTION_AT_STABILITY = 0.9
"""Retention when S days have passed: the definition of stability."""
SMALLEST_STABILITY = 0.001
"""In days."""
EASIEST, HARDEST = 1.0, 10.0
"""Bounds of difficulty."""
SHORTEST_INTERVAL, LONGEST_INTERVAL = 1, 36_500
"""Bounds of the time to the next review, in days."""


def time_factor(decay: float = DECAY) -> float:
    """F = 0.9^(−1/decay) − 1, which makes R(S, S) = 0.9."""
    return math.expm1(-math.log(RETENTION_AT_STABILITY) / decay)


FACTOR = time_factor()
"""F for the default exponent, 0.98."""


@dataclass(frozen=True)
class Weights:
    """The default weights w0 to w19, fitted by the FSRS project to many learners' reviews."""

    first_stability: tuple[float, float, float, float] = (0.212, 1.2931, 2.3065, 8.2956)
    """w0 to w3, days, by rating."""
    first_difficulty: float = 6.4133
    """w4, difficulty after a first `again`."""
    first_difficulty_slope: float = 0.8334
    """w5, per rating, in the exponent."""
    difficulty_step: float = 3.0194
    """w6, change of difficulty per rating away from `good`."""
    difficulty_reversion: float = 0.001
    """w7, share by which difficulty returns to that of `easy`."""
    recall_gain: float = 1.8722
    """w8, logarithm of the gain by a recall."""
    recall_saturation: float = 0.1666
    """w9, power of stability by which the gain shrinks."""
    recall_spacing: float = 0.796
    """w10, how strongly the gain grows with what was forgotten: the spacing effect."""
    lapse_scale: float = 1.4835
    """w11, days."""
    lapse_difficulty: float = 0.0614
    """w12, power of difficulty."""
    lapse_stability: float = 0.2629
    """w13, power of the stability before the lapse."""
    lapse_forgotten: float = 1.6483
    """w14, in the exponent, per unit of 1 − R."""
    hard_factor: float = 0.6014
    """w15, factor on the gain of `hard`."""
    easy_factor: float = 1.8729
    """w16, factor on the gain of `easy`."""
    same_day_gain: float = 0.5425
    """w17, per rating, in the exponent."""
    same_day_shift: float = 0.0912
    """w18, in ratings."""
    same_day_saturation: float = 0.0658
    """w19, power of stability by which the gain shrinks."""


WEIGHTS = Weights()


@dataclass(frozen=True)
class Card:
    """One memory after a review: stability in days, difficulty from 1 to 10, and the day of that review."""

    stability: float
    difficulty: float
    day: int


def retrievability(days: float, stability: float, decay: float = DECAY) -> float:
    """Retention after a time without review, R(t, S) = (1 + F·t/S)^(−w20).

    Args:
        days: time since the last review, t ≥ 0.
        stability: S > 0, in days.
        decay: the exponent, w20.

    Raises:
        ValueError: if the time is negative or the stability is not positive.

    >>> round(retrievability(5.0, 5.0), 12)
    0.9
    """
    if not days >= 0:
        raise ValueError(f"The time since a review cannot be negative, got {days} days.")
    if not stability > 0:
        raise ValueError(f"Stability must be positive, got {stability} days.")
    return float((1 + time_factor(decay) * days / stability) ** -decay)


def next_interval(stability: float, desired_retention: float) -> int:
    """Whole days until retention has fallen to what is desired, round((S/F)·(r^(−1/w20) − 1)) within [1, 36500]."""
    days = float(stability / FACTOR * (desired_retention ** (-1 / DECAY) - 1))
    return min(max(round(days), SHORTEST_INTERVAL), LONGEST_INTERVAL)


def review(card: Card | None, rating: int, day: int) -> Card:
    """Return a memory after one more review; None is a memory not yet learned.

    Args:
        card: the memory before.
        rating: 1 again, 2 hard, 3 good, 4 easy.
        day: of the review, not before the last one.

    Raises:
        ValueError: if the rating is unknown or the day lies before the last review.
    """
    if rating not in (AGAIN, HARD, GOOD, EASY):
        raise ValueError(f"A rating is 1 (again), 2 (hard), 3 (good) or 4 (easy), got {rating}.")
    if card is None:
        first = max(WEIGHTS.first_stability[rating - 1], SMALLEST_STABILITY)
        return Card(first, _within(_first_difficulty(rating)), day)
    elapsed = day - card.day
    if elapsed < 0:
        raise ValueError(f"A review on day {day} comes before the last one on day {card.day}.")
    stability = _same_day(card, rating) if elapsed < 1 else _later_day(card, rating, elapsed)
    return Card(max(stability, SMALLEST_STABILITY), _next_difficulty(card.difficulty, rating), day)


def _within(difficulty: float) -> float:
    return min(max(difficulty, EASIEST), HARDEST)


def _first_difficulty(rating: int) -> float:
    return WEIGHTS.first_difficulty - math.exp(WEIGHTS.first_difficulty_slope * (rating - 1)) + 1


def _next_difficulty(difficulty: float, rating: int) -> float:
    step = WEIGHTS.difficulty_step * (rating - GOOD) * (HARDEST - difficulty) / (HARDEST - EASIEST)
    share = WEIGHTS.difficulty_reversion
    return _within(share * _first_difficulty(EASY) + (1 - share) * (difficulty - step))


def _same_day(card: Card, rating: int) -> float:
    """A review within the day; one that succeeds never weakens a memory (since fsrs 6.3.2, `hard` included)."""
    gain = math.exp(WEIGHTS.same_day_gain * (rating - GOOD + WEIGHTS.same_day_shift))
    gain *= float(card.stability**-WEIGHTS.same_day_saturation)
    return card.stability * (gain if rating == AGAIN else max(gain, 1.0))


def _later_day(card: Card, rating: int, elapsed: int) -> float:
    forgotten = 1 - retrievability(elapsed, card.stability)
    return _after_lapse(card, forgotten) if rating == AGAIN else _after_recall(card, rating, forgotten)


def _after_recall(card: Card, rating: int, forgotten: float) -> float:
    """The gain grows with what was forgotten: a late recall strengthens more than an early one."""
    gain = math.exp(WEIGHTS.recall_gain) * (11 - card.difficulty)
    gain *= float(card.stability**-WEIGHTS.recall_saturation)
    gain *= math.expm1(WEIGHTS.recall_spacing * forgotten)
    gain *= {HARD: WEIGHTS.hard_factor, EASY: WEIGHTS.easy_factor}.get(rating, 1.0)
    return card.stability * (1 + gain)


def _after_lapse(card: Card, forgotten: float) -> float:
    relearned = WEIGHTS.lapse_scale * float(card.difficulty**-WEIGHTS.lapse_difficulty)
    relearned *= float((card.stability + 1) ** WEIGHTS.lapse_stability - 1)
    relearned *= math.exp(WEIGHTS.lapse_forgotten * forgotten)
    return min(relearned, card.stability / math.exp(WEIGHTS.same_day_gain * WEIGHTS.same_day_shift))
