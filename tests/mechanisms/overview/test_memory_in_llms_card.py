"""The evaluation card: in and out, filled from runs, and what may not be compared."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from mem_core.mechanisms import catalog
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.overview.memory_in_llms import filling
from mem_core.mechanisms.overview.memory_in_llms.card import (
    DIMENSIONS,
    CardRun,
    EvaluationCard,
    Measure,
    compare,
)
from mem_core.mechanisms.overview.memory_in_llms.mechanism import MECHANISM
from mem_core.mechanisms.overview.memory_in_llms.regimes import OFFLINE, ONLINE, PO, REGIMES
from mem_core.mechanisms.overview.memory_in_llms.settings import (
    MapSettings,
)


def outcome(result, part, regime, name="correct"):
    return result.tables[f"outcomes_{part}"].where(regime=regime, outcome=name)["share"][0]


def card_run(**changes):
    plain = CardRun(
        subject="titans",
        slice="decay 0.1",
        as_of="t2",
        regime=PO,
        engine="numpy",
        version="abc",
        measures={"correctness": Measure(0.6, 0.5, 0.7), "half-life": Measure(3.0)},
    )
    return replace(plain, **changes)


def test_a_card_comes_back_as_it_was():
    card = EvaluationCard((card_run(), card_run(regime=ONLINE, measures={"refusal": Measure(1.0, 1.0, 1.0)})))
    again = EvaluationCard.from_json(card.to_json())
    assert again.to_json() == card.to_json()
    assert again.runs[0].measures["correctness"] == Measure(0.6, 0.5, 0.7)
    assert math.isnan(again.runs[0].measures["half-life"].low)


def test_runs_of_one_slice_date_and_regime_are_compared():
    other = card_run(measures={"correctness": Measure(0.9, 0.8, 0.95), "half-life": Measure(2.0), "more": Measure(1)})
    correctness, half_life = compare(card_run(), other)
    assert correctness.value == pytest.approx(0.3)
    assert correctness.apart is True
    assert half_life.apart is None
    assert compare(card_run(), card_run())[0].apart is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": "pmet"}, "subjects differ, 'titans' against 'pmet'"),
        ({"slice": "decay 0.2"}, "slices differ"),
        ({"as_of": "t1"}, "dates differ, 't2' against 't1'"),
        ({"regime": ONLINE}, "regimes differ, 'PO' against 'Online'"),
        ({"measures": {"other": Measure(1.0)}}, "share no measure"),
    ],
)
def test_runs_that_differ_in_more_than_the_system_are_not_compared(changes, message):
    with pytest.raises(ValueError, match=message):
        compare(card_run(), card_run(**changes))


WHOLE = {"subject": "a", "slice": "b", "as_of": "c", "regime": "d", "engine": "e", "version": "f", "measures": {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "must be JSON"),
        ('{"cards": []}', "whose entry 'card'"),
        ('{"card": [1]}', "Run 1 of the card must have exactly subject"),
        (json.dumps({"card": [WHOLE | {"extra": 1}]}), "Run 1 of the card must have exactly"),
        (json.dumps({"card": [WHOLE, WHOLE | {"slice": 3}]}), "slice of run 2 of the card must be text, got 3"),
        (json.dumps({"card": [WHOLE | {"measures": [1]}]}), "measures of run 1"),
        (
            json.dumps({"card": [WHOLE | {"measures": {"x": [1]}}]}),
            "x of run 1 of the card must be value, low and high",
        ),
        (json.dumps({"card": [WHOLE | {"measures": {"x": [1, 2, "3"]}}]}), "value, low and high"),
        (json.dumps({"card": [WHOLE | {"measures": {"x": [1, 2, 3]}}]}), "outside its interval"),
    ],
)
def test_a_card_that_is_none_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        EvaluationCard.from_json(text)


def test_this_run_fills_five_dimensions_in_three_regimes(default):
    runs = filling.own_runs(default, "abc")
    assert [run.regime for run in runs] == list(REGIMES)
    for run_ in runs:
        missing = {"position robustness"} if run_.regime == PO else set()
        assert set(run_.measures) == set(DIMENSIONS) - missing
        assert run_.as_of == "t2"
    assert runs[1].measures["correctness"].value == pytest.approx(outcome(default, "all", OFFLINE))
    assert compare(runs[0], filling.own_runs(default, "def")[0])[0].value == 0
    with pytest.raises(ValueError, match="regimes differ"):
        compare(runs[0], runs[2])


def test_another_system_may_answer_the_same_questions_and_other_questions_may_not(default, numpy_engine):
    here = filling.own_runs(default, "abc")[1]
    for changes, same in (({"noise": 1.0}, True), ({"refusal": 0.5}, True), ({"after_snapshot": 0.3}, False)):
        other = run_to_end(MECHANISM, MapSettings(**changes), numpy_engine, 0)
        assert (filling.own_runs(other, "abc")[1].slice == here.slice) is same


def test_another_mechanism_is_put_on_the_card_by_its_claims_and_its_half_life(numpy_engine):
    mechanism = catalog.load("memorybank")
    result = run_to_end(mechanism, mechanism.presets["browser"], numpy_engine, 0)
    found = filling.run_of(mechanism, result, "abc")
    alone = {claim.key for claim, _evidence in filling.told(mechanism, result)}
    assert alone
    assert set(found.measures) == alone | {"half-life in days"}
    assert found.regime == OFFLINE
    assert found.slice.endswith("seed 0")
    assert EvaluationCard.from_json(EvaluationCard((found,)).to_json()).runs[0].slice == found.slice


def test_a_mechanism_that_has_no_place_on_the_map_is_not_put_on_the_card(default):
    with pytest.raises(ValueError, match="slug is 'hippocampus'"):
        filling.run_of(replace(MECHANISM, slug="hippocampus"), default, "abc")
