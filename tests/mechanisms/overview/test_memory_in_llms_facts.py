"""Dated facts in three regimes: closed forms, independent implementations, and what each store holds."""

from __future__ import annotations

import numpy as np
import pytest

from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.overview.memory_in_llms.dated_facts import (
    FACTS,
    LATER,
    TRAINING,
    draw,
    expected_correct,
    still_true,
)
from mem_core.mechanisms.overview.memory_in_llms.mechanism import MECHANISM
from mem_core.mechanisms.overview.memory_in_llms.recording import OUTCOMES
from mem_core.mechanisms.overview.memory_in_llms.regimes import OFFLINE, ONLINE, PO, REGIMES, RIDGE, from_parameters
from mem_core.mechanisms.overview.memory_in_llms.settings import (
    MapSettings,
)

SMALL = MapSettings(repeats=2, dimension=32)


def outcome(result, part, regime, name="correct"):
    return result.tables[f"outcomes_{part}"].where(regime=regime, outcome=name)["share"][0]


def test_the_algebra_of_perfect_reads():
    assert expected_correct(0.2, 0.2)[PO] == pytest.approx(0.64 + 0.04 / 11)
    assert expected_correct(0.0, 0.3) == {PO: pytest.approx(0.7), OFFLINE: pytest.approx(0.7), ONLINE: 1.0}
    # Two periods in which a share changes are, for the weights, what one period is for the index, twice over.
    assert still_true(0.2, 2) == pytest.approx(expected_correct(0.2, 0.2)[PO])
    assert still_true(11 / 12, 1) == pytest.approx(1 / 12)
    with pytest.raises(ValueError, match=r"before is -0\.1"):
        expected_correct(-0.1, 0.2)
    with pytest.raises(ValueError, match=r"after is 1\.5"):
        expected_correct(0.1, 1.5)


def test_facts_change_as_often_as_they_are_told_to(numpy_engine):
    settings = MapSettings(before_snapshot=0.1, after_snapshot=0.4, dimension=32)
    held = draw(numpy_engine, settings, 0, range(20)).held[:, :, :FACTS]
    shares = (held[:, 1:] != held[:, :-1]).mean(axis=(0, 2))
    scatter = 4 * np.sqrt(0.25 / (20 * FACTS))
    assert shares[0] == pytest.approx(0.1, abs=scatter)
    assert shares[1:] == pytest.approx([0.4] * (LATER + 1), abs=scatter)
    distractors = draw(numpy_engine, settings, 0, range(2)).held[:, :, FACTS:]
    assert (distractors == distractors[:, :1]).all()


def test_a_larger_share_changes_more_facts_and_those_that_changed_before(numpy_engine):
    few, many = (
        draw(numpy_engine, SMALL.changed(before_snapshot=share), 0, [0]).held[0, :2, :FACTS] for share in (0.1, 0.5)
    )
    changed_few, changed_many = few[0] != few[1], many[0] != many[1]
    assert (changed_many | ~changed_few).all()
    assert changed_many.sum() > changed_few.sum()


def test_a_world_does_not_depend_on_how_many_there_are(numpy_engine):
    alone, among = (draw(numpy_engine, SMALL, 3, numbers) for numbers in ([4], range(6)))
    np.testing.assert_array_equal(alone.keys[0], among.keys[4])
    np.testing.assert_array_equal(alone.held[0], among.held[4])


def test_keys_have_length_one_and_noise_nearly(numpy_engine):
    worlds = draw(numpy_engine, SMALL.changed(dimension=256), 0, [0])
    np.testing.assert_allclose((worlds.keys**2).sum(-1), 1, rtol=1e-5)
    assert (worlds.noise**2).sum(-1).mean() == pytest.approx(1, abs=0.03)


def test_the_weights_are_numpys_ridge_regression(engine):
    worlds = draw(engine, SMALL, 0, [0])
    keys = engine.to_numpy(worlds.keys)[0, :FACTS].astype(float)
    targets = np.eye(12)[worlds.held[0, TRAINING, :FACTS]]
    weights = np.linalg.solve(keys.T @ keys + RIDGE * np.eye(32), keys.T @ targets)
    answers = from_parameters(engine, worlds, SMALL)
    np.testing.assert_allclose(answers.confidence[0], (keys @ weights).max(-1), rtol=1e-6)
    assert (answers.value[0] == (keys @ weights).argmax(-1)).all()


def test_without_noise_and_change_since_the_index_offline_is_online(numpy_engine):
    result = run_to_end(MECHANISM, SMALL.changed(noise=0.0, after_snapshot=0.0, dimension=64), numpy_engine, 1)
    for part in ("all", "changed", "unchanged"):
        for name in OUTCOMES:
            assert outcome(result, part, OFFLINE, name) == outcome(result, part, ONLINE, name)
    assert outcome(result, "all", ONLINE) == 1


def test_where_nothing_changes_all_three_agree_if_the_weights_have_room(numpy_engine):
    still = MapSettings(before_snapshot=0.0, after_snapshot=0.0, dimension=256, repeats=3)
    result = run_to_end(MECHANISM, still, numpy_engine, 0)
    assert [outcome(result, "all", regime) for regime in REGIMES] == [1, 1, 1]
    assert result.tables["differences"]["adjusted"].tolist() == [1, 1, 1]
    assert MECHANISM.chart("outcomes_changed").describe(result.tables) == "There are no such facts in this run."
    assert result.tables["retention"]["retention"].tolist() == [1] * (LATER + 1)


def test_a_higher_threshold_never_answers_more(numpy_engine):
    refused = []
    for threshold in (-1.0, 0.3, 0.5, 0.7, 0.9, 1.0):
        tables = run_to_end(MECHANISM, SMALL.changed(refusal=threshold), numpy_engine, 0).tables
        refused.append(tables["outcomes_all"].where(outcome="refused")["share"].tolist())
    assert (np.diff(np.array(refused), axis=0) >= 0).all()
    assert refused[0] == [0, 0, 0]
    assert refused[-1][1:] == [1, 1]


def test_outcomes_of_every_part_add_up(frames):
    for part in ("all", "changed", "unchanged"):
        for regime in REGIMES:
            assert frames[-1].tables[f"outcomes_{part}"].where(regime=regime)["share"].sum() == pytest.approx(1)


def test_accuracy_is_as_in_an_independent_implementation(default, roomy):
    # Means over ten worlds there and here; the scatter of a mean of 2,000 answers is at most 0.011 in each.
    expected = {PO: (0.650, 0.000, 0.351), OFFLINE: (0.803, 0.446, 0.197), ONLINE: (1.000, 1.000, 0.000)}
    for regime, (right, of_changed, outdated) in expected.items():
        assert outcome(roomy, "all", regime) == pytest.approx(right, abs=0.045)
        assert outcome(roomy, "changed", regime) == pytest.approx(of_changed, abs=0.075)
        assert outcome(roomy, "all", regime, "outdated") == pytest.approx(outdated, abs=0.045)
    assert outcome(default, "unchanged", PO) == pytest.approx(0.765, abs=0.05)


def test_the_index_ages_as_algebra_says(roomy):
    retention = roomy.tables["retention"]
    expected = [still_true(0.2, lag) for lag in retention["lag"].tolist()]
    np.testing.assert_allclose(retention["retention"], expected, atol=0.05)
    assert retention.units["lag"] == "periods"
    assert ((retention["retention"] >= 0) & (retention["retention"] <= 1)).all()
    # The index at age 1 is what it is at the question, and the weights at age 2.
    ageing = roomy.tables["ageing"]
    assert ageing.where(regime=OFFLINE, lag=1)["share"][0] == pytest.approx(outcome(roomy, "all", OFFLINE))
    assert ageing.where(regime=PO, lag=2)["share"][0] == pytest.approx(outcome(roomy, "all", PO))


def test_noise_moves_search_and_attribution_together_and_not_the_weights(numpy_engine):
    quiet, noisy = (run_to_end(MECHANISM, SMALL.changed(noise=noise), numpy_engine, 0) for noise in (0.5, 3.0))
    assert outcome(quiet, "all", PO) == outcome(noisy, "all", PO)
    for regime in (OFFLINE, ONLINE):
        assert outcome(noisy, "all", regime) < outcome(quiet, "all", regime)
    assert noisy.tables["attribution_now"]["attribution"][0] < quiet.tables["attribution_now"]["attribution"][0]
    sweep = quiet.tables["attribution"]
    assert (np.diff(sweep["attribution"]) <= 0).all()
    assert (sweep["correct"] >= sweep["attribution"]).all()  # the live source's own passage is never wrong


def test_the_panels_know_what_each_store_holds(roomy):
    rows = {row["measure"]: row for row in roomy.tables["panels"].rows()}
    assert rows["event F1"][PO] == 0
    assert rows["event F1"][ONLINE] == 1
    assert 0 < rows["event F1"][OFFLINE] < 1
    assert rows["time-anchoring error (periods)"][ONLINE] == 0
    assert (
        rows["right where weights and index disagree (CCR)"][PO]
        < rows["right where weights and index disagree (CCR)"][OFFLINE]
    )
    # Facts that changed before the index: the index is right unless they change again, with chance q2.
    assert rows["right where weights and index disagree (CCR)"][OFFLINE] == pytest.approx(0.8, abs=0.08)
    assert rows["AURC"][ONLINE] == 0
    assert rows["half-life (periods)"][ONLINE] is None  # it never falls
    assert rows["answers supported by the passage cited (RSF)"][PO] == 0
    assert rows["footprint (numbers stored)"][PO] == 12 * 256


def test_differences_are_tested_over_worlds(default, numpy_engine):
    rows = default.tables["differences"].rows()
    assert [row["pair"] for row in rows] == ["Online − Offline", "Online − PO", "Offline − PO"]
    assert all(row["p"] == pytest.approx(2 / 2**10) for row in rows)  # every world says the same
    assert all(row["adjusted"] == pytest.approx(3 * 2 / 2**10) for row in rows)
    assert all(row["low"] <= row["difference"] <= row["high"] for row in rows)
    single = run_to_end(MECHANISM, SMALL.changed(repeats=1), numpy_engine, 0).tables
    assert single["differences"]["p"].tolist() == [1, 1, 1]
    assert MECHANISM.chart("differences").describe(single).startswith("One world cannot tell")
