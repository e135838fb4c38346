"""FSRS-6 against the package it is written from, and MemoryBank's rule beside it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import fsrs as package
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mem_core.mechanisms.agents.memorybank import fsrs
from mem_core.mechanisms.agents.memorybank.forgetting import retention
from mem_core.mechanisms.agents.memorybank.settings import ForgettingSettings
from mem_core.mechanisms.agents.memorybank.spacing import practise, spacing_tables

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
HARD_IS_FLOORED = tuple(map(int, version("fsrs").split(".")[:3])) >= (6, 3, 2)
"""Before 6.3.2 a second review on the same day rated `hard` could weaken a memory."""


def by_package(schedule: list[int], ratings: list[int], desired: float) -> list[tuple[float, float, int]]:
    scheduler = package.Scheduler(
        learning_steps=(), relearning_steps=(), enable_fuzzing=False, desired_retention=desired
    )
    card, found = package.Card(), []
    for day, rating in zip(schedule, ratings, strict=True):
        card, _ = scheduler.review_card(card, package.Rating(rating), START + timedelta(days=day))
        assert card.last_review is not None
        found.append((card.stability, card.difficulty, (card.due - card.last_review).days))
    return found


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 4)), min_size=1, max_size=12),
    st.floats(0.7, 0.97),
)
def test_any_history_agrees_with_the_package(steps: list[tuple[int, int]], desired: float) -> None:
    gaps = [gap if HARD_IS_FLOORED or rating != 2 else max(gap, 1) for gap, rating in steps]
    schedule = [sum(gaps[: place + 1]) for place in range(len(gaps))]
    ratings = [rating for _, rating in steps]
    card = None
    for day, rating, (stability, difficulty, interval) in zip(
        schedule, ratings, by_package(schedule, ratings, desired), strict=True
    ):
        card = fsrs.review(card, rating, day)
        assert card.stability == pytest.approx(stability, rel=1e-9)
        assert card.difficulty == pytest.approx(difficulty, rel=1e-9)
        assert fsrs.next_interval(card.stability, desired) == interval


def test_retrievability_agrees_with_the_package_on_whole_days() -> None:
    scheduler = package.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card, _ = scheduler.review_card(package.Card(), package.Rating.Good, START)
    for days in (0, 1, 2, 30, 5000):
        expected = scheduler.get_card_retrievability(card, START + timedelta(days=days))
        assert fsrs.retrievability(days, card.stability) == pytest.approx(expected, abs=1e-9)


def test_two_good_reviews_by_hand() -> None:
    first = fsrs.review(None, fsrs.GOOD, 0)
    assert (first.stability, first.difficulty) == pytest.approx((2.3065, 2.118104), abs=1e-6)
    assert fsrs.retrievability(2, first.stability) == pytest.approx(0.909493, abs=1e-6)
    assert fsrs.review(first, fsrs.GOOD, 2).stability == pytest.approx(10.964332, abs=1e-6)


def test_the_weights_are_the_packages() -> None:
    w = fsrs.WEIGHTS
    ours = (*w.first_stability, w.first_difficulty, w.first_difficulty_slope, w.difficulty_step, w.difficulty_reversion)
    ours += (w.recall_gain, w.recall_saturation, w.recall_spacing, w.lapse_scale, w.lapse_difficulty)
    ours += (w.lapse_stability, w.lapse_forgotten, w.hard_factor, w.easy_factor, w.same_day_gain, w.same_day_shift)
    assert (*ours, w.same_day_saturation, fsrs.DECAY) == tuple(package.Scheduler().parameters)


def test_stability_is_the_day_at_which_nine_in_ten_are_left() -> None:
    assert pytest.approx(0.9803465, abs=1e-7) == fsrs.FACTOR
    for stability in (0.01, 1.0, 300.0):
        assert fsrs.retrievability(stability, stability) == pytest.approx(0.9)


def test_a_huge_exponent_is_the_exponential() -> None:
    for share in (0.1, 1.0, 3.0):
        assert fsrs.retrievability(share, 1.0, decay=1e4) == pytest.approx(0.9**share, abs=1e-4)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: fsrs.retrievability(-1, 1), "negative, got -1"),
        (lambda: fsrs.retrievability(1, 0), "positive, got 0"),
        (lambda: fsrs.retrievability(math.nan, 1), "got nan"),
        (lambda: fsrs.review(None, 5, 0), "got 5"),
        (lambda: fsrs.review(fsrs.review(None, 3, 4), 3, 2), "day 2"),
        (lambda: retention(-1, 1), "negative, got -1"),
        (lambda: retention(1, 0), "Strength must be positive, got 0"),
        (lambda: retention(1, 1, tau=-1), "τ must be positive, got -1"),
    ],
)
def test_impossible_memories_are_errors(call: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        call()  # type: ignore[operator]


def test_retention_starts_at_one_and_reaches_one_over_e_at_s() -> None:
    assert retention(0, 3) == 1
    assert retention(6, 3, tau=2) == pytest.approx(math.exp(-1))


def test_spaced_reviews_beat_massed_ones_in_fsrs_and_change_nothing_in_memorybank() -> None:
    spaced, massed = practise((0, 3, 10, 30, 90, 200), (3,), 1.0), practise(range(6), (3,), 1.0)
    assert spaced[-1].card.stability == pytest.approx(504.0, abs=0.05)
    assert massed[-1].card.stability == pytest.approx(24.8, abs=0.05)
    assert [item.strength for item in spaced] == [item.strength for item in massed] == [1, 2, 3, 4, 5, 6]


def test_the_last_rating_counts_for_the_reviews_that_follow() -> None:
    assert [item.rating for item in practise((0, 1, 2, 3), (4, 1), 1.0)] == [4, 1, 1, 1]
    assert [item.rating for item in practise((0, 1), (4, 1, 2), 1.0)] == [4, 1]


def test_tables_show_the_jump_at_every_review() -> None:
    tables = spacing_tables(ForgettingSettings(schedule=(5, 8, 15), tau=2.0))
    for rule in ("MemoryBank", "FSRS-6"):
        drawn = tables["spacing_curves"].where(rule=rule)
        at_review = drawn["retention"][drawn["day"] == 8]
        assert len(at_review) == 2
        assert at_review[0] < at_review[1] == 1
    reviews = tables["spacing_reviews"]
    assert reviews["memorybank_before"][1] == pytest.approx(math.exp(-3 / 2))
    assert reviews["memorybank_due"][0] == pytest.approx(5 - 2 * math.log(0.9))
    assert retention(reviews["memorybank_due"][1] - 8, 2, 2.0) == pytest.approx(0.9)


def test_a_schedule_may_have_two_reviews_on_one_day() -> None:
    tables = spacing_tables(ForgettingSettings(schedule=(0, 0, 4), ratings=(3, 3, 2)))
    assert tables["spacing_reviews"]["fsrs_before"][1] == 1
