import math

import numpy as np
import pytest

from mem_core.engine import select
from mem_core.nn.bigram_table import excess_loss
from mem_core.nn.curvature import hessian, hessian_eigenvalues

ENGINES = ("numpy", "torch")
FREQUENCY = 0.07


def row_loss(engine, truth):
    """Return the loss of one context that comes up with FREQUENCY, as a function of its logits."""
    truth = np.asarray(truth)
    entropy = -sum(chance * math.log(chance) for chance in truth if chance > 0)
    next_token, least = engine.asarray(truth[None]), engine.asarray(np.array([entropy]))

    def loss(logits):
        return engine.xp.sum(FREQUENCY * excess_loss(engine, logits[None, None, :], next_token, least))

    return loss


@pytest.mark.parametrize("name", ENGINES)
def test_an_open_context_is_a_hill_of_frequency_over_vocabulary(name):
    engine = select(name, precision="float64")
    found = hessian_eigenvalues(engine, row_loss(engine, [0.125] * 8), engine.asarray(np.zeros(8)))
    np.testing.assert_allclose(found, [0.0] + [FREQUENCY / 8] * 7, atol=1e-9)


@pytest.mark.parametrize("name", ENGINES)
def test_a_learned_fact_is_flat(name):
    engine = select(name, precision="float64")
    logits = np.zeros(8)
    logits[3] = 20.0
    found = hessian_eigenvalues(engine, row_loss(engine, np.eye(8)[3]), engine.asarray(logits))
    assert np.abs(found).max() < 1e-8


@pytest.mark.parametrize("name", ENGINES)
def test_the_hessian_of_a_context_is_its_frequency_times_the_covariance_of_the_model(name):
    engine = select(name, precision="float64")
    logits = np.random.default_rng(0).normal(size=6)
    chances = np.exp(logits) / np.exp(logits).sum()
    found = hessian(engine, row_loss(engine, [0.5, 0.5, 0, 0, 0, 0]), engine.asarray(logits))
    np.testing.assert_allclose(found, FREQUENCY * (np.diag(chances) - np.outer(chances, chances)), atol=1e-9)


@pytest.mark.parametrize("name", ENGINES)
def test_parameters_may_be_a_tree(name):
    engine = select(name, precision="float64")

    def loss(parameters):
        return 2 * parameters["a"][0, 0] ** 2 + 3 * parameters["a"][0, 1] * parameters["b"]

    point = {"a": engine.asarray(np.array([[1.0, 2.0]])), "b": engine.asarray(np.array(3.0))}
    found = hessian(engine, loss, point)
    np.testing.assert_allclose(found, [[4, 0, 0], [0, 0, 3], [0, 3, 0]], atol=1e-8)


def test_a_step_that_is_not_positive_is_refused():
    engine = select("numpy", precision="float64")
    with pytest.raises(ValueError, match="step"):
        hessian(engine, lambda x: engine.xp.sum(x**2), engine.asarray(np.zeros(2)), step=0.0)
