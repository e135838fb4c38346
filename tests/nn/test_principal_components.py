"""Principal components against scikit-learn's, closed forms and both engines."""

import numpy as np
import pytest

from mem_core.engine import philox, select
from mem_core.nn.principal_components import principal_components


def cloud(count=40, width=6, seed=0):
    generator = philox(seed, "cloud")
    return generator.normal(size=(count, width)) * np.geomspace(2, 0.1, width) + generator.uniform(-3, 3, width)


@pytest.mark.parametrize(("count", "width"), [(40, 6), (5, 9), (63, 17)])
def test_they_are_scikit_learns(engine, count, width):
    decomposition = pytest.importorskip("sklearn.decomposition")
    given = cloud(count, width)
    expected = decomposition.PCA(3, svd_solver="full").fit(given)
    found = principal_components(engine.xp, engine.asarray(given), 3)
    directions, coordinates = engine.to_numpy(found.directions), engine.to_numpy(found.coordinates)
    signs = np.sign(np.sum(directions * expected.components_, axis=1))
    np.testing.assert_allclose(directions, signs[:, None] * expected.components_, atol=1e-9)
    np.testing.assert_allclose(coordinates, signs * expected.transform(given), atol=1e-9)
    np.testing.assert_allclose(engine.to_numpy(found.explained), expected.explained_variance_ratio_, atol=1e-12)


def test_with_all_components_the_cloud_comes_back(engine):
    given = cloud()
    found = principal_components(engine.xp, engine.asarray(given), 6)
    back = engine.to_numpy(found.coordinates @ found.directions) + given.mean(0)
    np.testing.assert_allclose(back, given, atol=1e-10)
    assert float(found.explained.sum()) == pytest.approx(1)


def test_a_line_has_one_component(engine):
    line = np.outer(np.arange(5.0), [3.0, -4.0])
    found = principal_components(engine.xp, engine.asarray(line), 2)
    np.testing.assert_allclose(engine.to_numpy(found.directions)[0], [-0.6, 0.8], atol=1e-12)  # the largest is positive
    np.testing.assert_allclose(engine.to_numpy(found.coordinates)[:, 0], [10, 5, 0, -5, -10], atol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(found.explained), [1, 0], atol=1e-12)


def test_shifting_the_cloud_moves_nothing_and_turning_it_turns_the_directions(engine):
    given = cloud()
    turn = np.linalg.qr(philox(1, "turn").normal(size=(6, 6)))[0]
    first, shifted, turned = (
        principal_components(engine.xp, engine.asarray(each), 2) for each in (given, given + 7.0, given @ turn)
    )
    np.testing.assert_allclose(engine.to_numpy(shifted.coordinates), engine.to_numpy(first.coordinates), atol=1e-9)
    lengths = [np.linalg.norm(engine.to_numpy(each.coordinates), axis=0) for each in (first, turned)]
    np.testing.assert_allclose(*lengths, rtol=1e-9)


def test_points_that_are_all_the_same_explain_nothing(engine):
    found = principal_components(engine.xp, engine.asarray(np.ones((4, 3))), 2)
    assert engine.to_numpy(found.explained).tolist() == [0, 0]
    assert np.abs(engine.to_numpy(found.coordinates)).max() == 0


def test_float32_comes_back_as_float32():
    for kind in ("numpy", "torch"):
        engine = select(kind)
        found = principal_components(engine.xp, engine.asarray(cloud()), 2)
        assert all(part.dtype == engine.float_dtype for part in found)


@pytest.mark.parametrize(
    ("given", "count", "words"),
    [
        (np.zeros((4, 3)), 0, "count must be from 1 to 3"),
        (np.zeros((4, 3)), 4, "got 4"),
        (np.zeros((2, 3)), 3, "from 1 to 2"),
        (np.zeros(4), 1, "must be a matrix"),
        (np.full((4, 3), np.nan), 1, "finite"),
    ],
)
def test_bad_input_is_named(engine, given, count, words):
    with pytest.raises(ValueError, match=words):
        principal_components(engine.xp, engine.asarray(given), count)
