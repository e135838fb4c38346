import numpy as np
import pytest

from mem_core.engine import philox, select
from mem_core.training.tree_arithmetic import inner_products, norms, weighted_sum

ENGINES = ("numpy", "torch")


@pytest.fixture(params=ENGINES)
def engine(request):
    return select(request.param, precision="float64")


def trees(engine, count):
    """Return trees of two networks, and each as rows of one long vector a network."""
    drawn = [
        {"a": philox(number, "a").normal(size=(2, 3, 4)), "b": [philox(number, "b").normal(size=(2, 5))]}
        for number in range(count)
    ]
    flat = [np.concatenate([tree["a"].reshape(2, -1), tree["b"][0]], axis=1) for tree in drawn]
    return [{"a": engine.asarray(tree["a"]), "b": [engine.asarray(tree["b"][0])]} for tree in drawn], flat


def test_products_and_lengths_are_those_of_one_long_vector(engine):
    (one, other), (first, second) = trees(engine, 2)
    found = engine.to_numpy(inner_products(engine, one, other))
    np.testing.assert_allclose(found, (first * second).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(norms(engine, one)), np.linalg.norm(first, axis=1), rtol=1e-12)


def test_weights_are_numbers_or_one_for_each_network(engine):
    both, (first, second) = trees(engine, 2)
    found = weighted_sum(both, [0.5, engine.asarray(np.array([2.0, -1.0]))])
    flat = np.concatenate([engine.to_numpy(found["a"]).reshape(2, -1), engine.to_numpy(found["b"][0])], axis=1)
    np.testing.assert_allclose(flat, 0.5 * first + np.array([[2.0], [-1.0]]) * second, rtol=1e-12)


def test_a_weight_of_one_changes_nothing(engine):
    (tree,), _ = trees(engine, 1)
    np.testing.assert_array_equal(engine.to_numpy(weighted_sum([tree], [1.0])["a"]), engine.to_numpy(tree["a"]))


@pytest.mark.parametrize("weights", [[1.0], [1.0, 2.0, 3.0]])
def test_every_tree_needs_its_weight(weights):
    both, _ = trees(select("numpy"), 2)
    with pytest.raises(ValueError, match="zip"):
        weighted_sum(both, weights)
