"""Titans: overfull memories, depth, the trained layer, and what the page says about them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from mem_core.engine import select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.architectures.titans import exercise, layer, lesson, outer, overfull, tables
from mem_core.mechanisms.architectures.titans.run import run
from mem_core.mechanisms.architectures.titans.settings import (
    BEFORE,
    LINEAR,
    PRESETS,
    TRAIN_HERE,
    TitansSettings,
)
from mem_core.mechanisms.architectures.titans.train import make
from mem_core.mechanisms.architectures.titans.writing import LARGEST_NORM, Stream, Writing
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import Laboratory, run_to_end
from mem_core.nn import checkpoint, neural_memory
from mem_core.nn.neural_memory import Gates
from mem_core.training.trainer import DivergedError

MECHANISM = catalog.load("titans")
ENGINES = ("numpy", "torch")
SMALL = TitansSettings(pairs=32, streams=4, width=8, depth_pairs=200)


@pytest.fixture(scope="module")
def numpy64():
    return select("numpy", precision="float64")


@pytest.fixture(scope="module")
def default_frames():
    return list(run(TitansSettings(), select("numpy"), 0))


def final(settings, engine=None, seed=0):
    return run_to_end(MECHANISM, settings, engine or select("numpy"), seed).tables


def recorded(settings, engine, count=None, seed=0):
    recording = overfull.Recording(settings, engine, seed)
    recording.read(settings.pairs if count is None else count)
    return recording


# Experiment A: what is stored and how it fades


MEASURED_ELSEWHERE = (
    # θ, η, α and the mean error over 2000 streams in a separate program of twenty lines
    (0.1, 0.0, 0.0, 0.733),
    (0.1, 0.8, 0.0, 0.587),
    (0.1, 0.0, 0.01, 0.719),
    (0.1, 0.8, 0.05, 0.440),
    (0.5, 0.0, 0.0, 0.561),
    (0.5, 0.0, 0.02, 0.499),
    (0.5, 0.0, 0.4, 0.843),
    (0.25, 0.8, 0.2, 0.566),
)


def test_the_last_pairs_are_as_well_known_as_an_independent_program_found(numpy64):
    # 300 streams have a standard error of 0.005 at most.
    settings = TitansSettings(streams=100)
    gates = [Gates(forget=alpha, momentum=eta, step_size=theta) for theta, eta, alpha, _ in MEASURED_ELSEWHERE]
    found = [
        overfull.errors_at_the_end(settings, numpy64, seed, overfull.draw(settings, numpy64, seed), gates)
        for seed in range(3)
    ]
    expected = [error for *_, error in MEASURED_ELSEWHERE]
    np.testing.assert_allclose(np.mean(found, axis=0), expected, atol=0.02)


def test_keys_and_values_have_length_one_and_only_the_burst_is_longer(numpy64):
    settings = SMALL.changed(burst=True, burst_place=0.25)
    stream = overfull.draw(settings, numpy64, 0)
    np.testing.assert_allclose(np.linalg.norm(stream.keys, axis=-1), 1, rtol=1e-12)
    lengths = np.linalg.norm(stream.values, axis=-1)
    assert overfull.burst_token(settings) == 8
    np.testing.assert_allclose(lengths[:, 8], 4, rtol=1e-12)
    np.testing.assert_allclose(np.delete(lengths, 8, axis=1), 1, rtol=1e-12)


def test_half_a_step_answers_the_newest_pair_exactly(numpy64):
    settings = SMALL.changed(step_size=0.5, momentum=0.0, forget=0.0)
    reading = recorded(settings, numpy64).ask()
    assert reading.error[0, 0] == pytest.approx(0, abs=1e-20)
    assert reading.error[0, 1:].min() > 0


def test_before_writing_the_newest_pair_is_not_known_and_the_others_are_one_token_younger(numpy64):
    settings = SMALL.changed(step_size=0.5, momentum=0.0, forget=0.0)
    before = recorded(settings.changed(read=BEFORE), numpy64).ask()
    assert before.error[0, 0] > 0.5
    assert before.error[0, 1] == pytest.approx(0, abs=1e-20)
    assert before.recalled[0] < 0.5 < before.recalled[1]


def test_momentum_is_still_writing_the_newest_pairs(default_frames):
    retention = default_frames[-1].tables["retention"]
    assert retention["retention"][0] < 0.4
    assert 3 <= retention["lag"][retention["retention"].argmax()] <= 7
    assert retention["retention"].max() > 0.95
    assert retention["retention"][40:].max() < 0.1


@pytest.mark.parametrize("tier_changes", [{}, {"momentum": 0.0}, {"forget": 0.5}, {"burst": True}, {"depth": 2}])
def test_retention_is_a_share_at_ascending_lags(tier_changes):
    settings = SMALL.changed(**tier_changes, step_size=0.01)
    table = final(settings)["retention"]
    assert table.units["lag"] == "tokens"
    assert table["retention"].min() >= 0
    assert table["retention"].max() <= 1
    assert table["lag"][0] == 0
    assert np.all(np.diff(table["lag"]) > 0)


def test_without_forgetting_set_the_memory_is_its_own_ablation(numpy64):
    reading = recorded(SMALL.changed(forget=0.0), numpy64).ask()
    np.testing.assert_array_equal(reading.error[0], reading.error[1])
    np.testing.assert_array_equal(reading.error[2], reading.error[3])
    assert np.abs(reading.error[0] - reading.error[2]).max() > 0.01


def test_a_burst_lasts_as_long_as_momentum_carries_it(numpy64):
    settings = TitansSettings(burst=True)
    token = overfull.burst_token(settings)
    # The same streams without the burst: what is left is what the burst did.
    lasting = {}
    for momentum in (0.0, 0.8):
        with_it, without = (
            recorded(settings.changed(momentum=momentum, forget=0.0, burst=burst), numpy64) for burst in (True, False)
        )
        assert with_it.momentary[token] > 3 * without.momentary[token]
        more = np.array(with_it.moving) - np.array(without.moving)
        np.testing.assert_allclose(more[:token], 0, atol=1e-12)
        lasting[momentum] = more[token : token + 4] / more[token]
    # A little faster than η to the power of the age, because what the burst wrote is corrected too.
    np.testing.assert_allclose(lasting[0.8], 0.68 ** np.arange(4), atol=0.05)
    np.testing.assert_allclose(lasting[0.0], [1, 0, 0, 0], atol=0.05)


def test_the_weights_shown_are_those_after_the_token_asked_for(numpy64):
    settings = SMALL.changed(shown=0.0, momentum=0.0, forget=0.0)
    shown = tables.recording_tables(settings, numpy64, recorded(settings, numpy64))["weights"]
    stream = overfull.draw(settings, numpy64, 0)
    expected = 2 * 0.1 * np.outer(stream.values[0, 0], stream.keys[0, 0])
    np.testing.assert_allclose(shown["weight"].reshape(8, 8), expected, atol=1e-14)
    assert set(shown["token"]) == {1}
    later = tables.recording_tables(settings, numpy64, recorded(settings.changed(shown=1.0), numpy64))["weights"]
    assert set(later["token"]) == {32}


def test_chunks_are_the_chunked_rule(numpy64):
    settings = SMALL.changed(chunk=16)
    stream = overfull.draw(settings, numpy64, 0)
    writing = Writing(numpy64, stream, [settings.gates], overfull.start(settings, numpy64, 0), settings.chunk)
    for token in range(32):
        writing.read(token)
    state = neural_memory.empty(numpy64, (4,), 8, 8)
    for part in (slice(0, 16), slice(16, 32)):
        gates = (np.full((4, 16), gate) for gate in (settings.forget, settings.momentum, settings.step_size))
        keys, values = stream.keys[:, part], stream.values[:, part]
        _, state = neural_memory.read_and_write(numpy64, state, keys, keys, values, *gates)
    np.testing.assert_allclose(writing.state.weights[0][0], state.weights[0], atol=1e-12)


# Divergence


@pytest.mark.parametrize("name", ENGINES)
def test_a_memory_that_diverges_ends_the_run_and_names_the_settings(name):
    frames = run(TitansSettings(step_size=1.0, momentum=0.95, forget=0.0), select(name), 0)
    shown = next(frames)
    assert all(chart.describe(shown.tables) for chart in MECHANISM.charts)
    with pytest.raises(RunError, match=r"diverged at token \d+: lower step_size .* or momentum .*raise forget"):
        list(frames)


def test_two_layers_at_the_step_size_of_one_are_told_what_they_need():
    with pytest.raises(RunError, match=r"Two layers need a step_size of about 0\.01"):
        final(TitansSettings(depth=2))
    frames = list(
        run(TitansSettings(depth=2, step_size=0.01, momentum=0.5, forget=0.001, streams=4), select("numpy"), 0)
    )
    assert frames[-1].tables["ages"].where(memory=overfull.AS_SET)["error"][0] < 1


@pytest.mark.parametrize("depth", [1, 2])
def test_a_variant_that_diverges_is_emptied_and_the_others_go_on(numpy64, depth):
    settings = SMALL.changed(depth=depth, pairs=64)
    stream = overfull.draw(settings, numpy64, 0)
    gates = [Gates(forget=0.0, momentum=0.95, step_size=1.0), Gates(forget=0.05, momentum=0.5, step_size=0.01)]
    writing = Writing(numpy64, stream, gates, overfull.start(settings, numpy64, 0), 1)
    alone = Writing(numpy64, stream, gates[1:], overfull.start(settings, numpy64, 0), 1)
    for token in range(64):
        writing.read(token)
        alone.read(token)
        assert writing.lengths(writing.state.weights)[0] < LARGEST_NORM * 4**8
    assert writing.diverged[0] is not None
    assert writing.diverged[1] is None
    assert writing.lengths(writing.state.weights)[0] == 0
    np.testing.assert_array_equal(writing.state.weights[0][1], alone.state.weights[0][0])


def test_the_sweep_leaves_out_what_diverged_and_says_so():
    found = final(TitansSettings(step_size=0.8, momentum=0.0, streams=4))
    rows = found["sweep"].where(momentum=0.9)
    assert 0.0 not in rows["forget"]
    assert np.isfinite(found["sweep"]["error"]).all()
    assert "(at 0 it diverged)" in MECHANISM.chart("sweep").describe(found)


def test_an_ablation_that_diverges_is_left_out_of_the_picture_and_named():
    found = final(TitansSettings(step_size=1.0, momentum=0.8, forget=0.4, streams=4))
    assert overfull.NO_FORGETTING not in found["ages"]["memory"]
    assert "α = 0: diverged" in MECHANISM.chart("ages").describe(found)


# Experiment B: depth


def test_the_rule_of_the_lesson_is_even_or_linear(numpy64):
    even = lesson.draw(SMALL, numpy64, 0).stream
    line = lesson.draw(SMALL.changed(target=LINEAR), numpy64, 0).stream
    for stream in (even, line):
        np.testing.assert_allclose(np.linalg.norm(stream.values, axis=-1), 1, rtol=1e-12)
    residuals = []
    for stream, features in ((line, line.keys[0]), (even, even.keys[0]), (even, np.abs(even.keys[0]))):
        # Directions alone: least squares on v, so that only the share that is linear in the features is explained.
        fitted = features - (features.mean(axis=0) if features.min() >= 0 else 0)
        solution, *_ = np.linalg.lstsq(fitted, stream.values[0], rcond=None)
        residuals.append(np.mean((fitted @ solution - stream.values[0]) ** 2) * lesson.WIDTH)
    assert residuals[0] < 0.1
    assert residuals[1] > 0.9
    assert residuals[2] < 0.25


def test_tested_pairs_are_not_among_those_learned_from(numpy64):
    drawn = lesson.draw(SMALL, numpy64, 0)
    assert drawn.stream.length == 200
    assert drawn.test.length == lesson.TESTED
    assert np.abs(drawn.stream.keys[0, :, None] - drawn.test.keys[0, None]).max(axis=-1).min() > 0.01


def test_the_one_layer_memory_of_the_lesson_is_plain_descent(numpy64):
    drawn = lesson.draw(SMALL, numpy64, 0)
    weights = np.zeros((lesson.STREAMS, 8, 8))
    for token in range(200):
        key, value = drawn.stream.keys[:, token], drawn.stream.values[:, token]
        error = np.einsum("sij,sj->si", weights, key) - value
        weights -= 0.02 * 2 * np.einsum("si,sj->sij", error, key)
    expected = np.mean(np.sum((np.einsum("sij,snj->sni", weights, drawn.test.keys) - drawn.test.values) ** 2, axis=-1))
    *_, (count, found) = lesson.learn(SMALL, numpy64, 0)
    assert count == 200
    assert found[0] == pytest.approx(expected, rel=1e-12)


# Experiment C: the trained layer


@pytest.mark.parametrize("name", ENGINES)
def test_the_shipped_layer_recalls_what_it_was_trained_on_and_writes_values_hardest(name):
    engine = select(name)
    model = outer.shipped(engine)
    assert len(model.losses) == outer.STEPS
    assert model.losses[0] == pytest.approx(math.log(16), abs=0.4)
    assert outer.recalled(engine, model.params, 16, 7) > 0.98
    step_sizes = {kind: gates[2] for kind, gates in outer.gates_by_kind(engine, model.params).items()}
    assert step_sizes[outer.VALUE] > step_sizes[outer.KEY] > step_sizes[outer.EMPTY]


def test_the_shipped_file_can_be_made_again(monkeypatch, tmp_path):
    monkeypatch.setattr(outer, "STEPS", 21)
    engine = select("numpy")
    stored = checkpoint.load(engine, make(engine, tmp_path).read_bytes())
    assert stored["params"].keys() == outer.shipped(engine).params.keys()
    assert stored["losses"].shape == (21,)
    # The first losses are the shipped ones, as far as the schedule is the same: it warms up over 20 steps.
    np.testing.assert_allclose(stored["losses"][:20], outer.shipped(engine).losses[:20], rtol=1e-4)


def test_an_untrained_layer_guesses(numpy64):
    params = layer.init(numpy64, outer.TASK.vocabulary, outer.TASK.values, 0)
    assert outer.recalled(numpy64, params, 16, 0) == pytest.approx(1 / 16, abs=0.04)


def test_reading_leaves_the_outer_parameters_alone_and_answers_from_this_sequence(numpy64):
    # With the values of the pairs drawn anew, and nothing trained in between, the answers follow.
    model = outer.shipped(numpy64)
    kept = {name: array.copy() for name, array in model.params.items()}
    assert outer.recalled(numpy64, model.params, 8, 1) > 0.98
    assert outer.recalled(numpy64, model.params, 8, 2) > 0.98
    for name, array in model.params.items():
        np.testing.assert_array_equal(array, kept[name])


def test_a_layer_that_writes_nothing_knows_nothing(numpy64):
    model = outer.shipped(numpy64)
    closed = {**model.params, "gate_bias": numpy64.asarray([-4.0, -2.0, -60.0]), "gates": 0.0 * model.params["gates"]}
    assert outer.recalled(numpy64, closed, 16, 0) < 0.15


def test_training_is_the_same_on_both_engines_for_some_steps():
    # Rounding grows with training: 6 steps agree to 1e-10 in float64.
    found = []
    for name in ENGINES:
        updates = outer.trained(select(name, precision="float64"), 3)
        found.append([next(updates).loss for _ in range(6)])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-10)


@pytest.mark.slow
def test_training_finds_keys_and_queries(monkeypatch):
    monkeypatch.setattr(outer, "STEPS", 250)
    engine = select("numpy")
    *_, last = outer.trained(engine, 11)
    assert outer.recalled(engine, last.params, 16, 0) > 0.95


def test_training_here_streams_its_losses(monkeypatch):
    monkeypatch.setattr(outer, "STEPS", 32)
    frames = list(run(SMALL.changed(trained=TRAIN_HERE), select("numpy"), 0))
    growing = [len(frame.tables["training"]) for frame in frames]
    assert growing == sorted(growing)
    assert growing[-1] == 32
    assert len(set(growing)) > 10
    assert [frame.progress for frame in frames] == sorted(frame.progress for frame in frames)


def test_outer_training_that_diverges_is_explained(monkeypatch):
    def diverging(engine, seed):
        raise DivergedError("The loss is nan at step 1, at a learning rate of 1.")
        yield

    monkeypatch.setattr(outer, "trained", diverging)
    with pytest.raises(RunError, match="another seed, or the shipped weights"):
        final(SMALL.changed(trained=TRAIN_HERE))


# Frames, charts, engines


def test_frames_come_early_grow_and_are_few(default_frames):
    assert default_frames[0].progress < 0.02
    assert default_frames[-1].progress == 1
    assert [frame.progress for frame in default_frames] == sorted(frame.progress for frame in default_frames)
    assert 15 <= len(default_frames) <= 40
    assert sum(len(table) for table in default_frames[-1].tables.values()) < 3000
    assert all("run" not in table.columns for table in default_frames[-1].tables.values())


@pytest.mark.parametrize("chart", MECHANISM.charts, ids=lambda chart: chart.key)
def test_every_chart_is_described_on_every_frame_and_drawn_at_the_end(chart, default_frames):
    for frame in default_frames:
        assert chart.describe(frame.tables).endswith(".")
        for part in chart.layers:
            columns = frame.tables[part.table].columns
            assert {part.x, part.y, part.color, part.text} - {""} <= set(columns)
    assert chart.describe(default_frames[-1].tables) != "Nothing has been measured yet."
    assert any(len(default_frames[-1].tables[part.table]) for part in chart.layers)


def test_charts_are_described_before_anything_was_measured():
    for chart in MECHANISM.charts:
        assert chart.describe(tables.empty()) == "Nothing has been measured yet."


@pytest.mark.parametrize(
    "changes",
    [
        {"burst": True, "burst_place": 0.0},
        {"burst": True, "burst_place": 1.0, "shown": 0.5},
        {"forget": 0.0, "momentum": 0.0},
        {"forget": 0.07, "momentum": 0.55},
        {"pairs": 200, "streams": 1},
        {"chunk": 16, "read": BEFORE},
        {"target": LINEAR, "depth_pairs": 300},
        {"depth": 2, "step_size": 0.01, "momentum": 0.0, "forget": 0.5},
        {"pairs": 16, "step_size": 0.01, "streams": 1},
    ],
)
def test_all_charts_can_be_described_under_other_settings(changes):
    for frame in run(SMALL.changed(**changes), select("numpy"), 1):
        assert all(chart.describe(frame.tables) for chart in MECHANISM.charts)


def test_the_curve_of_the_momentum_as_set_is_added_to_the_sweep():
    found = final(SMALL.changed(momentum=0.55, forget=0.07))
    assert "η as set" in found["sweep"]["curve"]
    (here,) = found["as_set"].rows()
    (same,) = found["sweep"].where(momentum=0.55, forget=0.07).rows()
    assert here["error"] == same["error"]
    assert found["sweep"].where(forget=0.0)["shown"].max() == tables.ZERO_AT


def test_the_memory_as_set_is_the_same_in_the_sweep_and_by_age(numpy64):
    settings = SMALL.changed(pairs=64)
    found = final(settings, numpy64)
    by_age = found["ages"].where(memory=overfull.AS_SET)["error"]
    (here,) = found["as_set"].rows()
    assert here["error"] == pytest.approx(by_age[: overfull.LAST_PAIRS].mean(), rel=1e-9)


@pytest.mark.parametrize(
    "changes", [{}, {"burst": True, "chunk": 4, "momentum": 0.55}, {"depth": 2, "step_size": 0.01}]
)
def test_both_engines_run_the_same_experiment(changes):
    # The same sums in another order: differences stay near 1e-12, also in lanes that blow up a million times.
    first, second = (final(SMALL.changed(**changes), select(name, precision="float64")) for name in ENGINES)
    assert first.keys() == second.keys()
    for name, table in first.items():
        for column, values in table.columns.items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, second[name][column], rtol=1e-8, atol=1e-10, err_msg=name)
            else:
                np.testing.assert_array_equal(values, second[name][column], err_msg=name)


# Bad input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step_size": -0.1}, "step_size"),
        ({"momentum": 1.0}, "momentum"),
        ({"forget": 1.5}, "forget"),
        ({"forget": 0.0005}, "forget is 0.0005, but it must be a number from 0.001 to 0.5, or 0"),
        ({"depth": 3}, "depth is 3, but it must be one of 1, 2"),
        ({"chunk": 0}, "chunk"),
        ({"chunk": 64, "pairs": 32}, "chunk is 64, but it must be at most the number of pairs, 32"),
        ({"width": 256, "streams": 100}, "at most 60000000 weights"),
        ({"pairs": 15}, "pairs"),
        ({"read": "never"}, "read"),
        ({"shown": math.nan}, "shown"),
    ],
)
def test_bad_settings_are_named(changes, words):
    with pytest.raises(SettingsError, match=words):
        TitansSettings(**changes)


@pytest.mark.parametrize("tier", ["browser", "cpu", "gpu"])
def test_presets_are_allowed_settings(tier):
    assert TitansSettings().parsed(PRESETS[tier].formatted()) == PRESETS[tier]


# Claims and exercise


@pytest.mark.parametrize("name", ENGINES)
def test_every_claim_holds(name):
    laboratory = Laboratory(MECHANISM, select(name))
    for claim in MECHANISM.claims:
        evidence = laboratory.evidence(claim, PRESETS["browser"], 0)
        assert evidence.holds, (claim.key, evidence)


def test_claims_can_fail():
    # With room for all pairs and hardly a step, nothing overfills and nothing is learned.
    result = run_to_end(MECHANISM, TitansSettings(step_size=0.01, width=64, pairs=32), select("numpy"), 0)
    failing = {claim.key for claim in MECHANISM.claims if not claim.check([result]).holds}
    assert failing >= {"forgetting-helps", "some-forgetting-is-best", "momentum-alone-blows-up"}


def test_claims_about_depth_can_fail_and_say_what_they_need():
    claims = {claim.key: claim for claim in MECHANISM.claims}
    result = run_to_end(MECHANISM, TitansSettings(), select("numpy"), 0)
    one_better = replace(result, tables={**result.tables, "lesson": _with_error(result, lesson.ONE_LAYER, 0.3)})
    assert not claims["depth-pays"].check([one_better]).holds
    deep_better = replace(result, tables={**result.tables, "lesson": _with_error(result, lesson.FAST, 0.3)})
    assert not claims["depth-pays-late"].check([deep_better]).holds
    assert not claims["depth-is-for-curves"].check([result]).tells
    short = run_to_end(MECHANISM, TitansSettings(depth_pairs=300), select("numpy"), 0)
    assert "reaches 1000 pairs" in claims["depth-pays"].check([short]).note


def _with_error(result, memory, error):
    table = result.tables["lesson"]
    changed = np.where(table["memory"] == memory, error, table["error"])
    return replace(table, columns={**table.columns, "error": changed})


def test_a_memory_that_diverged_counts_as_infinitely_wrong():
    claims = {claim.key: claim for claim in MECHANISM.claims}
    result = run_to_end(MECHANISM, TitansSettings(step_size=0.8, momentum=0.0, streams=4), select("numpy"), 0)
    assert claims["momentum-alone-blows-up"].check([result]).holds
    assert not claims["momentum-helps"].check([result]).holds
    assert not claims["forgetting-helps"].check([result]).tells


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("seed", [3, 4])
def test_the_exercise_accepts_the_gate_that_makes_room_and_says_which_way_to_go(name, seed):
    settings, engine, grade = PRESETS["browser"], select(name), MECHANISM.exercise.grade
    accepted = grade(exercise.ForgetAnswer(forget=0.05), settings, seed, engine)
    assert accepted.correct
    assert "Half as much" in accepted.feedback
    for forget, words in ((0.0, "forget more"), (0.005, "forget more"), (0.2, "forget less"), (0.5, "forget less")):
        refused = grade(exercise.ForgetAnswer(forget=forget), settings, seed, engine)
        assert not refused.correct
        assert words in refused.feedback


def test_the_exercise_does_not_depend_on_how_the_page_is_set():
    engine, answer = select("numpy"), exercise.ForgetAnswer(forget=0.05)
    elsewhere = TitansSettings(pairs=400, width=64, depth=2, chunk=4, streams=3, burst=True, step_size=0.7)
    grade = MECHANISM.exercise.grade
    assert grade(answer, elsewhere, 5, engine) == grade(answer, PRESETS["browser"], 5, engine)


def test_a_stream_knows_its_length(numpy64):
    assert Stream(numpy64.asarray(np.zeros((2, 7, 3))), numpy64.asarray(np.zeros((2, 7, 4)))).length == 7
