"""PMET: the requests, the wanted values, the writing, the scores, and what the page says about them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from mem_core.data.fact_world import RELATIONS
from mem_core.engine import map_tree, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.editing.pmet import exercise, fine_tuning, model, targets, writing
from mem_core.mechanisms.editing.pmet.bench import Bench, Recipe
from mem_core.mechanisms.editing.pmet.requests import KEPT_RELATION, Requests, draw_requests
from mem_core.mechanisms.editing.pmet.run import run
from mem_core.mechanisms.editing.pmet.scoring import Examination, Scores, examine, scores_of, untouched
from mem_core.mechanisms.editing.pmet.settings import (
    FFN_ONLY,
    FINE_TUNING,
    LAST,
    LINEAR,
    MEMIT,
    METHODS,
    PMET,
    PRESETS,
    SQUARE_ROOT,
    EditSettings,
)
from mem_core.mechanisms.experiment import Laboratory, run_to_end
from mem_core.nn import parallel_transformer as transformer
from mem_core.nn.relu_mlp import log_softmax

MECHANISM = catalog.load("pmet")
ENGINES = ("numpy", "torch")
SMALL = EditSettings(people=16, width=16, training_steps=60, batch_size=64, edits=4, steps=8)


@pytest.fixture(scope="module")
def numpy64():
    return select("numpy", precision="float64")


def trained(settings, engine, seed=0):
    *_, learned = model.learn(engine, settings, seed)
    return model.make_world(settings, seed), learned.params


@pytest.fixture(scope="module")
def default(numpy64):
    """Return the world and the trained model of the browser's preset."""
    return trained(EditSettings(), numpy64)


@pytest.fixture(scope="module")
def bench(numpy64, default):
    return Bench(numpy64, EditSettings(), 0, *default)


@pytest.fixture(scope="module")
def default_frames():
    return list(run(EditSettings(), select("numpy"), 0))


def final(settings, engine=None, seed=0):
    return run_to_end(MECHANISM, settings, engine or select("numpy"), seed).tables


def same_parameters(first, second):
    equal = []
    map_tree(lambda ours, theirs: equal.append(bool((ours == theirs).all())), first, second)
    return all(equal)


# The model and the requests


def test_the_model_learns_every_fact_in_both_wordings(numpy64, default):
    world, params = default
    logs = model.log_probabilities(numpy64, params, world.questions())
    assert (logs.argmax(-1) == world.answers[..., None]).all()
    np.testing.assert_allclose(np.exp(logs).sum(-1), 1, rtol=1e-12)


def test_requests_are_wrong_answers_about_different_people(default):
    world, _ = default
    requests = draw_requests(world, EditSettings(edits=32), 32, 0)
    assert sorted(requests.person.tolist()) == list(range(32))
    assert (requests.relation != KEPT_RELATION).all()
    assert (requests.wanted != requests.true).all()
    assert (requests.wanted // 8 == requests.true // 8).all()
    np.testing.assert_array_equal(requests.true, world.answers[requests.person, requests.relation])


def test_the_first_request_is_the_one_picked_and_more_requests_begin_with_the_same(default):
    world, _ = default
    settings = EditSettings(person=5, relation="keeps", new_object=3)
    few, many = (draw_requests(world, settings, count, 0) for count in (3, 20))
    assert (few.person[0], RELATIONS[few.relation[0]].name) == (4, "keeps")
    assert (few.wanted[0] - few.true[0]) % 8 == 3
    np.testing.assert_array_equal(few.person, many.person[:3])
    np.testing.assert_array_equal(few.wanted, many.wanted[:3])


def test_one_fact_with_two_answers_is_refused():
    arrays = [np.array(column) for column in ([1, 1], [2, 2], [16, 17], [20, 20])]
    with pytest.raises(ValueError, match="Person 1 and relation 2 are asked for with two different answers"):
        Requests(*arrays).require_consistent()
    arrays[2] = np.array([16, 16])
    Requests(*arrays).require_consistent()


def test_a_request_for_what_is_said_already_is_left_out(numpy64, default):
    bench = Bench(numpy64, EditSettings(new_object=0), 0, *default)
    assert not bench.edited[0]
    assert bench.requests(8).count == 7
    assert bench.requests(1).count == 0
    assert same_parameters(bench.edit(Recipe(PMET, SQUARE_ROOT, 100.0), 1).params, bench.params)


# The wanted values


def reference_descent(engine, params, world, requests, settings, method):
    """One request after the other, with the loss written out and differentiated by the gradient system."""
    xp, layer = engine.xp, settings.edited_layers[-1]
    found = []
    for number in range(requests.count):
        one = requests.kept(slice(number, number + 1))
        asked = one.prompts(world, (0, 1, 2, 3, 4, 5), 0)[0]
        tokens = engine.asarray(np.concatenate([asked, one.kept_prompts(world)]))
        x = transformer.embed(engine, params, tokens)
        trace = transformer.blocks_forward(engine, params, x, model.HEADS, stop=layer + 1)[-1]
        parts = targets.PARTS[method]
        clean = [targets.clean_value(trace, part)[0] for part in parts]
        here = engine.asarray((np.arange(4) == 3)[:, None] * 1.0)

        def logs_of(delta, trace=trace, here=here):
            stream = trace.output + here * sum(delta)
            for block in params["blocks"][layer + 1 :]:
                stream = transformer.block_forward(engine, block, stream, model.HEADS).output
            return log_softmax(engine, transformer.answer(engine, params, stream[:, -1]).logits)

        zero = [0.0 * value for value in clean]
        before = engine.asarray(engine.to_numpy(logs_of(zero))[-1])
        length = [float(np.linalg.norm(engine.to_numpy(value))) for value in clean]

        def loss(delta, nu, logs_of=logs_of, before=before, length=length, one=one):
            logs = logs_of(delta)
            decay = sum(xp.sum(d * d + 1e-300) ** 0.5 / size**2 for d, size in zip(delta, length, strict=True))
            kl = settings.kl_weight * xp.sum(xp.exp(before) * (before - logs[-1]))
            return -nu * xp.mean(logs[:-1, int(one.wanted[0])]) + kl + 0.5 * decay, (logs, kl)

        delta, nu = zero, 1.0
        mean, square = ([0.0 * d for d in zero] for _ in range(2))
        for step in range(1, settings.steps + 1):
            (value, (logs, kl)), gradient = engine.value_and_grad(loss, has_aux=True)(delta, nu)
            if engine.item(value) < 0.05:
                break
            if method != MEMIT:
                reached = bool((engine.to_numpy(logs)[:-1].argmax(-1) == one.wanted[0]).all())
                nu = 0.1 if reached else 1.0
                if reached and engine.item(kl) <= 0.01:
                    break
            if step == settings.steps:
                break
            mean = [0.9 * m + 0.1 * g for m, g in zip(mean, gradient, strict=True)]
            square = [0.999 * s + 0.001 * g * g for s, g in zip(square, gradient, strict=True)]
            delta = [
                d - 0.2 * (m / (1 - 0.9**step)) / ((s / (1 - 0.999**step)) ** 0.5 + 1e-8)
                for d, m, s in zip(delta, mean, square, strict=True)
            ]
            sizes = [float(np.linalg.norm(engine.to_numpy(d))) for d in delta]
            delta = [
                d * min(1.0, settings.clamp * clean_size / size)
                for d, size, clean_size in zip(delta, sizes, length, strict=True)
            ]
        found.append(engine.to_numpy(clean[0] + delta[0]))
    return np.stack(found)


@pytest.mark.parametrize("method", [PMET, FFN_ONLY, MEMIT])
@pytest.mark.parametrize("layers", [("1", "2", "3"), ("1",)])
def test_the_values_are_those_of_a_plain_descent_one_request_at_a_time(default, method, layers):
    # The authors' loop, written again with the gradient system of PyTorch. At the very first step the length of δ
    # has no gradient at zero, which 1e-300 under the root gives.
    engine, numpy64 = select("torch", precision="float64"), select("numpy", precision="float64")
    world, params = default
    settings = EditSettings(layers=layers, steps=12, clamp=1.0)
    requests = draw_requests(world, settings, 3, 0)
    found = targets.optimise(numpy64, params, world, requests, settings, method).value
    moved = map_tree(engine.asarray, params)
    expected = reference_descent(engine, moved, world, requests, settings, method)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_the_first_step_is_the_clean_model(numpy64, default, bench):
    world, params = default
    first = bench.targets[PMET].history[0]
    assert first.kl == pytest.approx(0, abs=1e-14)
    assert first.decay == 0
    logs = model.log_probabilities(numpy64, params, bench.picked.prompts(world, (0, 1, 2, 3, 4, 5), 0))[0]
    assert first.likelihood == pytest.approx(-logs[:, bench.picked.wanted[0]].mean(), rel=1e-12)
    assert first.old == pytest.approx(np.exp(logs[:, bench.picked.true[0]]).mean(), rel=1e-12)


def test_both_parts_of_a_parallel_block_take_the_same_change(numpy64, default):
    # They receive the same gradient, so without the term for their lengths they move alike.
    world, params = default
    settings = EditSettings(steps=6, clamp=6.0)
    requests = draw_requests(world, settings, 4, 0)
    search = targets._Search(numpy64, params, world, requests, settings, targets.PARTS[PMET])
    list(search.descend(2, lowers_likelihood=True))
    np.testing.assert_allclose(search.delta[0], search.delta[1], rtol=1e-6)
    assert np.abs(search.delta).max() > 0.1


@pytest.mark.parametrize("clamp", [0.25, 1.0])
def test_changes_stay_within_c_times_the_clean_value(numpy64, default, clamp):
    world, params = default
    settings = EditSettings(clamp=clamp)
    requests = draw_requests(world, settings, 8, 0)
    search = targets._Search(numpy64, params, world, requests, settings, targets.PARTS[PMET])
    list(search.descend(20, lowers_likelihood=True))
    share = np.linalg.norm(search.delta, axis=-1) / np.linalg.norm(search.clean, axis=-1)
    assert share.max() == pytest.approx(clamp, rel=1e-9)


def test_a_long_search_gives_the_new_answer(bench):
    history = bench.targets[FFN_ONLY].history
    assert history[-1].new > history[-1].old
    assert history[0].new < 0.05


# Writing


def test_divisors_are_those_of_the_papers():
    np.testing.assert_allclose(writing.divisors(3, SQUARE_ROOT), [math.sqrt(3), math.sqrt(2), 1])
    assert writing.divisors(3, LINEAR) == [3, 2, 1]
    assert writing.divisors(3, LAST) == [math.inf, math.inf, 1]
    # What the shifts of all layers add up to.
    for spread, sums in ((SQUARE_ROOT, [3.64, 2.28, 1.71]), (LINEAR, [2.45, 1.83, 1.5])):
        found = [sum(1 / divisor for divisor in writing.divisors(layers, spread)) for layers in (6, 3, 2)]
        assert [round(value, 2) for value in found] == sums


def test_bad_spreads_and_layers_are_named(numpy64, default, bench):
    world, params = default
    with pytest.raises(ValueError, match="layers must be at least 1"):
        writing.divisors(0, LINEAR)
    with pytest.raises(ValueError, match="spread must be"):
        writing.divisors(2, "cubic")
    for layers in ((), (2, 1), (1, 1), (3, 4), (-1,)):
        with pytest.raises(ValueError, match=r"layers must be one or more of 0 … 3 in increasing order"):
            writing.write(
                numpy64,
                params,
                world,
                bench.requests(1),
                bench.targets[PMET].value[:1],
                part=targets.FFN,
                layers=layers,
                spread=LINEAR,
                preservation=1.0,
                moments={},
            )


@pytest.mark.parametrize("spread", [SQUARE_ROOT, LINEAR, LAST])
def test_with_hardly_any_preservation_the_last_layer_gives_the_wanted_value(numpy64, bench, spread):
    # At the key averaged over contexts; only the last layer's own residual counts, for its divisor is 1.
    requests = bench.requests(4)
    edited = bench.edit(Recipe(PMET, spread, 1e-7), 4).params
    tokens = requests.prompts(bench.world, (0, 1, 2, 3, 4, 5), 0).reshape(-1, 4)
    x = transformer.embed(numpy64, edited, tokens)
    last = transformer.blocks_forward(numpy64, edited, x, model.HEADS)[-1]
    keys = writing.mean_keys(last.keys[:, -1], 6)
    before = bench.params["blocks"][3]
    was = last.keys[::6, -1] @ before["ffn_out"] + before["ffn_out_bias"]
    change = edited["blocks"][3]["ffn_out"] - before["ffn_out"]
    np.testing.assert_allclose(keys @ change, bench.targets[PMET].value[:4] - was, atol=1e-3)


def test_keys_are_averaged_within_and_then_over_the_groups_of_contexts():
    keys = np.array([[6.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    np.testing.assert_allclose(writing.mean_keys(keys, 6), [[(6 + 3) / 2]])


def test_each_layer_is_written_after_the_one_below(numpy64, bench):
    recipe = Recipe(PMET, SQUARE_ROOT, 100.0)
    edited = bench.edit(recipe, 8)
    for layer, (before, after) in enumerate(zip(bench.params["blocks"], edited.params["blocks"], strict=True)):
        change = np.linalg.norm(after["ffn_out"] - before["ffn_out"])
        assert change == pytest.approx(edited.lengths.get(layer, 0.0), rel=1e-9, abs=1e-12)
        assert all((before[name] == after[name]).all() for name in before if name != "ffn_out")
    # The first layer's change again, by hand, from the unedited model.
    requests = bench.requests(8)
    tokens = requests.prompts(bench.world, (0, 1, 2, 3, 4, 5), 0).reshape(-1, 4)
    traces = transformer.blocks_forward(numpy64, bench.params, transformer.embed(numpy64, bench.params, tokens), 2)
    k = writing.mean_keys(traces[1].keys[:, -1], 6)
    r = (bench.targets[PMET].value[:8] - traces[3].values[::6, -1]) / math.sqrt(3)
    change = edited.params["blocks"][1]["ffn_out"] - bench.params["blocks"][1]["ffn_out"]
    c = bench._moments[1]
    np.testing.assert_allclose(k.T @ (k @ change - r) + 100.0 * c @ change, 0, atol=1e-8)


def test_editing_leaves_the_model_on_the_bench_alone(bench):
    kept = map_tree(np.copy, bench.params)
    for method in METHODS:
        bench.edit(Recipe(method, LINEAR, 10.0), 4)
    assert same_parameters(kept, bench.params)


@pytest.mark.parametrize("method", METHODS)
def test_no_requests_change_nothing(bench, method):
    assert same_parameters(bench.edit(Recipe(method, LINEAR, 10.0), 0).params, bench.params)


def test_endless_preservation_changes_nothing(bench):
    lengths = bench.edit(Recipe(PMET, SQUARE_ROOT, 1e9), 8).lengths
    assert max(lengths.values()) < 1e-3


def test_all_in_the_last_layer_leaves_the_others_alone(bench):
    lengths = bench.edit(Recipe(PMET, LAST, 100.0), 8).lengths
    assert (lengths[1], lengths[2]) == (0, 0)
    assert lengths[3] > 1


def test_the_general_keys_are_those_of_all_tokens_and_not_centred(numpy64, default):
    world, params = default
    (moment,) = writing.general_moments(numpy64, params, world, (2,), 0).values()
    assert np.linalg.eigvalsh(moment).min() > -1e-12
    again = writing.general_moments(numpy64, params, world, (1, 2, 3), 0)[2]
    np.testing.assert_array_equal(moment, again)
    tokens, _ = world.draw(np.random.default_rng(9), 2000)
    trace = transformer.blocks_forward(numpy64, params, transformer.embed(numpy64, params, tokens), 2)[2]
    keys = trace.keys.reshape(-1, trace.keys.shape[-1])
    np.testing.assert_allclose(np.trace(moment), (keys**2).sum() / len(keys), rtol=0.05)


def test_fine_tuning_moves_no_weight_beyond_its_bound(numpy64, bench):
    edited = bench.edit(Recipe(FINE_TUNING, LINEAR, 1.0), 8).params
    for layer, (before, after) in enumerate(zip(bench.params["blocks"], edited["blocks"], strict=True)):
        largest = np.abs(after["ffn_out"] - before["ffn_out"]).max()
        assert largest == (pytest.approx(fine_tuning.BOUND) if layer else 0)


# Scores


def examination(world, answers, elsewhere):
    facts = np.log(np.full((*answers.shape, 2, 32), 0.01))
    rows, columns = np.indices(answers.shape)
    facts[rows, columns, :, answers] = np.log(0.5)
    return Examination(facts, np.log(elsewhere))


def test_scores_count_what_they_say(default):
    world, _ = default
    requests = draw_requests(world, EditSettings(), 2, 0)
    said = world.answers.copy()
    said[requests.person[0], requests.relation[0]] = requests.wanted[0]
    elsewhere = np.full((2, 2, 32), 0.01)
    elsewhere[0, 0, requests.wanted[0]] = 0.9  # one of four askings in other words
    scores = scores_of(examination(world, said, elsewhere), world, requests)
    assert (scores.efficacy, scores.generalisation, scores.specificity) == (0.5, 0.25, 1.0)
    assert scores.score == pytest.approx(3 / (2 + 4 + 1))


def test_specificity_looks_at_all_other_facts_and_at_none_of_the_requests(default):
    world, _ = default
    requests = draw_requests(world, EditSettings(), 8, 0)
    assert untouched(world, requests).sum() == 128 - 8
    wrong = (world.answers + 1) % 32
    wrong[requests.person, requests.relation] = world.answers[requests.person, requests.relation]
    assert scores_of(examination(world, wrong, np.full((8, 2, 32), 0.1)), world, requests).specificity == 0


def test_before_any_edit_nothing_new_is_said_and_everything_old_is(numpy64, default):
    world, params = default
    requests = draw_requests(world, EditSettings(), 8, 0)
    assert scores_of(examine(numpy64, params, world, requests), world, requests) == (0, 0, 1)


# The run


def test_frames_carry_all_tables_and_progress_never_falls(default_frames):
    assert len(default_frames) <= 40
    progress = [frame.progress for frame in default_frames]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert len({frozenset(frame.tables) for frame in default_frames}) == 1


def test_every_chart_can_be_described_on_every_frame(default_frames):
    for frame in default_frames:
        assert all(chart.describe(frame.tables) for chart in MECHANISM.charts)


@pytest.mark.parametrize(
    "changes",
    [
        {"edits": 1, "new_object": 0},
        {"method": FINE_TUNING, "layers": ("2",)},
        {"method": MEMIT, "spread": LAST},
        {"method": FFN_ONLY, "spread": LINEAR, "preservation": 1.0, "layers": ("1", "3")},
        {"edits": 16, "clamp": 0.25, "kl_weight": 0.0, "steps": 5},
    ],
)
def test_all_charts_can_be_described_under_other_settings(changes):
    for frame in run(SMALL.changed(**changes), select("numpy"), 1):
        assert all(chart.describe(frame.tables) for chart in MECHANISM.charts)


def test_a_request_for_the_true_answer_says_so():
    *_, last = frames = list(run(EditSettings(new_object=0), select("numpy"), 0))
    assert any("7 of 8 facts are edited; the others ask" in frame.message for frame in frames)
    assert "true or said already" in MECHANISM.chart("terms").describe(last.tables)


def test_the_recipe_as_set_is_in_the_sweep(default_frames):
    tables = default_frames[-1].tables
    (here,) = tables["sweep"].where(recipe="PMET √", preservation=100.0).rows()
    for measure in ("efficacy", "generalisation", "specificity"):
        assert tables["scores"].where(method=PMET, measure=measure)["share"][0] == here[measure]
        assert tables["trade"].where(preservation=100.0, measure=measure)["share"][0] == here[measure]
    assert tables["scores"].where(method=PMET, measure="score")["share"][0] == here["score"]
    kept = tables["retention"].where(lag=8)["retention"][0]
    assert kept == here["specificity"]


def test_another_recipe_gets_a_line_of_its_own_and_memit_keeps_its_spread():
    other = final(SMALL.changed(spread=LAST))
    assert set(other["sweep"]["recipe"]) == {"PMET √", "PMET linear", "FFN √", "MEMIT", "as set"}
    assert other["trade"].where(measure="specificity")["share"].tolist() == (
        other["sweep"].where(recipe="as set")["specificity"].tolist()
    )
    assert "as set" not in final(SMALL.changed(method=MEMIT, spread=LAST))["sweep"]["recipe"]


def test_retention_begins_with_all_facts_and_is_a_share(default_frames):
    table = default_frames[-1].tables["retention"]
    assert table.units["lag"] == "edits"
    assert table["lag"].tolist() == [0, 1, 2, 4, 8, 16, 24, 32]
    assert table["retention"][0] == 1
    assert table["retention"].min() >= 0
    assert table["retention"].max() <= 1


def test_the_map_of_facts_outlines_the_edits(default_frames):
    table = default_frames[-1].tables["facts"]
    assert table["edited"].sum() == 2 * 8
    before, after = (table.where(when=when) for when in ("before", "after"))
    assert len(before) == len(after) == 128
    assert before["right"][before["edited"]].max() < 0.1
    assert before["right"][~before["edited"]].min() > 0.5
    assert after["right"][after["edited"]].mean() > before["right"][before["edited"]].mean() + 0.2


def test_both_engines_run_the_same_experiment():
    # Training multiplies rounding; 60 steps in float64 leave differences near 1e-9.
    first, second = (final(SMALL, select(name, precision="float64")) for name in ENGINES)
    assert first.keys() == second.keys()
    for name, table in first.items():
        for column, values in table.columns.items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, second[name][column], rtol=1e-5, atol=1e-7, err_msg=name)
            else:
                np.testing.assert_array_equal(values, second[name][column], err_msg=name)


def test_a_model_is_trained_once_for_all_edits_of_it(numpy64):
    settings = SMALL.changed(edits=3)
    *_, first = model.learn(numpy64, settings, 7)
    *_, again = model.learn(numpy64, settings.changed(edits=2, method=MEMIT, preservation=3.0, steps=5), 7)
    assert again.params is first.params
    assert first.step == settings.training_steps
    *_, other = model.learn(numpy64, settings.changed(rate=0.004), 7)
    assert not same_parameters(first.params, other.params)


@pytest.mark.parametrize("name", ENGINES)
def test_training_that_diverges_names_the_learning_rate(monkeypatch, name):
    monkeypatch.setattr(model, "cosine", lambda steps, peak, **_: np.full(steps, 1e30))  # more than can be set
    frames = run(SMALL, select(name), 11)
    with pytest.raises(RunError, match=r"diverged at step \d+: lower rate"), np.errstate(all="ignore"):
        list(frames)


# Bad input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"edits": 40}, "edits is 40, but there are only 32 people: raise people"),
        ({"person": 33}, "person is 33, but there are only 32 people"),
        ({"people": 40, "names": 6}, "6 first and 6 last names make only 36 pairs"),
        ({"layers": ()}, "layers is .*at least 1 of 1, 2, 3"),
        ({"layers": ("0",)}, "layers"),
        ({"preservation": 0.0}, "preservation"),
        ({"method": "ROME"}, "method"),
        ({"relation": "is a"}, "relation"),
        ({"new_object": 8}, "new_object"),
        ({"clamp": 0.0}, "clamp"),
    ],
)
def test_bad_settings_are_named(changes, words):
    with pytest.raises(SettingsError, match=words):
        EditSettings(**changes)


@pytest.mark.parametrize("tier", ["browser", "cpu", "gpu"])
def test_presets_are_allowed_settings(tier):
    assert EditSettings().parsed(PRESETS[tier].formatted()) == PRESETS[tier]


# Claims and exercise


@pytest.mark.slow
def test_every_claim_holds():
    laboratory = Laboratory(MECHANISM, select("numpy"))
    for claim in MECHANISM.claims:
        evidence = [laboratory.evidence(claim, PRESETS["browser"], seed) for seed in range(2)]
        assert np.mean([item.value for item in evidence]) >= evidence[0].threshold, (claim.key, evidence)


def test_claims_can_fail(default_frames):
    result = run_to_end(MECHANISM, EditSettings(), select("numpy"), 0)
    swapped = {"PMET √": "PMET linear", "PMET linear": "PMET √", "FFN √": "MEMIT", "MEMIT": "FFN √"}
    table = result.tables["sweep"]
    renamed = replace(table, columns={**table.columns, "recipe": np.array([swapped[name] for name in table["recipe"]])})
    kept = result.tables["retention"]
    flat = replace(kept, columns={**kept.columns, "retention": np.ones(len(kept))})
    worse = replace(result, tables={**result.tables, "sweep": renamed, "retention": flat})
    failing = {claim.key for claim in MECHANISM.claims if not claim.check([worse]).holds}
    assert failing >= {"root-reaches-more", "root-costs-more", "joint-is-clearly-precise", "edits-interfere"}
    best = table["score"].copy()
    best[table["recipe"] == "PMET √"] = 1.0
    ahead = replace(result, tables={**result.tables, "sweep": replace(table, columns={**table.columns, "score": best})})
    assert not next(claim for claim in MECHANISM.claims if claim.key == "memit-is-as-good").check([ahead]).holds


def test_claims_say_what_they_need():
    result = run_to_end(MECHANISM, SMALL.changed(edits=1, new_object=0), select("numpy"), 0)
    evidence = {claim.key: claim.check([result]) for claim in MECHANISM.claims}
    assert not any(item.tells for item in evidence.values())
    assert "Nothing was edited" in evidence["joint-is-precise"].note
    assert "Needs 32 people" in evidence["edits-interfere"].note


@pytest.mark.parametrize("name", ENGINES)
def test_the_exercise_accepts_a_lambda_between_and_says_which_way_to_go(name):
    settings, engine, grade = PRESETS["browser"], select(name), MECHANISM.exercise.grade
    bench = exercise._bench(settings.changed(**exercise.ASKED), 3, engine)
    found = {value: exercise._scores(bench, value) for value in exercise.SCAN}
    good = [value for value, scores in found.items() if min(scores.efficacy, scores.specificity) >= 0.9]
    assert good
    accepted = grade(exercise.PreservationAnswer(preservation=good[0]), settings, 3, engine)
    assert accepted.correct
    assert "Generalisation" in accepted.feedback
    refused = grade(exercise.PreservationAnswer(preservation=1000.0), settings, 3, engine)
    assert not refused.correct
    assert "lower λ" in refused.feedback
    none = grade(exercise.PreservationAnswer(none=True), settings, 3, engine)
    assert not none.correct
    assert f"{len(good)} reach both" in none.feedback


def test_the_exercise_accepts_none_where_there_is_none(monkeypatch):
    monkeypatch.setattr(exercise, "ENOUGH", 1.01)
    grade = MECHANISM.exercise.grade(exercise.PreservationAnswer(none=True), SMALL, 0, select("numpy"))
    assert grade.correct
    too_low = MECHANISM.exercise.grade(exercise.PreservationAnswer(), SMALL, 0, select("numpy"))
    assert not too_low.correct


def test_the_exercise_says_when_too_much_is_damaged():
    refused = exercise._judged(1.0, Scores(efficacy=1.0, generalisation=1.0, specificity=0.5))
    assert not refused.correct
    assert "raise λ" in refused.feedback


def test_the_exercise_fixes_all_but_the_world():
    engine, answer = select("numpy"), exercise.PreservationAnswer(preservation=30.0)
    elsewhere = PRESETS["browser"].changed(
        edits=2, method=MEMIT, spread=LAST, layers=("2",), clamp=0.5, kl_weight=0.0, steps=5, new_object=0
    )
    grade = MECHANISM.exercise.grade
    assert grade(answer, elsewhere, 5, engine) == grade(answer, PRESETS["browser"], 5, engine)
