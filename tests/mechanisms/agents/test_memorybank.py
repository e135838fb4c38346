"""Forgetting curves as a whole: frames, charts, claims, engines, settings, exercise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mem_core.data.measurement_csv import example_csv, read_measurements
from mem_core.engine import Engine, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.agents.memorybank.claims import CLAIMS
from mem_core.mechanisms.agents.memorybank.exercise import ENOUGH, EXERCISE, TOO_MUCH, Tau, share_alive
from mem_core.mechanisms.agents.memorybank.run import days_per_frame
from mem_core.mechanisms.agents.memorybank.settings import BROWSER, CPU, GPU, ForgettingSettings
from mem_core.mechanisms.contract import Frame, Result
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import Laboratory

MECHANISM = catalog.load("memorybank")
NUMPY = select("numpy")
OPTIONS: Any = MECHANISM.settings.controls()
EVERYTHING = BROWSER.changed(
    subject="all", families=OPTIONS["families"].options, policies=OPTIONS["policies"].options, repeats=1, days=20
)
H7 = sum(1 / k for k in range(1, 8))


def frames(chosen: ForgettingSettings, engine: Engine = NUMPY, seed: int = 0) -> list[Frame]:
    return list(MECHANISM.run(chosen, engine, seed))


@pytest.mark.parametrize(
    "chosen",
    [
        BROWSER,
        CPU.changed(days=10, repeats=2),
        EVERYTHING,
        BROWSER.changed(hold_out=True, days=10),
        BROWSER.changed(measurements=read_measurements(example_csv()), days=10),
        BROWSER.changed(measurements=tuple((day, 0.5) for day in range(1, 7)), families=("exponential",), days=10),
        BROWSER.changed(policies=("released",), loads_per_day=5, facts_per_day=1, queries_per_day=1, days=10),
        BROWSER.changed(policies=("random",), embedding="dialogue text", days=10),
        BROWSER.changed(schedule=(7,), ratings=(1,), days=10),
        BROWSER.changed(schedule=(0, 0, 0, 3650), ratings=(1, 2, 3, 4), desired_retention=0.97, days=10),
    ],
    ids=lambda chosen: ",".join(chosen.formatted(against=BROWSER)) or "browser",
)
def test_every_chart_speaks_on_the_first_frame_and_the_last(chosen: ForgettingSettings) -> None:
    run = frames(chosen)
    for frame in (run[0], run[-1]):
        for chart in MECHANISM.charts:
            said = chart.describe(frame.tables)
            assert said.endswith(".")
            assert "nan" not in said
            assert any(mark.isdigit() for mark in said) or said in (
                "The store has not opened yet.",
                "No piece is left.",
            )
            for layer in chart.layers:
                table = frame.tables[layer.table]
                names = (layer.x, layer.y, layer.y2, layer.color, layer.dash, layer.detail, layer.text)
                assert {name for name in names if name} <= set(table.columns)
                if layer.color and chart.series:
                    assert set(table[layer.color].tolist()) <= set(chart.series)


def test_charts_come_in_three_groups() -> None:
    assert {chart.key.split("_")[0] for chart in MECHANISM.charts} == {"fit", "store", "spacing"}


def test_curves_and_schedule_are_whole_in_the_first_frame() -> None:
    run = frames(BROWSER)
    for name, table in run[0].tables.items():
        if not name.startswith("store"):
            assert len(table) or name == "held_out"
            assert table is run[-1].tables[name]
    assert [frame.progress for frame in run] == sorted(frame.progress for frame in run)
    assert run[-1].progress == 1


@pytest.mark.parametrize("chosen", [BROWSER, CPU, GPU, BROWSER.changed(days=365)])
def test_frames_are_few(chosen: ForgettingSettings) -> None:
    assert 2 <= 1 + math.ceil(chosen.days / days_per_frame(chosen)) <= 40


def test_the_held_out_point_is_marked_and_no_other() -> None:
    tables = frames(EVERYTHING.changed(hold_out=True))[0].tables
    assert tables["held_out"]["days"].tolist() == [31.0] * 4
    assert (tables["measurements"]["series"] == "held out").sum() == 4


@pytest.mark.parametrize("policy", ["hazard", "random", "released", "none"])
def test_the_life_of_one_piece_is_a_sawtooth_of_its_own_recalls(policy: str) -> None:
    table = frames(BROWSER.changed(policies=(policy,)))[-1].tables["store_piece"]
    days, kept, strength = (table[name] for name in ("day", "retention", "strength"))
    rises = np.diff(kept) > 0
    assert (np.diff(days) >= 0).all()
    assert (kept[1:][rises] == 1).all()
    assert (strength[1:][rises] > strength[:-1][rises]).all()
    np.testing.assert_allclose(kept[1], math.exp(-(days[1] - days[0]) / strength[1]))


def test_tables_stay_small() -> None:
    last = frames(EVERYTHING.changed(days=60))[-1]
    assert sum(len(table) for table in last.tables.values()) < 4_000


def test_the_shared_table_is_a_human_forgetting_curve() -> None:
    table = frames(BROWSER.changed(days=10))[-1].tables["retention"]
    assert table.units["lag"] == "days"
    assert (np.diff(table["lag"]) > 0).all()
    assert ((table["retention"] >= 0) & (table["retention"] <= 1)).all()
    assert table["retention"][-1] == pytest.approx(0.211, abs=0.02)
    assert "savings" in str(table["series"][0])


def test_nobody_calls_savings_recall_probability() -> None:
    words = " ".join(
        [claim.statement for claim in CLAIMS] + [chart.title + chart.look_for for chart in MECHANISM.charts]
    )
    assert "recall probability" not in words


def test_engines_agree() -> None:
    """In double precision every number to 2e-7: fits stop at a relative change of 1e-12 of their cost, whose square
    root bounds the curves. The parameters of the scaled Wickelgren curve are not determined and are left out."""
    ours, theirs = (frames(EVERYTHING, select(name, precision="float64"))[-1].tables for name in ("numpy", "torch"))
    assert ours.keys() == theirs.keys()
    for name, table in ours.items():
        for column, values in table.columns.items():
            if values.dtype.kind in "fi":
                np.testing.assert_allclose(theirs[name][column], values, atol=2e-7, err_msg=f"{name}.{column}")
            elif column not in ("parameters", "note"):
                assert theirs[name][column].tolist() == values.tolist()


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    first, again, other = (frames(BROWSER, seed=seed)[-1].tables["store_lives"] for seed in (3, 3, 4))
    assert first.rows() == again.rows() != other.rows()


def test_the_seed_and_the_store_do_not_touch_the_curves() -> None:
    first, other = frames(BROWSER)[0].tables, frames(BROWSER.changed(tau=3.0, days=30), seed=8)[0].tables
    assert first["fits"].rows() == other["fits"].rows()


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_every_claim_holds(name: str) -> None:
    laboratory = Laboratory(MECHANISM, select(name))
    for claim in CLAIMS:
        evidence = laboratory.evidence(claim, BROWSER, 0)
        assert evidence.holds, (claim.key, evidence)


def test_claims_can_fail() -> None:
    """Points that are an exponential, and a store without preference, refute the claims about curves and store."""
    points = tuple((day, math.exp(-day / 5)) for day in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0))
    tables = dict(frames(EVERYTHING.changed(measurements=points))[-1].tables)
    for name in ("fits", "measurements"):
        columns = dict(tables[name].columns)
        columns["subject"] = np.array(["Ebbinghaus"] * len(tables[name]))
        tables[name] = type(tables[name])(columns)
    lives = dict(tables["store_lives"].columns)
    lives["late_hit_rate"] = np.full(len(tables["store_lives"]), 0.3)
    tables["store_lives"] = type(tables["store_lives"])(lives)
    result = Result(BROWSER, 0, "numpy", tables)
    refuted = {claim.key for claim in CLAIMS if not claim.check([result] * len(claim.variants)).holds}
    assert {
        "not-exponential",
        "order-of-curves",
        "exponential-misses-a-month",
        "fsrs-curve-fits",
        "recall-picks-what-to-keep",
        "released-formula-forgets-all",
    } <= refuted


@pytest.mark.parametrize(
    "changes", [{"subject": "Dros"}, {"families": ("power",)}, {"hold_out": True}, {"measurements": ((1.0, 0.5),) * 6}]
)
def test_a_run_that_cannot_tell_says_so(changes: dict[str, Any]) -> None:
    claim = next(claim for claim in CLAIMS if claim.key == "not-exponential")
    evidence = claim.check([Result(BROWSER, 0, "numpy", frames(BROWSER.changed(**changes))[0].tables)])
    assert not evidence.tells
    assert "Ebbinghaus" in evidence.note


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"schedule": (3, 1)}, "must not go back"),
        ({"schedule": ()}, "schedule"),
        ({"ratings": (5,)}, "ratings"),
        ({"tau": 0.4}, "tau"),
        ({"tau": math.nan}, "tau"),
        ({"top_k": 0}, "top_k"),
        ({"loads_per_day": 6}, "loads_per_day"),
        ({"subject": "Nobody"}, "subject"),
        ({"families": ()}, "families"),
        ({"policies": ("fifo",)}, "policies"),
        ({"measurements": ((1.0, 0.5),) * 5}, "6 to 60 pairs"),
        ({"measurements": ((-1.0, 0.5),) * 6}, "measurements"),
        ({"measurements": ((1.0, 1.5),) * 6}, "measurements"),
        ({"embedding": "dialogue text", "days": 365, "facts_per_day": 20}, "at most 6400 facts"),
        ({"days": 365, "facts_per_day": 300, "queries_per_day": 500, "repeats": 20}, "lower repeats first"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        BROWSER.changed(**changes)


def test_settings_come_back_from_their_text() -> None:
    own = read_measurements(example_csv())
    chosen = EVERYTHING.changed(measurements=own, schedule=(0, 0, 9), ratings=(1, 4), hold_out=True, tau=2.5)
    assert BROWSER.parsed(chosen.formatted(against=BROWSER)) == chosen


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(OPTIONS)),
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.lists(st.floats(), max_size=9)
    ),
)
def test_any_value_is_used_or_refused_in_a_sentence(name: str, value: Any) -> None:
    try:
        BROWSER.changed(**{name: value})
    except SettingsError as error:
        assert name in str(error)  # noqa: PT017 - what goes out otherwise must fail the test


@pytest.mark.parametrize("policy", ["hazard", "per load"])
@pytest.mark.parametrize("recalls", [0, 7])
@pytest.mark.parametrize("tau", [2.0, 4.2, 9.0])
def test_lives_in_the_exercise_follow_the_closed_form(policy: str, recalls: int, tau: float, engine: Engine) -> None:
    after = 14 - recalls
    tail = after if policy == "hazard" else after * (after + 1) / 2
    daily = sum(1 / k for k in range(1, recalls + 1))
    chance = math.exp(-(daily + tail / (1 + recalls)) / tau)
    three_errors = 3 * math.sqrt(chance * (1 - chance) / 4000) + 1e-3
    assert share_alive(policy, tau, recalls, 0, engine) == pytest.approx(chance, abs=three_errors)


def test_the_window_of_right_answers_is_where_the_closed_form_puts_it() -> None:
    low, high = (H7 + 7 / 8) / -math.log(ENOUGH), 14 / -math.log(TOO_MUCH)
    assert (low, high) == (pytest.approx(3.785, abs=1e-3), pytest.approx(4.673, abs=1e-3))
    for seed in range(5):
        for tau, correct in ((low - 0.3, False), (low + 0.3, True), (high - 0.25, True), (high + 0.5, False)):
            assert EXERCISE.grade(Tau(tau), BROWSER, seed, NUMPY).correct is correct


def test_feedback_says_which_way_to_go_and_success_shows_per_load() -> None:
    assert "larger τ" in EXERCISE.grade(Tau(1.0), BROWSER, 1, NUMPY).feedback
    assert "smaller τ" in EXERCISE.grade(Tau(9.0), BROWSER, 1, NUMPY).feedback
    assert "per load" in EXERCISE.grade(Tau(4.2), BROWSER, 1, NUMPY).feedback
    assert "per load" in EXERCISE.follow_up


@pytest.mark.parametrize("tau", [0.0, 11.0, math.nan, "four"])
def test_an_answer_out_of_range_is_refused(tau: Any) -> None:
    with pytest.raises(SettingsError, match="tau"):
        Tau(tau)
