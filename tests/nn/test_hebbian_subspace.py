"""Hebbian subspaces: the principal subspace is found, what is finished stays, and bad input is named."""

import numpy as np
import pytest

from mem_core.engine import philox, select
from mem_core.nn.hebbian_subspace import LARGEST_CHANGE, HebbianSubspace


def subspace(engine, width=6, step=0.6, **changes):
    return HebbianSubspace(engine, width, step, generator=philox(0, "rows"), **changes)


def cloud(width=6, points=200, seed=0):
    """Draw points with a mean, whose energies along the axes of a turned frame differ."""
    generator = philox(seed, "cloud")
    turned = np.linalg.qr(generator.normal(size=(width, width)))[0]
    return (generator.normal(size=(points, width)) * np.geomspace(2, 0.3, width) + 0.5) @ turned


def rows(engine, found):
    return engine.to_numpy(found.H)


def leading(points, count):
    """Return the projector on the leading eigenvectors, not centred."""
    directions = np.linalg.eigh(points.T @ points)[1][:, ::-1][:, :count]
    return directions @ directions.T


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_small_step_finds_the_principal_subspace(engine, count):
    points, found = cloud(), subspace(engine, step=0.2)
    found.add(count)
    for _ in range(120):
        found.update(engine.asarray(points), 10)
    H = rows(engine, found)
    np.testing.assert_allclose(H.T @ H, leading(points, count), atol=1e-6)
    np.testing.assert_allclose(H @ H.T, np.eye(count), atol=1e-6)


def test_a_second_block_finds_the_directions_not_yet_covered(engine):
    points, found = cloud(), subspace(engine, step=0.2)
    for count in (1, 2):
        found.add(count)
        for _ in range(150):
            found.update(engine.asarray(points), 10)
        found.merge()
    H = rows(engine, found)
    np.testing.assert_allclose(H.T @ H, leading(points, 3), atol=1e-5)


def test_one_row_follows_ojas_rule(engine):
    points, found = cloud(points=5), subspace(engine, step=0.01, momentum=0.0, normalise=False)
    found.add(1)
    before = rows(engine, found)[0]
    found.update(engine.asarray(points), 1)
    answers = points @ before
    change = (answers[:, None] * points - answers[:, None] ** 2 * before).mean(axis=0)
    np.testing.assert_allclose(rows(engine, found)[0] - before, 0.01 * change, rtol=1e-9, atol=1e-12)


def test_momentum_is_a_running_mean_of_changes_from_zero(engine):
    points, found = cloud(points=5), subspace(engine, step=0.01, momentum=0.9, normalise=False)
    found.add(2)
    H, velocity = rows(engine, found), np.zeros((2, 6))
    for _ in range(3):
        answers = points @ H.T
        velocity = 0.9 * velocity + 0.1 * answers.T @ (points - answers @ H) / len(points)
        H = H + 0.01 * velocity
    found.update(engine.asarray(points), 3)
    np.testing.assert_allclose(rows(engine, found), H, rtol=1e-9)


def test_a_relative_step_does_not_depend_on_the_scale_of_the_activity(engine):
    ends = []
    for scale in (1.0, 0.01):
        found = subspace(engine, step=0.3)
        found.add(2)
        for batch in np.split(scale * cloud(), 10):
            found.update(engine.asarray(batch), 2)
        ends.append(rows(engine, found))
    np.testing.assert_allclose(*ends, rtol=1e-9)


def test_silence_changes_nothing(engine):
    quiet = subspace(engine)
    quiet.add(2)
    start = rows(engine, quiet)
    quiet.update(engine.asarray(np.zeros((4, 6))), 2)
    np.testing.assert_array_equal(rows(engine, quiet), start)


def test_orthonormal_rows_keep_their_lengths_and_angles_to_first_order(engine):
    found = subspace(engine, step=1e-4, momentum=0.0, normalise=False)
    found.add(3)
    before = rows(engine, found)
    found.update(engine.asarray(cloud()), 1)
    change = rows(engine, found) - before
    assert np.abs(change).max() > 1e-6
    np.testing.assert_allclose(change @ before.T, 0, atol=1e-15)


def test_new_rows_start_orthogonal_to_finished_ones_and_stay_so(engine):
    found = subspace(engine)
    found.add(2)
    found.merge()
    found.add(2)
    for _ in range(20):
        found.update(engine.asarray(cloud()), 5)
    H = rows(engine, found)
    np.testing.assert_allclose(H[:2] @ H[2:].T, 0, atol=1e-12)


def test_the_published_start_is_orthonormal_among_new_rows_alone(engine):
    found = subspace(engine)
    found.add(3)
    found.merge()
    found.add(3, orthogonal_to_existing=False)
    H = rows(engine, found)
    np.testing.assert_allclose(H[3:] @ H[3:].T, np.eye(3), atol=1e-12)
    assert np.linalg.norm(H, 2) > 1.1


def test_finished_rows_stay_bit_for_bit_and_alone_project(engine):
    points, found = engine.asarray(cloud()), subspace(engine)
    found.add(2)
    assert found.project_out(points) is points
    found.update(points)
    found.merge()
    finished = rows(engine, found)
    found.add(2)
    found.update(points)
    assert found.n_fixed == 2
    assert (rows(engine, found)[:2] == finished).all()
    expected = cloud() - cloud() @ finished.T @ finished
    np.testing.assert_allclose(engine.to_numpy(found.project_out(points)), expected, atol=1e-12)


def test_a_full_subspace_leaves_nothing(engine):
    found = subspace(engine)
    found.add(6)
    found.merge()
    np.testing.assert_allclose(engine.to_numpy(found.project_out(engine.asarray(cloud()))), 0, atol=1e-12)


def test_lateral_neurons_that_spike_say_whole_numbers_of_spikes(engine):
    found = subspace(engine, levels=40)
    found.add(2)
    found.merge()
    points = engine.asarray(3 * cloud())
    taken = engine.to_numpy(points - found.project_out(points)) @ rows(engine, found).T / 0.5
    np.testing.assert_allclose(taken, np.round(taken), atol=1e-9)
    assert np.abs(taken).max() <= 40
    exact = 3 * cloud() @ rows(engine, found).T
    inside = np.abs(exact) < 20
    assert np.abs(0.5 * taken - exact)[inside].max() <= 0.25 + 1e-9


def test_a_change_is_clipped(engine):
    found = subspace(engine, step=1.0, momentum=0.0, normalise=False)
    found.add(1)
    before = rows(engine, found)
    found.update(engine.asarray(1000 * cloud()), 1)
    assert np.abs(rows(engine, found) - before).max() == pytest.approx(LARGEST_CHANGE)


def test_nothing_to_learn_with_is_no_error(engine):
    found = subspace(engine)
    found.update(engine.asarray(cloud()))
    found.add(0)
    found.merge()
    assert found.H.shape == (0, 6)


def test_both_engines_find_the_same_rows():
    ends = []
    for name in ("numpy", "torch"):
        engine = select(name, precision="float64")
        found = subspace(engine)
        for count in (2, 2):
            found.add(count)
            for batch in np.split(cloud(), 10):
                found.update(engine.asarray(batch), 3)
            found.merge()
        ends.append(rows(engine, found))
    np.testing.assert_allclose(*ends, atol=1e-12)


def test_more_rows_than_inputs_do_not_fit(engine):
    found = subspace(engine, name="layer input")
    found.add(4)
    with pytest.raises(ValueError, match="subspace of layer input is full: 3 rows beside 4 do not fit into 6 inputs"):
        found.add(3)
    with pytest.raises(ValueError, match="full"):
        found.add(-1)


def test_an_activity_of_another_width_is_refused(engine):
    found = subspace(engine)
    for use in (found.update, found.project_out):
        with pytest.raises(ValueError, match="must have 6 inputs, got 5"):
            use(engine.asarray(np.ones((4, 5))))


def test_rows_that_are_no_numbers_name_the_layer_and_the_way_out(engine):
    found = subspace(engine, name="layer hidden 1")
    found.add(1)
    with pytest.raises(RuntimeError, match=r"diverged in layer hidden 1: take a smaller step than 0\.6"):
        found.update(engine.asarray(np.full((2, 6), np.nan)))


@pytest.mark.parametrize("changes", [{"width": 0}, {"step": 0.0}, {"momentum": 1.0}, {"momentum": -0.1}, {"levels": 0}])
def test_numbers_out_of_range_are_named(engine, changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        subspace(engine, **changes)
