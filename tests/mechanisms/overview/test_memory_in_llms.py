"""The small system behind the map: the run, its charts, claims and exercise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mem_core.engine import select
from mem_core.lab.engine_board import largest_difference
from mem_core.mechanisms.contract import Result
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.overview.memory_in_llms import claims, exercise, filling
from mem_core.mechanisms.overview.memory_in_llms.card import (
    EvaluationCard,
)
from mem_core.mechanisms.overview.memory_in_llms.mechanism import MECHANISM
from mem_core.mechanisms.overview.memory_in_llms.regimes import OFFLINE, PO, REGIMES
from mem_core.mechanisms.overview.memory_in_llms.run import run
from mem_core.mechanisms.overview.memory_in_llms.settings import (
    IDENTITY,
    OVERLAY,
    PRESETS,
    MapSettings,
)

ENGINES = ("numpy", "torch")
SMALL = MapSettings(repeats=2, dimension=32)


def outcome(result, part, regime, name="correct"):
    return result.tables[f"outcomes_{part}"].where(regime=regime, outcome=name)["share"][0]


def test_both_engines_give_the_same_run():
    ends = [run_to_end(MECHANISM, SMALL, select(name, precision="float64"), 3).tables for name in ENGINES]
    assert ends[0].keys() == ends[1].keys()
    assert largest_difference(*ends, without=MECHANISM.machine_tables).share < 1e-9  # what the page shows
    for name in ends[0].keys() - MECHANISM.machine_tables:
        for column, values in ends[0][name].columns.items():
            other = ends[1][name][column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, other, rtol=1e-9, atol=1e-12, err_msg=f"{name}.{column}")
            else:
                assert values.tolist() == other.tolist(), f"{name}.{column}"


def test_the_same_seed_gives_the_same_run_and_another_seed_another(frames, numpy_engine):
    again, other = (list(run(SMALL, numpy_engine, seed))[-1].tables for seed in (0, 1))
    for name in frames[-1].tables.keys() - {"latency"}:
        assert str(again[name].rows()) == str(frames[-1].tables[name].rows())
    assert other["retention"]["retention"].tolist() != again["retention"]["retention"].tolist()


def test_every_frame_has_every_table_and_the_progress_grows(numpy_engine):
    found = list(run(MapSettings(repeats=25, dimension=32), numpy_engine, 0))
    progress = [frame.progress for frame in found]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert len(found) == 4
    assert all(frame.tables.keys() == found[0].tables.keys() for frame in found)
    assert len(found[0].tables["edits"]) == 0
    assert "Right in 10 worlds" in found[0].message
    assert len(list(run(MapSettings(repeats=200, dimension=32), numpy_engine, 0))) == 11


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"refusal": 1.0},
        {"before_snapshot": 0.0, "after_snapshot": 0.0},
        {"repeats": 1},
        {"noise": 3.0, "edits": 40, "constraint": IDENTITY, "preservation": 200.0},
        {"cites_passage": False},
        {"recalled_alone": True, "on_failure": OVERLAY, "edits": 1, "least_locality": 0.0},
    ],
)
def test_charts_can_be_drawn_and_described_from_every_frame(changes, numpy_engine):
    for frame in run(SMALL.changed(**changes), numpy_engine, 0):
        for chart in MECHANISM.charts:
            assert chart.describe(frame.tables).endswith("."), chart.key
            for layer in chart.layers:
                columns = (layer.x, layer.y, layer.y2, layer.color, layer.text, layer.outline)
                assert {name for name in columns if name} <= frame.tables[layer.table].columns.keys()
                assert "run" not in frame.tables[layer.table].columns
        for regime in REGIMES:
            card = filling.own_runs(Result(SMALL.changed(**changes), 0, "numpy", frame.tables), "abc")
            assert EvaluationCard.from_json(EvaluationCard(card).to_json()).runs[REGIMES.index(regime)].regime == regime


def test_descriptions_are_computed_from_the_numbers(default):
    tables = default.tables
    assert f"PO is right about {outcome(default, 'all', PO):.2f}" in MECHANISM.chart("outcomes_all").describe(tables)
    assert "The gate lets the edit pass" in MECHANISM.chart("decision").describe(tables)
    assert "at no λ with the identity" in MECHANISM.chart("trade_off").describe(tables)
    assert "Rule 3 says external" in MECHANISM.chart("map").describe(tables)
    assert "memorybank" in MECHANISM.chart("map").describe(tables)


@pytest.mark.parametrize("tier", ["cpu", "gpu"])
def test_larger_sizes_are_allowed_and_start(tier, numpy_engine):
    frame = next(iter(run(PRESETS[tier].changed(repeats=20), numpy_engine, 0)))
    assert 0 < frame.progress < 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"before_snapshot": -0.1}, "before_snapshot is -0.1"),
        ({"after_snapshot": 0.7}, "after_snapshot is 0.7"),
        ({"noise": 3.5}, "noise is 3.5"),
        ({"dimension": 16}, "dimension is 16"),
        ({"refusal": 1.1}, "refusal is 1.1"),
        ({"repeats": 0}, "repeats is 0"),
        ({"edits": 41}, "edits is 41"),
        ({"constraint": "love"}, "constraint is 'love'"),
        ({"preservation": 0.0}, "preservation is 0.0"),
        ({"least_locality": 2.0}, "least_locality is 2.0"),
        ({"on_failure": "shrug"}, "on_failure is 'shrug'"),
        ({"position_curve": ((0.0, 0.5),)}, "position_curve is"),
        ({"position_curve": tuple((x / 10, 0.5) for x in range(3))}, "position_curve is"),
        ({"position_curve": tuple((0.8 + x / 50, 0.5) for x in range(6))}, "position_curve cannot be scored"),
        ({"cites_passage": 1}, "cites_passage is 1"),
    ],
)
def test_bad_settings_are_refused(changes, message):
    with pytest.raises(SettingsError, match=message):
        SMALL.changed(**changes)


def test_claims_that_this_run_can_tell_hold(roomy, default):
    for claim in (claims.as_expected, claims.weights_miss_changes, claims.outdated_answers, claims.roomy_weights):
        assert claim([roomy]).holds, claim.__name__
    for claim in (claims.index_catches_half, claims.source_keeps_up, claims.crowded_weights):
        assert claim([default]).holds, claim.__name__


def test_every_variant_of_a_claim_is_a_setting_that_can_run():
    for claim in MECHANISM.claims:
        assert [MapSettings().changed(**changes) for changes in claim.variants]
    assert len({claim.key for claim in MECHANISM.claims}) == len(MECHANISM.claims)


def test_claims_can_fail(default, roomy, numpy_engine):
    still = run_to_end(MECHANISM, SMALL.changed(before_snapshot=0.0, after_snapshot=0.0), numpy_engine, 0)
    late = run_to_end(MECHANISM, SMALL.changed(before_snapshot=0.6, after_snapshot=0.0), numpy_engine, 0)
    noisy = run_to_end(MECHANISM, SMALL.changed(noise=3.0), numpy_engine, 0)
    assert not claims.as_expected([default]).holds  # crowded weights are not perfect reads
    assert not claims.weights_miss_changes([still]).tells
    assert not claims.index_catches_half([late]).holds
    assert not claims.source_keeps_up([noisy]).holds
    assert not claims.outdated_answers([still]).holds
    assert not claims.noise_costs_accuracy([default]).holds
    assert not claims.weights_ignore_noise([default, roomy]).holds
    assert not claims.crowded_weights([roomy]).holds
    assert not claims.roomy_weights([default]).holds
    unwritten = run_to_end(MECHANISM, SMALL.changed(preservation=200.0, edits=16), numpy_engine, 0)
    assert not claims.covariance_passes([unwritten]).holds
    assert not claims.success_is_not_enough([unwritten]).tells
    assert not claims.success_is_not_enough([default]).holds
    table = noisy.tables["attribution_now"]
    lucky = replace(noisy, tables={**noisy.tables, "attribution_now": type(table).of(correct=[0.9], attribution=[0.1])})
    assert not claims.search_is_the_limit([lucky]).holds


@pytest.mark.parametrize(
    ("before", "after", "correct", "words"),
    [
        (0.2, 0.2, False, "below 0.75"),
        (0.26, 0.14, False, "make the index later"),
        (0.33, 0.07, True, "is right about 0.8"),
        (0.4, 0.0, True, "is right about 1.00"),
        (0.6, 0.2, False, "changes by 0.40 in all"),
        (0.35, 0.07, True, "fresh worlds"),
        (0.35, 0.08, False, "keep the sum within 0.02"),
    ],
)
def test_the_exercise_grades_the_day_of_the_index(before, after, correct, words, numpy_engine):
    answer = exercise.RefreshAnswer(before_snapshot=before, after_snapshot=after)
    grade = exercise.grade(answer, MapSettings(), 100, numpy_engine)
    assert grade.correct is correct
    assert words in grade.feedback


def test_the_exercise_measures_what_the_page_shows(default, numpy_engine):
    shown = outcome(default, "changed", OFFLINE)
    assert exercise.freshness(MapSettings(), numpy_engine, 0) == pytest.approx(shown, abs=1e-12)


def test_freshness_is_what_its_formula_says(numpy_engine):
    before, after = 0.3, 0.1
    expected = before * (1 - after) / (1 - (1 - before) * (1 - after) - before * after / 11)
    settings = MapSettings(before_snapshot=before, after_snapshot=after)
    found = np.mean([exercise.freshness(settings, numpy_engine, seed) for seed in range(4)])
    assert found == pytest.approx(expected, abs=0.03)
