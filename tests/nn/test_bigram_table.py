import numpy as np
import pytest

from mem_core.data.bigram import Bigram, facts_and_open
from mem_core.engine import philox, select
from mem_core.nn.bigram_table import count_batches, descend, excess_loss, reference_descend

ENGINES = ("numpy", "torch")


def small_language():
    return facts_and_open(philox(0, "language"), facts=9, open_contexts=3, vocabulary=5, fact_share=0.4)


def trained(engine, language, contexts, tokens, rates, start=None):
    """Train one run a column of `rates`, shape (T, R)."""
    shape = (len(language.context_probability), rates.shape[1], language.next_token.shape[1])
    table = engine.asarray(np.zeros(shape) if start is None else start)
    batches = count_batches(engine, contexts, tokens, shape[2])
    return engine.to_numpy(descend(engine, table, batches, engine.asarray(rates), contexts.shape[1]))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("batch_size", [1, 7, 63])
def test_descending_agrees_with_one_example_at_a_time(name, batch_size):
    engine, language = select(name, precision="float64"), small_language()
    contexts, tokens = language.draw(philox(0, "batches"), 20, batch_size)
    rates = np.stack([np.full(20, 2.0), np.linspace(5.0, 0.5, 20)], axis=1)
    table = trained(engine, language, contexts, tokens, rates)
    for run in range(2):
        expected = reference_descend(np.zeros((12, 5)), contexts, tokens, rates[:, run])
        np.testing.assert_allclose(table[:, run], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ENGINES)
def test_a_context_that_comes_up_twice_in_a_batch_counts_twice(name):
    engine, language = select(name, precision="float64"), Bigram(np.array([1.0]), np.array([[0.5, 0.5]]))
    table = trained(engine, language, np.array([[0, 0]]), np.array([[0, 0]]), np.array([[1.0]]))
    np.testing.assert_allclose(table[0, 0], [0.5, -0.5])  # the mean of two equal gradients, not half of one


def test_both_engines_reach_the_same_table_in_float32():
    language = small_language()
    contexts, tokens = language.draw(philox(0, "batches"), 200, 16)
    rates = np.full((200, 3), 1.0) * [0.5, 2.0, 8.0]
    tables = [trained(select(name), language, contexts, tokens, rates) for name in ENGINES]
    # Rounding to 24 bits in 200 steps; logits are of order 1 to 10.
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("name", ENGINES)
def test_descending_leaves_the_table_it_started_from_alone(name):
    engine, language = select(name), small_language()
    table = engine.xp.zeros((12, 1, 5))
    contexts, tokens = language.draw(philox(0, "batches"), 3, 4)
    descend(engine, table, count_batches(engine, contexts, tokens, 5), engine.asarray(np.ones((3, 1))), 4)
    assert (engine.to_numpy(table) == 0).all()


@pytest.mark.parametrize("name", ENGINES)
def test_large_logits_do_not_overflow(name):
    engine, language = select(name), small_language()
    contexts, tokens = language.draw(philox(0, "batches"), 5, 4)
    start = np.full((12, 1, 5), 0.0)
    start[..., 0] = 200.0
    assert np.isfinite(trained(engine, language, contexts, tokens, np.ones((5, 1)), start)).all()


def test_counts_add_up_to_the_batch():
    language = small_language()
    contexts, tokens = language.draw(philox(0, "batches"), 11, 13)
    for step, batch in enumerate(count_batches(select("numpy"), contexts, tokens, 5)):
        assert batch.contexts.tolist() == sorted(set(contexts[step].tolist()))
        assert batch.counts.sum() == batch.token_counts.sum() == 13
        for row, context in enumerate(batch.contexts):
            found = np.bincount(tokens[step][contexts[step] == context], minlength=5)
            np.testing.assert_array_equal(batch.token_counts[row, 0], found)


@pytest.mark.parametrize("name", ENGINES)
def test_excess_loss_is_the_divergence_from_the_truth(name):
    engine, language = select(name, precision="float64"), small_language()
    table = philox(0, "table").standard_normal((12, 2, 5))
    chances = np.exp(table) / np.exp(table).sum(-1, keepdims=True)
    truth = language.next_token[:, None, :]
    ratio = np.log(np.where(truth > 0, truth, 1.0)) - np.log(chances)
    arrays = map(engine.asarray, (table, language.next_token, language.entropy))
    ours = engine.to_numpy(excess_loss(engine, *arrays))
    np.testing.assert_allclose(ours, (truth * ratio).sum(-1), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ENGINES)
def test_the_gradient_of_the_population_loss_is_what_the_steps_follow_on_average(name):
    engine, language = select(name, precision="float64"), small_language()
    table = philox(0, "table").standard_normal((12, 1, 5))
    frequency, next_token, entropy = map(
        engine.asarray, (language.context_probability[:, None], language.next_token, language.entropy)
    )

    def loss(logits):
        return engine.xp.sum(frequency * excess_loss(engine, logits, next_token, entropy))

    gradient = engine.to_numpy(engine.value_and_grad(loss)(engine.asarray(table))[1])
    chances = np.exp(table) / np.exp(table).sum(-1, keepdims=True)
    expected = language.context_probability[:, None, None] * (chances - language.next_token[:, None, :])
    np.testing.assert_allclose(gradient, expected, atol=1e-14)
    offset = np.zeros_like(table)
    offset[2, 0, 3] = 1e-5
    ends = [engine.item(loss(engine.asarray(table + sign * offset))) for sign in (1, -1)]
    assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(expected[2, 0, 3], rel=1e-6)
