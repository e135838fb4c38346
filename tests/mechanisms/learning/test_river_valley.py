import math
from dataclasses import replace

import numpy as np
import pytest

from mem_core.engine import philox, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Result, RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import Laboratory, run_to_end
from mem_core.mechanisms.learning.river_valley import exercise
from mem_core.mechanisms.learning.river_valley.experiment import language_of, run, walk_valley
from mem_core.mechanisms.learning.river_valley.lanes import Lane, affordable_ends, plan_training, whole_schedule
from mem_core.mechanisms.learning.river_valley.settings import (
    CONSTANT,
    COSINE,
    CYCLIC,
    PRESETS,
    SCHEDULES,
    WSD,
    WSD_CHARGED,
    WSD_S,
    RiverValleySettings,
)
from mem_core.mechanisms.learning.river_valley.training import Losses, train
from mem_core.mechanisms.learning.river_valley.valley import Valley, walk
from mem_core.training import schedules

MECHANISM = catalog.load("river-valley")
ENGINES = ("numpy", "torch")
SMALL = RiverValleySettings(budgets=(40, 80, 160), facts=16, valley_particles=100)


@pytest.fixture(scope="module")
def numpy64():
    return select("numpy", precision="float64")


@pytest.fixture(scope="module")
def everything():
    """A run of all five schedules at the default sizes."""
    return run_to_end(MECHANISM, RiverValleySettings(schedules=SCHEDULES), select("numpy"), 0)


def frames_of(settings, engine=None, seed=0):
    return list(run(settings, engine or select("numpy"), seed))


def final(result, schedule, budget=None):
    rows = result.tables["budgets"].where(schedule=schedule)
    return (rows.where(budget=budget) if budget else rows).rows()[-1]


# The language model: closed forms


@pytest.mark.parametrize("name", ENGINES)
def test_nothing_learned_costs_the_facts_share_times_the_entropy_of_a_guess(name):
    engine = select(name, precision="float64")
    losses = Losses(engine, language_of(RiverValleySettings(), 0))
    river, hill = losses.parts(engine.xp.zeros((136, 1, 8)))[:, 0]
    assert river == pytest.approx(0.3 * math.log(8), rel=1e-12)
    assert river == pytest.approx(0.6238325, abs=5e-8)
    assert hill == pytest.approx(0, abs=1e-15)


def test_the_hill_settles_where_noise_and_pull_balance():
    # Near a uniform open context each of its V - 1 directions is the quadratic hill of the two-dimensional valley
    # with steepness q/V and noise variance q/(V B); the mean over 20 runs is within 15 % of the sum of their losses.
    settings = RiverValleySettings(schedules=(CONSTANT, WSD), peak_rate=8.0, valley_particles=100)
    hills = [
        [final(run_to_end(MECHANISM, settings, select("numpy"), seed), name)["hill"] for name in (CONSTANT, WSD)]
        for seed in range(20)
    ]
    steepness, noise = 0.7 / 8 / 8, math.sqrt(0.7 / 8 / 8 / 64)
    hill = Valley(steepness, 0.0, noise)
    variance = 0.0
    for rate in schedules.wsd(2000, 8.0):
        variance = hill.next_variance(variance, rate)
    directions = 8 * 7
    expected = [directions * hill.stationary_hill_loss(8.0), directions * steepness / 2 * variance]
    np.testing.assert_allclose(np.mean(hills, axis=0), expected, rtol=0.15)


def test_river_and_hill_add_up_to_the_loss(everything):
    for name in ("loss", "budgets"):
        table = everything.tables[name]
        np.testing.assert_allclose(table["river"] + table["hill"], table["loss"], rtol=1e-12)


# Branches and what they cost


def test_a_branch_is_the_same_as_training_that_schedule_from_the_start(numpy64):
    settings = RiverValleySettings(budgets=(40, 80, 160), facts=16)
    plan = plan_training(settings, (WSD,), settings.peak_rate)
    whole = Lane("whole", 0, whole_schedule(settings, WSD, settings.budgets, settings.peak_rate))
    lanes = [*plan.lanes, whole]
    last = settings.budgets[-1]
    *_, (_, history) = train(
        numpy64,
        language_of(settings, 0),
        lanes,
        philox(0, "batches"),
        batch_size=16,
        log_steps=(),
        frame_steps=(50, last),
        keep=[(lane, last) for lane in lanes if lane.stop == last],
    )
    branch = plan.of(WSD)[-1].lane
    np.testing.assert_allclose(history.kept[branch, last], history.kept[whole, last], atol=1e-12)
    assert np.abs(history.kept[branch.parent, last] - history.kept[whole, last]).max() > 0.1


def test_wsd_is_charged_for_the_decays_it_throws_away(everything):
    charged = {
        name: [row["charged"] for row in everything.tables["budgets"].where(schedule=name).rows()]
        for name in (*SCHEDULES, WSD_CHARGED)
    }
    assert charged == {
        CONSTANT: [500, 1000, 2000],
        WSD: [500, 1050, 2150],
        WSD_S: [500, 1000, 2000],
        COSINE: [500, 1500, 3500],
        CYCLIC: [500, 1000, 2000],
        WSD_CHARGED: [500, 1000, 2000],
    }
    taken = [row["steps"] for row in everything.tables["budgets"].where(schedule=WSD_CHARGED).rows()]
    assert taken == [500, 950, 1855] == list(affordable_ends((500, 1000, 2000), 0.1))


def test_the_first_checkpoints_agree_where_the_schedules_do(everything):
    assert final(everything, WSD, 500)["loss"] == pytest.approx(final(everything, WSD_S, 500)["loss"], rel=1e-4)
    assert final(everything, COSINE, 500)["loss"] == pytest.approx(final(everything, CYCLIC, 500)["loss"], rel=1e-4)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_rates_shown_are_the_rates_used(everything, schedule):
    expected = whole_schedule(RiverValleySettings(), schedule, (500, 1000, 2000), 16.0)
    branch = "to the end" if schedule == CONSTANT else "to 2000"
    rows = everything.tables["rates"].where(schedule=schedule, branch=branch)
    assert rows["step"][0] == 0
    assert rows["step"][-1] == 1999
    np.testing.assert_allclose(rows["rate"], expected[rows["step"]], rtol=1e-12)


# The two-dimensional valley: closed forms


def walked(valley, rates, engine, particles, seed=0, every=None):
    noise = philox(seed, "valley").standard_normal((len(rates), particles))
    return walk(engine, valley, [rates], noise, [*range(0, len(rates), every or len(rates)), len(rates)])


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("product", [0.2, 0.6, 1.2, 1.8])
def test_a_straight_hill_settles_at_the_stationary_loss(name, product):
    valley = Valley(steepness=20, bend=0.0, noise=2.0)
    rate = product / 20
    found = walked(valley, np.full(600, rate), select(name), 20_000).averages[-1].hill[0]
    assert found == pytest.approx(valley.stationary_hill_loss(rate), rel=0.03)


def test_the_stationary_loss_is_the_fixed_point_of_the_variance():
    valley = Valley(20, 0.0, 2.0)
    for rate, stated in ((0.01, 0.0111), (0.03, 0.0429), (0.06, 0.15), (0.09, 0.9)):
        variance = 2 / 20 * valley.stationary_hill_loss(rate)
        assert valley.next_variance(variance, rate) == pytest.approx(variance, rel=1e-12)
        assert valley.stationary_hill_loss(rate) == pytest.approx(stated, rel=5e-3)


def test_the_variance_is_followed_through_a_decay(numpy64):
    valley, rates = Valley(20, 0.0, 1.0), schedules.wsd(400, 0.08)
    variance = 1.0  # every particle starts one up the wall
    for rate in rates:
        variance = valley.next_variance(variance, rate)
    found = walked(valley, rates, numpy64, 20_000).averages[-1].hill[0]
    assert found == pytest.approx(20 / 2 * variance, rel=0.03)


def test_the_fastest_drain_of_the_hill_is_the_inverse_decay():
    valley, variance, rates = Valley(20, 0.0, 2.0), 0.3, []
    for _ in range(50):
        rates.append(valley.fastest_drain(variance))
        best = valley.next_variance(variance, rates[-1])
        assert best < min(valley.next_variance(variance, rates[-1] * factor) for factor in (0.99, 1.01))
        assert 1 / best == pytest.approx(1 / variance + 20**2 / 2.0**2, rel=1e-10)
        variance = best
    np.testing.assert_allclose(np.diff(1 / np.array(rates)), 20, rtol=1e-9)
    inverse = schedules.decay(49, rates[0], floor_ratio=rates[-1] / rates[0])
    np.testing.assert_allclose(inverse, rates[1:], rtol=1e-9)


def test_the_river_depends_on_the_sum_of_the_rates(numpy64):
    valley = Valley(20, 0.0, 0.0)
    for rates in (np.full(4000, 0.002), np.full(8000, 0.001), schedules.cosine(8000, 0.002, floor_ratio=0.0)):
        x = walked(valley, rates, numpy64, 100).path_x[0][-1]
        assert (1 + x) ** 3 == pytest.approx(1 + 3 * rates.sum(), rel=2e-2)  # exact as the rates go to zero


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("bend", [0.0, 0.3])
def test_a_step_without_noise_goes_down_the_gradient(name, bend):
    engine, valley, rate = select(name, precision="float64"), Valley(20, bend, 0.0), 0.03

    def loss(place):
        x, y = place[0], place[1]
        return 1 / (1 + x) + 10 * (y - bend * engine.xp.sin(x)) ** 2

    trace = walked(valley, np.full(30, rate), engine, 100)
    gradient_of = engine.value_and_grad(loss)
    for here, there in zip(range(30), range(1, 31), strict=True):
        place = np.array([trace.path_x[0][here], trace.path_y[0][here]])
        if place[0] <= 0:
            continue  # the spring, where the height has a kink
        gradient = engine.to_numpy(gradient_of(engine.asarray(place))[1])
        after = [trace.path_x[0][there], trace.path_y[0][there]]
        np.testing.assert_allclose(after, place - rate * gradient, rtol=1e-10)


def test_contours_lie_at_their_level():
    valley = Valley(20, 0.3, 1.0)
    low, high = valley.contour(0.8, 2.0)
    for y in (low, high):
        assert valley.height(2.0) + 10 * (y - valley.bed(2.0)) ** 2 == pytest.approx(0.8)
    assert valley.contour(0.2, 2.0) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {CONSTANT: (0.359, 0.222, 0.137), WSD: (0.230, 0.228, 0.002), COSINE: (0.266, 0.264, 0.002)}),
        ({"valley_rate": 0.02}, {CONSTANT: (0.345, 0.339, 0.006), WSD: (0.348, 0.347, 0.001)}),
        ({"valley_bend": 0.0}, {CONSTANT: (0.320, 0.217, 0.103), WSD: (0.225, 0.223, 0.002)}),
    ],
)
def test_the_valley_ends_where_many_particles_end_on_average(changes, expected):
    settings = RiverValleySettings(valley_particles=4000, **changes)
    average = walk_valley(settings, select("numpy"), 1).averages[-1]
    for index, schedule in enumerate(settings.schedules):
        if schedule in expected:
            found = (average.river[index] + average.hill[index], average.river[index], average.hill[index])
            np.testing.assert_allclose(found, expected[schedule], rtol=0.03, atol=0.002)


def test_an_unstable_hill_is_announced_and_not_an_error():
    frames = frames_of(SMALL.changed(valley_steepness=40.0))
    assert all("Hill unstable" in frame.message for frame in frames)
    notes = frames[-1].tables["notes"].where(about="valley").rows()
    assert "3.2" in notes[0]["note"]
    assert "ended at step" in notes[0]["note"]
    assert np.isfinite(frames[-1].tables["valley"]["loss"]).all()
    assert all(chart.describe(frames[-1].tables) for chart in MECHANISM.charts)


# The run


def test_both_engines_give_the_same_run():
    # Float64 and the same random numbers: 160 steps apart only by the order of sums.
    settings = SMALL.changed(schedules=SCHEDULES)
    ends = [run_to_end(MECHANISM, settings, select(name, precision="float64"), 3).tables for name in ENGINES]
    assert ends[0].keys() == ends[1].keys()
    for name, table in ends[0].items():
        for column, values in table.columns.items():
            other = ends[1][name][column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, other, rtol=1e-9, atol=1e-12, err_msg=f"{name}.{column}")
            else:
                assert values.tolist() == other.tolist()


def test_both_engines_agree_in_float32_at_the_default_settings():
    # Gradient descent on this convex loss contracts: 2000 steps of rounding stay at the level of a few.
    ends = [run_to_end(MECHANISM, RiverValleySettings(), select(name), 0).tables["budgets"] for name in ENGINES]
    np.testing.assert_allclose(ends[0]["loss"], ends[1]["loss"], rtol=1e-3)


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    first, again, other = (frames_of(SMALL, seed=seed)[-1].tables["budgets"]["loss"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_schedule_does_not_depend_on_the_others_beside_it():
    alone = frames_of(SMALL.changed(schedules=(COSINE,)))[-1].tables["budgets"]
    together = frames_of(SMALL.changed(schedules=SCHEDULES))[-1].tables["budgets"].where(schedule=COSINE)
    np.testing.assert_allclose(alone["loss"], together["loss"], rtol=1e-4)


def test_frames_grow_towards_the_result():
    frames = frames_of(RiverValleySettings(valley_particles=100))
    assert [frame.progress for frame in frames] == [0.25, 0.5, 0.75, 1.0]
    sizes = [len(frame.tables["loss"]) for frame in frames]
    assert sizes == sorted(sizes)
    assert sum(len(table) for table in frames[-1].tables.values()) < 3000


@pytest.mark.parametrize("tier", ["cpu", "gpu"])
def test_longer_runs_are_shown_in_at_most_forty_frames(tier):
    from mem_core.mechanisms.learning.river_valley.experiment import frame_steps

    steps = frame_steps(PRESETS[tier].budgets[-1])
    assert 5 <= len(steps) <= 40
    assert steps[-1] == PRESETS[tier].budgets[-1]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_chart_describes_the_first_frame_and_the_last(schedule):
    for settings in (SMALL.changed(schedules=(schedule,)), SMALL.changed(schedules=(schedule,), warmup=8)):
        frames = frames_of(settings)
        for frame in (frames[0], frames[-1]):
            for chart in MECHANISM.charts:
                words = chart.describe(frame.tables)
                assert words.endswith("."), chart.key
                assert "nan" not in words


def test_every_chart_draws_from_columns_that_exist(everything):
    for chart in MECHANISM.charts:
        for layer in chart.layers:
            columns = everything.tables[layer.table].columns
            for name in (layer.x, layer.y, layer.color, layer.dash, layer.detail, layer.text):
                assert not name or name in columns, (chart.key, name)
            if layer.color:
                assert set(everything.tables[layer.table][layer.color]) <= set(chart.series)


def test_the_line_waits_for_its_checkpoints():
    frames = frames_of(RiverValleySettings(valley_particles=100))
    assert [len(frame.tables["line"]) for frame in frames] == [0, 0, 0, 42]
    assert "Needs WSD" in MECHANISM.chart("line").describe(frames[0].tables)


def test_a_decay_that_was_cut_is_announced():
    frames = frames_of(SMALL.changed(schedules=(WSD_S,), budgets=(100, 105, 160)))
    assert "cut from 10 to 5 steps" in frames[-1].message
    assert frames[-1].tables["notes"]["about"].tolist() == [WSD_S, WSD]


def test_looking_into_a_schedule_that_is_not_selected_falls_back_and_says_so():
    frames = frames_of(SMALL.changed(schedules=(COSINE,), focus=WSD))
    assert set(frames[-1].tables["parts"]["schedule"]) == {COSINE}
    assert "WSD is not selected" in frames[-1].message


def test_training_that_blows_up_names_the_setting_to_change():
    lane = Lane(CONSTANT, 0, np.full(20, math.inf))
    training = train(
        select("torch"),
        language_of(SMALL, 0),
        [lane],
        philox(0, "batches"),
        batch_size=8,
        log_steps=(),
        frame_steps=[20],
    )
    with pytest.raises(RunError, match="peak_rate"):
        list(training)


def test_the_wildest_settings_stay_finite():
    settings = SMALL.changed(schedules=SCHEDULES, peak_rate=64.0, batch_size=8, open_contexts=1, vocabulary=2)
    assert np.isfinite(frames_of(settings)[-1].tables["loss"]["loss"]).all()


@pytest.mark.parametrize("budgets", [(20, 21, 22), (20, 21, 2000), (100, 101, 102)])
@pytest.mark.parametrize("changes", [{}, {"decay_fraction": 0.4}, {"decay_fraction": 0.02, "warmup": 4}])
def test_budgets_that_are_short_or_close_together_work(budgets, changes):
    settings = SMALL.changed(schedules=SCHEDULES, budgets=budgets, **changes)
    last = frames_of(settings)[-1]
    assert len(last.tables["budgets"]) == 3 * 6
    assert all(chart.describe(last.tables) for chart in MECHANISM.charts)


# Bad input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"floor_ratio": 0.0}, "inverse decay needs a floor"),
        ({"floor_ratio": 0.5}, "floor_ratio"),
        ({"budgets": (500, 500, 2000)}, "increasing"),
        ({"budgets": (500, 2000)}, "budgets"),
        ({"decay_fraction": 0.0}, "decay_fraction"),
        ({"decay_fraction": math.nan}, "decay_fraction"),
        ({"peak_rate": 65.0}, "peak_rate"),
        ({"peak_rate": "fast"}, "peak_rate"),
        ({"schedules": ()}, "schedules"),
        ({"schedules": ("WSD", "linear")}, "schedules"),
        ({"warmup": 110}, "warmup is 110, but with a first budget of 500 it must be at most 100"),
        ({"facts": 65_528, "vocabulary": 64}, "facts"),
        ({"valley_steepness": 50.0}, "valley_steepness"),
    ],
)
def test_bad_settings_are_named(changes, words):
    with pytest.raises(SettingsError, match=words):
        RiverValleySettings(**changes)


def test_a_floor_of_zero_is_fine_for_other_shapes():
    settings = SMALL.changed(floor_ratio=0.0, decay_shape="linear", schedules=SCHEDULES)
    assert frames_of(settings)[-1].progress == 1


@pytest.mark.parametrize("tier", ["browser", "cpu", "gpu"])
def test_presets_are_allowed_settings(tier):
    preset = PRESETS[tier]
    assert RiverValleySettings().parsed(preset.formatted()) == preset


# Claims and exercise


@pytest.mark.parametrize("name", ENGINES)
def test_every_claim_holds(name):
    laboratory = Laboratory(MECHANISM, select(name))
    for claim in MECHANISM.claims:
        evidence = laboratory.evidence(claim, PRESETS["browser"], 0)
        assert evidence.holds, (claim.key, evidence)


def test_claims_can_fail():
    # A small rate bounces too little for a decay to matter.
    settings = RiverValleySettings(schedules=SCHEDULES, peak_rate=1.0, valley_rate=0.02, valley_particles=100)
    result = run_to_end(MECHANISM, settings, select("numpy"), 0)
    failing = {claim.key for claim in MECHANISM.claims if not claim.check([result] * 6).holds}
    assert failing >= {"plateau-then-drop", "rate-drives-river", "wsd-wants-higher-rate", "valley-decay-pays"}


def test_claims_say_so_when_a_run_lacks_their_schedules():
    result = run_to_end(MECHANISM, SMALL.changed(schedules=(CYCLIC,)), select("numpy"), 0)
    alone = [claim for claim in MECHANISM.claims if claim.variants == ({},)]
    assert len(alone) == 5
    for claim in alone:
        evidence = claim.check([result])
        assert not evidence.tells
        assert not evidence.holds
        assert "WSD" in evidence.note


def test_a_rising_line_is_not_a_fall(everything):
    claim = next(claim for claim in MECHANISM.claims if claim.key == "decayed-line-falls")
    line = everything.tables["line"]
    upside_down = replace(line, columns={**line.columns, "loss": 1 - line["loss"]})
    assert not claim.check([Result(everything.settings, 0, "numpy", {**everything.tables, "line": upside_down})]).holds


def test_the_exercise_accepts_the_best_rate_and_refuses_others():
    settings, engine = PRESETS["browser"], select("numpy")
    grade = MECHANISM.exercise.grade
    right = exercise.RateAnswer(peak_rate=16.0, compared="higher", factor=4.0)
    accepted = grade(right, settings, 11, engine)
    assert accepted.correct
    assert "higher" in accepted.feedback
    assert grade(right.changed(peak_rate=24.0), settings, 11, engine).correct
    assert not grade(right.changed(peak_rate=2.0), settings, 11, engine).correct
    assert not grade(right.changed(compared="lower"), settings, 11, engine).correct
    assert not grade(exercise.RateAnswer(), settings, 11, engine).correct


def test_the_exercise_sweeps_what_a_run_measures():
    found = exercise.sweep(PRESETS["browser"], [5], select("numpy"))
    result = run_to_end(MECHANISM, RiverValleySettings(valley_particles=100, peak_rate=8.0), select("numpy"), 5)
    for schedule in (CONSTANT, WSD):
        assert found[schedule][8.0] == pytest.approx(final(result, schedule)["loss"], rel=1e-3)
