import numpy as np
import pytest

from mem_core.data.bigram import Bigram, overlapping_languages
from mem_core.engine import map_tree, philox, select
from mem_core.nn.low_rank_bigram import excess_losses, gradient, initial, log_probabilities, pair_shares

SIZES = {"runs": 2, "contexts": 5, "vocabulary": 7, "rank": 3}


def weights(engine, scale=1.0, **changes):
    params = initial(engine, philox(0, "weights"), **(SIZES | changes), scale=scale)
    other = philox(1, "weights")  # a second run with weights of its own
    return map_tree(lambda leaf: leaf + engine.asarray(other.standard_normal(leaf.shape)), params)


def batch(engine, examples=11):
    generator = philox(2, "batch")
    contexts, tokens = (generator.integers(size, size=(1, examples)) for size in (5, 7))
    return contexts, tokens, pair_shares(engine, contexts, tokens, (5, 7))[0]


def test_all_runs_start_from_the_same_weights(engine):
    params = initial(engine, philox(0, "weights"), **SIZES, scale=0.3)
    for name, shape in {"embedding": (2, 5, 3), "output": (2, 3, 7), "bias": (2, 1, 7)}.items():
        leaf = engine.to_numpy(params[name])
        assert leaf.shape == shape
        np.testing.assert_array_equal(leaf[0], leaf[1])
    assert (engine.to_numpy(params["bias"]) == 0).all()


def test_the_written_gradient_is_that_of_the_cross_entropy(engine):
    params, (_, _, shares) = weights(engine), batch(engine)

    def loss(params):
        return -engine.xp.sum(shares * log_probabilities(engine, params))  # of both runs: each gets its own gradient

    expected = engine.value_and_grad(loss)(params)[1]
    ours = gradient(engine, params, shares)
    for name in params:
        np.testing.assert_allclose(engine.to_numpy(ours[name]), engine.to_numpy(expected[name]), atol=1e-12)


def test_the_written_gradient_agrees_with_central_differences(engine):
    params, (contexts, tokens, shares) = weights(engine), batch(engine)
    ours = map_tree(engine.to_numpy, gradient(engine, params, shares))

    def loss(name, index, offset):
        moved = {key: engine.to_numpy(leaf).copy() for key, leaf in params.items()}
        moved[name][index] += offset
        logits = moved["embedding"][index[0]] @ moved["output"][index[0]] + moved["bias"][index[0]]
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        return -logs[contexts[0], tokens[0]].mean()

    for name, index in (("embedding", (1, 2, 1)), ("output", (0, 2, 4)), ("bias", (1, 0, 3))):
        slope = (loss(name, index, 1e-5) - loss(name, index, -1e-5)) / 2e-5
        assert ours[name][index] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_pair_shares_count_repeated_pairs_and_sum_to_one(engine):
    contexts, tokens = np.array([[0, 0, 1, 0]]), np.array([[2, 2, 0, 1]])
    shares = engine.to_numpy(pair_shares(engine, contexts, tokens, (2, 3)))
    np.testing.assert_allclose(shares, [[[0, 0.25, 0.5], [0.25, 0, 0]]])


def test_each_step_has_its_own_shares(engine):
    made = overlapping_languages(philox(0, "languages"), languages=1, contexts=5, vocabulary=7, overlap=0.5)[0]
    contexts, tokens = made.draw(philox(0, "batches"), 9, 13)
    together = engine.to_numpy(pair_shares(engine, contexts, tokens, (5, 7)))
    for step in range(9):
        alone = engine.to_numpy(pair_shares(engine, contexts[step : step + 1], tokens[step : step + 1], (5, 7)))
        np.testing.assert_array_equal(together[step], alone[0])


def test_the_excess_loss_is_the_divergence_from_each_language(engine):
    params = weights(engine)
    languages = overlapping_languages(philox(0, "languages"), languages=3, contexts=5, vocabulary=7, overlap=0.5)
    joint = engine.asarray([one.context_probability[:, None] * one.next_token for one in languages])
    least = engine.asarray([one.context_probability @ one.entropy for one in languages])
    found = engine.to_numpy(excess_losses(engine, params, joint, least))
    model = np.exp(engine.to_numpy(log_probabilities(engine, params)))
    for run in range(2):
        for number, one in enumerate(languages):
            truth = one.next_token
            ratio = np.where(truth > 0, np.log(np.where(truth > 0, truth, 1) / model[run]), 0)
            expected = (one.context_probability[:, None] * truth * ratio).sum()
            assert found[run, number] == pytest.approx(expected, rel=1e-10)


def test_a_model_of_enough_rank_that_knows_a_language_has_no_excess_loss(engine):
    language = Bigram(np.full(3, 1 / 3), np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]]))
    params = {
        "embedding": engine.asarray(np.eye(3)[None]),
        "output": engine.asarray(np.log(language.next_token)[None]),
        "bias": engine.asarray(np.zeros((1, 1, 3))),
    }
    joint = engine.asarray((language.context_probability[:, None] * language.next_token)[None])
    least = engine.asarray([language.context_probability @ language.entropy])
    np.testing.assert_allclose(engine.to_numpy(excess_losses(engine, params, joint, least)), 0, atol=1e-14)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_large_weights_do_not_overflow(name):
    engine = select(name)
    params = map_tree(lambda leaf: 50 * leaf, weights(engine))
    _, _, shares = batch(engine)
    for leaf in (log_probabilities(engine, params), *gradient(engine, params, shares).values()):
        assert np.isfinite(engine.to_numpy(leaf)).all()


@pytest.mark.parametrize("size", ["runs", "contexts", "vocabulary", "rank"])
def test_sizes_below_one_are_named(engine, size):
    with pytest.raises(ValueError, match=size):
        initial(engine, philox(0, "weights"), **(SIZES | {size: 0}), scale=1.0)


def test_an_empty_batch_is_refused(engine):
    empty = np.zeros((3, 0), dtype=int)
    with pytest.raises(ValueError, match="1 example or more"):
        pair_shares(engine, empty, empty, (2, 3))
