import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from mem_core.engine import leaves, philox, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Result, RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.editing.clue import exercise as exercise_module
from mem_core.mechanisms.editing.clue import problems, reasoner, traces, verifying
from mem_core.mechanisms.editing.clue.exercise import NO, YES, LayerAnswer, balanced_by_layer
from mem_core.mechanisms.editing.clue.problems import CLASSES, EXPERIENCE, FRESH, TEST, TRAIN, dealt
from mem_core.mechanisms.editing.clue.reasoner import STAGES, Course, initial, loss_and_gradient, trained
from mem_core.mechanisms.editing.clue.reranking import references, scores_of
from mem_core.mechanisms.editing.clue.run import run
from mem_core.mechanisms.editing.clue.settings import (
    CONFIDENCE,
    D_SUCCESS,
    FAINTER,
    FEEDBACKS,
    MARGIN,
    ONE_LAYER,
    PRESETS,
    RANDOM,
    RANGE_OF_LAYERS,
    SCORES,
    ClueSettings,
)
from mem_core.mechanisms.editing.clue.tables import COLUMNS, FAILURE, HERE, PAPER, SUCCESS, histogram
from mem_core.mechanisms.editing.clue.traces import TRACES, traces_of
from mem_core.mechanisms.editing.clue.verifying import Experience, by_experience, judge, traces_to_judge
from mem_core.mechanisms.editing.clue.views import LARGE_VOTE, PAPER_TABLE_2
from mem_core.mechanisms.experiment import Laboratory, run_to_end
from mem_core.nn import relu_mlp
from mem_core.training.detection_scores import detection_rates
from mem_core.training.majority_vote import majority, ranked

pytest.importorskip("sklearn")

MECHANISM = catalog.load("clue")
ENGINES = ("numpy", "torch")
DEFAULT = ClueSettings()
SMALL = DEFAULT.changed(steps=100, width=16, depth=2, layer=2)


@pytest.fixture(scope="module")
def default():
    return run_to_end(MECHANISM, DEFAULT, select("numpy"), 0)


@pytest.fixture(scope="module")
def course():
    return Course.of(select("numpy"), DEFAULT, 0, 0, 0)


@pytest.fixture(scope="module")
def judged(course):
    experience = Experience.of(course, DEFAULT)
    return experience, judge(experience, traces_to_judge(course, DEFAULT), DEFAULT)


def table(result, name, **where):
    return result.tables[name].where(**where)


def own_row(result, feedback=0):
    return table(result, "reasoners", model=0, feedback=feedback).rows()[0]


# The problems


def test_the_parts_share_no_picture_and_use_all_of_them():
    parts = dealt(0, 0)
    assert [len(parts[name].labels) for name in (TRAIN, EXPERIENCE, TEST, FRESH)] == [900, 500, 100, 297]
    rows = np.concatenate([part.pixels for part in parts.values()])
    everything = np.sort(problems.digits.load().images.reshape(1797, 64), axis=0)
    np.testing.assert_array_equal(np.sort(rows, axis=0), everything)
    assert (dealt(0, 1)[TEST].labels != parts[TEST].labels).any()  # another reasoner, another split


def test_a_prompt_is_the_mean_over_two_by_two_pixels():
    pictures = dealt(0, 0)[TEST]
    image = pictures.pixels[3].reshape(8, 8)
    expected = [image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean() for i in range(4) for j in range(4)]
    np.testing.assert_allclose(pictures.prompts[3], expected)


@pytest.mark.parametrize("name", ENGINES)
def test_the_start_has_the_prompt_alone_and_the_traces_of_a_problem_share_it(name):
    engine = select(name, precision="float64")
    pictures = dealt(0, 0)[TEST]
    generator = philox(0, "here")
    prompts = problems.prompts_for(generator, pictures)
    evidence = problems.evidence_for(DEFAULT, generator, pictures, 3)
    start = engine.to_numpy(problems.start_inputs(engine, prompts))
    end = engine.to_numpy(problems.end_inputs(engine, prompts, evidence)).reshape(100, 3, 81)
    assert (start[:, 16:] == 0).all()
    assert (end[..., 80] == 1).all()
    assert (end[..., :16] == start[:, None, :16]).all()
    np.testing.assert_array_equal(end[..., 16:80].reshape(300, 64), evidence)
    assert np.abs(end[:, 0] - end[:, 1]).max() > 1
    # Evidence is the picture under noise of each trace's own size, even from 0 to the range.
    sizes = (evidence.reshape(100, 3, 64) - pictures.pixels[:, None]).std(axis=-1)
    assert sizes.min() < 0.1
    assert 1.8 < sizes.max() < 2.4
    assert sizes.mean() == pytest.approx(1, abs=0.1)


def test_fainter_evidence_fades_under_noise_of_one_size():
    pictures = dealt(0, 0)[TRAIN]
    evidence = problems.evidence_for(DEFAULT.changed(kind=FAINTER), philox(0, "here"), pictures, 1)
    strength = (evidence * pictures.pixels).sum(1) / (pictures.pixels**2).sum(1)
    left = evidence - strength[:, None] * pictures.pixels
    assert strength.mean() == pytest.approx(0.5, abs=0.05)
    assert left.std() == pytest.approx(0.25 * DEFAULT.distraction, rel=0.05)


# The reasoner


@pytest.mark.parametrize("feedback", [0, 4])
@pytest.mark.parametrize("name", ENGINES)
def test_the_gradient_is_that_of_pytorchs_own_losses_with_the_label_detached(name, feedback):
    engine = select(name, precision="float64")
    params = initial(engine, SMALL, 0, 0)
    generator = philox(1, "batch")
    params[-1]["weight"] = params[-1]["weight"] + engine.asarray(generator.normal(size=(1, 16, 11)))
    inputs, labels = generator.normal(size=(20, 81)), generator.integers(CLASSES, size=20)
    loss, right, gradient = loss_and_gradient(engine, params, engine.asarray(inputs), labels, feedback)

    weights = [torch.tensor(engine.to_numpy(leaf)[0], requires_grad=True) for leaf in leaves(params)]
    hidden = torch.tensor(inputs)
    for weight, bias in zip(weights[0:-2:2], weights[1:-2:2], strict=True):
        hidden = torch.relu(hidden @ weight + bias)
    out = hidden @ weights[-2] + weights[-1]
    truth = torch.tensor(labels)
    answered = out[:, :CLASSES].argmax(1) == truth
    belief = torch.nn.functional.binary_cross_entropy_with_logits(out[:, CLASSES], answered.double().detach())
    expected = torch.nn.functional.cross_entropy(out[:, :CLASSES], truth) + feedback * belief
    expected.backward()
    assert engine.item(loss) == pytest.approx(expected.item(), rel=1e-12)
    assert engine.item(right) == pytest.approx(answered.double().mean().item())
    for ours, theirs in zip(leaves(gradient), weights, strict=True):
        np.testing.assert_allclose(engine.to_numpy(ours)[0], theirs.grad.numpy(), atol=1e-12)


def test_the_gradient_is_that_of_differences():
    engine = select("numpy", precision="float64")
    generator = philox(2, "batch")
    params = initial(engine, SMALL, 0, 0)
    params[-1]["weight"] += generator.normal(size=(1, 16, 11)) / 4
    inputs, labels = generator.normal(size=(20, 81)), generator.integers(CLASSES, size=20)
    gradient = loss_and_gradient(engine, params, inputs, labels, 4)[2]
    for layer, name, place in [(0, "weight", (0, 3, 5)), (1, "bias", (0, 0, 2)), (2, "weight", (0, 4, 10))]:
        sides = []
        for step in (1e-6, -1e-6):
            params[layer][name][place] += step
            sides.append(loss_and_gradient(engine, params, inputs, labels, 4)[0])
            params[layer][name][place] -= step
        assert gradient[layer][name][place] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5)


def test_without_feedback_the_correctness_head_stays_at_zero_and_with_it_it_learns():
    engine = select("numpy")
    heads = [
        trained(Course.of(engine, SMALL, 0, 0, feedback)).params[-1]["weight"][0, :, CLASSES] for feedback in FEEDBACKS
    ]
    assert np.abs(heads[0]).max() == 0
    assert np.abs(heads[1]).max() > 0.01


def test_every_feedback_starts_from_the_same_weights():
    engine = select("numpy")
    first, second = (initial(engine, DEFAULT, 0, 0) for _ in range(2))
    assert all((one == two).all() for one, two in zip(leaves(first), leaves(second), strict=True))
    scales = [layer["weight"][..., :CLASSES].std() for layer in first]
    expected = [np.sqrt(2 / 81), *[np.sqrt(2 / 48)] * 3, np.sqrt(1 / 48)]
    np.testing.assert_allclose(scales, expected, rtol=0.1)


def test_training_that_diverges_says_so(monkeypatch):
    real = reasoner.loss_and_gradient

    def broken(*given):
        loss, right, gradient = real(*given)
        return loss * np.nan, right, gradient

    monkeypatch.setattr(reasoner, "loss_and_gradient", broken)
    with pytest.raises(RunError, match="Lower width or depth"):
        list(run(SMALL, select("numpy"), 4001))


# Traces


def test_a_trace_has_the_hidden_layers_of_both_ends(course):
    found = traces_of(course, TEST)
    assert found.start.shape == (100, 4, 48)
    assert found.end.shape == (100, 64, 4, 48)
    deltas = found.deltas(True).reshape(100, 64, 4, 48)
    np.testing.assert_array_equal(deltas[7, 9], found.end[7, 9] - found.start[7])
    np.testing.assert_array_equal(found.deltas(False).reshape(found.end.shape), found.end)
    assert found.start.min() == found.end.min() == 0  # after max(0, ·)


def test_answers_and_confidence_are_those_of_the_ten_outputs(course):
    engine, found = course.engine, traces_of(course, EXPERIENCE)
    head = trained(course).params[-1]
    last = found.end[:, :, -1].reshape(-1, 48)
    logs = relu_mlp.log_softmax(engine, (last @ head["weight"][0] + head["bias"][0])[:, :CLASSES])
    assert (logs.argmax(1).reshape(500, 8) == found.answers).all()
    np.testing.assert_allclose(np.exp(logs.max(1)).reshape(500, 8), found.confidence, rtol=1e-4)
    assert ((found.answers == found.truth[:, None]) == found.right).all()


def test_fewer_candidates_are_the_first_of_more(course):
    few = traces_to_judge(course, DEFAULT.changed(candidates=16))
    np.testing.assert_array_equal(few.answers, traces_of(course, TEST).answers[:, :16])
    assert few.end.shape[1] == 16


# The memory and its verdict


def test_experience_is_balanced_and_labelled_by_correctness(course):
    experience = Experience.of(course, DEFAULT.changed(experience=50))
    right = traces_of(course, EXPERIENCE).right.reshape(-1)
    assert right[experience.successes].all()
    assert not right[experience.failures].any()
    used, labels = experience.used
    assert used.shape == (100, 4, 48)
    assert labels.tolist() == [1] * 50 + [0] * 50
    np.testing.assert_allclose(experience.means[0], used[:50].mean(0), atol=1e-5)
    everything = Experience.of(course, DEFAULT)
    assert everything.per_class == min(right.sum(), (~right).sum())


def test_the_verdict_is_the_nearer_mean_by_hand(judged):
    experience, verdicts = judged
    deltas = verdicts.traces.deltas(True)[:200].astype(float)
    distances = [np.linalg.norm(deltas - mean, axis=-1).mean(-1) for mean in experience.means]
    np.testing.assert_allclose(verdicts.to_success.reshape(-1)[:200], distances[0], rtol=1e-5)
    np.testing.assert_allclose(verdicts.margin.reshape(-1)[:200], distances[0] - distances[1], atol=1e-5)
    assert (verdicts.said == (verdicts.margin < 0)).all()
    expected = detection_rates(verdicts.said.reshape(-1), verdicts.traces.right.reshape(-1))
    assert verdicts.rates == expected


def test_shuffled_labels_verify_nothing(judged):
    experience, verdicts = judged
    used = [*experience.successes, *experience.failures]
    found = []
    for shuffle in range(20):
        order = philox(shuffle, "shuffled").permutation(used)
        halves = (order[: len(order) // 2], order[len(order) // 2 :])
        shuffled = replace(experience, successes=halves[0], failures=halves[1], per_class=len(halves[0]))
        found.append(judge(shuffled, verdicts.traces, DEFAULT).rates.balanced)
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)
    assert verdicts.rates.balanced > max(found)


@pytest.mark.parametrize(
    ("changes", "layers"),
    [({"layers_used": ONE_LAYER, "layer": 3}, [2]), ({"layers_used": RANGE_OF_LAYERS, "layer": 2}, [1, 2, 3])],
)
def test_one_layer_or_a_range_is_used_where_asked_for(course, judged, changes, layers):
    experience, verdicts = judged
    found = judge(experience, verdicts.traces, DEFAULT.changed(**changes))
    deltas = verdicts.traces.deltas(True)[:50, layers].astype(float)
    expected = np.linalg.norm(deltas - experience.means[0][layers], axis=-1).mean(-1)
    np.testing.assert_allclose(found.to_success.reshape(-1)[:50], expected, rtol=1e-5)


def test_less_experience_is_drawn_from_the_same_and_all_of_it_gives_the_verdict_of_the_run(judged):
    experience, verdicts = judged
    found = dict(by_experience(experience, verdicts.traces, DEFAULT, 0))
    assert list(found) == [10, 30, 100, 300, 1000, experience.most]
    assert [len(draws) for draws in found.values()] == [4, 4, 4, 4, 4, 1]
    assert found[experience.most][0] == pytest.approx(verdicts.rates.balanced, abs=0.002)
    assert np.mean(found[10]) < np.mean(found[1000])
    assert max(found[10]) - min(found[10]) > max(found[1000]) - min(found[1000])


def test_without_one_of_the_two_outcomes_there_is_no_memory_and_no_verdict(course, monkeypatch):
    def all_right(course, part):
        found = traces_of(course, part)
        return replace(found, right=found.right | True)

    monkeypatch.setattr(verifying, "traces_of", all_right)
    with pytest.raises(RunError, match="no mean of the other class: change distraction"):
        Experience.of(course, DEFAULT)
    monkeypatch.undo()
    experience = Experience.of(course, DEFAULT)
    with pytest.raises(RunError, match="nothing to tell apart"):
        judge(experience, all_right(course, TEST), DEFAULT)


# From scores to answers


def test_a_vote_of_all_is_the_majority_whatever_the_ranking_but_for_ties(judged):
    verdicts = judged[1]
    answers = verdicts.traces.answers
    plain = majority(answers, 64)
    counts = np.sort(np.stack([np.bincount(row, minlength=10) for row in answers]), axis=1)
    clear = counts[:, -1] > counts[:, -2]
    assert clear.sum() > 90
    for scores in scores_of(verdicts, 0).values():
        assert (majority(ranked(answers, scores), 64) == plain)[clear].all()


def test_no_ranking_beats_any_right_and_the_lot_gives_the_mean(judged):
    verdicts = judged[1]
    found = references(verdicts.traces)
    right = verdicts.traces.right
    perfect = majority(ranked(verdicts.traces.answers, -right.astype(float)), 1)
    assert (perfect == verdicts.traces.truth).mean() == found.any_right
    lots = [
        (
            majority(ranked(verdicts.traces.answers, scores_of(verdicts, seed)[RANDOM]), 1) == verdicts.traces.truth
        ).mean()
        for seed in range(40)
    ]
    assert np.mean(lots) == pytest.approx(found.mean, abs=0.03)


def test_the_scores_trust_the_near_the_marginal_and_the_confident(judged):
    verdicts = judged[1]
    scores = scores_of(verdicts, 0)
    assert tuple(scores) == SCORES
    first = ranked(verdicts.traces.answers, scores[CONFIDENCE])[:, 0]
    assert (first == verdicts.traces.answers[np.arange(100), verdicts.traces.confidence.argmax(1)]).all()
    assert (scores[D_SUCCESS] == verdicts.to_success).all()
    assert verdicts.ranks_right_first(scores[MARGIN]) > 0.65
    assert verdicts.ranks_right_first(scores[RANDOM]) == pytest.approx(0.5, abs=0.02)


# The run


def test_all_tables_are_there_from_the_first_frame_on_and_every_chart_speaks():
    frames = list(run(SMALL, select("numpy"), 0))
    assert len(frames) == 3 * (STAGES + 1)
    for frame in (frames[0], frames[STAGES], frames[-1]):
        assert {name: tuple(one.columns) for name, one in frame.tables.items()} == COLUMNS
        for chart in MECHANISM.charts:
            assert chart.describe(frame.tables).endswith(".")
            for layer in chart.layers:
                used = {layer.x, layer.y, layer.y2, layer.x2, layer.color, layer.text} - {""}
                assert used <= set(frame.tables[layer.table].columns)
    assert [frame.progress for frame in frames] == pytest.approx([(n + 1) / 21 for n in range(21)])
    assert len(frames[STAGES].tables["votes"]) > 0  # what was asked for comes before what it is compared with
    assert all(len(one) for one in frames[-1].tables.values())
    assert "100 steps" in MECHANISM.chart("training").describe(frames[-1].tables)


@pytest.mark.parametrize("settings", [SMALL, SMALL.changed(kind=FAINTER, feedback=4, subtract=False)])
def test_both_engines_agree(settings):
    first, second = (run_to_end(MECHANISM, settings, select(name, precision="float64"), 3) for name in ENGINES)
    for name, one in first.tables.items():
        for column, values in one.columns.items():
            other = second.tables[name][column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, other, rtol=1e-6, atol=1e-8, err_msg=f"{name}.{column}")
            else:
                assert (values == other).all(), (name, column)


def test_a_slider_that_needs_no_training_does_not_train_again():
    engine = select("numpy")
    run_to_end(MECHANISM, SMALL, engine, 0)
    before = reasoner._learned.cache_info().misses, traces.traces_of.cache_info().misses
    later = {"vote": 3, "candidates": 32, "score": D_SUCCESS, "experience": 40, "subtract": False, "layer": 1}
    run_to_end(MECHANISM, SMALL.changed(feedback=4, layers_used=ONE_LAYER, **later), engine, 0)
    assert (reasoner._learned.cache_info().misses, traces.traces_of.cache_info().misses) == before
    run_to_end(MECHANISM, SMALL.changed(distraction=1.0), engine, 0)
    assert reasoner._learned.cache_info().misses == before[0] + 3 * (STAGES + 1)


def test_a_seed_is_one_experiment():
    engine = select("numpy")
    first = run_to_end(MECHANISM, SMALL, engine, 5)
    reasoner._learned.cache_clear()
    traces.traces_of.cache_clear()
    again, other = (run_to_end(MECHANISM, SMALL, engine, seed) for seed in (5, 6))
    assert first.tables["reasoners"].rows() == again.tables["reasoners"].rows()
    assert first.tables["reasoners"].rows() != other.tables["reasoners"].rows()


def test_the_tables_say_what_was_measured(default, judged):
    experience, verdicts = judged
    row = own_row(default)
    assert row["balanced"] == pytest.approx(verdicts.rates.balanced)
    assert table(default, "verdict").rows()[0]["per_class"] == experience.per_class
    shares = [table(default, "margins", outcome=outcome)["share"].sum() for outcome in (SUCCESS, FAILURE)]
    assert all(0.97 < share <= 1 for share in shares)
    below = table(default, "margins", outcome=SUCCESS)
    assert below["share"][below["high"] <= 1e-9].sum() == pytest.approx(row["true_positive"], abs=0.02)
    voted = table(default, "voted").rows()[0]
    assert voted["accuracy"] == pytest.approx(row["top16_margin"])
    assert table(default, "votes", voters=1, score=D_SUCCESS)["accuracy"][0] == pytest.approx(row["top1_d_success"])
    lines = [row[name] for name in ("mean", "majority", "any_right")]
    assert table(default, "references")["value"].tolist() == pytest.approx(lines)
    assert table(default, "methods", source=PAPER)["share"].tolist() == list(PAPER_TABLE_2.values())
    assert table(default, "methods", source=HERE, measure="top 16")["share"][0] == pytest.approx(row["top16_margin"])
    layers = table(default, "layers", feedback="w = 0")
    assert (layers["distance"][0], layers["separation"][-1]) == pytest.approx((row["d_first"], row["separation_last"]))
    np.testing.assert_allclose(layers["distance"], experience.curve)


def test_a_histogram_has_zero_on_a_border_and_each_outcome_on_its_own_half():
    rows = histogram([-0.5, -0.5, 0.5, 0.99], [True, True, False, True])
    filled = {(round(low, 6), outcome): share for low, _, share, outcome in rows if share}
    assert filled == {(-0.5, SUCCESS): 2 / 3, (0.9, SUCCESS): 1 / 3, (0.55, FAILURE): 1}


def test_several_reasoners_are_each_on_a_split_of_their_own_and_curves_are_their_means():
    result = run_to_end(MECHANISM, SMALL.changed(models=2), select("numpy"), 0)
    rows = table(result, "reasoners", feedback=4)
    assert rows["model"].tolist() == [0, 1]
    assert rows["balanced"][0] != rows["balanced"][1]
    last = table(result, "layers", feedback="w = 4", layer=2)["separation"][0]
    assert last == pytest.approx(rows["separation_last"].mean())


def test_few_candidates_leave_out_the_large_votes():
    result = run_to_end(MECHANISM, SMALL.changed(candidates=4, vote=4), select("numpy"), 0)
    assert table(result, "methods", source=HERE)["measure"].tolist() == ["mean", "maj.", "top 1", "top 4", "any"]
    assert np.isnan(result.tables["reasoners"]["top16_margin"]).all()
    assert set(result.tables["votes"]["voters"].tolist()) == {1, 2, 3, 4}
    few = next(claim for claim in MECHANISM.claims if claim.key == "few")
    assert not few.check([result]).tells
    assert LARGE_VOTE == 16


def test_without_the_digits_the_run_says_what_to_install(monkeypatch):
    dealt.cache_clear()
    problems.digits.load.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(RunError, match="pip install scikit-learn"):
        list(run(SMALL, select("numpy"), 4002))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vote": 32, "candidates": 16}, "vote is 32, but there are only 16 candidates"),
        ({"vote": 0}, "vote is 0, but it must be a whole number from 1 to 64"),
        ({"layer": 5}, "layer is 5, but the reasoner has 4 layers"),
        ({"layers_used": RANGE_OF_LAYERS, "layer": 3, "last_layer": 2}, "must end at a layer from 3 to 4"),
        ({"layers_used": RANGE_OF_LAYERS, "last_layer": 5}, "must end at a layer from 4 to 4"),
        ({"experience": 5}, "from 10 to 2000"),
        ({"feedback": 2}, "one of 0, 1, 4"),
    ],
)
def test_settings_that_do_not_go_together_are_named(changes, words):
    with pytest.raises(SettingsError, match=words):
        DEFAULT.changed(**changes)


def test_the_presets_are_there():
    assert PRESETS["browser"] == DEFAULT
    assert PRESETS["cpu"].models == 5
    assert PRESETS["gpu"].looked_at == range(6)


# Claims and exercise


def test_the_claims_of_the_default_run_hold(default):
    own = [claim for claim in MECHANISM.claims if claim.variants == ({},)]
    assert {claim.key for claim in own} == {"verifies", "deep-feedback", "feedback", "margin", "distance"}
    for claim in own:
        assert claim.check([default]).holds, claim.key


def test_claims_fail_where_what_they_say_is_not_so(default):
    """Feed each check the numbers of a reasoner of which nothing can be told."""
    names = COLUMNS["reasoners"]
    dull = dict.fromkeys(names, 0.5) | {"d_first": 2.0, "d_last": 1.0, "model": 0, "top16_margin": 0.4}
    dull |= {"auc_margin": 0.4, "auc_d_success": 0.45}
    rows = [dull | {"feedback": feedback, "separation_last": 0.5 - feedback / 10} for feedback in FEEDBACKS]
    made = type(default.tables["reasoners"]).of({}, **{name: [row[name] for row in rows] for name in names})
    for claim in MECHANISM.claims:
        wrong = made
        if claim.key == "fainter":
            wrong = type(made)({**made.columns, "auc_d_success": made["auc_d_success"] + 0.2}, {})
        result = Result(DEFAULT, 0, "numpy", {"reasoners": wrong})
        assert not claim.check([result]).holds, claim.key


@pytest.mark.slow
def test_the_claims_that_need_other_runs_hold():
    laboratory = Laboratory(MECHANISM, select("numpy"))
    for claim in MECHANISM.claims:
        if claim.variants != ({},):
            assert laboratory.evidence(claim, DEFAULT, 0).holds, claim.key


@pytest.mark.parametrize("feedback", [0, 4])
def test_the_exercise_knows_the_layers_of_fresh_problems(feedback):
    engine, settings = select("numpy"), DEFAULT.changed(feedback=feedback)
    single, everything = balanced_by_layer(settings, 0, engine)
    best = int(np.argmax(single))
    truth = YES if everything > single[best] else NO
    grade = MECHANISM.exercise.grade
    good = grade(LayerAnswer(layer=best + 1, all_better=truth), settings, 0, engine)
    assert good.correct
    assert f"layer {best + 1} {single[best]:.3f}" in good.feedback
    worst = int(np.argmin(single))
    bad = grade(LayerAnswer(layer=worst + 1, all_better=truth), settings, 0, engine)
    assert not bad.correct
    assert "below the best" in bad.feedback
    course = Course.of(engine, settings, 0, 0, feedback)
    fresh, old = traces_of(course, FRESH), traces_of(course, TEST)
    assert fresh.end.shape[:2] == (297, TRACES[FRESH])
    assert fresh.end.shape[0] != old.end.shape[0]


def test_the_exercise_takes_ties_and_refuses_layers_that_are_not_there(monkeypatch):
    engine, grade = select("numpy"), MECHANISM.exercise.grade
    monkeypatch.setattr(exercise_module, "balanced_by_layer", lambda *_: ([0.60, 0.646, 0.65, 0.55], 0.653))
    for layer, all_better, correct in [(3, YES, True), (2, NO, True), (1, YES, False), (4, NO, False)]:
        assert grade(LayerAnswer(layer=layer, all_better=all_better), DEFAULT, 0, engine).correct == correct
    monkeypatch.setattr(exercise_module, "balanced_by_layer", lambda *_: ([0.60, 0.61, 0.62, 0.63], 0.65))
    assert not grade(LayerAnswer(layer=4, all_better=NO), DEFAULT, 0, engine).correct
    assert "0.020 above" in grade(LayerAnswer(layer=4, all_better=NO), DEFAULT, 0, engine).feedback
    missing = grade(LayerAnswer(layer=7), DEFAULT, 0, engine)
    assert not missing.correct
    assert "no layer 7" in missing.feedback
