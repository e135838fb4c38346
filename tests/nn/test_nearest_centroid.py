"""Nearest centroids over layers: closed forms, scikit-learn's rule, invariances, and both engines."""

import numpy as np
import pytest

from mem_core.engine import philox, select
from mem_core.nn.nearest_centroid import (
    centroids,
    layer_curve,
    layer_distance,
    layer_distances,
    means_of_subsets,
    separation,
    verify,
)


def drawn(traces=63, layers=3, units=5, seed=0):
    """Draw two overlapping clouds and their labels."""
    generator = philox(seed, "clouds")
    labels = generator.random(traces) < 0.4
    shift = generator.normal(size=(layers, units))
    return generator.normal(size=(traces, layers, units)) + 0.7 * labels[:, None, None] * shift, labels


def judged(engine, deltas, labels, asked):
    """Learn from some traces and judge others, all NumPy."""
    means = centroids(engine, engine.asarray(deltas), engine.asarray(labels))
    return engine.to_numpy(verify(engine, engine.asarray(asked), *means))


def by_hand(first, second):
    return np.mean([np.linalg.norm(a - b) for a, b in zip(first, second, strict=True)])


def test_a_centroid_is_the_mean_of_its_class(engine):
    deltas, labels = drawn()
    found = centroids(engine, engine.asarray(deltas), engine.asarray(labels))
    np.testing.assert_allclose(engine.to_numpy(found[0]), deltas[labels].mean(0), atol=1e-14)
    np.testing.assert_allclose(engine.to_numpy(found[1]), deltas[~labels].mean(0), atol=1e-14)


def test_the_distance_is_a_metric(engine):
    deltas, _ = drawn(30)
    table = np.array(
        [engine.to_numpy(layer_distance(engine, engine.asarray(deltas), one)) for one in map(engine.asarray, deltas)]
    )
    assert (table >= 0).all()
    assert (np.diag(table) == 0).all()
    np.testing.assert_allclose(table, table.T, atol=1e-14)
    through = table[:, :, None] + table[None]  # from a to b and on to c
    assert (table[:, None, :] <= through + 1e-12).all()
    assert table[3, 7] == pytest.approx(by_hand(deltas[3], deltas[7]))


def test_with_one_layer_it_is_euclidean_and_with_more_it_is_not_frobenius(engine):
    deltas, _ = drawn(layers=1)
    found = engine.to_numpy(layer_distance(engine, engine.asarray(deltas), engine.asarray(deltas[0])))
    np.testing.assert_allclose(found, np.linalg.norm(deltas[:, 0] - deltas[0, 0], axis=-1), atol=1e-14)
    two = np.array([[[3.0, 0.0], [0.0, 1.0]]])
    apart = engine.item(layer_distance(engine, engine.asarray(two), engine.asarray(np.zeros((2, 2)))))
    assert apart == pytest.approx(2)  # (3 + 1)/2; Frobenius would give the root of 10, its mean square the root of 5


def test_scaling_one_layer_scales_its_term_only(engine):
    deltas, _ = drawn()
    scaled = deltas.copy()
    scaled[:, 1] *= 3
    before, after = (
        engine.to_numpy(layer_distance(engine, engine.asarray(each), engine.asarray(each[0])))
        for each in (deltas, scaled)
    )
    term = np.linalg.norm(deltas[:, 1] - deltas[0, 1], axis=-1) / 3
    np.testing.assert_allclose(after - before, 2 * term, atol=1e-13)


@pytest.mark.parametrize("traces", [1, 63, 100])
def test_many_centroids_at_once_give_the_same_distances(engine, traces):
    deltas, _ = drawn(traces)
    many = drawn(7, seed=1)[0] + 5.0
    found = engine.to_numpy(layer_distances(engine, engine.asarray(deltas + 5.0), engine.asarray(many)))
    expected = [[by_hand(trace + 5.0, centre) for centre in many] for trace in deltas]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_in_float32_many_at_once_agree_with_one_at_a_time_even_far_from_zero():
    engine = select("numpy")
    deltas, many = (engine.asarray(drawn(50, seed=seed)[0] + 100.0) for seed in (0, 1))
    found = layer_distances(engine, deltas, many)
    expected = np.stack([layer_distance(engine, deltas, one) for one in many], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_with_one_layer_the_rule_is_a_linear_one(engine):
    deltas, labels = drawn(layers=1)
    asked = drawn(400, layers=1, seed=1)[0]
    success, failure = deltas[labels].mean(0)[0], deltas[~labels].mean(0)[0]
    expected = (asked[:, 0] - (success + failure) / 2) @ (success - failure) > 0
    assert (judged(engine, deltas, labels, asked) == expected).all()
    assert 0 < expected.sum() < len(asked)


def test_with_one_layer_the_rule_is_scikit_learns(engine):
    neighbors = pytest.importorskip("sklearn.neighbors")
    deltas, labels = drawn(layers=1)
    asked = drawn(400, layers=1, seed=1)[0]
    expected = neighbors.NearestCentroid().fit(deltas[:, 0], labels.astype(int)).predict(asked[:, 0])
    assert (judged(engine, deltas, labels, asked) == expected).all()


def test_neither_a_shift_nor_a_turn_of_every_layer_changes_a_verdict(engine):
    deltas, labels = drawn()
    asked = drawn(400, seed=1)[0]
    expected = judged(engine, deltas, labels, asked)
    generator = philox(0, "moves")
    shift = generator.normal(size=(3, 5))
    turns = np.stack([np.linalg.qr(generator.normal(size=(5, 5)))[0] for _ in range(3)])
    assert (judged(engine, deltas + shift, labels, asked + shift) == expected).all()
    turned = [np.einsum("nld,lde->nle", each, turns) for each in (deltas, asked)]
    assert (judged(engine, turned[0], labels, turned[1]) == expected).all()
    assert 0 < expected.sum() < len(asked)


def test_having_seen_everything_twice_changes_nothing_and_swapped_labels_turn_every_verdict(engine):
    deltas, labels = drawn()
    asked = drawn(400, seed=1)[0]
    expected = judged(engine, deltas, labels, asked)
    assert (judged(engine, np.concatenate([deltas] * 2), np.concatenate([labels] * 2), asked) == expected).all()
    assert (judged(engine, deltas, ~labels, asked) == 1 - expected).all()


def test_of_two_traces_each_is_what_it_was_and_a_tie_is_a_failure(engine):
    deltas = drawn(2)[0]
    assert judged(engine, deltas, np.array([True, False]), deltas).tolist() == [1, 0]
    mirrored = np.stack([deltas[0], -deltas[0]])
    nothing = np.zeros((1, 3, 5))  # as far from the one as from the other
    assert judged(engine, mirrored, np.array([True, False]), nothing).tolist() == [0]


def test_the_curve_is_the_distance_of_the_means_layer_by_layer(engine):
    first, second = drawn(2)[0]
    found = engine.to_numpy(layer_curve(engine, engine.asarray(first), engine.asarray(second)))
    np.testing.assert_allclose(found, np.linalg.norm(first - second, axis=-1))
    assert found.mean() == pytest.approx(by_hand(first, second))


def test_separation_has_no_scale_and_is_the_distance_over_the_spread(engine):
    deltas, labels = drawn()
    factors = np.array([1.0, 10.0, 0.01])[:, None]
    first, scaled = (
        engine.to_numpy(
            separation(engine, moved, engine.asarray(labels), *centroids(engine, moved, engine.asarray(labels)))
        )
        for moved in map(engine.asarray, (deltas, deltas * factors))
    )
    np.testing.assert_allclose(first, scaled, rtol=1e-12)
    success = deltas[labels]
    spread = np.sqrt(((success - success.mean(0)) ** 2).sum(-1).mean(0))
    np.testing.assert_allclose(first, np.linalg.norm(success.mean(0) - deltas[~labels].mean(0), axis=-1) / spread)


def test_separation_without_spread_is_infinite_or_nothing(engine):
    deltas = np.stack([np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 3))])
    deltas[2, 1] = 0.0
    labels = engine.asarray(np.array([1, 1, 0]))
    moved = engine.asarray(deltas)
    assert engine.to_numpy(separation(engine, moved, labels, *centroids(engine, moved, labels))).tolist() == [0, np.inf]


def test_means_of_subsets_are_means(engine):
    deltas, _ = drawn()
    subsets = [np.array([0]), np.array([3, 5, 9]), np.arange(63)]
    found = engine.to_numpy(means_of_subsets(engine, engine.asarray(deltas), subsets))
    np.testing.assert_allclose(found, [deltas[subset].mean(0) for subset in subsets], atol=1e-13)
    with pytest.raises(ValueError, match="without traces"):
        means_of_subsets(engine, engine.asarray(deltas), [np.array([], dtype=int)])


@pytest.mark.parametrize("labels", [np.ones(4, dtype=bool), np.zeros(4, dtype=bool)])
def test_a_class_without_examples_is_named(engine, labels):
    with pytest.raises(ValueError, match="Each class needs an example"):
        centroids(engine, engine.asarray(np.zeros((4, 2, 3))), engine.asarray(labels))


def test_bad_input_is_named(engine):
    deltas, labels = (engine.asarray(each) for each in drawn())
    hole = drawn()[0]
    hole[5, 1, 2] = np.nan
    hole = engine.asarray(hole)
    with pytest.raises(ValueError, match="finite"):
        centroids(engine, hole, labels)
    with pytest.raises(ValueError, match="finite"):
        layer_distance(engine, hole, deltas[0])
    with pytest.raises(ValueError, match="centroid must hold finite"):
        layer_distance(engine, deltas, hole[5])
    with pytest.raises(ValueError, match="one entry for each"):
        centroids(engine, deltas, labels[:-1])
    with pytest.raises(ValueError, match=r"shape \(2, 5\) does not fit traces of \(3, 5\)"):
        layer_distance(engine, deltas, deltas[0, :2])
    with pytest.raises(ValueError, match="traces, layers, units"):
        layer_distance(engine, deltas[0], deltas[0])
