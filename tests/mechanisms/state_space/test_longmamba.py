"""Scan filters as a whole: runs, parity of the engines, claims, charts, exercise, live training."""

import math

import numpy as np
import pytest

from mem_core.engine import leaves, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.scoreboard import check
from mem_core.mechanisms.state_space.longmamba import models, run
from mem_core.mechanisms.state_space.longmamba.exercise import FilterAnswer, grade
from mem_core.mechanisms.state_space.longmamba.filters import MODES
from mem_core.mechanisms.state_space.longmamba.measurements import Laboratory
from mem_core.mechanisms.state_space.longmamba.presentation import accuracy_of
from mem_core.mechanisms.state_space.longmamba.settings import ScanFilterSettings
from mem_core.training.trainer import DivergedError

MECHANISM = catalog.load("longmamba")
DEFAULT = ScanFilterSettings()
SMALL = DEFAULT.changed(sequences=16)
VARIED = (
    DEFAULT,
    DEFAULT.changed(test_length=32, mode="norm-scale"),
    DEFAULT.changed(test_length=1024, mode="off", sequences=16),
    DEFAULT.changed(theta=0.9, needle_position=1.0),
    DEFAULT.changed(task="marked value", needle_position=0.0, mode="bound", head=4),
    DEFAULT.changed(test_length=300, mode="alpha", theta=1e-12, clamp=0.5, model=2),
    DEFAULT.changed(test_length=33, mode="all heads", clamp=0.03, needle_position=0.0),
    DEFAULT.changed(mode="random skip", model=3),
)


def _frames(settings, name="numpy", seed=0):
    return list(MECHANISM.run(settings, select(name), seed))


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_every_claim_holds(name):
    for score in check(MECHANISM, select(name), range(2)):
        assert score.holds, score.as_row()


def test_engines_agree_in_float64():
    """The same sums in another order: 1e-9 relative over 512 tokens; accuracies are equal unless a tie is broken."""
    settings = DEFAULT.changed(test_length=512)
    for changes in ({}, {"task": "marked value", "mode": "bound"}, {"mode": "alpha", "model": 1}):
        first, second = (
            run_to_end(MECHANISM, settings.changed(**changes), select(name, precision="float64"), 3).tables
            for name in ("numpy", "torch")
        )
        assert first.keys() == second.keys()
        for name, table in first.items():
            for column, values in table.columns.items():
                if values.dtype.kind == "f":
                    np.testing.assert_allclose(values, second[name][column], rtol=1e-9, atol=1e-12, err_msg=name)
                else:
                    np.testing.assert_array_equal(values, second[name][column], err_msg=name)


def test_engines_reach_the_same_verdicts_in_float32():
    first, second = (run_to_end(MECHANISM, DEFAULT, select(name), 0).tables["accuracy"] for name in ("numpy", "torch"))
    # A sequence on the border may fall to either side: at most two of 64.
    np.testing.assert_allclose(first["accuracy"], second["accuracy"], atol=2.1 / 64)


def test_engines_train_alike_at_first():
    """Twenty steps in float64 agree to 1e-8: rounding of 1e-16 grows with every step of training."""
    runs = []
    for name in ("numpy", "torch"):
        engine = select(name, precision="float64")
        for update in models.trained(engine, "one needle", 1):
            if update.step == 20:
                runs.append((update.loss, [engine.to_numpy(leaf) for leaf in leaves(update.params)]))
                break
    assert runs[0][0] == pytest.approx(runs[1][0], abs=1e-8)
    for first, second in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_allclose(first, second, atol=1e-8)


def test_the_same_seed_gives_the_same_run_and_another_seed_other_data():
    first, again, other = (run_to_end(MECHANISM, SMALL, select("numpy"), seed).tables for seed in (5, 5, 6))
    np.testing.assert_array_equal(first["steps"]["log10_step"], again["steps"]["log10_step"])
    assert (first["steps"]["log10_step"] != other["steps"]["log10_step"]).any()


@pytest.mark.parametrize("settings", VARIED)
def test_every_chart_describes_every_frame_and_finds_its_columns(settings):
    for frame in _frames(settings):
        assert 0 <= frame.progress <= 1
        for chart in MECHANISM.charts:
            assert chart.describe(frame.tables).strip().endswith(".")
            assert "nan" not in chart.describe(frame.tables)
            for layer in chart.layers:
                columns = frame.tables[layer.table].columns
                used = (layer.x, layer.y, layer.y2, layer.x2, layer.color, layer.dash, layer.detail, layer.text)
                assert {name for name in (*used, layer.outline) if name} <= columns.keys()


def test_descriptions_hold_before_anything_is_measured():
    first = next(iter(MECHANISM.run(DEFAULT.changed(source="train here"), select("numpy"), 0)))
    for chart in MECHANISM.charts:
        assert chart.describe(first.tables)


def test_frames_come_one_length_at_a_time_and_small():
    frames = _frames(DEFAULT)
    assert [sorted(set(frame.tables["accuracy"]["length"])) for frame in frames] == [
        [],
        [32],
        [32, 64],
        [32, 64, 128],
        [32, 64, 128, 256],
    ]
    assert frames[-1].progress == 1
    assert len(frames[0].tables["decay"]) > 0
    for settings in VARIED:
        assert sum(map(len, _frames(settings)[-1].tables.values())) < 4000


@pytest.mark.parametrize(
    ("longest", "wanted"),
    [(32, [32]), (33, [32, 33]), (64, [32, 64]), (100, [32, 64, 100]), (512, [32, 64, 128, 256, 512])],
)
def test_lengths_double_and_end_at_the_longest(longest, wanted):
    assert run.test_lengths(longest) == wanted


@pytest.mark.parametrize("settings", VARIED)
def test_retention_starts_at_one_and_only_falls(settings):
    table = _frames(settings)[-1].tables["retention"]
    values = table["retention"]
    assert table.units["lag"] == "tokens"
    assert table["lag"][0] == 0
    assert values[0] == 1
    assert (np.diff(values) <= 1e-7).all()
    assert (values >= 0).all()
    place = _frames(settings)[-1].tables["needle"]["token"][0]
    assert table["lag"][-1] == settings.test_length - 1 - place


def test_the_filter_slows_the_fading():
    fading = _frames(DEFAULT)[-1].tables["fading"]
    ends = {mode: fading.where(mode=mode)["retention"][-1] for mode in ("off", "LongMamba")}
    assert ends["LongMamba"] > 2 * ends["off"]


@pytest.mark.parametrize("task", models.RECIPES)
@pytest.mark.parametrize("seed", models.MODELS)
def test_shipped_models_are_perfect_at_the_trained_length(task, seed):
    engine = select("numpy")
    laboratory = Laboratory(engine, task, models.shipped(engine, task, seed), 0.1, 0.05, 11)
    assert laboratory.accuracies(("off",), 256, models.TRAINED_LENGTH)[0] >= 0.99


def test_no_global_head_makes_the_curves_coincide():
    tables = _frames(DEFAULT.changed(theta=0.9))[-1].tables
    assert (tables["heads"]["kind"] == "local head").all()
    for length in (64, 128, 256):
        assert accuracy_of(tables, length, "LongMamba") == accuracy_of(tables, length, "off")


def test_raising_the_clamp_lowers_thresholds_keeps_more_and_costs_accuracy():
    results = [
        _frames(DEFAULT.changed(test_length=512, clamp=clamp, model=2, sequences=128))[-1].tables
        for clamp in (0.1, 0.5)
    ]
    low, high = (tables["heads"] for tables in results)
    assert (high["threshold"] <= low["threshold"]).all()
    assert (high["kept"] >= low["kept"]).all()
    assert accuracy_of(results[1], 512, "LongMamba") < accuracy_of(results[0], 512, "LongMamba") - 0.2


def test_the_needle_stands_where_it_is_put():
    for position, token in ((0.0, 0), (0.5, 128), (1.0, 255)):
        tables = _frames(SMALL.changed(needle_position=position))[0].tables
        assert tables["needle"]["token"][0] == token
    tables = _frames(SMALL.changed(needle_position=0.0, task="marked value"))[0].tables
    assert tables["needle"]["token"][0] == 1


def test_answers_are_probabilities_and_name_one_right_value():
    table = _frames(SMALL)[0].tables["answers"]
    for mode in ("off", "LongMamba"):
        rows = table.where(mode=mode)
        assert rows["probability"].sum() == pytest.approx(1, abs=1e-5)
        assert rows["right"].sum() == 1


def test_outlines_mark_the_tokens_that_skipping_heads_keep():
    tables = _frames(SMALL.changed(test_length=100))[0].tables
    steps, heads = tables["steps"], tables["heads"]
    for row in heads.rows():
        outlined = steps.where(head=row["head"])["kept"]
        if row["kind"] == "local head":
            assert not outlined.any()
        else:
            assert 0 < outlined.mean() < 0.5
            kept = steps.where(head=row["head"])["log10_step"][outlined]
            assert (kept > math.log10(row["threshold"])).all()


def test_heads_are_numbered_from_the_slowest():
    targets = _frames(SMALL)[0].tables["heads"]["log10_target"]
    assert (np.diff(targets) <= 0).all()


def test_training_here_streams_and_ends_like_the_shipped_weights():
    settings = SMALL.changed(source="train here", test_length=64)
    frames = _frames(settings, "torch")
    training = [frame for frame in frames if frame.message.startswith("Training")]
    assert len(training) == 25
    assert len(frames) <= 40
    assert training[0].tables["training"]["loss"][-1] > 1
    assert frames[-1].tables["training"]["loss"][-1] < 0.05
    assert accuracy_of(frames[-1].tables, 64, "off") > 0.9
    progress = [frame.progress for frame in frames]
    assert progress == sorted(progress)


def test_training_that_diverges_ends_the_run_with_a_way_out(monkeypatch):
    def diverging(engine, task, seed):
        raise DivergedError("The loss is nan at step 3, at a learning rate of 0.01.")
        yield

    monkeypatch.setattr(run, "trained", diverging)
    with pytest.raises(RunError, match="shipped weights"):
        _frames(DEFAULT.changed(source="train here"))


@pytest.mark.slow
def test_training_again_gives_models_with_the_same_verdicts():
    """Not the same bits, since machines add in other orders, but the same failures and successes far past training."""
    engine = select("torch")
    updates = list(models.trained(engine, "one needle", 0))
    model = models.Model(updates[-1].params, ())
    again, stored = (
        Laboratory(engine, "one needle", which, 0.1, 0.05, 4)
        for which in (model, models.shipped(engine, "one needle", 0))
    )
    for laboratory in (again, stored):
        assert laboratory.accuracies(("off",), 256, 64)[0] >= 0.95
        plain, filtered, by_chance = laboratory.accuracies(("off", "LongMamba", "random skip"), 256, 256)
        assert filtered >= 0.9
        assert by_chance <= plain <= 0.9
        plain, filtered = laboratory.accuracies(("off", "LongMamba"), 256, 512)
        assert filtered - plain >= 0.3
    marked = list(models.trained(engine, "marked value", 0))[-1]
    laboratory = Laboratory(engine, "marked value", models.Model(marked.params, ()), 0.1, 0.05, 4)
    plain, filtered = laboratory.accuracies(("off", "LongMamba"), 256, 64)
    assert plain >= 0.95
    assert filtered < plain


@pytest.mark.parametrize("model", models.MODELS)
def test_the_exercise_has_an_answer_for_every_model(model):
    engine, settings = select("numpy"), DEFAULT.changed(model=model)
    for seed in (21, 22):
        graded = [grade(FilterAnswer(length, 0.1), settings, seed, engine) for length in (256, 352, 448, 704)]
        assert any(one.correct for one in graded)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_the_exercise_says_what_is_wrong(name):
    engine = select(name)
    too_short = grade(FilterAnswer(64, 0.1), DEFAULT, 0, engine)
    assert not too_short.correct
    assert "further right" in too_short.feedback
    too_long = grade(FilterAnswer(1024, 0.1), DEFAULT, 0, engine)
    assert not too_long.correct
    assert "further left" in too_long.feedback
    wrong_clamp = grade(FilterAnswer(400, 0.5), DEFAULT, 0, engine)
    assert not wrong_clamp.correct
    assert "clamp 0.5" in wrong_clamp.feedback
    assert grade(FilterAnswer(400, 0.1), DEFAULT, 0, engine).correct


def test_the_exercise_does_not_start_out_solved():
    assert not grade(FilterAnswer(), DEFAULT, 0, select("numpy")).correct


@pytest.mark.parametrize(
    "changes",
    [
        {"test_length": 31},
        {"test_length": 1025},
        {"theta": 0.0},
        {"theta": 1.0},
        {"theta": float("nan")},
        {"clamp": 0.0},
        {"clamp": 1.0},
        {"needle_position": -0.1},
        {"model": 4},
        {"mode": "magic"},
        {"task": "two needles"},
        {"source": "elsewhere"},
        {"sequences": 1},
        {"head": 5},
    ],
)
def test_bad_settings_are_named(changes):
    with pytest.raises(SettingsError, match=next(iter(changes))):
        DEFAULT.changed(**changes)


def test_settings_survive_a_link():
    for settings in (*VARIED, *MECHANISM.presets.values()):
        assert DEFAULT.parsed(settings.formatted(against=DEFAULT)) == settings


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_runs_on_both_engines(mode):
    for name in ("numpy", "torch"):
        tables = _frames(SMALL.changed(mode=mode, test_length=96), name)[-1].tables
        assert 0 <= accuracy_of(tables, 96, mode) <= 1


def test_what_was_not_measured_is_not_a_number():
    assert math.isnan(accuracy_of(_frames(SMALL)[-1].tables, 512, "off"))
