"""One memory, one schedule of reviews, two rules: MemoryBank's strength and FSRS-6's stability."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mem_core.mechanisms.agents.memorybank import fsrs
from mem_core.mechanisms.agents.memorybank.forgetting import retention
from mem_core.mechanisms.agents.memorybank.settings import ForgettingSettings
from mem_core.mechanisms.tables import Table

MEMORYBANK, FSRS = "MemoryBank", "FSRS-6"
FSRS_MASSED, MEMORYBANK_MASSED = "FSRS-6, daily", "MemoryBank, daily"
SPACED, MASSED = "your schedule", "one review a day"
POINTS_BETWEEN_REVIEWS = 24
FEWEST_DAYS_AFTER = 14
"""How far past the last review the curves are drawn at least, in days."""


@dataclass(frozen=True)
class Reviewed:
    """A memory after one review under both rules: retentions before it, strength, stability, difficulty after it."""

    day: int
    rating: int
    memorybank_before: float
    fsrs_before: float
    strength: int
    card: fsrs.Card


def practise(schedule: Sequence[int], ratings: Sequence[int], tau: float) -> list[Reviewed]:
    """Learn on the first day and review on the others.

    MemoryBank starts at strength 1 and adds one per review, whatever the spacing and the rating.

    Args:
        schedule: days, not going back in time.
        ratings: one per day; the last one counts for the days that follow.
        tau: days per unit of strength.

    Raises:
        ValueError: if a rating is unknown or the days go back in time.
    """
    done: list[Reviewed] = []
    for number, day in enumerate(schedule):
        rating = ratings[min(number, len(ratings) - 1)]
        if not done:
            done.append(Reviewed(day, rating, math.nan, math.nan, 1, fsrs.review(None, rating, day)))
            continue
        last = done[-1]
        done.append(
            Reviewed(
                day,
                rating,
                retention(day - last.day, last.strength, tau),
                fsrs.retrievability(day - last.day, last.card.stability),
                last.strength + 1,
                fsrs.review(last.card, rating, day),
            )
        )
    return done


def spacing_tables(settings: ForgettingSettings) -> dict[str, Table]:
    """Lay out the learner's schedule, and the same number of reviews on consecutive days beside it."""
    spaced = practise(settings.schedule, settings.ratings, settings.tau)
    first = settings.schedule[0]
    massed = practise(range(first, first + len(spaced)), settings.ratings, settings.tau)
    return {
        "spacing_curves": _curves(spaced, settings.tau, settings.desired_retention),
        "spacing_reviews": _reviews(spaced, settings.tau, settings.desired_retention),
        "spacing_strength": _strengths({SPACED: spaced, MASSED: massed}),
        "spacing_goal": Table.of(retention=[settings.desired_retention], words=["desired retention"]),
    }


def _curves(spaced: Sequence[Reviewed], tau: float, desired: float) -> Table:
    due = spaced[-1].day + fsrs.next_interval(spaced[-1].card.stability, desired)
    end = min(due, spaced[-1].day + max(FEWEST_DAYS_AFTER, 2 * (spaced[-1].day - spaced[0].day)))
    end = max(end, spaced[-1].day + FEWEST_DAYS_AFTER)
    ends = [item.day for item in spaced[1:]] + [end]
    rows = [row for item, until in zip(spaced, ends, strict=True) for row in _stretch(item, until, tau)]
    rule, day, kept = zip(*sorted(rows, key=lambda row: row[0]), strict=True)
    return Table.of({"day": "days"}, rule=rule, day=day, retention=kept)


def _stretch(item: Reviewed, until: float, tau: float) -> Iterator[tuple[str, float, float]]:
    """Retention from one review to the next, closest together where it falls fastest; both ends draw the jump."""
    for step in range(POINTS_BETWEEN_REVIEWS + 1):
        elapsed = (until - item.day) * (step / POINTS_BETWEEN_REVIEWS) ** 2
        yield MEMORYBANK, item.day + elapsed, retention(elapsed, item.strength, tau)
        yield FSRS, item.day + elapsed, fsrs.retrievability(elapsed, item.card.stability)


def _reviews(spaced: Sequence[Reviewed], tau: float, desired: float) -> Table:
    intervals = [fsrs.next_interval(item.card.stability, desired) for item in spaced]
    return Table.of(
        {
            "day": "days",
            "fsrs_stability": "days",
            "fsrs_interval": "days",
            "fsrs_due": "day",
            "memorybank_scale": "days",
            "memorybank_due": "day",
        },
        review=list(range(1, len(spaced) + 1)),
        day=[item.day for item in spaced],
        rating=[item.rating for item in spaced],
        memorybank_before=[item.memorybank_before for item in spaced],
        fsrs_before=[item.fsrs_before for item in spaced],
        memorybank_strength=[item.strength for item in spaced],
        memorybank_scale=[item.strength * tau for item in spaced],
        memorybank_due=[item.day - tau * item.strength * math.log(desired) for item in spaced],
        fsrs_stability=[item.card.stability for item in spaced],
        fsrs_difficulty=[item.card.difficulty for item in spaced],
        fsrs_interval=intervals,
        fsrs_due=[item.day + interval for item, interval in zip(spaced, intervals, strict=True)],
    )


def _strengths(practised: dict[str, list[Reviewed]]) -> Table:
    rows = []
    for schedule, reviews in practised.items():
        massed = schedule == MASSED
        for number, item in enumerate(reviews, start=1):
            rows.append((FSRS_MASSED if massed else FSRS, FSRS, schedule, number, item.card.stability))
            rows.append((MEMORYBANK_MASSED if massed else MEMORYBANK, MEMORYBANK, schedule, number, item.strength))
    series, rule, schedule_names, review, strength = zip(*sorted(rows, key=lambda row: row[0]), strict=True)
    return Table.of(series=series, rule=rule, schedule=schedule_names, review=review, strength=strength)
