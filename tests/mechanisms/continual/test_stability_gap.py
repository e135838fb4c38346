import sys

import numpy as np
import pytest

from mem_core.engine import leaves, map_tree, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.continual.stability_gap.claims import CLAIMS
from mem_core.mechanisms.continual.stability_gap.exercise import RecipeAnswer
from mem_core.mechanisms.continual.stability_gap.methods import METHOD_CLASSES, Memories, cross_entropy_gradient
from mem_core.mechanisms.continual.stability_gap.results import MEASURES, STABILITY
from mem_core.mechanisms.continual.stability_gap.run import MOST_FRAMES, run
from mem_core.mechanisms.continual.stability_gap.settings import (
    DISTILLATION,
    ELASTIC,
    ENDS,
    EVERYTHING,
    FINETUNE,
    METHODS,
    PAIRS,
    PRESETS,
    PROJECTION,
    REPLAY,
    ROTATIONS,
    TENTH,
    GapSettings,
)
from mem_core.mechanisms.continual.stability_gap.stream import Stream
from mem_core.mechanisms.continual.stability_gap.training import Trainer, train
from mem_core.mechanisms.contract import Result, RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import run_to_end
from mem_core.training.tree_arithmetic import weighted_sum

pytest.importorskip("sklearn")

MECHANISM = catalog.load("stability-gap")
ENGINES = ("numpy", "torch")
SMALL = GapSettings(epochs=3, hidden=20, stiffness=10)  # a narrow network needs softer springs


@pytest.fixture(scope="module")
def numpy64():
    return select("numpy", precision="float64")


@pytest.fixture(scope="module")
def default():
    return run_to_end(MECHANISM, GapSettings(), select("numpy"), 0)


def frames_of(settings, engine=None, seed=0):
    return list(run(settings, engine or select("numpy"), seed))


def score(tables, measure, method=REPLAY):
    return float(tables["scores"].where(method=method, measure=measure)["value"][0])


def begun(method, settings, engine, tasks=2):
    """Train a method up to the first iteration of a task and return it with the batch that comes."""
    stream = Stream(settings.changed(method=method), engine, 0)
    trainer, done = Trainer(method, settings, engine, stream), 0
    for task in range(tasks - 1):
        if task:
            trainer.begin_task(task)
        for numbers in stream.batches(task):
            done += 1
            trainer.step(done, stream.pictures(numbers), task)
    trainer.begin_task(tasks - 1)
    return trainer, stream, stream.pictures(next(stream.batches(tasks - 1)))


def assert_same(one, other, engine, **tolerance):
    for ours, theirs in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_allclose(engine.to_numpy(ours), engine.to_numpy(theirs), **tolerance)


# The stream


def test_every_epoch_shows_every_picture_of_its_task_once_in_a_new_order():
    settings = SMALL.changed(networks=2, batch_size=48)
    stream = Stream(settings, select("numpy"), 0)
    assert len(stream.tasks) == 5
    first = sum(len(task.training) for task in stream.tasks[:2])
    size = len(stream.tasks[2].training)
    batches = list(stream.batches(2))
    assert len(batches) == stream.iterations[2] == 3 * -(-size // 48)
    for network in range(2):
        shown = np.concatenate([batch[network] for batch in batches])
        epochs = shown.reshape(3, size)
        for epoch in epochs:
            assert sorted(epoch.tolist()) == list(range(first, first + size))
        assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(batches[0][0], batches[0][1])


def test_the_default_stream_has_230_iterations_and_500_test_pictures():
    stream = Stream(GapSettings(), select("numpy"), 0)
    assert stream.iterations == [40, 50, 40, 50, 50]
    assert sum(test.images.shape[1] for test in stream.tests) == 500
    assert sum(len(task.training) for task in stream.tasks) == 1297


def test_pictures_come_with_their_own_classes():
    stream = Stream(SMALL, select("numpy"), 0)
    batch = stream.pictures(next(stream.batches(3)))
    assert batch.images.shape == (1, 64, 64)
    assert set(batch.targets.argmax(axis=-1).ravel()) == {6, 7}
    assert [stream.known_classes(task) for task in range(5)] == [0, 2, 4, 6, 8]
    turned = Stream(SMALL.changed(tasks=ROTATIONS), select("numpy"), 0)
    assert [turned.known_classes(task) for task in range(3)] == [0, 10, 10]


@pytest.mark.parametrize("tasks", [PAIRS, ROTATIONS])
def test_the_largest_memory_holds_everything_that_is_ever_replayed(tasks):
    settings = SMALL.changed(tasks=tasks, memory=EVERYTHING)
    stream = Stream(settings, select("numpy"), 0)
    memories = Memories(settings, stream)
    earlier = range(len(stream.tasks) - 1)
    for task in earlier:
        memories.keep(task)
    stored = sorted(np.concatenate([numbers[0] for numbers in memories.by_task()]).tolist())
    assert stored == list(range(sum(len(stream.tasks[task].training) for task in earlier)))


def test_the_smallest_memory_still_has_every_class():
    for tasks in (PAIRS, ROTATIONS):
        settings = SMALL.changed(tasks=tasks, memory=20)
        stream = Stream(settings, select("numpy"), 0)
        memories = Memories(settings, stream)
        for task in range(len(stream.tasks) - 1):
            memories.keep(task)
        assert all(len(numbers[0]) >= 4 for numbers in memories.by_task())


# What the methods add


@pytest.mark.parametrize("name", ENGINES)
def test_replay_with_the_new_batch_as_its_memory_is_plain_cross_entropy(name):
    engine = select(name, precision="float64")
    for weight in (0.1, 0.5, 0.9):
        trainer, _, batch = begun(REPLAY, SMALL.changed(new_weight=weight), engine)
        plain = cross_entropy_gradient(engine, trainer.params, batch)
        both = weighted_sum([plain, plain], [weight, 1 - weight])
        assert_same(both, plain, engine, rtol=1e-12, atol=1e-16)
        found = trainer._method.gradients(trainer.params, batch, 1)
        expected = weighted_sum([found.plasticity, found.stability], [weight, 1 - weight])
        assert_same(found.step, expected, engine, rtol=0)
        assert_same(found.plasticity, plain, engine, rtol=1e-12, atol=1e-16)


def test_replay_takes_the_mean_over_as_many_old_pictures_as_new_ones(numpy64):
    trainer, stream, batch = begun(REPLAY, SMALL, numpy64)
    memories, shown = trainer._method._memories, []
    plain_draw = memories.draw
    memories.draw = lambda size: shown.append(plain_draw(size)) or shown[-1]
    found = trainer._method.gradients(trainer.params, batch, 1)
    assert len(shown[0][0]) == batch.images.shape[1] == 64
    assert set(stream.pictures(shown[0]).targets.argmax(axis=-1).ravel()) == {0, 1}
    expected = cross_entropy_gradient(numpy64, trainer.params, stream.pictures(shown[0]))
    assert_same(found.stability, expected, numpy64, rtol=0)


def test_in_the_first_task_replay_is_finetuning_with_a_smaller_weight(numpy64):
    stream = Stream(SMALL, numpy64, 0)
    batch = stream.pictures(next(stream.batches(0)))
    replay, plain = (Trainer(method, SMALL.changed(new_weight=0.3), numpy64, stream) for method in (REPLAY, FINETUNE))
    found = [each._method.gradients(each.params, batch, 0) for each in (replay, plain)]
    assert found[0].stability is found[1].stability is None
    assert_same(found[0].step, map_tree(lambda leaf: 0.3 * leaf, found[1].step), numpy64, rtol=1e-15)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("method", [ELASTIC, DISTILLATION])
def test_measured_from_where_the_task_began_nothing_pulls_at_first(name, method):
    engine = select(name)
    trainer, _, batch = begun(method, SMALL, engine, tasks=3)
    found = trainer._method.gradients(trainer.params, batch, 2)
    assert not any(engine.to_numpy(leaf).any() for leaf in leaves(found.stability))
    assert_same(found.step, found.plasticity, engine, rtol=0)
    trainer.step(1, batch, 2)
    later = trainer._method.gradients(trainer.params, batch, 2)
    assert any(engine.to_numpy(leaf).any() for leaf in leaves(later.stability))


def test_ewc_takes_its_importance_from_the_squared_gradient_of_every_picture(numpy64):
    trainer, stream, _ = begun(ELASTIC, SMALL, numpy64)
    squares = []
    for number in range(len(stream.tasks[0].training)):
        alone = cross_entropy_gradient(numpy64, trainer.params, stream.pictures([[number]]))
        squares.append(map_tree(np.square, alone))
    expected = map_tree(lambda *leaf: np.mean(leaf, axis=0), *squares)
    assert_same(trainer._method._anchor.importance, expected, numpy64, rtol=1e-9, atol=1e-18)


def test_lwf_keeps_the_answers_over_the_known_classes_only(numpy64):
    trainer, _, batch = begun(DISTILLATION, SMALL, numpy64)
    trainer.step(1, batch, 1)
    found = trainer._method.gradients(trainer.params, batch, 1)
    assert found.stability[-1]["bias"][0, 0, :2].any()
    assert not found.stability[-1]["bias"][0, 0, 2:].any()


def test_gems_step_raises_the_loss_on_no_remembered_task(numpy64):
    trainer, stream, batch = begun(PROJECTION, SMALL, numpy64, tasks=3)
    for step in range(6):  # at the switch itself nothing may be violated yet
        trainer.step(step + 1, batch, 2)
    found = trainer._method.gradients(trainer.params, batch, 2)
    remembered = [stream.pictures(numbers) for numbers in trainer._method._memories.by_task()]
    assert len(remembered) == 2
    violated = False
    for pictures in remembered:
        reference = cross_entropy_gradient(numpy64, trainer.params, pictures)
        with_plain, with_step = (
            sum((one * other).sum() for one, other in zip(leaves(reference), leaves(each), strict=True))
            for each in (found.plasticity, found.step)
        )
        violated |= with_plain < 0
        assert with_step >= -1e-2 * abs(with_plain)
    assert violated


def test_momentum_is_kept_across_the_switch(numpy64):
    trainer, _, batch = begun(FINETUNE, SMALL, numpy64)
    velocity, before = trainer._state.velocity, trainer.params
    gradient = trainer._method.gradients(before, batch, 1).step
    trainer.step(1, batch, 1)
    expected = map_tree(lambda old, v, g: old - 0.05 * (0.9 * v + g), before, velocity, gradient)
    assert_same(trainer.params, expected, numpy64, rtol=1e-12)
    assert any(np.abs(leaf).max() > 0 for leaf in leaves(velocity))


# Measuring


@pytest.mark.parametrize("method", METHODS)
def test_measuring_leaves_training_as_it_is_bit_for_bit(method, monkeypatch):
    engine, ends = select("numpy"), []
    plain = Trainer.__init__

    def watched(self, *arguments):
        plain(self, *arguments)
        ends[-1] = self

    monkeypatch.setattr(Trainer, "__init__", watched)
    for evaluation in ("every iteration", TENTH, ENDS):
        ends.append(None)
        settings = SMALL.changed(method=method, evaluation=evaluation, epochs=2)
        *_, _ = train(settings, engine, Stream(settings, engine, 0))
    for other in ends[1:]:
        for one, same in zip(leaves(ends[0].params), leaves(other.params), strict=True):
            np.testing.assert_array_equal(one, same)


def test_a_task_is_first_measured_after_its_first_update_and_last_at_its_end(default):
    curves, ends = default.tables["curves"], default.tables["ends"]
    starts = [1, 41, 91, 131, 181]
    for number, start in enumerate(starts):
        assert curves.where(task=f"task {number + 1}")["iteration"].tolist() == list(range(start, 231))
    assert ends["iteration"].tolist() == [40, 90, 130, 180, 230]
    assert default.tables["switches"]["iteration"].tolist() == [40, 90, 130, 180]


def test_the_scores_are_those_of_the_curves(default):
    curves = default.tables["curves"]
    own = [curves.where(task=f"task {number + 1}")["accuracy"] for number in range(5)]
    ends = default.tables["ends"]["accuracy"]
    now = np.array([curve[-1] for curve in own])
    assert score(default.tables, "ACC") == pytest.approx(now.mean())
    assert score(default.tables, "FORG") == pytest.approx((ends[:4] - now[:4]).mean())
    lowest = [curve[length:].min() for curve, length in zip(own[:4], (40, 50, 40, 50), strict=True)]
    assert score(default.tables, "min-ACC") == pytest.approx(np.mean(lowest))
    assert score(default.tables, "WC-ACC") == pytest.approx(0.2 * now[4] + 0.8 * np.mean(lowest))
    drops = [max(curve[m] - curve[m : m + 10].min() for m in range(len(curve))) for curve in own]
    assert score(default.tables, "WF") == pytest.approx(np.mean(drops))


def test_seen_at_task_ends_only_the_same_training_has_no_gap(default):
    seldom = run_to_end(MECHANISM, GapSettings(evaluation=ENDS), select("numpy"), 0)
    assert score(seldom.tables, "ACC") == score(default.tables, "ACC")
    assert score(seldom.tables, "FORG") == score(default.tables, "FORG")
    assert score(seldom.tables, "min-ACC") > score(default.tables, "min-ACC") + 0.3
    np.testing.assert_array_equal(seldom.tables["ends"]["accuracy"], default.tables["ends"]["accuracy"])
    tenth = run_to_end(MECHANISM, GapSettings(evaluation=TENTH), select("numpy"), 0)
    assert set(tenth.tables["curves"]["iteration"]) == set(range(10, 231, 10))
    assert score(default.tables, "min-ACC") <= score(tenth.tables, "min-ACC") <= score(seldom.tables, "min-ACC")


def test_the_window_changes_wf_alone(default):
    wide = run_to_end(MECHANISM, GapSettings(window=100), select("numpy"), 0)
    assert score(wide.tables, "WF") > score(default.tables, "WF")
    for measure in MEASURES[:4]:
        assert score(wide.tables, measure) == score(default.tables, measure)


def test_each_network_is_judged_by_itself_and_the_mean_reported():
    tables = frames_of(SMALL.changed(networks=3))[-1].tables
    acc = tables["scores"].where(measure="ACC")
    assert acc["deviation"][0] > 0
    last = tables["curves"].where(iteration=int(tables["curves"]["iteration"].max()))
    assert acc["value"][0] == pytest.approx(last["accuracy"].mean())
    assert (tables["curves"]["low"] <= tables["curves"]["accuracy"]).all()
    assert (tables["curves"]["high"] >= tables["curves"]["accuracy"]).all()
    # The mean of every network's own lowest is at most the lowest of their mean.
    lowest = []
    for end in tables["ends"].rows()[:4]:
        own = tables["curves"].where(task=end["task"])
        lowest.append(own["accuracy"][own["iteration"] > end["iteration"]].min())
    assert score(tables, "min-ACC") <= np.mean(lowest) + 1e-12


def test_a_method_trains_alike_alone_and_beside_others():
    alone = frames_of(SMALL.changed(method=PROJECTION))[-1].tables
    beside = frames_of(SMALL.changed(compared=METHODS))[-1].tables
    for measure in MEASURES:
        assert score(alone, measure, PROJECTION) == score(beside, measure, PROJECTION)
    assert set(beside["scores"]["method"]) == set(beside["old_tasks"]["method"]) == set(METHODS)


def test_retention_is_the_accuracy_on_task_1_over_that_at_its_end(default):
    retention = default.tables["retention"]
    assert retention.units["lag"] == "iterations"
    assert retention["lag"].tolist() == list(range(191))
    first = default.tables["curves"].where(task="task 1")["accuracy"][39:]
    np.testing.assert_allclose(retention["retention"], np.minimum(first / first[0], 1))
    assert retention["retention"].min() < 0.2


def test_the_close_up_starts_before_the_first_update_and_ends_with_the_task():
    closeup = frames_of(SMALL.changed(switch=2))[-1].tables["closeup"]
    new, old = closeup.where(task="task 3"), closeup.where(task="task 1")
    assert (old["after"][0], new["after"][0]) == (0, 1)
    assert new["after"][-1] == 12  # three epochs of four batches
    assert set(closeup["task"]) == {"task 1", "task 2", "task 3"}


def test_a_gradient_of_zero_is_told_and_left_out_of_the_drawing():
    tables = frames_of(SMALL.changed(method=ELASTIC))[-1].tables
    assert tables["first_steps"]["iteration"].tolist() == [13, 28, 40, 55]
    assert tables["first_steps"]["stability"].tolist() == [0.0] * 4
    stability = tables["gradients"].where(gradient=STABILITY)
    assert stability["iteration"][0] == 14  # the first task has no stability gradient, its first step one of zero
    assert (stability["norm"] > 0).all()
    assert tables["closeup_gradients"].where(gradient=STABILITY)["after"][0] == 2
    without = frames_of(SMALL.changed(method=FINETUNE))[-1].tables
    assert np.isnan(without["first_steps"]["stability"]).all()
    assert set(without["gradients"]["gradient"]) == {"plasticity"}


# The run


@pytest.mark.parametrize(
    "changes",
    [{}, {"method": ELASTIC, "tasks": ROTATIONS, "epochs": 1}, {"method": PROJECTION}, {"method": DISTILLATION}],
    ids=["ER", "EWC", "GEM", "LwF"],
)
def test_both_engines_give_the_same_run(changes):
    # Float64 and the same random numbers: 70 steps make the rounding of sums larger, and no picture changes sides.
    settings = SMALL.changed(networks=2, **changes)
    ends = [run_to_end(MECHANISM, settings, select(name, precision="float64"), 3).tables for name in ENGINES]
    assert ends[0].keys() == ends[1].keys()
    for name, table in ends[0].items():
        for column, values in table.columns.items():
            other = ends[1][name][column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, other, rtol=1e-7, atol=1e-12, err_msg=f"{name}.{column}")
            else:
                assert values.tolist() == other.tolist()


def test_both_engines_agree_in_float32_in_what_they_say(default):
    other = run_to_end(MECHANISM, GapSettings(), select("torch"), 0)
    # A picture near the border between two classes is worth 0.01 of its task's accuracy.
    for measure in MEASURES:
        assert score(other.tables, measure) == pytest.approx(score(default.tables, measure), abs=0.03)


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    first, again, other = (frames_of(SMALL, seed=seed)[-1].tables["gradients"]["norm"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_frames_grow_towards_the_result(default):
    frames = frames_of(GapSettings())
    assert [frame.progress for frame in frames] == pytest.approx([done / 230 for done in range(10, 231, 10)])
    sizes = [len(frame.tables["curves"]) for frame in frames]
    assert sizes == sorted(sizes)
    assert sum(map(len, frames[-1].tables.values())) < 3000
    assert "task 2 is being learned" in frames[4].message
    assert frames[-1].message.startswith("ER ends at an accuracy of 0.")


@pytest.mark.parametrize("tier", ["browser", "cpu", "gpu"])
def test_every_tier_fits_its_frames(tier):
    settings = PRESETS[tier].changed(tasks=ROTATIONS, epochs=12)
    iterations = sum(Stream(settings, select("numpy"), 0).iterations)
    assert iterations / max(10, -(-iterations // MOST_FRAMES)) < 40


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"method": FINETUNE},
        {"method": ELASTIC, "tasks": ROTATIONS, "epochs": 1},
        {"compared": METHODS, "epochs": 1},
        {"evaluation": ENDS},
        {"evaluation": TENTH, "switch": 4},
        {"epochs": 1, "batch_size": 256, "memory": 20, "switch": 4},
        {"networks": 2, "epochs": 2, "window": 100},
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
            for name in (layer.x, layer.y, layer.y2, layer.color, layer.detail, layer.text):
                assert not name or name in columns, (chart.key, name)
            if layer.color:
                assert set(default.tables[layer.table][layer.color]) <= set(chart.series)


def test_training_that_diverges_names_the_setting_to_change():
    settings = SMALL.changed(method=ELASTIC, stiffness=300, tasks=ROTATIONS, learning_rate=0.1)
    with pytest.raises(RunError, match=r"EWC diverged at iteration \d+: lower learning_rate or stiffness\."):
        frames_of(settings)


def test_without_the_package_of_the_digits_the_run_says_what_to_install(monkeypatch):
    from mem_core.data import digits

    digits.load.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(RunError, match="pip install scikit-learn"):
        frames_of(SMALL)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"memory": 19}, "memory"),
        ({"memory": EVERYTHING + 1}, "memory"),
        ({"new_weight": 1.0}, "new_weight"),
        ({"window": 1}, "window"),
        ({"learning_rate": 0.02}, "learning_rate"),
        ({"method": "SI"}, "method"),
        ({"tasks": ROTATIONS, "switch": 3}, "switch is 3, but rotated digits have 2 switches"),
    ],
)
def test_settings_that_make_no_experiment_are_refused(changes, named):
    with pytest.raises(SettingsError, match=named):
        GapSettings(**changes)


def test_every_method_has_its_class():
    assert set(METHOD_CLASSES) == set(METHODS)
    assert GapSettings(method=ELASTIC, compared=(REPLAY, ELASTIC)).trained == (ELASTIC, REPLAY)


# Claims and exercise


def test_claims_about_replay_do_not_judge_other_runs(default):
    for changes in ({"method": FINETUNE}, {"tasks": ROTATIONS}, {"evaluation": ENDS}):
        result = Result(GapSettings(**changes), 0, "numpy", default.tables)
        for claim in CLAIMS:
            if claim.key in ("gap", "recovery", "stability-late"):
                assert not claim.check([result]).tells


@pytest.mark.slow
def test_the_exercise_accepts_a_smaller_weight_and_refuses_the_default_and_a_slow_learner():
    exercise, engine = MECHANISM.exercise, select("numpy")
    assert exercise.grade(RecipeAnswer(new_weight=0.3), GapSettings(), 1, engine).correct
    refused = exercise.grade(RecipeAnswer(), GapSettings(), 1, engine)
    assert not refused.correct
    assert "Old tasks still fall too far" in refused.feedback
    slow = exercise.grade(RecipeAnswer(new_weight=0.1, learning_rate=0.01), GapSettings(), 1, engine)
    assert not slow.correct


def test_the_exercise_refuses_a_larger_memory_without_a_run():
    grade = MECHANISM.exercise.grade(RecipeAnswer(memory=201), GapSettings(), 0, select("numpy"))
    assert not grade.correct
    assert "may not grow beyond 200" in grade.feedback
