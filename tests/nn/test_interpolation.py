import numpy as np
import pytest

from mem_core.engine import select
from mem_core.nn.interpolation import loss_along_line, points_between

ENGINES = ("numpy", "torch")


def tree(engine, seed):
    numbers = np.random.default_rng(seed)
    return {"weights": engine.asarray(numbers.normal(size=(3, 2))), "bias": [engine.asarray(numbers.normal(size=2))]}


@pytest.mark.parametrize("name", ENGINES)
def test_the_line_starts_at_one_set_of_parameters_and_ends_at_the_other(name):
    engine = select(name, precision="float64")
    start, end = tree(engine, 0), tree(engine, 1)
    points = points_between(engine, start, end, [0, 0.25, 1])
    assert tuple(points["weights"].shape) == (3, 3, 2)
    for index, share in ((0, 0.0), (1, 0.25), (2, 1.0)):
        expected = (1 - share) * engine.to_numpy(start["bias"][0]) + share * engine.to_numpy(end["bias"][0])
        np.testing.assert_allclose(engine.to_numpy(points["bias"][0][index]), expected, rtol=1e-14)


@pytest.mark.parametrize("name", ENGINES)
def test_a_quadratic_loss_is_a_parabola_along_the_line(name):
    engine = select(name, precision="float64")

    def loss(parameters):
        return engine.xp.sum(parameters["weights"] ** 2) + engine.xp.sum(parameters["bias"][0] ** 2)

    shares = np.linspace(-0.5, 1.5, 9)
    found = engine.to_numpy(loss_along_line(engine, engine.vmap(loss), tree(engine, 0), tree(engine, 1), shares))
    parabola = np.polynomial.Polynomial.fit(shares, found, 2)
    np.testing.assert_allclose(parabola(shares), found, rtol=1e-10)
