"""Memorising and generalising neurons: oracles of the analytic network, training against torch, engines, claims."""

import math

import numpy as np
import pytest
import torch

from mem_core.data.modular_arithmetic import all_pairs
from mem_core.engine import philox, select
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import Laboratory, run_to_end
from mem_core.mechanisms.learning.grok_or_not import MECHANISM, network
from mem_core.mechanisms.learning.grok_or_not import phase_map as maps
from mem_core.mechanisms.learning.grok_or_not import training as training_module
from mem_core.mechanisms.learning.grok_or_not.accuracies import (
    COEXISTENCE,
    CONFUSION,
    FORGETTING,
    FULL,
    MEMORIZATION,
    PARTIAL,
    Accuracies,
    accuracies,
    phase,
)
from mem_core.mechanisms.learning.grok_or_not.exercise import DisobeyingAnswer
from mem_core.mechanisms.learning.grok_or_not.neurons import answers_without, matrix_norms, periodicity
from mem_core.mechanisms.learning.grok_or_not.recording import GIVEN, HIGH_FIRST, LOW_FIRST, RULE, TEST, UNITS, WRONG
from mem_core.mechanisms.learning.grok_or_not.settings import (
    BATCH_NORM,
    DATA_MAP,
    DECAY_MAP,
    DROPOUT,
    HIGH,
    LOW,
    CorruptionSettings,
)
from mem_core.mechanisms.learning.grok_or_not.training import label_pairs, prepare, train
from mem_core.mechanisms.scoreboard import check
from mem_core.nn import quadratic_mlp

BROWSER = MECHANISM.presets["browser"]
CLAIMS = {claim.key: claim for claim in MECHANISM.claims}
ENGINES = ("numpy", "torch")
SMALL = CorruptionSettings(modulus=23, hidden=64, steps=50)


@pytest.fixture(scope="module")
def default_run():
    return run_to_end(MECHANISM, BROWSER, select("numpy"), 0)


@pytest.fixture(scope="module")
def trained():
    """The default network after training: the moment and what its labels are."""
    engine = select("numpy")
    classroom = prepare(engine, [BROWSER], 0)
    (last,) = train(engine, classroom, BROWSER, 0, [BROWSER.steps])
    return last, classroom.labels[0]


# The analytic network


def _analytic(engine, modulus, neurons):
    """Return the weights of the closed form with A³ = 2/N, which makes the right output 1 on average."""
    generator = philox(0, "analytic", modulus)
    frequency = (generator.permutation(neurons) % modulus)[:, None]
    of_first, of_second = generator.uniform(0, 2 * np.pi, (2, neurons, 1))
    angle = 2 * np.pi * np.arange(modulus) * frequency / modulus
    size = (2 / neurons) ** (1 / 3)
    hidden = np.concatenate([np.cos(angle + of_first), np.cos(angle + of_second)], axis=1).T
    output = np.cos(-angle - of_first - of_second)
    return {"hidden": engine.asarray(size * hidden[None]), "output": engine.asarray(size * output[None])}


def _outputs(engine, params, modulus):
    pairs = all_pairs(modulus)
    rows = quadratic_mlp.pair_rows(engine, modulus, pairs.first[None], pairs.second[None], for_gradient=False)
    return engine.to_numpy(quadratic_mlp.forward(engine, params, rows).outputs)[0]


@pytest.mark.parametrize("modulus", [11, 23, 37, 97])
def test_the_analytic_network_adds_without_an_error_and_each_neuron_is_one_wave(modulus):
    engine = select("numpy", precision="float64")
    params = _analytic(engine, modulus, 8 * modulus)
    outputs, right = _outputs(engine, params, modulus), all_pairs(modulus).labels
    assert np.mean(outputs.argmax(-1) == right) == 1
    assert engine.to_numpy(periodicity(engine, params)) == pytest.approx(np.ones(8 * modulus))
    correct = np.take_along_axis(outputs, right[:, None], axis=-1)
    noise = 1.5 / np.sqrt(8 * modulus)  # of random phases; with the exponent −1/3 the outputs would be (N/2)² as large
    assert correct.mean() == pytest.approx(1, abs=noise)
    assert (outputs.sum() - correct.sum()) / (outputs.size - correct.size) == pytest.approx(0, abs=noise)


def test_half_as_many_waves_still_add_nearly_everything():
    engine = select("numpy", precision="float64")
    outputs = _outputs(engine, _analytic(engine, 37, 4 * 37), 37)
    assert np.mean(outputs.argmax(-1) == all_pairs(37).labels) >= 0.99


# Labels, accuracies, phases


def test_wrong_labels_are_drawn_among_the_training_pairs_only():
    pairs, labels = label_pairs(BROWSER, 3)
    assert pairs.count == labels.trained.sum() == 958
    assert labels.corrupted.sum() == int(0.2 * 958)
    assert not np.any(labels.corrupted & ~labels.trained)
    assert np.array_equal(labels.given[~labels.corrupted], labels.true[~labels.corrupted])


def test_other_wrong_labels_leave_the_pairs_and_the_weights_as_they_are(engine):
    few, many = (prepare(engine, [SMALL.changed(corruption=share)], 0) for share in (0.1, 0.4))
    assert np.array_equal(few.labels[0].trained, many.labels[0].trained)
    assert np.array_equal(engine.to_numpy(few.params["hidden"]), engine.to_numpy(many.params["hidden"]))


def test_without_wrong_labels_their_accuracy_is_not_a_number_rather_than_zero():
    _, labels = label_pairs(SMALL.changed(corruption=0.0), 0)
    found = accuracies(labels.true, labels)
    assert math.isnan(found.given)
    assert math.isnan(found.true)
    assert (found.train, found.test, found.clean) == (1, 1, 1)


def test_following_the_rule_alone_scores_the_right_labels_and_those_right_by_accident():
    _, labels = label_pairs(BROWSER, 0)
    found = accuracies(labels.true, labels)
    assert found.true == found.test == found.clean == 1
    assert found.given == pytest.approx(1 / 37, abs=0.03)
    assert found.train == pytest.approx(0.8 + 0.2 / 37, abs=0.01)
    told = accuracies(labels.given, labels)
    assert (told.train, told.given, told.true) == (1, 1, found.given)


@pytest.mark.parametrize(
    ("train_accuracy", "test", "given", "corruption", "best", "name"),
    [
        (0.95, 0.95, 0.9, 0.2, 0.95, COEXISTENCE),
        (0.90, 0.90, 0.5, 0.2, 0.90, COEXISTENCE),
        (0.89, 1.00, 0.4, 0.2, 1.00, PARTIAL),
        (0.86, 1.00, 0.2, 0.2, 1.00, PARTIAL),
        (0.84, 1.00, 0.1, 0.2, 1.00, FULL),
        (0.654, 1.0, 0.1, 0.35, 1.0, FULL),
        (0.786, 1.0, 0.4, 0.35, 1.0, PARTIAL),
        (0.99, 0.89, 0.9, 0.2, 0.89, MEMORIZATION),
        (0.30, 0.20, 0.1, 0.2, 0.95, FORGETTING),
        (0.30, 0.20, 0.1, 0.2, 0.50, CONFUSION),
        (0.99, 1.00, 0.9, 0.1, 1.00, COEXISTENCE),
        (0.95, 1.00, 0.5, 0.1, 1.00, PARTIAL),
        (0.91, 1.00, 0.1, 0.1, 1.00, FULL),
        (1.00, 1.00, math.nan, 0.0, 1.00, COEXISTENCE),
    ],
)
def test_phases_are_those_of_the_papers_table(train_accuracy, test, given, corruption, best, name):
    found = Accuracies(train_accuracy, test, given, 1 - given, 1.0)
    assert phase(found, corruption, best) == name


# Gradients and training


@pytest.mark.parametrize("regulariser", ["weight decay", DROPOUT, BATCH_NORM])
def test_the_gradient_by_hand_equals_automatic_differentiation(engine, regulariser):
    settings = SMALL.changed(regulariser=regulariser)
    classroom = prepare(engine, [settings, settings.changed(corruption=0.4)], 0)
    pairs = classroom.pairs
    rows = quadratic_mlp.pair_rows(engine, 23, pairs.first, pairs.second, for_gradient=True)
    shape = (2, pairs.count, 64)
    drawn = engine.asarray((philox(0, "kept").random(shape) >= 0.3) / 0.7)
    kept = drawn if regulariser == DROPOUT else None

    def loss(params):
        outputs = network.training_pass(engine, params, rows, kept).outputs
        return engine.xp.sum(engine.xp.mean((outputs - classroom.targets) ** 2, axis=(-2, -1)))

    passed = network.training_pass(engine, classroom.params, rows, kept)
    _, output_gradient = quadratic_mlp.squared_loss(engine, passed.outputs, classroom.targets)
    found = network.gradient(engine, classroom.params, rows, passed, output_gradient)
    _, expected = engine.value_and_grad(loss)(classroom.params)
    assert set(found) == set(expected)
    for name, ours in found.items():
        np.testing.assert_allclose(
            engine.to_numpy(ours), engine.to_numpy(expected[name]), rtol=1e-9, atol=1e-13, err_msg=name
        )


class _TorchNetwork(torch.nn.Module):
    """The network as one would write it in PyTorch."""

    def __init__(self, params, normalised):
        super().__init__()
        self.hidden, self.output = (
            torch.nn.Parameter(torch.tensor(params[name][0], dtype=torch.float64)) for name in ("hidden", "output")
        )
        neurons = self.output.shape[0]
        self.norm = torch.nn.BatchNorm1d(neurons, dtype=torch.float64) if normalised else torch.nn.Identity()

    def forward(self, inputs):
        return self.norm((inputs @ self.hidden) ** 2) @ self.output


@pytest.mark.parametrize(
    ("changes", "decay"),
    [({"weight_decay": 5.0}, 5.0), ({"regulariser": BATCH_NORM}, 0.0)],
    ids=["decay", "BatchNorm"],
)
def test_twenty_steps_equal_torch_autograd_and_torch_adamw(changes, decay):
    engine = select("numpy", precision="float64")
    settings = SMALL.changed(**changes)
    classroom = prepare(engine, [settings], 0)
    model = _TorchNetwork(classroom.params, settings.regulariser == BATCH_NORM)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, betas=(0.9, 0.98), weight_decay=decay)
    everything, one_hot = all_pairs(23), torch.eye(23, dtype=torch.float64)
    inputs = torch.cat([one_hot[everything.first], one_hot[everything.second]], dim=-1)
    labels = classroom.labels[0]
    trained = torch.tensor(labels.trained)
    for _ in range(20):
        loss = torch.nn.functional.mse_loss(model(inputs[trained]), one_hot[labels.given][trained])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ours = next(train(engine, classroom, settings.changed(steps=50), 0, [20]))
    np.testing.assert_allclose(ours.params["hidden"][0], model.hidden.detach().numpy(), rtol=1e-8, atol=1e-10)
    model.eval()
    outputs = (ours.features @ ours.params["output"])[0]
    np.testing.assert_allclose(outputs, model(inputs).detach().numpy(), rtol=1e-6, atol=1e-8)


def test_coupled_decay_of_this_size_would_leave_nothing_to_learn(monkeypatch):
    engine = select("numpy")
    settings = BROWSER.changed(weight_decay=5.0, steps=100)
    usual = training_module.optimizer_of(settings)
    coupled = type(usual)(learning_rate=0.01, betas=(0.9, 0.98), weight_decay=5.0)
    monkeypatch.setattr(training_module, "optimizer_of", lambda _: coupled)
    classroom = prepare(engine, [settings], 0)
    (last,) = train(engine, classroom, settings, 0, [100])
    assert accuracies(last.answers[0], classroom.labels[0]).train < 0.2


def test_batches_take_every_pair_once_before_any_twice():
    engine = select("numpy", precision="float64")
    settings = SMALL.changed(batch="64")
    classroom = prepare(engine, [settings], 0)
    batches = training_module._batches(engine, classroom, settings, 0)
    rows = [next(batches)[0] for _ in range(classroom.pairs.count // 64)]
    seen = np.concatenate([row.first * 23 + row.second for row in rows])
    assert {row.count for row in rows} == {64}
    assert len(np.unique(seen)) == len(seen)


def test_smaller_batches_take_the_square_root_of_the_rate():
    assert training_module.optimizer_of(SMALL.changed(batch="256")).learning_rate == pytest.approx(0.01)
    assert training_module.optimizer_of(SMALL.changed(batch="64")).learning_rate == pytest.approx(0.005)


def test_only_the_regulariser_chosen_acts():
    everything = BROWSER.changed(weight_decay=10.0, dropout=0.3)
    assert (everything.acting_decay, everything.acting_dropout) == (10.0, 0.0)
    assert everything.changed(regulariser=DROPOUT).acting_decay == 0
    assert everything.changed(regulariser=DROPOUT).acting_dropout == 0.3
    none = everything.changed(regulariser="none")
    assert (none.acting_decay, none.acting_dropout) == (0, 0)


def test_diverging_training_says_what_to_change(monkeypatch):
    monkeypatch.setattr(training_module, "LEARNING_RATE", 1e6)
    with pytest.raises(RunError, match=r"diverged at step \d+.*another regulariser"), np.errstate(all="ignore"):
        run_to_end(MECHANISM, SMALL, select("torch"), 0)


@pytest.mark.slow
def test_the_papers_size_memorises_and_understands_when_the_official_code_does():
    engine = select("numpy")
    settings = CorruptionSettings(modulus=97, hidden=500, data_share=0.5, corruption=0.0, weight_decay=5.0, steps=100)
    classroom = prepare(engine, [settings], 0)
    labels = classroom.labels[0]
    moments = list(train(engine, classroom, settings, 0, [24, 50, 100]))
    early, middle, last = (accuracies(moment.answers[0], labels) for moment in moments)
    assert early.train >= 0.99
    assert middle.test >= 0.99
    assert (last.train, last.test) == (1, 1)
    outputs = (moments[-1].features @ moments[-1].params["output"])[0][~labels.trained]
    error = np.mean((outputs - np.eye(97)[labels.true[~labels.trained]]) ** 2)
    assert 7e-4 < error < 1.1e-3


# Neurons and pruning


def test_silencing_output_weights_is_setting_all_weights_of_a_neuron_to_zero(trained):
    engine = select("numpy")
    last, _ = trained
    scores = periodicity(engine, last.params)
    cut = np.argsort(scores)[:64]
    zeroed = {name: weights.copy() for name, weights in last.params.items()}
    zeroed["hidden"][0][:, cut] = 0
    zeroed["output"][0][cut] = 0
    ours = answers_without(engine, last.features[0], last.params["output"][0], scores, 0.5, lowest_first=True)
    assert np.mean(ours == _outputs(engine, zeroed, 37).argmax(-1)) > 0.999  # up to ties in rounding


def test_cutting_nothing_changes_nothing_and_cutting_all_leaves_guessing(trained):
    engine = select("numpy")
    last, labels = trained
    scores, output = periodicity(engine, last.params), last.params["output"][0]
    for lowest_first in (True, False):
        none, everything = (
            answers_without(engine, last.features[0], output, scores, share, lowest_first=lowest_first)
            for share in (0, 1)
        )
        assert np.array_equal(none, last.answers[0])
        assert accuracies(everything, labels).test == pytest.approx(1 / 37, abs=0.02)


def test_neurons_of_zeros_count_as_aperiodic_and_warn_nobody(engine):
    params = {"hidden": engine.xp.zeros((1, 46, 3)), "output": engine.xp.zeros((1, 3, 23))}
    assert engine.to_numpy(periodicity(engine, params)).tolist() == [0, 0, 0]
    assert matrix_norms(engine, params) == (0, 0, 0)


# Runs, engines, tables, charts


def test_engines_agree_over_a_whole_run():
    # Training amplifies rounding: up to about 1e-7 on single weights after 200 steps in float64.
    settings = BROWSER.changed(weight_decay=10.0, prune_share=0.3)
    tables, others = (run_to_end(MECHANISM, settings, select(kind, precision="float64"), 0).tables for kind in ENGINES)
    for name, table in tables.items():
        for column, values in table.columns.items():
            other = others[name][column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, other, rtol=1e-5, atol=1e-6, err_msg=f"{name}.{column}")
            else:
                assert np.array_equal(values, other), f"{name}.{column}"


@pytest.mark.parametrize("changes", [{"regulariser": DROPOUT}, {"regulariser": BATCH_NORM, "batch": "64"}])
def test_engines_draw_the_same_dropout_and_the_same_batches(changes):
    settings = SMALL.changed(**changes)
    ours, theirs = (run_to_end(MECHANISM, settings, select(kind, precision="float64"), 0).tables for kind in ENGINES)
    np.testing.assert_allclose(ours["norms"]["norm"], theirs["norms"]["norm"], rtol=1e-8)
    np.testing.assert_allclose(ours["accuracy"]["accuracy"], theirs["accuracy"]["accuracy"], rtol=1e-12)


def test_frames_stream_from_the_start_and_carry_every_table():
    frames = list(MECHANISM.run(BROWSER, select("numpy"), 1))
    assert 20 <= len(frames) <= 40
    progress = [frame.progress for frame in frames]
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1)
    for frame in frames:
        assert tuple(frame.tables) == tuple(UNITS)
        assert all("run" not in table.columns for table in frame.tables.values())
        assert sum(map(len, frame.tables.values())) < 4000
        assert frame.message.endswith(".")


def test_a_run_can_be_stopped_between_frames():
    frames = MECHANISM.run(BROWSER, select("numpy"), 0)
    next(frames)
    frames.close()


def test_fading_starts_at_the_best_moment_of_each_memory(default_run):
    table = default_run.tables["fading"]
    assert table.units["lag"] == "steps"
    for memory in (WRONG, RULE):
        course = table.where(series=memory)
        assert (course["lag"][0], course["retention"][0]) == (0, 1)
        assert course["retention"].max() <= 1
        assert np.all(np.diff(course["lag"]) > 0)
    faded = run_to_end(MECHANISM, BROWSER.changed(weight_decay=10.0), select("numpy"), 0).tables["fading"]
    assert faded.where(series=WRONG)["retention"][-1] < 0.2
    assert faded.where(series=RULE)["retention"][-1] > 0.95


def test_the_histogram_counts_every_neuron_once(default_run):
    for when in ("start", "now"):
        assert default_run.tables["histogram"].where(when=when)["neurons"].sum() == 128


def test_cutting_shows_in_the_picture_the_scatter_and_the_result(default_run):
    low, high = (
        run_to_end(MECHANISM, BROWSER.changed(prune_share=0.5, prune_from=end), select("numpy"), 0).tables
        for end in (LOW, HIGH)
    )
    uncut, cut_low, cut_high = (tables["result"].rows()[0] for tables in (default_run.tables, low, high))
    assert uncut["given"] == uncut["pruned_given"] == cut_low["given"]
    assert cut_low["pruned_given"] < 0.15 < 0.9 < cut_low["pruned_test"]
    assert cut_high["pruned_test"] < 0.2 < cut_high["pruned_given"]
    assert (low["neurons"]["state"] == "cut out").sum() == 64
    assert low["neurons"]["ipr"][low["neurons"]["state"] == "cut out"].max() <= np.median(low["neurons"]["ipr"])
    for table, row in ((LOW_FIRST, cut_low), (HIGH_FIRST, cut_high)):
        curve = default_run.tables[table]
        assert len(curve.where(measure=TEST)) == 21
        assert curve.where(measure=GIVEN, share=0.5)["accuracy"][0] == row["pruned_given"]


def test_a_large_modulus_is_pictured_as_a_corner():
    settings = CorruptionSettings(modulus=97, hidden=64, data_share=0.3, steps=50)
    tables = next(MECHANISM.run(settings, select("numpy"), 0)).tables
    assert len(tables["answers"]) == 47**2
    assert "of 9409 additions" in MECHANISM.chart("answers").describe(tables)


RUNS_TO_DRAW = {
    "default": {},
    "all labels right": {"corruption": 0.0},
    "cut": {"prune_share": 0.5, "prune_from": HIGH},
    "all cut": {"prune_share": 1.0},
    "dropout": {"regulariser": DROPOUT},
    "BatchNorm": {"regulariser": BATCH_NORM},
    "too much decay": {"weight_decay": 25.0},
    "map": {"phase_map": DECAY_MAP},
}


@pytest.mark.parametrize("changes", RUNS_TO_DRAW.values(), ids=RUNS_TO_DRAW)
def test_every_chart_finds_its_columns_and_describes_any_frame(changes):
    frames = list(MECHANISM.run(SMALL.changed(**changes), select("numpy"), 0))
    for chart in MECHANISM.charts:
        for frame in (frames[0], frames[-1]):
            for layer in chart.layers:
                table = frame.tables[layer.table]
                names = (layer.x, layer.x2, layer.y, layer.y2, layer.color, layer.dash, layer.text, layer.outline)
                assert {name for name in names if name} <= set(table.columns)
                if chart.series and layer.color and len(table):
                    assert set(table[layer.color].tolist()) <= set(chart.series)
            words = chart.describe(frame.tables)
            assert words.endswith(".")
            assert "nan" not in words.lower().split()


# The phase map


def test_a_cell_of_the_map_is_the_run_with_its_settings(engine):
    settings = SMALL.changed(phase_map=DECAY_MAP)
    cells = next(maps.train_cells(engine, settings, 0))
    assert [cell.settings.corruption for cell in cells] == list(maps.MAP_CORRUPTIONS)
    alone = run_to_end(MECHANISM, cells[2].settings.changed(phase_map="off"), engine, 0).tables["result"].rows()[0]
    assert (cells[2].accuracies.train, cells[2].accuracies.test) == (alone["train"], alone["test"])
    assert cells[2].phase == alone["phase"]


def test_the_maps_have_the_papers_grid_and_groups_that_fit_into_memory():
    gpu = MECHANISM.presets["gpu"]
    groups = maps.groups(gpu)
    assert sum(map(len, groups)) == 17 * 19
    for group in groups:
        assert len(group) * group[0].data_share * 97**2 * 500 <= maps.LARGEST_ACTIVATIONS
        assert len({settings.data_share for settings in group}) == 1
    assert [len(group) for group in maps.groups(MECHANISM.presets["cpu"])] == [4] * 7


def test_a_map_puts_its_networks_into_the_diagram_it_belongs_to(monkeypatch):
    monkeypatch.setattr(maps, "PAPER_SHARES", (0.3, 0.7))
    monkeypatch.setattr(maps, "PAPER_CORRUPTIONS", (0.0, 0.2))
    by_data, by_decay = (
        run_to_end(MECHANISM, SMALL.changed(phase_map=kind), select("numpy"), 0).tables
        for kind in (DATA_MAP, DECAY_MAP)
    )
    assert (len(by_data["phase_by_data"]), len(by_data["phase_by_decay"])) == (5, 1)
    assert (len(by_decay["phase_by_data"]), len(by_decay["phase_by_decay"])) == (1, 29)


# Settings, claims, exercise


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"modulus": 4}, "modulus is 4"),
        ({"modulus": 23.5}, "modulus is 23.5"),
        ({"corruption": 1.0}, "corruption is 1.0"),
        ({"corruption": -0.1}, "corruption is -0.1"),
        ({"data_share": 0.01}, "data_share is 0.01"),
        ({"hidden": 0}, "hidden is 0"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0"),
        ({"weight_decay": 100.0}, "weight_decay is 100.0"),
        ({"prune_share": 1.5}, "prune_share is 1.5"),
        ({"regulariser": "L2"}, "regulariser is 'L2'"),
        ({"steps": "many"}, "steps is 'many'"),
    ],
    ids=str,
)
def test_settings_that_cannot_run_are_refused_in_one_sentence(changes, words):
    with pytest.raises(SettingsError, match=words):
        BROWSER.changed(**changes)


def test_presets_survive_the_link():
    for preset in MECHANISM.presets.values():
        assert CorruptionSettings().parsed(preset.formatted()) == preset


@pytest.mark.slow
def test_every_claim_holds():
    failed = [score.claim.key for score in check(MECHANISM, select("numpy"), [0, 1, 2]) if not score.holds]
    assert failed == []


@pytest.fixture(scope="module")
def laboratory():
    """Runs on NumPy that several tests of claims share."""
    return Laboratory(MECHANISM, select("numpy"))


def _evidence(laboratory, key, *changes):
    return CLAIMS[key].check([laboratory.result(BROWSER.changed(**change), 0) for change in changes])


def test_claims_fail_on_runs_that_show_the_opposite(laboratory):
    decayed, wild = {"weight_decay": 10.0}, {"weight_decay": 25.0}
    assert not _evidence(laboratory, "coexistence", decayed).holds
    assert not _evidence(laboratory, "full-inversion", {}).holds
    assert not _evidence(laboratory, "partial-inversion", {}).holds
    assert not _evidence(laboratory, "memorization", {}).holds
    assert not _evidence(laboratory, "rule-is-kept", {}, wild).holds
    assert not _evidence(laboratory, "wrong-labels-fall", decayed, {}).holds
    assert not _evidence(laboratory, "wrong-labels-gone", {}).holds
    assert not _evidence(laboratory, "train-is-right-labels", {}).holds
    assert not _evidence(laboratory, "decay-makes-periodic", decayed, {}, {}).holds
    assert not _evidence(laboratory, "first-memorised", wild).holds
    assert not _evidence(laboratory, "then-inverted", {}).holds
    assert not _evidence(laboratory, "dropout-gives-up", {}).holds
    assert not _evidence(laboratory, "no-decay-no-rule-in-time", decayed).holds


def test_claims_about_two_memories_say_so_when_a_run_does_not_hold_both(laboratory):
    for changes in ({"weight_decay": 10.0}, {"corruption": 0.0}):
        for key in ("two-kinds-of-neurons", "cutting-low-keeps-rule", "cutting-low-train", "cutting-high-loses-rule"):
            evidence = _evidence(laboratory, key, changes)
            assert not evidence.tells
            assert "side by side" in evidence.note


def test_claims_about_times_say_so_when_a_run_is_too_short(laboratory):
    short = {"steps": 50, "corruption": 0.0, "data_share": 0.3}
    assert "not understood within 50 steps" in _evidence(laboratory, "understood-at-decay-1", short).note
    assert not _evidence(laboratory, "best-decay-is-in-between", short, short, short, short).tells
    assert not _evidence(laboratory, "memorised-at-once", {"weight_decay": 25.0, "steps": 50}).tells


@pytest.mark.parametrize(
    ("decay", "share", "correct", "words"),
    [
        (10.0, 0.5, True, "it disobeys"),
        (0.0, 0.5, False, "still believes"),
        (10.0, 0.0, False, "still believes"),
        (10.0, 0.9, False, "too much is gone"),
    ],
)
def test_the_exercise_accepts_only_two_ways_that_both_work(decay, share, correct, words):
    answer = DisobeyingAnswer(weight_decay=decay, prune_share=share)
    grade = MECHANISM.exercise.grade(answer, BROWSER, 5, select("numpy"))
    assert grade.correct is correct
    assert words in grade.feedback


def test_the_exercise_refuses_an_answer_that_is_none():
    with pytest.raises(SettingsError, match="prune_share is 50"):
        DisobeyingAnswer(prune_share=50)
