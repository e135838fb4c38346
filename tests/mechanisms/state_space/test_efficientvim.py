"""The hidden state mixer as a whole: runs, parity of the engines, claims, charts, recording, exercise."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from mem_core.data.digits import DigitsMissingError
from mem_core.engine import select
from mem_core.lab.engine_board import largest_difference
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Evidence, Result, RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.state_space.efficientvim import claims, costs, exercise, recording, run, tables, training
from mem_core.mechanisms.state_space.efficientvim.exercise import SizesAnswer, grade
from mem_core.mechanisms.state_space.efficientvim.model import Shape, init, logits, look
from mem_core.mechanisms.state_space.efficientvim.recording import Measured, Recording, RecordingError
from mem_core.mechanisms.state_space.efficientvim.settings import PRESETS, HiddenStateMixerSettings
from mem_core.mechanisms.state_space.efficientvim.tables import final_accuracy
from mem_core.mechanisms.state_space.efficientvim.training import Recipe, Score
from mem_core.nn.hidden_state_mixer_block import IN_STATES, MIXERS, ON_TOKENS

MECHANISM = catalog.load("efficientvim")
DEFAULT = HiddenStateMixerSettings()
SHORT = DEFAULT.changed(epochs=1, channels=8, states=4)
VARIED = (
    DEFAULT.changed(epochs=1),
    SHORT.changed(mixer=ON_TOKENS, blocks=2),
    SHORT.changed(fusion=False, state=49, shift=-20.0),
    SHORT.changed(states=1, grid=64, picture=64),
    SHORT.changed(states=25, state=12, channels=64, timed_pictures=1),
)


@pytest.fixture(autouse=True)
def quick_times(monkeypatch):
    """Time short rows of tokens only, except where a test asks for the real lengths."""
    monkeypatch.setattr(run, "TIMED_LENGTHS", (16, 64))


def _frames(settings, name="numpy", seed=0):
    return list(MECHANISM.run(settings, select(name), seed))


@cache
def _kept(settings, name="numpy", seed=0):
    """Return the frames of a run that several tests look at; none of them may change what a run does."""
    return tuple(_frames(settings, name, seed))


def _first(settings):
    return next(iter(MECHANISM.run(settings, select("numpy"), 0))).tables


def _result(accuracy, **changes):
    scores = [(20, Score(accuracy, 0.1, (accuracy,)))]
    return Result(DEFAULT.changed(**changes), 0, "numpy", {"test": tables.test_table(scores)})


def test_frames_stream_from_an_untrained_model_to_the_end():
    frames = _kept(DEFAULT)
    assert len(frames) == 18
    progress = [frame.progress for frame in frames]
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0.0, 1.0)
    assert len(frames[0].tables["test"]) == 0
    assert len(frames[0].tables["costs"]) > 0
    assert sum(map(len, frames[-1].tables.values())) < 3000
    assert frames[-1].message.endswith("named right.")


def test_four_epochs_reach_about_what_the_page_says():
    accuracy = final_accuracy(_kept(DEFAULT)[-1].tables)
    assert 0.78 <= accuracy <= 0.9


@pytest.mark.parametrize("settings", VARIED)
def test_every_chart_describes_every_frame_and_finds_its_columns(settings):
    for frame in _kept(settings):
        for chart in MECHANISM.charts:
            words = chart.describe(frame.tables)
            assert words.endswith("."), chart.key
            assert "nan" not in words, chart.key
            for layer in chart.layers:
                used = (layer.x, layer.y, layer.x2, layer.y2, layer.color, layer.dash, layer.detail, layer.text)
                assert {name for name in used if name} <= frame.tables[layer.table].columns.keys()


def test_the_engines_agree_in_float64():
    """Twenty steps of Adam make rounding of 1e-16 grow to 1e-10 at most; times and rounding are left out."""
    first, second = (
        run_to_end(MECHANISM, SHORT.changed(blocks=2), select(name, precision="float64"), 3).tables
        for name in ("numpy", "torch")
    )
    found = largest_difference(first, second, without=MECHANISM.machine_tables)
    assert found.share < 1e-9, found


def test_the_engines_reach_the_same_accuracy_in_float32():
    """Rounding may turn a picture on the border; at most five of 500."""
    first, second = (final_accuracy(_kept(SHORT, name)[-1].tables) for name in ("numpy", "torch"))
    assert first == pytest.approx(second, abs=5.1 / 500)


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    runs = [run_to_end(MECHANISM, SHORT, select("numpy"), seed).tables["learning"]["loss"] for seed in (5, 5, 6)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


@pytest.mark.parametrize("mixer", MIXERS)
def test_the_gradient_of_the_whole_model_agrees_between_engines_and_with_differences(mixer):
    shape = Shape(channels=8, states=3, blocks=2, mixer=mixer, fusion=True)
    gradients = []
    for name in ("numpy", "torch"):
        engine = select(name, precision="float64")
        test = training.pictures(engine)[1]
        nearby, targets = test.nearby[:6], test.targets[:6]

        def loss(params, engine=engine, nearby=nearby, targets=targets):
            return training.cross_entropy(engine, logits(engine, params, shape, nearby), targets)

        params = init(engine, shape, 0)
        gradients.append(engine.value_and_grad(loss)(params)[1])
        step, moved = 1e-5, params["blocks"][0]["widen"]
        ends = []
        for sign in (1, -1):
            pushed = engine.to_numpy(moved).copy()
            pushed[2, 3] += sign * step
            block = {**params["blocks"][0], "widen": engine.asarray(pushed)}
            ends.append(engine.item(loss({**params, "blocks": [block, params["blocks"][1]]})))
        found = float(engine.to_numpy(gradients[-1]["blocks"][0]["widen"])[2, 3])
        assert found == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)
    for place in ("stem", "position"):
        first, second = (np.asarray(gradient[place]) for gradient in gradients)
        np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-13)


def test_cross_entropy_of_equal_scores_is_the_logarithm_of_the_classes(engine):
    targets = engine.asarray(np.eye(10)[:4])
    assert engine.item(training.cross_entropy(engine, engine.xp.ones((4, 10)), targets)) == pytest.approx(math.log(10))
    far = engine.asarray(1e4 * np.eye(10)[:4])
    assert engine.item(training.cross_entropy(engine, far, targets)) == 0.0


def test_the_pictures_are_split_into_1297_and_500(engine):
    learned, test = training.pictures(engine)
    assert (len(learned.digits), len(test.digits)) == (1297, 500)
    nearby = engine.to_numpy(test.nearby)
    np.testing.assert_array_equal(nearby[:, 4], test.digits.images.reshape(500, 64))  # the middle is the pixel itself
    np.testing.assert_array_equal(nearby[:, 5, :7], test.digits.images[:, 0, 1:])  # and the next its right neighbour


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_moving_a_changes_nothing_of_a_trained_model(name):
    """In float32, logits near ten: some last bits of rounding."""
    final = _kept(SHORT, name)[-1].tables["inert"].rows()[0]
    assert final["shift"] == 20.0
    assert final["largest_change"] < 1e-4
    assert final["largest_slope"] < 1e-7


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_a_is_inert_to_rounding_in_float64(name):
    engine = select(name, precision="float64")
    shape = Shape(channels=8, states=4, blocks=1, mixer=IN_STATES, fusion=True)
    _, test = training.pictures(engine)
    params = init(engine, shape, 0)
    assert training.change_by_shift(engine, params, shape, test, 20.0) < 1e-12
    assert training.slope_by_shift(engine, params, shape, test) < 1e-15


def test_the_maps_show_the_picture_and_nine_states_the_chosen_one_among_them():
    final = _first(SHORT.changed(states=25, state=12))
    assert list(dict.fromkeys(final["write"]["map"])) == ["picture", *(f"state {n}" for n in range(10, 19))]
    assert "▸ state 12" in final["write_names"]["name"].tolist()
    assert np.abs(final["write"]["value"]).max() == 1.0
    picture = final["read"].where(map="picture")
    images = training.pictures(select("numpy"))[1].digits.images
    np.testing.assert_allclose(picture["value"], images[0].reshape(-1) / images[0].max())
    assert (picture["right"] - picture["left"] == 1).all()


def test_a_state_beyond_the_last_shows_the_last():
    assert _first(SHORT.changed(state=49))["looked"]["state"][0] == SHORT.states


def test_the_write_maps_are_weights_of_the_first_block():
    engine, shape = select("numpy", precision="float64"), Shape(8, 4, 1, IN_STATES, fusion=True)
    _, test = training.pictures(engine)
    seen = look(engine, init(engine, shape, 0), shape, test.nearby[:2])
    cells = tables.look_tables(engine, seen, SHORT, test)["write"].where(map="state 2")["value"]
    row = seen.writes[0, 1]
    np.testing.assert_allclose(cells, row / np.abs(row).max())


def test_stage_weights_have_a_total_of_one_and_follow_the_blocks():
    table = _kept(SHORT.changed(mixer=ON_TOKENS, blocks=2))[-1].tables["stages"]
    weights = table.where(measure="weight β̂")
    assert weights["head"].tolist() == ["states, block 1", "states, block 2", "last tokens"]
    assert weights["value"].sum() == pytest.approx(1.0, abs=1e-6)
    assert len(_kept(VARIED[2])[-1].tables["stages"].where(measure="weight β̂")) == 1


def test_costs_are_those_of_the_formulas():
    found = costs.multiply_accumulates(IN_STATES, 64, 32, 9)
    assert sum(found.values()) == 135_360
    assert found == {"B, C, Δ": 3 * 64 * 32 * 9 + 27 * 64 * 9, "write": 18_432, "mix": 3 * 9 * 32 * 32, "read": 18_432}
    assert costs.total(ON_TOKENS, 64, 32, 9) / costs.total(IN_STATES, 64, 32, 9) == pytest.approx(2.25, abs=0.005)
    assert costs.total(ON_TOKENS, 4096, 64, 16) / costs.total(IN_STATES, 4096, 64, 16) == pytest.approx(3.2, abs=0.05)


def test_the_cost_of_mixing_in_states_does_not_grow_with_the_grid():
    small, large = (_first(SHORT.changed(grid=grid))["parts"].where(part="mix") for grid in (8, 64))
    assert small.where(mixer=IN_STATES)["multiply_accumulates"] == large.where(mixer=IN_STATES)["multiply_accumulates"]
    on_tokens = (int(table.where(mixer=ON_TOKENS)["multiply_accumulates"][0]) for table in (small, large))
    assert next(on_tokens) * 64 == next(on_tokens)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_both_layers_are_timed(name):
    """How the times compare is a claim's affair; here they only have to be there."""
    times = costs.milliseconds(select(name), 64, pictures=1)
    assert set(times) == {IN_STATES, ON_TOKENS}
    assert all(time > 0 for time in times.values())


def test_training_that_diverges_names_the_setting():
    with pytest.raises(RunError, match="Lower learning_rate, which is 1"):
        _frames(DEFAULT.changed(learning_rate=1.0, epochs=1))


def test_missing_pictures_are_one_sentence(monkeypatch):
    def missing():
        raise DigitsMissingError("The handwritten digits come with scikit-learn; install it.")

    monkeypatch.setattr(training, "load", missing)
    with pytest.raises(RunError, match="scikit-learn"):
        next(iter(MECHANISM.run(DEFAULT, select("numpy"), 0)))


def test_the_shipped_recording_is_whole_and_says_how_it_was_made():
    shipped = recording.shipped()
    assert shipped.settings["epochs"] == "12"
    assert shipped.command.startswith("python -m mem_core.mechanisms.state_space.efficientvim.record")
    found = {(one.channels, one.states, one.seed) for one in shipped.measured}
    wanted = [(d, n, s) for d in recording.CHANNELS for n in recording.STATES for s in recording.SEEDS]
    assert found == set(wanted)
    assert len(shipped.measured) == len(wanted)
    assert recording.parse(recording.dump(shipped)) == shipped


@pytest.mark.slow
def test_training_again_gives_what_was_recorded():
    """The same engine on another machine rounds differently; an accuracy may move by a few pictures of 500."""
    engine = select("numpy")
    (recorded,) = (one for one in recording.shipped().of(16) if (one.states, one.seed) == (9, 0))
    found = training.final_score(engine, DEFAULT.recipe_for(9), 0, *training.pictures(engine))
    assert found.accuracy == pytest.approx(recorded.accuracy, abs=0.02)


GOOD = recording.dump(Recording("2026-01-01", "NumPy", "python", {}, (Measured(16, 9, 0, 0.97),)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        GOOD[: len(GOOD) // 2],
        GOOD.replace("0.97", "9.7"),
        GOOD.replace("0.97", "NaN"),
        GOOD.replace("0.97", '"high"'),
        GOOD.replace('"seed": 0', '"seed": -1'),
        GOOD.replace('"states"', '"stats"'),
        GOOD.replace('"date"', '"when"'),
        json.dumps({**json.loads(GOOD), "measured": []}),
        json.dumps({**json.loads(GOOD), "measured": 7}),
    ],
)
def test_a_damaged_recording_is_one_sentence(text):
    with pytest.raises(RecordingError) as refused:
        recording.parse(text)
    assert str(refused.value).startswith("The recorded sweep (sweep.json) is damaged: ")
    assert str(refused.value).endswith(".")


def test_a_good_recording_is_read():
    assert recording.parse(GOOD).measured == (Measured(16, 9, 0, 0.97),)


def test_a_missing_recording_leaves_the_run_and_says_so(monkeypatch):
    monkeypatch.setattr(recording, "FILE", "nowhere.json")
    *_, last = MECHANISM.run(SHORT, select("numpy"), 0)
    final = last.tables
    words = MECHANISM.chart("sweep").describe(final)
    assert "The recorded sweep (nowhere.json) is missing or cannot be read. Choose 'measure here'" in words
    assert "This run, N = 4" in words
    assert len(final["sweep"]) == 0


def test_widths_that_were_not_recorded_are_named():
    words = MECHANISM.chart("sweep").describe(_first(SHORT.changed(channels=64)))
    assert words == "Nothing is recorded for D = 64."


def test_the_recorded_sweep_is_shown_with_its_date_engine_and_seeds():
    final = _first(SHORT.changed(channels=16))
    assert final["sweep"]["states"].tolist() == list(recording.STATES)
    assert set(final["sweep"]["kind"]) == {"12 epochs, recorded"}
    assert (final["sweep"]["low"] <= final["sweep"]["accuracy"]).all()
    words = MECHANISM.chart("sweep").describe(final)
    assert recording.shipped().date in words
    assert recording.shipped().engine in words
    assert "seeds 0, 1, 2" in words


def test_the_sweep_can_be_measured_here(monkeypatch):
    monkeypatch.setattr(run, "STATES", (1, 2))
    monkeypatch.setattr(run, "SEEDS", (0,))
    monkeypatch.setattr("mem_core.mechanisms.state_space.efficientvim.settings.FULL_EPOCHS", 1)
    monkeypatch.setattr(HiddenStateMixerSettings, "recipe_for", _one_epoch)
    frames = _frames(SHORT.changed(sweep="measure here"))
    assert len(frames[0].tables["sweep"]) == 0
    assert "measured when" in MECHANISM.chart("sweep").describe(frames[0].tables)
    final = frames[-1].tables["sweep"]
    assert final["states"].tolist() == [1, 2]
    assert set(final["kind"]) == {"12 epochs, measured here"}
    assert [frame.progress for frame in frames] == sorted(frame.progress for frame in frames)


def _one_epoch(settings, states, epochs=1):
    return Recipe(Shape(settings.channels, states, 1, IN_STATES, fusion=True), 1, settings.learning_rate)


@pytest.mark.parametrize(("first", "second", "holds"), [(0.96, 0.97, True), (0.94, 0.97, False)])
def test_an_accuracy_too_far_behind_fails_the_claim(first, second, holds):
    claim = next(claim for claim in MECHANISM.claims if claim.key == "as-accurate-narrow")
    assert claim.check([_result(first), _result(second, mixer=ON_TOKENS)]).holds is holds
    assert not claim.check([_result(first)]).tells


def test_the_default_run_tells_of_costs_and_times(monkeypatch):
    monkeypatch.setattr(run, "TIMED_LENGTHS", tables.TIMED_LENGTHS)
    result = run_to_end(MECHANISM, SHORT, select("numpy"), 0)
    assert claims.counted_ratio([result]).holds
    assert claims.measured_ratio([result]).value > 0  # how much is measured in a process of its own
    assert result.tables["times"]["length"].tolist() == [64, 64, 256, 256, 1024, 1024, 4096, 4096]


def test_a_slow_mixer_fails_the_claim_about_time():
    times = tables.times_table([(1024, ON_TOKENS, 1.0), (1024, IN_STATES, 0.6)], 1)
    found: Evidence = claims.measured_ratio([replace(_result(0.9), tables={"times": times})])
    assert found.value == pytest.approx(1 / 0.6)
    assert not found.holds


@pytest.mark.slow
def test_the_exercise_accepts_many_channels_and_few_states():
    right = grade(SizesAnswer(5, 32), DEFAULT, 0, select("torch"))
    assert right.correct, right.feedback
    assert "23.7%" in right.feedback


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_the_exercise_compares_two_fresh_models_on_any_engine(name, monkeypatch):
    monkeypatch.setattr(exercise, "FULL_EPOCHS", 1)
    graded = grade(SizesAnswer(1, 16), DEFAULT, 0, select(name))
    assert re.search(r"12\.3%.* of the test pictures are right, against", graded.feedback)


@pytest.mark.parametrize(
    ("states", "channels", "words"), [(9, 32, "too much"), (9, 16, "too much"), (3, 16, "too much")]
)
def test_the_exercise_refuses_what_costs_too_much(states, channels, words):
    graded = grade(SizesAnswer(states, channels), DEFAULT, 0, select("numpy"))
    assert not graded.correct
    assert words in graded.feedback


def test_the_exercise_refuses_a_model_that_remembers_too_little(monkeypatch):
    monkeypatch.setattr(exercise, "FULL_EPOCHS", 1)
    monkeypatch.setattr(exercise, "BEST_SHOWN", replace(exercise.BEST_SHOWN, channels=64))
    graded = grade(SizesAnswer(1, 16), DEFAULT, 0, select("numpy"))
    assert not graded.correct
    assert "remembers too little" in graded.feedback


def test_the_exercise_does_not_start_out_solved():
    assert not grade(SizesAnswer(), DEFAULT, 0, select("numpy")).correct


@pytest.mark.parametrize(
    "changes",
    [
        {"states": 0},
        {"states": 50},
        {"channels": 17},
        {"mixer": "both"},
        {"fusion": 1},
        {"epochs": 0},
        {"grid": 7},
        {"grid": 8.5},
        {"picture": 65},
        {"state": 0},
        {"shift": 21.0},
        {"shift": math.nan},
        {"blocks": 4},
        {"learning_rate": 0.0},
        {"sweep": "guess"},
        {"timed_pictures": 0},
    ],
)
def test_bad_settings_are_named(changes):
    with pytest.raises(SettingsError, match=next(iter(changes))):
        DEFAULT.changed(**changes)


def test_settings_survive_a_link():
    for settings in (*VARIED, *PRESETS.values()):
        assert DEFAULT.parsed(settings.formatted(against=DEFAULT)) == settings
