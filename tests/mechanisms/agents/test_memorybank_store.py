"""The live store: survival against closed forms, fair comparison of policies, and the texts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mem_core.engine import Engine, select
from mem_core.mechanisms.agents.memorybank import dialogue
from mem_core.mechanisms.agents.memorybank.forgetting import (
    MATCHED,
    POLICIES,
    SURVIVAL,
    keep_highest,
    keeping_order,
    retention,
)
from mem_core.mechanisms.agents.memorybank.settings import DIALOGUE_TEXT, ForgettingSettings
from mem_core.mechanisms.agents.memorybank.store import Store
from mem_core.mechanisms.agents.memorybank.world import draw_world

NUMPY = select("numpy", precision="float64")
SMALL = ForgettingSettings(days=20, policies=POLICIES, repeats=2)


def lived(settings: ForgettingSettings, seed: int = 0, engine: Engine = NUMPY) -> Store:
    store = Store(settings, engine, seed)
    for _ in range(settings.days):
        store.advance()
    return store


def unasked(policy: str, nights: int, tau: float, strength: float = 1.0, loads: int = 1) -> float:
    """Chance that a memory without recalls is alive after some nights."""
    t = np.arange(1.0, nights + 1)
    return float(np.prod(SURVIVAL[policy](np, t, np.full(nights, strength), tau, loads)))


@pytest.mark.parametrize("nights", [1, 2, 5, 12])
@pytest.mark.parametrize("tau", [1.0, 5.0])
def test_survival_without_recalls_is_the_closed_form(nights: int, tau: float) -> None:
    assert unasked("hazard", nights, tau, 2.0) == pytest.approx(retention(nights, 2.0, tau))
    assert unasked("per load", nights, tau, 2.0) == pytest.approx(math.exp(-nights * (nights + 1) / (4 * tau)))
    assert unasked("none", nights, tau) == 1


def test_more_starts_of_the_program_forget_more_under_per_load_only() -> None:
    assert unasked("per load", 3, 2.0, loads=3) == pytest.approx(unasked("per load", 3, 2.0) ** 3)
    assert unasked("hazard", 3, 2.0, loads=3) == unasked("hazard", 3, 2.0)


def test_the_released_formula_forgets_the_strong_first() -> None:
    assert unasked("released", 1, 1.0, 10.0) == pytest.approx(math.exp(-10 / 5))
    assert unasked("released", 1, 1.0, 10.0) < unasked("released", 1, 1.0, 1.0)


@pytest.mark.parametrize("policy", ["hazard", "per load"])
def test_survivors_in_the_store_are_as_many_as_the_formula_says(policy: str) -> None:
    """Facts that nobody has recalled by day T: exp(−T/S), or exp(−T(T+1)/2S), within three standard errors."""
    settings = ForgettingSettings(
        days=10, facts_per_day=300, queries_per_day=1, top_k=1, policies=(policy,), repeats=5, tau=3.0
    )
    store = Store(settings, NUMPY, 0)
    for _ in range(6):
        store.advance()
    never = store.strength[:, 0, :300] == 1
    alive = store.stored[:, 0, :300][never].mean()
    chance = math.exp(-6 / 3) if policy == "hazard" else math.exp(-6 * 7 / 2 / 3)
    assert alive == pytest.approx(chance, abs=3 * math.sqrt(chance * (1 - chance) / never.sum()))


def test_policies_with_set_places_have_hazards_every_night() -> None:
    store = lived(SMALL)
    sizes = np.array(store.diary.sizes)  # days, lives, policies
    hazard = sizes[:, :, POLICIES.index("hazard")]
    for policy in MATCHED:
        np.testing.assert_array_equal(sizes[:, :, POLICIES.index(policy)], hazard)
    np.testing.assert_array_equal(sizes[:, 0, POLICIES.index("none")], 10 * np.arange(1, 21))


def test_hazard_sets_the_places_even_when_it_is_not_shown() -> None:
    alone = lived(SMALL.changed(policies=("random", "FIFO")))
    assert alone.policies == ("random", "FIFO", "hazard")
    among = lived(SMALL)
    for place, policy in enumerate(("random", "FIFO")):
        np.testing.assert_array_equal(
            np.array(alone.diary.hits)[:, :, place], np.array(among.diary.hits)[:, :, POLICIES.index(policy)]
        )


def test_a_policy_lives_the_same_life_whoever_lives_beside_it() -> None:
    among, alone = lived(SMALL), lived(SMALL.changed(policies=("hazard",), repeats=1))
    place = POLICIES.index("hazard")
    np.testing.assert_array_equal(np.array(among.diary.sizes)[:, 0, place], np.array(alone.diary.sizes)[:, 0, 0])
    np.testing.assert_array_equal(np.array(among.diary.hits)[:, 0, place], np.array(alone.diary.hits)[:, 0, 0])


def test_starting_the_program_more_often_empties_per_load_and_leaves_hazard_alone() -> None:
    once, often = lived(SMALL), lived(SMALL.changed(loads_per_day=5))
    sizes = [np.array(store.diary.sizes)[-1].mean(axis=0) for store in (once, often)]
    assert sizes[1][POLICIES.index("hazard")] == sizes[0][POLICIES.index("hazard")]
    assert sizes[1][POLICIES.index("per load")] < 0.7 * sizes[0][POLICIES.index("per load")]


def test_only_what_is_stored_is_recalled_and_strength_counts_every_recall() -> None:
    settings = SMALL.changed(policies=("hazard",), repeats=1)
    store = Store(settings, NUMPY, 3)
    strength = np.ones(0)
    for day in range(settings.days):
        before = store.stored[0, 0].copy()
        store.advance()
        told = 10 * (day + 1)
        recalls = store.diary.recalls[day]
        gone = ~np.concatenate([before, np.ones(10, dtype=bool)])[: len(recalls)]
        assert not recalls[gone].any()
        assert recalls.sum() <= 20 * 6
        strength = np.concatenate([strength, np.ones(10)]) + np.pad(recalls, (0, told - len(recalls)))
        np.testing.assert_array_equal(store.strength[0, 0], strength)


def test_an_empty_store_misses_every_question() -> None:
    """τ so small, and loads so many, that nothing lives through a night: only the day's facts can be found."""
    store = lived(ForgettingSettings(days=20, tau=0.5, loads_per_day=5, policies=("per load",), facts_per_day=1))
    assert np.array(store.diary.sizes).min() == 0
    hits = np.array(store.diary.hits)
    assert hits[0].mean() == 1
    assert hits[10:].mean() < 0.5


def test_all_policies_meet_the_same_facts_and_questions() -> None:
    first, second = draw_world(SMALL, NUMPY, 5), draw_world(SMALL.changed(policies=("none",), tau=3.0), NUMPY, 5)
    np.testing.assert_array_equal(first.facts, second.facts)
    np.testing.assert_array_equal(first.questions, second.questions)
    np.testing.assert_array_equal(first.asked, second.asked)


def test_questions_ask_for_what_has_been_told_and_for_popular_facts_most() -> None:
    world = draw_world(SMALL.changed(days=60, queries_per_day=200), NUMPY, 0)
    for life in range(2):
        told = 10 * (1 + np.arange(60))[:, None]
        assert (world.asked[life] < told).all()
        last_day = np.bincount(world.asked[life][-20:].reshape(-1), minlength=600) / 4000
        share = world.popularity[life] / world.popularity[life].sum()
        assert np.corrcoef(last_day, share)[0, 1] > 0.95


def test_ties_in_rank_are_decided_by_lot_and_order_by_what_the_name_says() -> None:
    elapsed, strength = np.array([1.0, 1.0, 4.0, 2.0]), np.array([1.0, 1.0, 8.0, 8.0])
    lots = np.array([0.1, 0.9, 0.5, 0.5])

    def kept(policy: str, places: int) -> set[int]:
        order = keeping_order(np, policy, elapsed, strength, lots)
        stored = np.ones(4, dtype=bool)
        return set(np.flatnonzero(keep_highest(np, order, stored, np.array([places]))).tolist())

    assert kept("rank", 2) == {2, 3}
    assert kept("rank", 3) == {0, 2, 3}
    assert kept("LRU", 2) == {0, 1}
    assert kept("FIFO", 2) == {2, 3}
    assert kept("random", 1) == {0}
    assert kept("random", 0) == set()
    assert kept("random", 4) == {0, 1, 2, 3}


def test_dialogue_texts_have_no_fact_twice_and_no_answer_in_the_question() -> None:
    rng = np.random.default_rng(0)
    facts = dialogue.invent_facts(dialogue.MOST_FACTS, rng)
    assert len({fact[:2] for fact in facts}) == dialogue.MOST_FACTS == len(set(dialogue.statements(facts)))
    for (name, topic, value), question in zip(facts[:500], dialogue.questions(facts[:500], rng), strict=True):
        assert name in question
        assert topic in question
        assert value not in question.replace(name, "").replace(topic, "")
    with pytest.raises(ValueError, match="at most 6400"):
        dialogue.invent_facts(dialogue.MOST_FACTS + 1, rng)


def test_a_store_of_texts_answers_questions_about_them() -> None:
    store = lived(SMALL.changed(embedding=DIALOGUE_TEXT, policies=("FIFO", "none")))
    fifo, everything = np.array(store.diary.hits)[:, :, :2].mean(axis=(0, 1))
    assert everything > 0.9 > fifo


def test_engines_live_the_same_life() -> None:
    """In double precision: scores differ by rounding (1e-16), ties that this could decide do not occur."""
    settings = SMALL.changed(embedding=DIALOGUE_TEXT)
    for chosen in (SMALL, settings):
        ours, theirs = lived(chosen), lived(chosen, engine=select("torch", precision="float64"))
        np.testing.assert_array_equal(ours.diary.sizes, theirs.diary.sizes)
        np.testing.assert_allclose(ours.diary.hits, theirs.diary.hits, atol=1e-12)
        np.testing.assert_array_equal(ours.strength, theirs.engine.to_numpy(theirs.strength))
