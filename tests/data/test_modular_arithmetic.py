"""Modular addition: labels, splits without leaks, and refusals."""

import numpy as np
import pytest

from mem_core.data.modular_arithmetic import all_pairs, split, stacked, training_count
from mem_core.engine import philox


@pytest.mark.parametrize("modulus", [3, 6, 23], ids=lambda modulus: f"M={modulus}")
def test_all_pairs_hold_every_pair_once_with_its_sum(modulus):
    pairs = all_pairs(modulus)
    assert len(set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))) == modulus**2 == pairs.count
    for a, b, label in zip(pairs.first, pairs.second, pairs.labels, strict=True):
        assert label == (a + b) % modulus
    assert np.all(np.bincount(pairs.labels) == modulus)


@pytest.mark.parametrize("share", [0.01, 0.4, 0.6, 0.99])
def test_a_split_leaks_nothing_and_loses_nothing(share):
    train, test = split(23, share, philox(3, "pairs"))
    assert train.count == training_count(23, share) == round(share * 529)
    assert train.count + test.count == 529
    assert not np.any(train.present & test.present)
    assert np.all(train.present | test.present)


def test_the_papers_split_has_its_2016_pairs():
    assert training_count(71, 0.4) == 2016


def test_one_seed_gives_one_split_and_another_gives_another():
    first, again, other = (split(17, 0.5, philox(seed, "pairs"))[0].present for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_stacked_splits_keep_their_own_pairs():
    splits = [split(11, 0.5, philox(seed, "pairs"))[0] for seed in range(3)]
    together = stacked(splits)
    assert together.first.shape == (3, splits[0].count)
    for index, alone in enumerate(splits):
        assert np.array_equal(together.present[index], alone.present)
        assert np.array_equal(together.labels[index], alone.labels)


@pytest.mark.parametrize("modulus", [2, 0, -5, 3.0, True, "7"], ids=repr)
def test_a_modulus_that_is_no_whole_number_from_3_is_refused(modulus):
    with pytest.raises(ValueError, match=r"modulus is .* but it must be a whole number of at least 3"):
        split(modulus, 0.5, philox(0, "pairs"))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, 0.01, 0.99, float("nan")])
def test_a_share_that_leaves_no_training_or_no_test_pair_is_refused(share):
    with pytest.raises(ValueError, match="train_share is"):
        split(3, share, philox(0, "pairs"))
