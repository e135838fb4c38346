import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from mem_core.data.bigram import Bigram
from mem_core.engine import map_tree, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Result, RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import Laboratory, run_to_end
from mem_core.mechanisms.learning.infinite_lr.exercise import RatioAnswer
from mem_core.mechanisms.learning.infinite_lr.plans import Plan, cosine_plan, infinite_plan, plan_training
from mem_core.mechanisms.learning.infinite_lr.problems import HiddenPatches, WordPairs, languages_of, problem_of
from mem_core.mechanisms.learning.infinite_lr.results import AVERAGE, FORGETTING, LEARNING
from mem_core.mechanisms.learning.infinite_lr.run import frame_steps, log_steps, run
from mem_core.mechanisms.learning.infinite_lr.settings import (
    AUTHORS,
    CONSTANT_SWEEP,
    COSINE,
    DIGITS,
    INFINITE,
    PEAK_SWEEP,
    PRESETS,
    SCHEDULES,
    InfiniteSettings,
)
from mem_core.mechanisms.learning.infinite_lr.training import COPY, MAIN, train
from mem_core.training.schedules import cosine

MECHANISM = catalog.load("infinite-lr")
ENGINES = ("numpy", "torch")
SMALL = InfiniteSettings(steps=100, batch_size=16)
SMALL_DIGITS = SMALL.changed(task=DIGITS, peak_rate=0.001, width=16)


@pytest.fixture(scope="module")
def numpy64():
    return select("numpy", precision="float64")


@pytest.fixture(scope="module")
def default():
    return run_to_end(MECHANISM, InfiniteSettings(), select("numpy"), 0)


def frames_of(settings, engine=None, seed=0):
    return list(run(settings, engine or select("numpy"), seed))


def score(result, schedule, measure):
    return float(result.tables["scores"].where(schedule=schedule, measure=measure)["loss"][0])


def history_of(settings, engine, plans=None, problem=None):
    """Train to the end and return everything that was measured."""
    problem = problem or problem_of(settings, engine, 0)
    plans = plans or plan_training(settings)
    *_, (_, history) = train(engine, problem, settings, plans, log_steps(settings), frame_steps(settings))
    return history


# The loop of copies


def by_hand(settings, engine, phases):
    """Train one run step by step: `phases` lists (task, first step, rates), a jump back in steps is a copy."""
    problem = problem_of(settings, engine, 0)
    batches = [list(problem.batches(task)) for task in range(3)]
    params, state = problem.start(1), None
    state = problem.optimizer.init(params)
    for task, first, rates in phases:
        for offset, rate in enumerate(rates):
            gradient = problem.gradient(params, batches[task][first + offset])
            params, state = problem.optimizer.update(params, gradient, state, float(rate))
    return engine.to_numpy(problem.losses(params))[0]


@pytest.mark.parametrize("replay", [0.0, 0.2])
def test_a_copy_is_annealed_on_the_last_steps_of_its_task_in_place_of_the_main_branch(numpy64, replay):
    settings = SMALL.changed(replay_share=replay)
    plan = infinite_plan(settings, 0.15, 0.03)
    checkpoints = history_of(settings, numpy64).checkpoints
    first = by_hand(settings, numpy64, [(0, 0, plan.rates[:80]), (0, 80, plan.annealing)])
    np.testing.assert_allclose(checkpoints[0][0], first, rtol=1e-9)
    # The second task starts from the main branch, which trained on, and not from the annealed copy.
    phases = [(0, 0, plan.rates[:100]), (1, 0, plan.rates[100:180]), (1, 80, plan.annealing)]
    np.testing.assert_allclose(checkpoints[1][0], by_hand(settings, numpy64, phases), rtol=1e-9)


def test_the_cosine_keeps_its_weights_and_running_means_from_task_to_task(numpy64):
    plan = cosine_plan(SMALL, 0.03)
    phases = [(task, 0, plan.rates[100 * task : 100 * (task + 1)]) for task in range(3)]
    found = history_of(SMALL, numpy64).checkpoints[2][1]
    np.testing.assert_allclose(found, by_hand(SMALL, numpy64, phases), rtol=1e-9)


def test_in_the_authors_loop_the_main_branch_waits_and_takes_the_copys_running_means(numpy64):
    settings = SMALL.changed(branch=AUTHORS)
    plan = infinite_plan(settings, 0.15, 0.03)
    problem = problem_of(settings, numpy64, 0)
    batches = list(problem.batches(0))
    params = problem.start(1)
    state = problem.optimizer.init(params)
    for step in range(80):
        params, state = problem.optimizer.update(
            params, problem.gradient(params, batches[step]), state, plan.rates[step]
        )
    saved = params
    for step in range(20):
        gradient = problem.gradient(params, batches[80 + step])
        params, state = problem.optimizer.update(params, gradient, state, plan.annealing[step])
    first = next(iter(problem.batches(1)))
    after, _ = problem.optimizer.update(saved, problem.gradient(saved, first), state, plan.rates[100])
    history = history_of(settings, numpy64)
    np.testing.assert_allclose(history.checkpoints[0][0], numpy64.to_numpy(problem.losses(params))[0], rtol=1e-9)
    measured = {item.step: item.losses for item in history.losses(INFINITE, MAIN)}
    np.testing.assert_allclose(measured[100], numpy64.to_numpy(problem.losses(saved))[0], rtol=1e-9)
    np.testing.assert_allclose(measured[101], numpy64.to_numpy(problem.losses(after))[0], rtol=1e-9)


def test_a_run_does_not_depend_on_the_others_beside_it(numpy64):
    alone = history_of(SMALL, numpy64).checkpoints
    together = history_of(SMALL.changed(sweep=CONSTANT_SWEEP), numpy64).checkpoints
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one[0], other[0], rtol=1e-9)
        np.testing.assert_allclose(one[1], other[-1], rtol=1e-9)


def test_one_rate_for_both_schedules_gives_one_result(numpy64):
    rates = np.full(300, 0.004)
    same = [Plan(INFINITE, 1.0, 0.004, rates, rates[:20]), Plan(COSINE, 1.0, 0.004, rates)]
    checkpoints = history_of(SMALL, numpy64, same).checkpoints
    for losses in checkpoints:
        np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)


def test_the_languages_are_learned_with_pytorchs_adam(numpy64):
    settings = SMALL.changed(warmup=0, cooldown_fraction=0.05)
    problem = problem_of(settings, numpy64, 0)
    params = problem.start(1)
    state = problem.optimizer.init(params)
    theirs = {name: torch.tensor(leaf.copy(), requires_grad=True) for name, leaf in params.items()}
    adam = torch.optim.Adam(theirs.values(), lr=0.03, betas=(0.9, 0.95), eps=1e-8)
    for _, batch in zip(range(20), problem.batches(0), strict=False):
        gradient = problem.gradient(params, batch)
        params, state = problem.optimizer.update(params, gradient, state, 0.03)
        for name, leaf in theirs.items():
            leaf.grad = torch.from_numpy(gradient[name].copy())
        adam.step()
    for name, leaf in theirs.items():
        np.testing.assert_allclose(params[name], leaf.detach().numpy(), rtol=1e-9, atol=1e-12)


# What is learned


@pytest.mark.parametrize("name", ENGINES)
def test_identical_tasks_are_not_forgotten(name):
    engine = select(name)
    for seed in range(3):
        shared = languages_of(InfiniteSettings(overlap=1.0), seed)[0]
        same = [Bigram(shared.context_probability, shared.next_token)] * 3
        settings = InfiniteSettings(overlap=1.0)
        history = history_of(settings, engine, problem=WordPairs(settings, engine, seed, same))
        matrix = np.array(history.checkpoints)
        for run_of in range(2):
            forgotten = [matrix[2, run_of, task] - matrix[task, run_of, task] for task in range(2)]
            assert np.mean(forgotten) <= 0.02


def test_the_scores_are_those_of_the_matrix(default):
    rows = default.tables["matrix"]
    for schedule in SCHEDULES:
        matrix = rows.where(schedule=schedule)["loss"].reshape(3, 3)
        assert score(default, schedule, AVERAGE) == pytest.approx(matrix[2].mean())
        assert score(default, schedule, FORGETTING) == pytest.approx((matrix[2, :2] - np.diag(matrix)[:2]).mean())
        assert score(default, schedule, LEARNING) == pytest.approx(np.diag(matrix).mean())


@pytest.mark.slow
def test_five_seeds_end_where_the_experiment_was_first_seen_to_end():
    results = [run_to_end(MECHANISM, InfiniteSettings(), select("numpy"), seed) for seed in range(5)]
    expected = {INFINITE: (0.656, 0.251, 0.489), COSINE: (0.752, 0.600, 0.352)}
    for schedule, values in expected.items():
        found = [np.mean([score(one, schedule, name) for one in results]) for name in (AVERAGE, FORGETTING, LEARNING)]
        # Languages and batches are other draws: two standard errors of a mean over five seeds, and a little.
        np.testing.assert_allclose(found, values, atol=0.03)


@pytest.mark.parametrize(
    ("changes", "schedules"),
    [({"rewarm_ratio": 0.15}, (COSINE,)), ({"overlap": 0.9}, SCHEDULES), ({"replay_share": 0.2}, SCHEDULES)],
)
def test_less_re_warming_more_overlap_or_replay_means_less_forgetting(default, changes, schedules):
    other = run_to_end(MECHANISM, InfiniteSettings(**changes), select("numpy"), 0)
    for schedule in schedules:
        assert score(other, schedule, FORGETTING) < score(default, schedule, FORGETTING) - 0.05


def test_with_replay_half_of_later_batches_is_old(numpy64):
    always = [np.tile(np.eye(48)[token], (48, 1)) for token in range(3)]  # in language k token k follows everything
    languages = [Bigram(np.full(48, 1 / 48), next_token) for next_token in always]
    for share, new in ((0.2, 0.5), (0.0, 1.0)):
        problem = WordPairs(SMALL.changed(replay_share=share), numpy64, 0, languages)
        batches = [np.array(list(problem.batches(task))).sum(axis=1) for task in range(3)]  # share of each token
        np.testing.assert_allclose(batches[0][:, 0], 1)
        np.testing.assert_allclose(batches[1][:, :2], [[1 - new, new]] * 100)
        np.testing.assert_allclose(batches[2][:, 2], new)
        # A task that was itself replayed into stored half as many examples of its own.
        np.testing.assert_allclose(batches[2][:, :2].mean(axis=0), [(1 - new) * 2 / 3, (1 - new) / 3], atol=0.03)


def test_retention_starts_at_one_and_falls(default):
    retention = default.tables["retention"]
    assert retention.units["lag"] == "steps"
    assert (retention["lag"][0], retention["retention"][0]) == (0, 1.0)
    assert retention["lag"][-1] == 800
    assert ((retention["retention"] >= 0) & (retention["retention"] <= 1)).all()
    cosine_left = default.tables["fading"].where(schedule=COSINE)["retention"][-1]
    assert cosine_left < retention["retention"][-1] < 0.9


# The digits


@pytest.fixture
def with_digits():
    pytest.importorskip("sklearn")


@pytest.mark.usefixtures("with_digits")
@pytest.mark.parametrize("name", ENGINES)
def test_the_digits_run_is_shown_and_described_too(name):
    frames = frames_of(SMALL_DIGITS.changed(replay_share=0.1), select(name))
    assert 5 <= len(frames) <= 40
    assert frames[-1].tables["scores"].units["loss"] == "squared error of a pixel"
    for frame in (frames[0], frames[-1]):
        assert all(chart.describe(frame.tables).endswith(".") for chart in MECHANISM.charts)


@pytest.mark.usefixtures("with_digits")
@pytest.mark.parametrize("name", ENGINES)
def test_every_run_of_the_digits_gets_its_own_gradient(name):
    engine = select(name, precision="float64")
    problem = problem_of(SMALL_DIGITS, engine, 0)
    assert isinstance(problem, HiddenPatches)
    batch = next(iter(problem.batches(0)))
    two, one = (map_tree(engine.to_numpy, problem.gradient(problem.start(runs), batch)) for runs in (2, 1))
    for leaf in one:
        for run_of in range(2):
            np.testing.assert_allclose(two[leaf][run_of], one[leaf][0], atol=1e-14)


@pytest.mark.usefixtures("with_digits")
def test_three_quarters_of_every_digit_are_hidden_and_a_quarter_of_the_digits_held_out():
    problem = problem_of(SMALL_DIGITS, select("numpy"), 0)
    patches, hidden = next(iter(problem.batches(0)))
    assert patches.shape == (16, 16, 4)
    assert (hidden.sum(axis=1) == 12).all()
    trained, tested = (sum(map(len, parts)) for parts in (problem._training, [test for test, _ in problem._tests]))
    assert trained + tested / 8 == 1797
    assert tested / 8 == pytest.approx(1797 / 4, abs=2)


@pytest.mark.slow
@pytest.mark.usefixtures("with_digits")
def test_on_the_digits_the_infinite_schedule_is_ahead_by_a_little():
    result = run_to_end(MECHANISM, PRESETS["cpu"], select("numpy"), 0)
    assert score(result, COSINE, AVERAGE) == pytest.approx(0.0712, rel=0.02)
    assert score(result, INFINITE, AVERAGE) == pytest.approx(0.0697, rel=0.02)
    assert score(result, INFINITE, AVERAGE) < 0.99 * score(result, COSINE, AVERAGE)
    assert score(result, INFINITE, FORGETTING) < 0.85 * score(result, COSINE, FORGETTING)


def test_without_the_package_of_the_digits_the_run_says_what_to_install(monkeypatch):
    from mem_core.data import digits

    digits.load.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(RunError, match=r"pip install scikit-learn\. Or set task to word pairs"):
        frames_of(SMALL_DIGITS)


def test_claims_in_nats_do_not_judge_the_digits(default):
    result = Result(SMALL_DIGITS, 0, "numpy", default.tables)
    for claim in MECHANISM.claims:
        if claim.check.__name__ in ("average_gain", "forgetting_gain", "loops_agree"):
            assert not claim.check([result, result]).tells


# The run


@pytest.mark.parametrize("changes", [{}, {"branch": AUTHORS, "replay_share": 0.2, "sweep": PEAK_SWEEP}])
def test_both_engines_give_the_same_run(changes):
    # Float64 and the same random numbers; 300 steps of Adam make the rounding of sums a hundred times larger or so.
    settings = SMALL.changed(**changes)
    ends = [run_to_end(MECHANISM, settings, select(name, precision="float64"), 3).tables for name in ENGINES]
    assert ends[0].keys() == ends[1].keys()
    for name, table in ends[0].items():
        for column, values in table.columns.items():
            other = ends[1][name][column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, other, rtol=1e-8, atol=1e-10, err_msg=f"{name}.{column}")
            else:
                assert values.tolist() == other.tolist()


@pytest.mark.usefixtures("with_digits")
def test_both_engines_fill_in_the_same_digits():
    ends = [run_to_end(MECHANISM, SMALL_DIGITS, select(name, precision="float64"), 0).tables for name in ENGINES]
    np.testing.assert_allclose(ends[0]["matrix"]["loss"], ends[1]["matrix"]["loss"], rtol=1e-8)


def test_both_engines_agree_in_float32_at_the_default_settings(default):
    other = run_to_end(MECHANISM, InfiniteSettings(), select("torch"), 0)
    # 1200 steps of rounding to 24 bits at rates near 0.03.
    np.testing.assert_allclose(default.tables["matrix"]["loss"], other.tables["matrix"]["loss"], rtol=5e-3)


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    first, again, other = (frames_of(SMALL, seed=seed)[-1].tables["matrix"]["loss"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("tier", ["browser", "cpu", "gpu"])
def test_a_run_has_at_most_forty_frames_and_measures_the_end_of_every_task(tier):
    settings = PRESETS[tier]
    steps = frame_steps(settings)
    assert 5 <= len(steps) <= 40
    assert {settings.steps, 2 * settings.steps, 3 * settings.steps} <= set(steps)


def test_frames_grow_towards_the_result():
    frames = frames_of(SMALL)
    assert [frame.progress for frame in frames] == pytest.approx([number / 12 for number in range(1, 13)])
    sizes = [len(frame.tables["first_task"]) for frame in frames]
    assert sizes == sorted(sizes)
    assert sum(map(len, frames[-1].tables.values())) < 3000
    assert "task 2 is being learned" in frames[5].message
    assert frames[-1].message.startswith("Average loss after 3 tasks")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"branch": AUTHORS},
        {"sweep": CONSTANT_SWEEP},
        {"sweep": PEAK_SWEEP},
        {"rewarm_ratio": 0.0},
        {"constant_ratio": 1.0},
        {"warmup": 0},
        {"overlap": 0.0},
        {"cooldown_shape": "inverse sqrt"},
        {"anneal_fraction": 0.5, "cooldown_fraction": 0.3, "warmup": 20},
        {"constant_ratio": 0.2, "sweep": CONSTANT_SWEEP},
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
            for name in (layer.x, layer.y, layer.color, layer.dash, layer.detail, layer.text, layer.outline):
                assert not name or name in columns, (chart.key, name)
            if layer.color and layer.mark != "heatmap":
                assert set(default.tables[layer.table][layer.color]) <= set(chart.series)


def test_the_rates_shown_are_the_rates_used():
    settings = SMALL.changed(branch=AUTHORS)
    rates = frames_of(settings)[0].tables["rates"]
    plan = infinite_plan(settings, 0.15, 0.03)
    main = rates.where(schedule=INFINITE, part=MAIN)
    np.testing.assert_allclose(main["rate"], plan.rates[main["step"] - 1], rtol=1e-12)
    assert not ((main["step"] - 1) % 100 >= 80).any()  # the main branch waits while the copy is annealed
    copy = rates.where(schedule=INFINITE, part=COPY, branch="task 2")
    assert (copy["step"][0], copy["step"][-1]) == (180, 200)
    expected = np.array([plan.rates[179], *plan.annealing])
    np.testing.assert_allclose(copy["rate"], expected[copy["step"] - 180], rtol=1e-12)
    first = rates.where(schedule=COSINE)
    expected = cosine(100, 0.03, floor_ratio=0.01, warmup_steps=20)
    early = first["step"] <= 100
    np.testing.assert_allclose(first["rate"][early], expected[first["step"][early] - 1], rtol=1e-12)


def test_a_sweep_has_every_value_for_both_schedules():
    sweep = frames_of(SMALL.changed(sweep=CONSTANT_SWEEP, constant_ratio=0.2))[-1].tables["sweep"]
    for schedule in SCHEDULES:
        of_one = sweep.where(schedule=schedule, measure=AVERAGE)
        assert of_one["value"].tolist() == [0.05, 0.15, 0.2, 0.3, 0.5, 1.0]
    assert len(set(sweep.where(schedule=COSINE, measure=AVERAGE)["loss"])) == 1
    peaks = frames_of(SMALL.changed(sweep=PEAK_SWEEP))[-1].tables["sweep"]
    for schedule in SCHEDULES:
        of_one = peaks.where(schedule=schedule, measure=AVERAGE)
        np.testing.assert_allclose(of_one["value"], [0.003, 0.009, 0.03, 0.09])
        assert len(set(of_one["loss"])) == 4


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("rate", [np.inf, 1e4])
def test_training_that_blows_up_names_the_setting_to_change(name, rate):
    rates = np.full(300, rate)
    plans = [Plan(INFINITE, 1.0, rate, rates, rates[:20]), Plan(COSINE, 1.0, rate, rates)]
    with np.errstate(all="ignore"), pytest.raises(RunError, match="peak_rate"):
        history_of(SMALL, select(name), plans)


def test_the_wildest_settings_stay_finite():
    for changes in ({"peak_rate": 0.1, "constant_ratio": 1.0, "batch_size": 8, "warmup": 0}, {"peak_rate": 0.0003}):
        tables = frames_of(SMALL.changed(overlap=0.0, replay_share=0.05, **changes))[-1].tables
        assert np.isfinite(tables["matrix"]["loss"]).all()


# Bad input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cooldown_fraction": 0.8, "anneal_fraction": 0.2}, "20 \\+ 320 \\+ 80 steps, but a task has 400"),
        ({"steps": 100, "warmup": 100}, "annealing begins when the cool-down has ended"),
        ({"constant_ratio": 0.01}, "constant_ratio"),
        ({"constant_ratio": 1.2}, "constant_ratio"),
        ({"overlap": 1.1}, "overlap"),
        ({"anneal_fraction": 0.0}, "anneal_fraction"),
        ({"batch_size": 0}, "batch_size"),
        ({"warmup": -1}, "warmup"),
        ({"peak_rate": float("nan")}, "peak_rate"),
        ({"rewarm_ratio": -0.1}, "rewarm_ratio"),
        ({"branch": "other"}, "branch"),
        ({"replay_share": 0.6}, "replay_share"),
        ({"steps": 90}, "steps"),
    ],
)
def test_bad_settings_are_named(changes, words):
    with pytest.raises(SettingsError, match=words):
        InfiniteSettings(**changes)


@pytest.mark.parametrize("tier", ["browser", "cpu", "gpu"])
def test_presets_are_allowed_settings(tier):
    preset = PRESETS[tier]
    assert InfiniteSettings().parsed(preset.formatted()) == preset


# Claims and exercise


@pytest.mark.parametrize("name", ENGINES)
def test_every_claim_holds(name):
    laboratory = Laboratory(MECHANISM, select(name))
    for claim in MECHANISM.claims:
        evidence = laboratory.evidence(claim, PRESETS["browser"], 0)
        assert evidence.holds, (claim.key, evidence)


def test_claims_can_fail():
    # A constant rate at the peak is no better than a cosine: nothing is gained, and the loss on task 1 jumps as well.
    high = run_to_end(MECHANISM, InfiniteSettings(constant_ratio=1.0), select("numpy"), 0)
    failing = {claim.key for claim in MECHANISM.claims if claim.variants == ({},) and not claim.check([high]).holds}
    assert failing == {"lower-average", "less-forgetting", "no-spike"}
    swept = run_to_end(MECHANISM, InfiniteSettings(sweep=CONSTANT_SWEEP), select("numpy"), 0)
    table = swept.tables["sweep"]
    upside_down = replace(table, columns={**table.columns, "loss": 2 - table["loss"]})
    turned = replace(swept, tables={**swept.tables, "sweep": upside_down})
    by_key = {claim.key: claim for claim in MECHANISM.claims}
    for key in ("forgetting-rises", "learning-improves", "best-rate-inside"):
        assert by_key[key].check([swept]).holds
        assert not by_key[key].check([turned]).holds
    assert not by_key["loops-agree"].check([high, swept]).holds
    assert not by_key["small-rewarming"].check([swept]).holds


def test_a_spike_cannot_be_compared_where_nothing_is_forgotten(default):
    table = default.tables["first_task"]
    flat = replace(table, columns={**table.columns, "loss": np.ones(len(table))})
    claim = next(claim for claim in MECHANISM.claims if claim.key == "no-spike")
    assert not claim.check([replace(default, tables={**default.tables, "first_task": flat})]).tells


@pytest.mark.parametrize(
    ("ratio", "correct", "words"), [(0.15, True, ""), (0.05, False, "too low"), (1.0, False, "Too")]
)
def test_the_exercise_accepts_a_rate_in_between_and_refuses_others(ratio, correct, words):
    for settings in (PRESETS["browser"], PRESETS["cpu"].changed(sweep=CONSTANT_SWEEP)):
        found = MECHANISM.exercise.grade(RatioAnswer(constant_ratio=ratio), settings, 11, select("numpy"))
        assert found.correct is correct
        assert words in found.feedback


def test_the_exercise_does_not_begin_with_its_answer():
    assert not MECHANISM.exercise.grade(RatioAnswer(), PRESETS["browser"], 3, select("numpy")).correct
