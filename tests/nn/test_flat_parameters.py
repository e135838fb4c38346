"""Parameters as one vector."""

import numpy as np

from mem_core.engine import leaves
from mem_core.nn.flat_parameters import flatten
from mem_core.training.optimizers import Adam


def _params(engine):
    return {
        "weight": engine.asarray(np.arange(6.0).reshape(2, 3)),
        "blocks": [{"bias": engine.asarray(np.array([7.0]))}, {"bias": engine.asarray(np.array([8.0, 9.0]))}],
    }


def test_the_vector_holds_all_numbers_and_the_tree_is_what_it_was(engine):
    params = _params(engine)
    vector, layout = flatten(engine, params)
    np.testing.assert_array_equal(engine.to_numpy(vector), [0, 1, 2, 3, 4, 5, 7, 8, 9])
    again = layout.tree(vector)
    assert list(again) == ["weight", "blocks"]
    for first, second in zip(leaves(params), leaves(again), strict=True):
        np.testing.assert_array_equal(engine.to_numpy(first), engine.to_numpy(second))


def test_gradients_flow_back_to_their_places(engine):
    vector, layout = flatten(engine, _params(engine))

    def loss(flat):
        params = layout.tree(flat)
        return engine.xp.sum(params["weight"] * params["weight"]) + 5.0 * engine.xp.sum(params["blocks"][1]["bias"])

    gradient = engine.to_numpy(engine.value_and_grad(loss)(vector)[1])
    np.testing.assert_allclose(gradient, [0, 2, 4, 6, 8, 10, 0, 5, 5])


def test_adam_on_the_vector_is_adam_on_the_tree(engine):
    params = _params(engine)
    vector, layout = flatten(engine, params)
    adam = Adam(learning_rate=0.1)
    flat, _ = adam.update(vector, vector + 1.0, adam.init(vector))
    gradient = layout.tree(vector + 1.0)
    whole, _ = adam.update(params, gradient, adam.init(params))
    for first, second in zip(leaves(layout.tree(flat)), leaves(whole), strict=True):
        np.testing.assert_allclose(engine.to_numpy(first), engine.to_numpy(second), rtol=1e-15)
