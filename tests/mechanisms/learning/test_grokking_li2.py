"""Grokking: the theory's oracles, training against torch, parity of engines, charts, claims and the exercise."""

import math

import numpy as np
import pytest
import torch

from mem_core.data.modular_arithmetic import split
from mem_core.engine import philox, select
from mem_core.mechanisms.contract import Evidence, Result, RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.learning.grokking_li2 import MECHANISM, energy, lazy
from mem_core.mechanisms.learning.grokking_li2.boundary import boundary_rows, critical_share, train_cell
from mem_core.mechanisms.learning.grokking_li2.exercise import ShareAnswer
from mem_core.mechanisms.learning.grokking_li2.recording import KINDS, UNITS
from mem_core.mechanisms.learning.grokking_li2.settings import GrokkingSettings
from mem_core.mechanisms.learning.grokking_li2.training import optimizer_of, prepare, train
from mem_core.mechanisms.scoreboard import check
from mem_core.nn import quadratic_mlp
from mem_core.training.optimizers import Adam

BROWSER = MECHANISM.presets["browser"]
CLAIMS = {claim.key: claim for claim in MECHANISM.claims}
ENGINES = ("numpy", "torch")


@pytest.fixture(scope="module")
def default_run():
    return run_to_end(MECHANISM, BROWSER, select("numpy"), 0)


def _random_units(size, count, stream="units"):
    return philox(0, stream).normal(size=(2 * size, count))


def _present(size, share):
    return split(size, share, philox(0, "pairs"))[0].present


def _by_definition(weights, present):
    """Return E = ½‖Ỹᵀσ(Xw)‖² from one-hot matrices."""
    size = len(present)
    first, second = np.nonzero(present)
    labels = np.eye(size)[(first + second) % size]
    responses = (weights[first] + weights[size + second]) ** 2
    return 0.5 * np.sum(((labels - labels.mean(0)).T @ responses) ** 2, axis=0)


# Stage I: the lazy output layer


@pytest.mark.parametrize("weight_decay", [1e-3, 0.1, 3.0])
@pytest.mark.parametrize("hidden", [6, 40], ids=lambda hidden: f"K={hidden}")
def test_gradient_at_ridge_equals_the_closed_form(engine, weight_decay, hidden):
    first, second = split(7, 0.5, philox(0, "pairs"))[0].first, split(7, 0.5, philox(0, "pairs"))[0].second
    units = _random_units(7, hidden) / 4
    features = engine.asarray((units[first] + units[7 + second]) ** 2)
    targets = engine.asarray(np.eye(7)[(first + second) % 7])
    output = lazy.ridge_output(engine, features, targets, weight_decay)
    direct = engine.to_numpy(lazy.feature_gradient(engine, features, targets, output))
    closed = engine.to_numpy(lazy.feature_gradient_at_ridge(engine, features, targets, weight_decay))
    np.testing.assert_allclose(direct, closed, atol=1e-10)


def test_gradient_to_the_features_vanishes_with_the_decay(engine):
    pairs = split(7, 0.4, philox(0, "pairs"))[0]
    units = _random_units(7, 64) / 4  # more units than pairs: everything can be memorised
    features = engine.asarray((units[pairs.first] + units[7 + pairs.second]) ** 2)
    targets = engine.asarray(np.eye(7)[pairs.labels])
    sizes = [
        float(np.linalg.norm(engine.to_numpy(lazy.feature_gradient_at_ridge(engine, features, targets, decay))))
        for decay in (1e-6, 1e-5, 1e-4)
    ]
    assert sizes[1] / sizes[0] == pytest.approx(10, rel=0.02)
    assert sizes[2] / sizes[1] == pytest.approx(10, rel=0.2)


def test_coupling_is_zero_for_orthogonal_features_and_one_for_equal_ones(engine):
    orthogonal = np.array([[1.0, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]])
    equal = np.repeat(orthogonal[:, :1], 3, axis=1)
    found = lazy.coupling(engine, engine.asarray(np.stack([orthogonal, equal])))
    assert engine.to_numpy(found).tolist() == pytest.approx([0, 1])


# Stage II: the energy of one unit


@pytest.mark.parametrize("size", [3, 7, 12, 23])
def test_closed_form_of_the_energy_equals_its_definition(engine, size):
    weights = _random_units(size, 5)
    expected = _by_definition(weights, np.ones((size, size), dtype=bool))
    units = engine.asarray(weights)
    found, _ = energy.energy_and_gradient(engine, energy.landscape(engine, size), units)
    np.testing.assert_allclose(engine.to_numpy(found), expected, rtol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(energy.energy_of_all_pairs(engine, units)), expected, rtol=1e-12)


def test_energy_on_training_pairs_equals_its_definition(engine):
    present, weights = _present(11, 0.5), _random_units(11, 5)
    found, _ = energy.energy_and_gradient(engine, energy.landscape(engine, 11, present), engine.asarray(weights))
    np.testing.assert_allclose(engine.to_numpy(found), _by_definition(weights, present), rtol=1e-12)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_energy_gradient_matches_central_differences(share):
    engine, size, step = select("numpy", precision="float64"), 7, 1e-6
    ground = energy.landscape(engine, size, _present(size, share) if share < 1 else None)
    weights, direction = _random_units(size, 4), _random_units(size, 4, "directions")
    _, gradient = energy.energy_and_gradient(engine, ground, weights)
    ahead, behind = (energy.energy_and_gradient(engine, ground, weights + s * step * direction)[0] for s in (1, -1))
    np.testing.assert_allclose((gradient * direction).sum(0), (ahead - behind) / (2 * step), rtol=1e-6)


def _wave(size, frequency, phases):
    angle = 2 * np.pi * frequency * np.arange(size) / size
    wave = np.concatenate([np.cos(angle + phase) for phase in phases])
    return wave / np.linalg.norm(wave)


@pytest.mark.parametrize("size", [7, 12, 23, 24])
def test_pure_waves_have_a_quarter_of_the_modulus_at_any_two_phases(engine, size):
    for frequency in range(1, (size + 1) // 2):
        for phases in ((0, 0), (0.3, 2.0), (1.0, -1.7)):
            unit = engine.asarray(_wave(size, frequency, phases)[:, None])
            found = engine.item(energy.energy_of_all_pairs(engine, unit))
            assert found == pytest.approx(size / 4) == energy.largest_energy(size, frequency)


def test_the_fastest_wave_of_an_even_modulus_has_half_of_it(engine):
    unit = engine.asarray(_wave(12, 6, (0, 0))[:, None])
    assert engine.item(energy.energy_of_all_pairs(engine, unit)) == pytest.approx(6) == energy.largest_energy(12, 6)


def test_a_mixture_of_two_waves_has_less_energy_than_either(engine):
    size, share = 23, 0.3
    mixed = math.sqrt(share) * _wave(size, 2, (0, 1)) + math.sqrt(1 - share) * _wave(size, 5, (2, 0.5))
    found = engine.item(energy.energy_of_all_pairs(engine, engine.asarray(mixed[:, None])))
    assert found == pytest.approx(size / 4 * (share**2 + (1 - share) ** 2))


@pytest.mark.parametrize("size", [7, 11, 23, 24, 31])
def test_every_climb_on_all_pairs_ends_in_one_pure_wave(engine, size):
    starts = energy.normalised(engine, engine.asarray(_random_units(size, 200, "climbers")))
    (ends,) = energy.ascend(engine, energy.landscape(engine, size), starts, 400, 400)
    pure, frequency = (engine.to_numpy(found) for found in energy.wave_purity(engine, ends))
    assert pure.min() > 0.999
    peaks = [energy.largest_energy(size, int(found)) for found in frequency]
    np.testing.assert_allclose(engine.to_numpy(energy.energy_of_all_pairs(engine, ends)), peaks, rtol=1e-6)
    if size == 24:
        assert {6, 12} <= set(frequency.tolist())


def test_units_that_decay_has_removed_are_left_out(engine):
    units = engine.asarray(np.array([[3.0, 1e-9, 0.2, 0.0], [1.0, 0.0, 0.1, 0.0]]))
    assert engine.to_numpy(energy.not_faded(engine, units)).tolist() == [[3.0, 0.2], [1.0, 0.1]]


def test_a_unit_of_zeros_stays_one(engine):
    assert np.all(engine.to_numpy(energy.normalised(engine, engine.asarray(np.zeros((6, 2))))) == 0)


# Training


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-3), ("float64", 1e-8)])
@pytest.mark.parametrize("kind", ENGINES)
def test_twenty_steps_equal_torch_autograd_and_torch_adam(kind, precision, tolerance):
    engine = select(kind, precision=precision)
    settings = BROWSER.changed(modulus=11, hidden=64, weight_decay=1e-3)
    classroom = prepare(engine, settings, 0)
    dtype = getattr(torch, precision)
    weights, output = (
        torch.nn.Parameter(torch.tensor(engine.to_numpy(classroom.params[name][0]), dtype=dtype))
        for name in ("hidden", "output")
    )
    pairs = classroom.train.pairs
    one_hot = torch.eye(11, dtype=dtype)
    inputs = torch.cat([one_hot[pairs.first[0]], one_hot[pairs.second[0]]], dim=-1)
    labels = torch.tensor(pairs.labels[0])
    optimizer = torch.optim.Adam([weights, output], lr=settings.learning_rate, weight_decay=settings.weight_decay)
    losses = []
    for _ in range(21):
        outputs = (inputs @ weights) ** 2 @ output
        centred = outputs - outputs.mean(-1, keepdim=True)
        loss = (centred.square().sum(-1) - 2 * centred.gather(-1, labels[:, None])[:, 0] + 1 - 1 / 11).mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        if len(losses) <= 20:
            optimizer.step()
    moments = list(train(engine, classroom, optimizer_of(settings), 20, range(21)))
    assert [moment.train.loss[0] for moment in moments] == pytest.approx(losses, rel=tolerance)
    ours = engine.to_numpy(moments[-1].params["hidden"][0])
    np.testing.assert_allclose(ours, weights.detach().numpy(), rtol=tolerance, atol=tolerance)


def test_permuting_hidden_units_changes_no_measurement(engine):
    settings = BROWSER.changed(modulus=11, hidden=64, steps=50)
    classroom = prepare(engine, settings, 0)
    order = engine.asarray(philox(0, "order").permutation(64))
    shuffled = {
        "hidden": engine.xp.take(classroom.params["hidden"], order, axis=2),
        "output": engine.xp.take(classroom.params["output"], order, axis=1),
    }
    before, after = (
        next(train(engine, start, optimizer_of(settings), 50, [50]))
        for start in (classroom, type(classroom)(shuffled, classroom.train, classroom.test))
    )
    assert after.test.accuracy == before.test.accuracy
    assert after.test.loss == pytest.approx(before.test.loss, rel=1e-9)


def test_a_network_is_the_same_however_many_train_beside_it(engine):
    settings = BROWSER.changed(modulus=11, hidden=64, steps=50)
    alone, beside = (
        next(train(engine, prepare(engine, changed, 3), optimizer_of(changed), 50, [50]))
        for changed in (settings, settings.changed(networks=3))
    )
    assert beside.train.loss[0] == pytest.approx(alone.train.loss[0], rel=1e-9)
    assert len(set(beside.train.loss)) == 3


def test_the_output_scale_changes_neither_pairs_nor_hidden_weights(engine):
    usual, zero = (prepare(engine, BROWSER.changed(output_scale=scale), 0) for scale in (1.0, 0.0))
    assert np.array_equal(usual.train.pairs.present, zero.train.pairs.present)
    assert np.array_equal(engine.to_numpy(usual.params["hidden"]), engine.to_numpy(zero.params["hidden"]))


def test_decoupled_decay_of_this_size_would_do_almost_nothing():
    engine = select("numpy")
    decoupled = Adam(learning_rate=0.01, weight_decay=1e-3, decoupled=True)
    (last,) = train(engine, prepare(engine, BROWSER, 0), decoupled, 220, [220])
    assert last.train.accuracy[0] == 1
    assert last.test.accuracy[0] < 0.2


def test_diverging_training_says_what_to_lower():
    engine = select("torch")
    wild = Adam(learning_rate=1e9)
    with pytest.raises(RunError, match=r"diverged at step \d+.*[Ll]ower the learning rate"):
        list(train(engine, prepare(engine, BROWSER, 0), wild, 50, range(51)))


# Runs, engines and tables


def test_engines_agree_over_the_whole_default_run():
    # Training amplifies rounding: about 1e-12 after 220 steps in float64, 1e-6 after 400.
    tables, others = (run_to_end(MECHANISM, BROWSER, select(kind, precision="float64"), 0).tables for kind in ENGINES)
    for name, table in tables.items():
        for column, values in table.columns.items():
            other = others[name][column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, other, rtol=1e-8, atol=1e-10, err_msg=f"{name}.{column}")
            else:
                assert np.array_equal(values, other), f"{name}.{column}"


def test_engines_agree_in_their_verdicts_in_float32(default_run):
    other = run_to_end(MECHANISM, BROWSER, select("torch"), 0)
    ours, theirs = (run.tables["grok_point"].rows()[0] for run in (default_run, other))
    assert ours["verdict"] == theirs["verdict"] == "grokked"
    assert ours["memorised_step"] == theirs["memorised_step"]
    assert abs(ours["grokked_step"] - theirs["grokked_step"]) <= 5


def test_frames_stream_from_the_start_and_carry_every_table():
    frames = list(MECHANISM.run(BROWSER, select("numpy"), 1))
    assert 20 <= len(frames) <= 60
    progress = [frame.progress for frame in frames]
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1)
    for frame in frames:
        assert tuple(frame.tables) == tuple(UNITS)
        assert sum(map(len, frame.tables.values())) < 3000
        assert frame.message.endswith(".")


def test_a_run_can_be_stopped_between_frames():
    frames = MECHANISM.run(BROWSER, select("numpy"), 0)
    next(frames)
    frames.close()


def test_stopping_once_it_groks_changes_only_where_the_run_ends(default_run):
    stopped = run_to_end(MECHANISM, BROWSER.changed(stop_when_grokked=True), select("numpy"), 0)
    ours, whole = (run.tables["history"].where(split="test")["accuracy"] for run in (stopped, default_run))
    assert len(ours) < len(whole)
    assert np.array_equal(ours, whole[: len(ours)])
    assert ours[-1] >= 0.99


def test_without_decay_and_output_weights_nothing_moves_that_has_no_direction():
    changed = BROWSER.changed(output_scale=0.0, weight_decay=0.0, steps=50, modulus=11, hidden=64)
    tables = run_to_end(MECHANISM, changed, select("numpy"), 0).tables
    assert np.all(tables["movement"]["movement"] > 0)


@pytest.fixture(scope="module")
def small_map():
    changed = BROWSER.changed(modulus=11, hidden=64, steps=50, networks=2, boundary_map="small", weight_decay=1e-3)
    return list(MECHANISM.run(changed, select("numpy"), 0))


@pytest.mark.parametrize("chart", MECHANISM.charts, ids=lambda chart: chart.key)
def test_every_chart_finds_its_columns_and_describes_any_frame(chart, default_run, small_map):
    for tables in (small_map[0].tables, small_map[1].tables, small_map[-1].tables, default_run.tables):
        for layer in chart.layers:
            table = tables[layer.table]
            names = (layer.x, layer.x2, layer.y, layer.y2, layer.color, layer.dash, layer.detail, layer.text)
            assert {name for name in names if name} <= set(table.columns)
            if chart.series and layer.color and len(table):
                assert set(table[layer.color].tolist()) <= set(chart.series)
        words = chart.describe(tables)
        assert words.endswith(".")
        assert "nan" not in words


def test_the_map_adds_a_point_for_each_of_its_networks(small_map):
    tables = small_map[-1].tables
    assert len(tables["map_cells"]) == 30
    assert len(tables["grok_point"]) == 2 + 30 * 2
    assert set(tables["grok_point"]["modulus"].tolist()) == {11, 17, 23}


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [([0.0, 0.25, 0.75], 0.45), ([0.0, 0.5, 1.0], 0.4), ([0.6, 0.7, 0.8], math.nan), ([0.0, 0.1, 0.2], math.nan)],
    ids=["between", "at a share", "above all along", "below all along"],
)
def test_the_critical_share_is_where_the_line_crosses_one_half(accuracies, expected):
    assert critical_share([0.3, 0.4, 0.5], accuracies) == pytest.approx(expected, nan_ok=True)


def test_a_boundary_that_was_not_crossed_is_left_out():
    engine = select("numpy")
    short = BROWSER.changed(hidden=64, steps=50)
    assert boundary_rows([train_cell(engine, short, 11, share, 1, 0) for share in (0.2, 0.3)]) == []


# Settings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"modulus": 2}, "modulus is 2"),
        ({"modulus": 23.5}, "modulus is 23.5"),
        ({"hidden": 0}, "hidden is 0"),
        ({"train_share": 1.0}, "train_share is 1.0"),
        ({"train_share": math.nan}, "train_share is nan"),
        ({"weight_decay": -1e-4}, "weight_decay is -0.0001"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"steps": "many"}, "steps is 'many'"),
        ({"boundary_map": "huge"}, "boundary_map is 'huge'"),
        ({"modulus": 127, "hidden": 2048, "networks": 15}, "million activations"),
    ],
    ids=lambda value: str(value),
)
def test_settings_that_cannot_run_are_refused_in_one_sentence(changes, words):
    with pytest.raises(SettingsError, match=words):
        BROWSER.changed(**changes)


def test_presets_survive_the_link():
    for preset in MECHANISM.presets.values():
        assert GrokkingSettings().parsed(preset.formatted()) == preset


def test_the_gpu_preset_is_the_papers_figure():
    preset = MECHANISM.presets["gpu"]
    classroom_pairs = round(preset.train_share * preset.modulus**2)
    assert (preset.modulus, preset.hidden, classroom_pairs, preset.networks) == (71, 2048, 2016, 15)


# Claims and the exercise


@pytest.mark.slow
@pytest.mark.parametrize("kind", ENGINES)
def test_every_claim_holds(kind):
    failed = [score.claim.key for score in check(MECHANISM, select(kind), [0]) if not score.holds]
    assert failed == []


def _evidence(key, *changes, seed=0):
    results = [run_to_end(MECHANISM, BROWSER.changed(**change), select("numpy"), seed) for change in changes]
    return CLAIMS[key].check(results)


def test_claims_fail_on_runs_that_show_the_opposite():
    few = {"train_share": 0.35, "steps": 50}
    assert not _evidence("no-decay-no-grokking", {"weight_decay": 1e-3}).holds
    assert not _evidence("more-decay-earlier", {"weight_decay": 1e-3}, {}, {"weight_decay": 5e-4}).holds
    assert not _evidence("decay-moves-hidden-layer", {"weight_decay": 1e-3}, {}, {}, {}).holds
    assert not _evidence("too-much-decay", {}).holds
    assert not _evidence("data-decides-the-peaks", few, few).holds
    assert not _evidence("decay-is-not-necessary", few).holds


def test_claims_say_so_when_a_run_cannot_tell():
    short = {"steps": 50}
    for key, count in {"delayed": 1, "more-decay-earlier": 3, "decay-slope": 4, "zero-start-of-output": 2}.items():
        evidence = _evidence(key, *[short] * count)
        assert not evidence.tells
        assert "no grokking within 50 steps" in evidence.note
    assert not _evidence("decay-moves-hidden-layer", *[short] * 4).tells
    assert not _evidence("boundary-law", short).tells
    assert not _evidence("no-decay-no-grokking", {"weight_decay": 5e-3, "steps": 50}).tells


def _with_boundary(default_run, multipliers):
    tables = dict(default_run.tables)
    columns = {
        "modulus": np.array([11, 17, 23]),
        "critical_share": np.full(3, 0.5),
        "multiplier": np.array(multipliers, dtype=float),
    }
    tables["boundary"] = type(tables["boundary"])(columns)
    tables["map_cells"] = type(tables["boundary"])({"modulus": columns["modulus"]})
    return [Result(default_run.settings, 0, "numpy", tables)]


def test_boundary_claims_look_at_the_worst_modulus(default_run):
    law, spread = CLAIMS["boundary-law"].check, CLAIMS["boundary-spread"].check
    assert law(_with_boundary(default_run, [2.5, 2.6, 3.2])).value == 3.2
    assert not law(_with_boundary(default_run, [2.5, 2.1, 2.6])).holds
    assert law(_with_boundary(default_run, [2.5, 2.4, 2.6])).holds
    evidence = spread(_with_boundary(default_run, [2.0, 2.5, 3.0]))
    assert evidence == Evidence(0.4, 0.2, "<=", evidence.note)
    assert not evidence.holds


def test_trained_units_stand_beside_the_climbers(default_run):
    units = default_run.tables["energy"]
    assert [len(units.where(kind=kind)) for kind in KINDS[:3]] == [60, 60, 60]
    assert 0 < len(units.where(kind=KINDS[3])) <= BROWSER.hidden
    shares = default_run.tables["energy_histogram"]
    for kind in KINDS:
        assert shares.where(kind=kind)["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("share", "correct", "words"), [(0.4, True, "212 of 529"), (0.35, False, "need more"), (0.6, False, "fewer pairs")]
)
def test_the_exercise_accepts_only_the_smallest_share_that_is_enough(share, correct, words):
    grade = MECHANISM.exercise.grade(ShareAnswer(train_share=share), BROWSER, 5, select("numpy"))
    assert grade.correct is correct
    assert words in grade.feedback


def test_the_exercise_refuses_an_answer_that_is_no_share():
    with pytest.raises(SettingsError, match="train_share is 40"):
        ShareAnswer(train_share=40)


def test_initial_parameters_take_their_own_stream():
    engine = select("numpy", precision="float64")
    drawn = quadratic_mlp.initial_parameters(engine, 11, 64, [philox(0, "weights", 0)])
    prepared = prepare(engine, BROWSER.changed(modulus=11, hidden=64, train_share=0.9), 0).params
    assert np.array_equal(drawn["hidden"], prepared["hidden"])
