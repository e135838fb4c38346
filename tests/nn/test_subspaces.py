"""Subspaces: projections, energies and angles against NumPy's and SciPy's linear algebra."""

import numpy as np
import pytest
import scipy.linalg

from mem_core.engine import philox
from mem_core.nn.subspaces import captured_energy, principal_cosines, principal_rows, project_out, stretch


def orthonormal(count, width, seed=0):
    return np.linalg.qr(philox(seed, "rows").normal(size=(width, count)))[0].T


def activity(width=7, seed=0):
    """Draw an activity with a mean, of shape (T, B, n)."""
    generator = philox(seed, "activity")
    return generator.normal(size=(3, 20, width)) * np.geomspace(1, 0.1, width) + generator.uniform(0, 1, width)


def test_what_is_projected_out_has_nothing_left_in_the_subspace(engine):
    rows = orthonormal(3, 7)
    left = engine.to_numpy(project_out(engine, engine.asarray(activity()), engine.asarray(rows)))
    np.testing.assert_allclose(left @ rows.T, 0, atol=1e-12)


def test_without_rows_the_activity_stays_bit_for_bit(engine):
    given = activity()
    left = project_out(engine, engine.asarray(given), engine.asarray(np.zeros((0, 7))))
    assert (engine.to_numpy(left) == given).all()


def test_captured_energy_is_that_of_the_projection(engine):
    rows, given = orthonormal(3, 7), activity()
    found = captured_energy(engine, engine.asarray(given), engine.asarray(rows))
    assert found == pytest.approx(((given @ rows.T) ** 2).sum() / (given**2).sum())
    assert captured_energy(engine, engine.asarray(given), engine.asarray(np.eye(7))) == pytest.approx(1)
    assert captured_energy(engine, engine.asarray(given), engine.asarray(np.zeros((0, 7)))) == 0
    assert captured_energy(engine, engine.asarray(0 * given), engine.asarray(rows)) == 1


def test_principal_rows_are_the_leading_eigenvectors_without_centring(engine):
    given = activity()
    flat = given.reshape(-1, 7)
    expected = np.linalg.eigh(flat.T @ flat)[1][:, ::-1][:, :3]
    rows = engine.to_numpy(principal_rows(engine, engine.asarray(given), 3, engine.asarray(np.zeros((0, 7)))))
    np.testing.assert_allclose(rows.T @ rows, expected @ expected.T, atol=1e-9)
    np.testing.assert_allclose(np.abs(np.diag(rows @ expected)), 1, rtol=1e-9)  # strongest first


def test_principal_rows_beside_others_are_orthogonal_to_them_and_capture_most_of_the_rest(engine):
    covered, given = orthonormal(2, 7), activity()
    rows = engine.to_numpy(principal_rows(engine, engine.asarray(given), 2, engine.asarray(covered)))
    np.testing.assert_allclose(rows @ covered.T, 0, atol=1e-9)
    left = given.reshape(-1, 7) @ (np.eye(7) - covered.T @ covered)
    values = np.linalg.svd(left, compute_uv=False)
    assert ((left @ rows.T) ** 2).sum() == pytest.approx((values[:2] ** 2).sum())


def test_directions_without_energy_become_zero_rows(engine):
    given = activity()
    given[..., 4:] = 0
    rows = engine.to_numpy(principal_rows(engine, engine.asarray(given), 6, engine.asarray(np.zeros((0, 7)))))
    assert not rows[4:].any()
    np.testing.assert_allclose(rows[:4] @ rows[:4].T, np.eye(4), atol=1e-9)


@pytest.mark.parametrize("count", [-1, 8])
def test_more_rows_than_inputs_are_refused(engine, count):
    with pytest.raises(ValueError, match=f"7 inputs, got {count}"):
        principal_rows(engine, engine.asarray(activity()), count, engine.asarray(np.zeros((0, 7))))


def test_principal_cosines_are_scipys(engine):
    first, second = philox(1, "first").normal(size=(3, 8)), philox(1, "second").normal(size=(3, 8))
    found = engine.to_numpy(principal_cosines(engine, engine.asarray(first), engine.asarray(second)))
    np.testing.assert_allclose(found[::-1], np.cos(scipy.linalg.subspace_angles(first.T, second.T)), atol=1e-9)
    mixed = philox(1, "mixture").normal(size=(3, 3)) @ first
    same = engine.to_numpy(principal_cosines(engine, engine.asarray(first), engine.asarray(mixed)))
    np.testing.assert_allclose(same, 1, atol=1e-9)


def test_a_missing_direction_has_a_cosine_of_zero(engine):
    rows = orthonormal(3, 8)
    missing = rows * [[1], [1], [0]]
    found = engine.to_numpy(principal_cosines(engine, engine.asarray(rows), engine.asarray(missing)))
    np.testing.assert_allclose(found, [1, 1, 0], atol=1e-9)


def test_stretch_is_the_spectral_norm(engine):
    rows = philox(0, "rows").normal(size=(3, 7))
    assert stretch(engine, engine.asarray(rows)) == pytest.approx(np.linalg.norm(rows, 2))
    assert stretch(engine, engine.asarray(np.zeros((0, 7)))) == 0
