"""DBSCAN against scikit-learn, its border cases, and the largest cluster."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from mem_core.engine import Engine
from mem_core.nn.density_clustering import NOISE, dbscan, largest_cluster


def cosine_distances(points: np.ndarray) -> np.ndarray:
    unit = points / np.linalg.norm(points, axis=-1, keepdims=True)
    return 1 - unit @ np.swapaxes(unit, -1, -2)


def clumps(seed: int, count: int) -> np.ndarray:
    """Points around a few directions, and some anywhere."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((3, 6))
    return centres[rng.integers(3, size=count)] * rng.random((count, 1)) * 3 + 0.6 * rng.standard_normal((count, 6))


@pytest.mark.parametrize("count", [1, 2, 5, 11, 63, 100])
@pytest.mark.parametrize("min_samples", [1, 2, 3, 5])
@pytest.mark.parametrize("eps", [0.05, 0.2, 0.5])
def test_labels_are_those_of_scikit_learn(engine: Engine, count: int, min_samples: int, eps: float) -> None:
    for seed in range(6):
        points = clumps(seed, count)
        distances = cosine_distances(points)
        off_diagonal = distances[~np.eye(count, dtype=bool)]
        assert count == 1 or np.abs(off_diagonal - eps).min() > 1e-9  # no point on the border
        ours = engine.to_numpy(dbscan(engine, engine.asarray(distances), eps, min_samples))
        theirs = DBSCAN(eps=eps, min_samples=min_samples, metric="cosine").fit(points).labels_
        assert ours.tolist() == theirs.tolist()


def test_many_sets_at_once_are_each_clustered_alone(engine: Engine) -> None:
    distances = np.stack([cosine_distances(clumps(seed, 7)) for seed in range(12)]).reshape(3, 4, 7, 7)
    together = engine.to_numpy(dbscan(engine, engine.asarray(distances), 0.3))
    for place in np.ndindex(3, 4):
        alone = engine.to_numpy(dbscan(engine, engine.asarray(distances[place]), 0.3))
        assert together[place].tolist() == alone.tolist()


def test_places_without_a_point_are_noise_and_connect_nobody(engine: Engine) -> None:
    points = clumps(3, 9)
    present = np.array([True, True, False, True, True, False, True, True, False])
    labels = engine.to_numpy(
        dbscan(engine, engine.asarray(cosine_distances(points)), 0.3, present=engine.asarray(present))
    )
    assert (labels[~present] == NOISE).all()
    theirs = DBSCAN(eps=0.3, min_samples=2, metric="cosine").fit(points[present]).labels_
    assert labels[present].tolist() == theirs.tolist()


def test_min_samples_counts_the_point_itself(engine: Engine) -> None:
    apart = engine.asarray(np.array([[0.0, 0.1, 0.9], [0.1, 0.0, 0.9], [0.9, 0.9, 0.0]]))
    assert engine.to_numpy(dbscan(engine, apart, 0.5, 2)).tolist() == [0, 0, NOISE]
    assert engine.to_numpy(dbscan(engine, apart, 0.5, 1)).tolist() == [0, 0, 1]
    assert engine.to_numpy(dbscan(engine, apart, 0.5, 3)).tolist() == [NOISE] * 3


def test_a_distance_of_exactly_eps_counts(engine: Engine) -> None:
    pair = engine.asarray(np.array([[0.0, 0.5], [0.5, 0.0]]))
    assert engine.to_numpy(dbscan(engine, pair, 0.5)).tolist() == [0, 0]


def test_a_long_chain_is_one_cluster(engine: Engine) -> None:
    place = np.arange(65.0)
    distances = np.abs(place[:, None] - place)
    assert engine.to_numpy(dbscan(engine, engine.asarray(distances), 1.0)).tolist() == [0] * 65


def test_the_largest_cluster_wins_and_of_equal_ones_the_first(engine: Engine) -> None:
    def kept(*labels: int) -> list[bool]:
        return engine.to_numpy(largest_cluster(engine, engine.asarray(np.array(labels)))).tolist()

    assert kept(0, 1, 1, NOISE, 1) == [False, True, True, False, True]
    assert kept(1, 0, 0, 1, NOISE) == [True, False, False, True, False]
    assert kept(NOISE, NOISE, NOISE) == [False] * 3
    assert kept(0, 0, NOISE, NOISE, NOISE) == [True, True, False, False, False]


@pytest.mark.parametrize(("eps", "min_samples", "words"), [(0, 2, "eps"), (-1, 2, "eps"), (0.5, 0, "min_samples")])
def test_neighbourhoods_without_meaning_are_refused(engine: Engine, eps: float, min_samples: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dbscan(engine, engine.asarray(np.zeros((2, 2))), eps, min_samples)
