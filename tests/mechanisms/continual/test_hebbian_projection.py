import sys

import numpy as np
import pytest
import torch

from mem_core.engine import philox, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.continual.hebbian_projection import training
from mem_core.mechanisms.continual.hebbian_projection.claims import ON_LAPTOP, SLOW
from mem_core.mechanisms.continual.hebbian_projection.exercise import SizeAnswer
from mem_core.mechanisms.continual.hebbian_projection.network import (
    answers,
    errors,
    heard,
    initial_weights,
    respond,
)
from mem_core.mechanisms.continual.hebbian_projection.results import AVERAGE, LEARNING, TRANSFER
from mem_core.mechanisms.continual.hebbian_projection.run import run
from mem_core.mechanisms.continual.hebbian_projection.settings import (
    EVERY_STEP,
    HEBBIAN,
    HIDDEN_2,
    INPUT,
    LAYERS,
    NONE,
    PCA,
    PRESETS,
    PROTECTIONS,
    ProjectionSettings,
)
from mem_core.mechanisms.continual.hebbian_projection.stream import Stream
from mem_core.mechanisms.continual.hebbian_projection.training import Networks
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import Laboratory, run_to_end

pytest.importorskip("sklearn")

MECHANISM = catalog.load("hebbian-projection")
ENGINES = ("numpy", "torch")
SMALL = ProjectionSettings(width=16, hidden_rows=8, pictures=160, epochs=1, tasks=2, time_steps=3)


@pytest.fixture(scope="module")
def numpy64():
    return select("numpy", precision="float64")


@pytest.fixture(scope="module")
def default():
    return run_to_end(MECHANISM, ProjectionSettings(), select("numpy"), 0)


def frames_of(settings, engine=None, seed=0):
    return list(run(settings, engine or select("numpy"), seed))


def score(result, name, measure):
    return float(result.tables["scores"].where(protection=name, measure=measure)["accuracy"][0])


def networks_of(settings, engine, seed=0):
    stream = Stream(settings, engine, seed)
    return Networks(engine, settings, stream, seed), stream


# The network


class Spike(torch.autograd.Function):
    """A step whose gradient is the slope of a sigmoid."""

    @staticmethod
    def forward(ctx, excess):
        ctx.save_for_backward(excess)
        return (excess >= 0).to(excess.dtype)

    @staticmethod
    def backward(ctx, gradient):
        sigmoid = torch.sigmoid(4 * ctx.saved_tensors[0])
        return gradient * 4 * sigmoid * (1 - sigmoid)


def onward(spikes, trace, weight):
    """Send spikes on, so that errors return through the spikes and the weight learns from the trace."""
    through_trace = trace.detach() @ weight.T
    return spikes @ weight.detach().T + through_trace - through_trace.detach()


def learned_by_autograd(weights, images, labels, steps):
    """Return loss and gradients of one network: online through time, the membrane's past detached."""
    loss, potentials, traces = 0.0, [0.0, 0.0], [0.0, 0.0]
    for _ in range(steps):
        current = images @ weights[0].T
        for layer in range(2):
            charged = torch.as_tensor(potentials[layer]).detach() * 0.5 + current
            spikes = Spike.apply(charged - 1)
            potentials[layer] = charged - spikes
            traces[layer] = torch.as_tensor(traces[layer]).detach() * 0.5 + spikes
            current = onward(spikes, traces[layer], weights[layer + 1])
        loss = loss + torch.nn.functional.cross_entropy(current, labels) / steps
    loss.backward()
    return loss, [weight.grad for weight in weights]


def test_the_gradient_is_that_of_online_training_through_time(numpy64):
    weights = initial_weights(numpy64, philox(3, "weights"), (12, 9, 8, 4), 2)
    images, labels = philox(3, "images").uniform(0, 2, (6, 12)), philox(3, "labels").integers(4, size=6)
    response = respond(numpy64, weights, images, 5)
    losses, deltas = errors(numpy64, weights, response, np.eye(4)[labels])
    theirs = [torch.tensor(weight[1], requires_grad=True) for weight in weights]
    loss, gradients = learned_by_autograd(theirs, torch.tensor(images), torch.tensor(labels), 5)
    assert losses[1] == pytest.approx(loss.item())
    activities = heard(numpy64, images, response, 1)
    assert any(activity.any() for activity in activities[1:])
    for delta, activity, expected in zip(deltas, activities, gradients, strict=True):
        found = delta[1].T @ activity.reshape(-1, activity.shape[-1])
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-12)


def test_answers_are_the_classes_with_the_largest_summed_output(engine):
    weights = initial_weights(engine, philox(0, "weights"), (64, 16, 16, 10), 3)
    weights = [weight * scale for weight, scale in zip(weights, (1.0, 1.5, 1.0), strict=True)]
    images = engine.asarray(philox(0, "images").uniform(0, 2, (20, 64)))
    expected = engine.to_numpy(respond(engine, weights, images, 4).outputs).sum(axis=1).argmax(axis=-1)
    np.testing.assert_array_equal(engine.to_numpy(answers(engine, weights, images, 4)), expected)


# Projection


def test_learning_outside_the_subspace_leaves_every_old_answer(numpy64):
    networks, stream = networks_of(SMALL.changed(protections=(HEBBIAN,)), numpy64)
    networks.begin_task(0)
    lateral = networks.protections[HEBBIAN]
    lateral.finish_task([])  # rows as they were drawn, orthonormal
    before = networks._weights
    networks.learn(next(stream.batches(0)))
    for layer, (old, new) in enumerate(zip(before, networks._weights, strict=True)):
        inside = philox(0, "inside").normal(size=(30, len(lateral.rows(layer)))) @ lateral.rows(layer)
        assert np.abs(new - old).max() > 1e-6
        np.testing.assert_allclose(inside @ (new - old)[0].T, 0, atol=1e-12)


def test_a_full_subspace_lets_nothing_be_learned(numpy64):
    settings = SMALL.changed(protections=(HEBBIAN,))
    networks, stream = networks_of(settings, numpy64)
    for subspace in networks.protections[HEBBIAN].subspaces:
        subspace.add(subspace.width)
        subspace.merge()
    before = networks._weights
    networks.begin_task(0)
    networks.learn(next(stream.batches(0)))
    for old, new in zip(before, networks._weights, strict=True):
        np.testing.assert_allclose(old, new, atol=1e-12)


@pytest.mark.parametrize("name", ENGINES)
def test_without_rows_every_protection_is_plain_descent_bit_for_bit(name):
    tables = frames_of(SMALL.changed(size_factor=0.0), select(name))[-1].tables
    first, *others = (tables["matrix"].where(protection=protection)["accuracy"] for protection in PROTECTIONS)
    for other in others:
        assert (first == other).all()


def test_the_task_at_hand_is_learned_as_without_protection_until_there_is_something_to_protect(default):
    matrix = default.tables["matrix"].where(after=1)
    first, *others = (matrix.where(protection=protection)["accuracy"] for protection in PROTECTIONS)
    for other in others:
        assert (first == other).all()


def test_rows_of_finished_tasks_stay_bit_for_bit_while_later_tasks_are_learned():
    networks, stream = networks_of(SMALL.changed(tasks=3, width=32), select("numpy"))
    lateral = networks.protections[HEBBIAN]
    for task in range(3):
        finished = [lateral.rows(layer) for layer in range(3)]
        networks.begin_task(task)
        for batch in stream.batches(task):
            networks.learn(batch)
        networks.finish_task()
        for layer, rows in enumerate(finished):
            assert (lateral.rows(layer)[: len(rows)] == rows).all()
            assert len(lateral.rows(layer)) > len(rows)


def test_a_layer_gets_no_more_rows_than_it_has_inputs():
    settings = SMALL.changed(size_factor=1.5, tasks=5, width=16, hidden_rows=12)
    stretch = frames_of(settings)[-1].tables["stretch"]
    by_layer = {row["layer"]: row["old_rows"] + row["new_rows"] for row in stretch.rows()}
    assert by_layer == {INPUT: 64, "hidden 1": 16, HIDDEN_2: 16}


@pytest.mark.parametrize(
    ("changes", "first", "later"),
    [
        ({}, (20, 28, 28), (12, 14, 14)),
        ({"hidden_rows": 40, "width": 100}, (20, 40, 40), (12, 20, 20)),
        ({"hidden_rows": 40, "width": 100, "tasks": 5}, (20, 30, 30), (10, 15, 15)),
        ({"size_factor": 0.5}, (10, 14, 14), (6, 7, 7)),
    ],
)
def test_rows_for_each_task(changes, first, later):
    settings = ProjectionSettings(**changes)
    assert (settings.rows_for(0), settings.rows_for(1)) == (first, later)


# What was seen


def test_protection_saves_what_is_otherwise_lost(default):
    assert score(default, NONE, TRANSFER) < -0.25
    assert score(default, HEBBIAN, TRANSFER) > -0.1
    assert score(default, PCA, TRANSFER) > -0.1
    matrix = default.tables["matrix"].where(protection=HEBBIAN)["accuracy"].reshape(3, 3)
    assert score(default, HEBBIAN, AVERAGE) == pytest.approx(matrix[2].mean())
    assert score(default, HEBBIAN, LEARNING) == pytest.approx(np.diag(matrix).mean())
    assert score(default, HEBBIAN, TRANSFER) == pytest.approx((matrix[2, :2] - np.diag(matrix)[:2]).mean())


def test_too_many_rows_cost_new_tasks(default):
    many = run_to_end(MECHANISM, ProjectionSettings(size_factor=1.5, protections=(HEBBIAN,)), select("numpy"), 0)
    assert score(many, HEBBIAN, LEARNING) < score(default, HEBBIAN, LEARNING) - 0.04


def test_lateral_neurons_capture_less_than_the_best_rows_and_more_as_they_learn(default):
    captured = default.tables["captured"].where(task="task 1")
    for layer in LAYERS:
        learned, possible = (captured.where(layer=layer, kind=kind)["captured"] for kind in ("rows", "best"))
        assert (learned <= possible + 1e-6).all()
        assert learned[-1] > learned[0] + 0.3


def test_rows_that_overlap_from_the_start_stretch_activity_and_are_warned_of():
    settings = ProjectionSettings(orthogonal_start=False, protections=(HEBBIAN,))
    tables = frames_of(settings)[-1].tables
    assert tables["stretch"]["stretch"].max() > 1.4
    assert "Warning" in MECHANISM.chart("gram").describe(tables)


def test_spikes_of_lateral_neurons_may_be_so_coarse_that_protection_is_lost(default):
    coarse, fine = (
        run_to_end(MECHANISM, ProjectionSettings(spiking_lateral=True, levels=levels), select("numpy"), 0)
        for levels in (5, 1000)
    )
    assert score(coarse, HEBBIAN, TRANSFER) < -0.2
    assert score(fine, HEBBIAN, TRANSFER) == pytest.approx(score(default, HEBBIAN, TRANSFER), abs=0.03)


def test_retention_starts_at_one_and_is_that_of_the_protected_network(default):
    retention = default.tables["retention"]
    assert retention.units["lag"] == "batches"
    assert (retention["lag"][0], retention["lag"][-1]) == (0, 120)
    assert retention["retention"][0] == 1.0
    assert ((retention["retention"] >= 0) & (retention["retention"] <= 1)).all()
    assert retention["retention"][-1] > 0.85
    assert len(set(retention["lag"].tolist())) == len(retention)
    unprotected = frames_of(SMALL.changed(protections=(NONE,)))[-1].tables["retention"]
    assert len(unprotected) > 1


def test_a_picture_of_the_first_task_leaves_less_to_learn_from_than_one_of_the_newest(default):
    left = default.tables["picture_energy"]
    assert left["task"].tolist() == [1, 3]
    assert left["left"][0] < 0.15 < left["left"][1]


# The run


@pytest.mark.parametrize("changes", [{}, {"listening": EVERY_STEP, "spiking_lateral": True, "tasks": 3}])
def test_both_engines_give_the_same_run(changes):
    # Float64 and the same random numbers: no neuron is so near its threshold that rounding makes it fire.
    ends = [run_to_end(MECHANISM, SMALL.changed(**changes), select(name, "float64"), 1).tables for name in ENGINES]
    assert ends[0].keys() == ends[1].keys()
    for name, table in ends[0].items():
        for column, values in table.columns.items():
            other = ends[1][name][column]
            if values.dtype.kind == "f":
                # Angles near 0 lose half of the digits: cos is flat there.
                np.testing.assert_allclose(values, other, rtol=1e-6, atol=1e-6, err_msg=f"{name}.{column}")
            else:
                assert values.tolist() == other.tolist(), (name, column)


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    first, again, other = (frames_of(SMALL, seed=seed)[-1].tables["matrix"]["accuracy"] for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_networks_do_not_touch_one_another(numpy64):
    together = frames_of(SMALL, numpy64)[-1].tables["matrix"]
    for name in PROTECTIONS:
        alone = frames_of(SMALL.changed(protections=(name,)), numpy64)[-1].tables["matrix"]
        assert alone["accuracy"].tolist() == together.where(protection=name)["accuracy"].tolist()


def test_frames_stream_and_stay_small():
    frames = frames_of(ProjectionSettings())
    assert 20 <= len(frames) <= 40
    assert frames[0].progress == 0
    assert frames[-1].progress == 1
    assert [frame.progress for frame in frames] == sorted(frame.progress for frame in frames)
    assert sum(map(len, frames[-1].tables.values())) < 3000
    assert "task 2 of 3 is being learned" in frames[len(frames) // 2].message
    assert frames[-1].message.startswith("Backward transfer after 3 tasks")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"protections": (HEBBIAN,)},
        {"protections": (NONE, PCA)},
        {"size_factor": 0.0},
        {"size_factor": 0.05},
        {"size_factor": 1.5, "tasks": 5},
        {"layer": INPUT, "picture": 499, "time_steps": 10},
        {"layer": HIDDEN_2, "step": 0.001},
        {"normalise": False, "step": 0.001, "orthogonal_start": False},
    ],
)
def test_every_chart_describes_every_frame(changes):
    for frame in frames_of(SMALL.changed(**changes)):
        for chart in MECHANISM.charts:
            words = chart.describe(frame.tables)
            assert words.endswith("."), chart.key
            assert "nan" not in words, chart.key


def test_every_chart_draws_from_columns_that_exist(default):
    for chart in MECHANISM.charts:
        for layer in chart.layers:
            columns = default.tables[layer.table].columns
            named = (layer.x, layer.x2, layer.y, layer.y2, layer.color, layer.dash, layer.detail, layer.text)
            for name in (*named, layer.outline):
                assert not name or name in columns, (chart.key, name)
            if layer.color and layer.mark != "heatmap":
                assert set(default.tables[layer.table][layer.color]) <= set(chart.series)


# Bad input


def test_rows_that_grow_too_long_end_the_run_with_the_settings_to_change():
    with np.errstate(all="ignore"), pytest.raises(RunError, match=r"lower learning_rate.*step.*normalise"):
        frames_of(ProjectionSettings(normalise=False, protections=(HEBBIAN,)))


@pytest.mark.parametrize("name", ENGINES)
def test_a_loss_that_is_no_number_ends_the_run(name, monkeypatch):
    monkeypatch.setattr(training, "LARGEST_LOSS", float("nan"))
    with pytest.raises(RunError, match="diverged in batch 1"):
        frames_of(SMALL, select(name))


def test_the_wildest_settings_end_well_or_say_what_to_change():
    for changes in ({"learning_rate": 2.0, "batch_size": 8}, {"step": 1.5, "iterations": 10}, {"time_steps": 2}):
        tables = frames_of(SMALL.changed(**changes))[-1].tables
        assert np.isfinite(tables["matrix"]["accuracy"]).all()


def test_without_the_package_of_the_digits_the_run_says_what_to_install(monkeypatch):
    from mem_core.data import digits

    digits.load.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(RunError, match=r"pip install scikit-learn"):
        frames_of(SMALL)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protections": ()}, "protections"),
        ({"protections": ("EWC",)}, "protections"),
        ({"size_factor": -0.1}, "size_factor"),
        ({"size_factor": 1.6}, "size_factor"),
        ({"step": 0.0}, "step"),
        ({"step": float("nan")}, "step"),
        ({"tasks": 1}, "tasks"),
        ({"tasks": 6}, "tasks"),
        ({"iterations": 0}, "iterations"),
        ({"time_steps": 1}, "time_steps"),
        ({"levels": 4}, "levels"),
        ({"listening": "never"}, "listening"),
        ({"pictures": 1298}, "pictures"),
        ({"layer": "output"}, "layer"),
        ({"picture": 500}, "picture"),
    ],
)
def test_bad_settings_are_named(changes, words):
    with pytest.raises(SettingsError, match=words):
        ProjectionSettings(**changes)


@pytest.mark.parametrize("tier", ["browser", "cpu", "gpu"])
def test_presets_are_allowed_settings(tier):
    preset = PRESETS[tier]
    assert ProjectionSettings().parsed(preset.formatted()) == preset


# Claims and exercise


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_every_claim_holds(name):
    laboratory = Laboratory(MECHANISM, select(name))
    for claim in MECHANISM.claims:
        if claim.across_seeds == "each":
            evidence = laboratory.evidence(claim, PRESETS["browser"], 0)
            assert evidence.holds, (claim.key, evidence)


def test_claims_can_fail(default):
    by_key = {claim.key: claim for claim in MECHANISM.claims}
    unprotected = run_to_end(MECHANISM, ProjectionSettings(size_factor=0.0), select("numpy"), 0)
    for key in ("hebbian-protects", "better-on-average", "laptop-protects", "as-good-as-exact", "captures-activity"):
        assert by_key[key].check([default]).tells
    assert not by_key["hebbian-protects"].check([unprotected]).holds
    assert not by_key["better-on-average"].check([unprotected]).holds
    assert not by_key["captures-activity"].check([default]).holds
    for key in ("absolute-step", "slow-captures-little", "slow-forgets"):
        assert not by_key[key].check([default]).holds
    same = run_to_end(MECHANISM, ProjectionSettings(epochs=1, pictures=160, learning_rate=0.02), select("numpy"), 0)
    assert not by_key["forgets-unprotected"].check([same]).holds


def test_a_claim_about_a_network_that_was_not_trained_does_not_judge():
    result = run_to_end(MECHANISM, SMALL.changed(protections=(PCA,)), select("numpy"), 0)
    by_key = {claim.key: claim for claim in MECHANISM.claims}
    for key in ("forgets-unprotected", "hebbian-protects", "better-on-average", "as-good-as-exact", "absolute-step"):
        evidence = by_key[key].check([result])
        assert not evidence.tells
        assert "no network with protection" in evidence.note


def test_the_variants_of_the_claims_are_allowed_settings():
    for changes in (ON_LAPTOP, SLOW):
        assert ProjectionSettings(**changes).tasks == 3


FIRST_ANSWER = SizeAnswer().size_factor


@pytest.mark.parametrize(
    ("size", "correct", "words"),
    [(0.3, True, ""), (0.1, False, "take more rows"), (FIRST_ANSWER, False, "smaller subspace")],
)
def test_the_exercise_accepts_the_smallest_size_that_protects_and_refuses_others(size, correct, words):
    found = MECHANISM.exercise.grade(SizeAnswer(size_factor=size), ProjectionSettings(), 11, select("numpy"))
    assert found.correct is correct
    assert words in found.feedback
