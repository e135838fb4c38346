"""The survey's measures as functions, and the position curve that they score."""

from __future__ import annotations

import json
import math

import pytest

from mem_core.mechanisms.overview.memory_in_llms import metrics, position
from mem_core.mechanisms.overview.memory_in_llms.mechanism import MECHANISM
from mem_core.mechanisms.overview.memory_in_llms.regimes import ONLINE
from mem_core.mechanisms.overview.memory_in_llms.run import run
from mem_core.mechanisms.overview.memory_in_llms.settings import (
    MapSettings,
)

SMALL = MapSettings(repeats=2, dimension=32)


def test_measures_of_parametric_memory():
    assert metrics.edit_success([1, 2, 3], [1, 2, 4]) == pytest.approx(2 / 3)
    assert metrics.locality([1, 1], [1, 2]) == 0.5
    assert metrics.drawdown([1, 2, 3, 4], [1, 2, 9, 9], [1, 2, 3, 0]) == pytest.approx(0.25)
    assert metrics.parametric_proxy_rate(0.3, 0.6) == 0.5
    assert metrics.long_term_retention(0.8, 0.4, 0.5) == 0.25
    assert metrics.knowledge_integration(0.7, 0.4, 0.5) == pytest.approx(0.6)
    assert metrics.factual_grounding(3, 4) == 75


def test_measures_of_contextual_memory():
    assert metrics.length_normalised_accuracy(0.5, math.e) == pytest.approx(0.5)
    assert metrics.robustness_loss(0.8, 0.6) == pytest.approx(0.25)
    assert metrics.middle_drop([0, 0.5, 1], [0.9, 0.5, 0.7]) == pytest.approx(0.3)
    # The simulated curve: its mean over a fifth is that of a parabola.
    drop = metrics.middle_drop(*zip(*position.simulated(0.4), strict=True))
    assert 0.2 < drop < 0.95 * 0.4
    assert metrics.middle_drop(*zip(*position.simulated(0.0), strict=True)) == pytest.approx(0)


def test_measures_of_external_and_procedural_memory():
    assert metrics.recall_at([{1, 2}, {3}], [2, 4]) == 0.5
    assert metrics.fresh_at([["old"], ["new", "old"]], ["new", "new"]) == 0.5
    assert metrics.citation_coverage([True, False]) == 0.5
    assert metrics.unsupported_rate([True, True, False, False]) == 0.5
    assert metrics.event_f1({1, 2}, {2, 3, 4}) == pytest.approx(2 / 5)
    assert metrics.event_f1([], []) == 1
    assert metrics.time_anchoring_error([1, 5], [2, 3]) == 1.5
    assert metrics.conflicts_resolved([True, True, False], [True, False, False]) == 0.5
    assert metrics.refusal_at_stale([True, False], [True, False]) == 1
    assert math.isnan(metrics.conflicts_resolved([False], [True]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.edit_success([1], [1, 2]), "same length, got 1 and 2"),
        (lambda: metrics.parametric_proxy_rate(-0.1, 0.5), "random_context is -0.1"),
        (lambda: metrics.parametric_proxy_rate(0.1, 0.0), "oracle_context is 0"),
        (lambda: metrics.long_term_retention(0.0, 0.1, 0.1), "initial is 0"),
        (lambda: metrics.knowledge_integration(0.5, 0.4, 0.0), "weight is 0"),
        (lambda: metrics.factual_grounding(5, 4), "0 to 4"),
        (lambda: metrics.middle_drop([0, 1], [0.5, 0.5]), "from 0.4 to 0.6"),
        (lambda: metrics.middle_drop([0, 0.5, 1], [0.5, 1.5, 0.5]), r"accuracy is 1\.5"),
        (lambda: metrics.length_normalised_accuracy(0.5, 1), "length is 1"),
        (lambda: metrics.robustness_loss(0.0, 0.0), "clean is 0"),
        (lambda: position.simulated(2.0), r"bias is 2\.0"),
    ],
)
def test_measures_of_nothing_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def saved(tables):
    return json.dumps({"tables": {name: {"rows": rows} for name, rows in tables.items()}})


def test_a_position_curve_is_read_from_a_saved_run():
    rows = [{"depth": depth, "accuracy": depth / 200} for depth in (100, 0, 50, 50)]
    text = saved({"other": [{"x": 1}], "empty": [], "curve": rows})
    assert position.saved_curve("not this frame\n" + text) == ((0.0, 0.0), (0.5, 0.25), (1.0, 0.5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be what"),
        ("[]", "must be what"),
        ('{"tables": 3}', "must be what"),
        (saved({"a": [{"depth": 1}]}), "column position or depth"),
    ],
)
def test_a_saved_run_without_a_position_curve_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        position.saved_curve(text)


def test_the_learners_own_curve_takes_the_place_of_the_simulated_one(numpy_engine):
    curve = ((0.0, 0.9), (1.0, 0.7), (0.5, 0.4), (0.25, 0.6), (0.75, 0.6))
    tables = next(iter(run(SMALL.changed(position_curve=curve), numpy_engine, 0))).tables
    assert tables["position"]["position"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert MECHANISM.chart("position").describe(tables).startswith("Your own curve: the middle fifth lies 0.40 below")
    assert tables["card"].where(dimension="position robustness", regime=ONLINE)["value"][0] == pytest.approx(0.6)
    built_in = next(iter(run(SMALL, numpy_engine, 0))).tables
    assert set(built_in["position"]["source"].tolist()) == {"simulated bias, not emergent"}
