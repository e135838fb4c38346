import numpy as np
import pytest

from mem_core.engine import map_tree, philox, select
from mem_core.nn import relu_mlp
from mem_core.nn.fisher_information import fisher_diagonal, squared_batch_gradients

ENGINES = ("numpy", "torch")


@pytest.fixture(params=ENGINES)
def engine(request):
    return select(request.param, precision="float64")


def problem(engine, examples=23):
    """A small network with random labels: weights, a loss of one example, one of a batch, and the examples."""
    generator = np.random.default_rng(5)
    params = relu_mlp.initial(engine, [philox(0, "weights")], (4, 6, 3))
    x = engine.asarray(generator.standard_normal((examples, 4)))
    y = engine.asarray(np.eye(3)[generator.integers(3, size=examples)])

    def batch_loss(params, x, y):
        logits = relu_mlp.forward(engine, params, x[None])[-1]
        return relu_mlp.cross_entropy(engine, logits, y[None])[0][0]

    return params, lambda params, x, y: batch_loss(params, x[None], y[None]), batch_loss, (x, y)


def flat(engine, tree):
    return np.concatenate([engine.to_numpy(leaf).ravel() for layer in tree for leaf in layer.values()])


def by_loop(engine, params, loss, examples):
    """Square the gradient of one example after another."""
    gradient = engine.value_and_grad(loss)
    squares = [flat(engine, gradient(params, x, y)[1]) ** 2 for x, y in zip(*examples, strict=True)]
    return np.mean(squares, axis=0)


@pytest.mark.parametrize("at_once", [1, 7, 23, 256])
def test_it_is_the_mean_of_the_squared_gradients_of_single_examples(engine, at_once):
    params, loss, _, examples = problem(engine)
    found = fisher_diagonal(engine, loss, params, examples, examples_at_once=at_once)
    np.testing.assert_allclose(flat(engine, found), by_loop(engine, params, loss, examples), rtol=1e-12, atol=1e-15)


def test_it_agrees_with_the_identity_for_dense_layers(engine):
    params, loss, _, (x, y) = problem(engine)
    activations = relu_mlp.forward(engine, params, x[None])
    errors = relu_mlp.cross_entropy(engine, activations[-1], y[None])[1] * len(x)
    identity = relu_mlp.squared_gradients(engine, params, activations, errors)
    found = fisher_diagonal(engine, loss, params, (x, y))
    np.testing.assert_allclose(flat(engine, found), flat(engine, identity), rtol=1e-12, atol=1e-15)


def test_of_a_linear_softmax_model_it_has_a_closed_form(engine):
    generator = np.random.default_rng(1)
    weights, x = generator.standard_normal((5, 3)), generator.standard_normal((40, 5))
    y = np.eye(3)[generator.integers(3, size=40)]
    exponentials = np.exp(x @ weights)
    wrong = exponentials / exponentials.sum(axis=1, keepdims=True) - y

    def loss(weights, x, y):
        logits = x @ weights
        return engine.xp.log(engine.xp.sum(engine.xp.exp(logits))) - engine.xp.sum(y * logits)

    found = fisher_diagonal(engine, loss, engine.asarray(weights), (engine.asarray(x), engine.asarray(y)))
    np.testing.assert_allclose(engine.to_numpy(found), (x**2).T @ wrong**2 / 40, rtol=1e-12)


def test_batches_of_one_are_single_examples_and_larger_ones_are_not(engine):
    params, loss, batch_loss, examples = problem(engine)

    def gradient(x, y):
        return engine.value_and_grad(batch_loss)(params, x, y)[1]

    one, four = (flat(engine, squared_batch_gradients(gradient, examples, size)) for size in (1, 4))
    np.testing.assert_allclose(one, by_loop(engine, params, loss, examples), rtol=1e-12, atol=1e-15)
    assert four.sum() < 0.6 * one.sum()  # gradients of a batch partly cancel


def test_the_last_batch_may_be_smaller_and_counts_as_much_as_the_others():
    examples = (np.arange(5.0)[:, None],)
    found = squared_batch_gradients(lambda part: part.mean(axis=0), examples, 2)
    np.testing.assert_allclose(found, [(0.5**2 + 2.5**2 + 4.0**2) / 3])


def test_bad_input_is_refused_by_name(engine):
    params, loss, _, (x, y) = problem(engine)
    with pytest.raises(ValueError, match="examples must be arrays of one length"):
        fisher_diagonal(engine, loss, params, (x[:0], y[:0]))
    with pytest.raises(ValueError, match=r"got lengths \[3, 23\]"):
        fisher_diagonal(engine, loss, params, (x, y[:3]))
    with pytest.raises(ValueError, match="examples_at_once must be 1 or more, got 0"):
        fisher_diagonal(engine, loss, params, (x, y), examples_at_once=0)
    with pytest.raises(ValueError, match="batch_size must be 1 or more, got 0"):
        squared_batch_gradients(lambda x, y: map_tree(lambda leaf: leaf, params), (x, y), 0)
