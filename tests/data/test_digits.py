import sys

import numpy as np
import pytest

from mem_core.data import digits


@pytest.fixture(scope="module")
def loaded():
    pytest.importorskip("sklearn")
    return digits.load()


def test_there_are_1797_pictures_of_all_ten_digits(loaded):
    assert loaded.images.shape == (1797, 8, 8)
    assert (loaded.images.min(), loaded.images.max()) == (0.0, 1.0)
    assert np.bincount(loaded.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_they_come_in_one_fixed_shuffled_order(loaded):
    from sklearn.datasets import load_digits

    source = load_digits()
    order = np.random.default_rng(0).permutation(1797)
    np.testing.assert_array_equal(loaded.labels, source.target[order])
    np.testing.assert_array_equal(loaded.images.reshape(1797, 64) * 16, source.data[order])


def test_they_cannot_be_changed_by_accident(loaded):
    with pytest.raises(ValueError, match="read-only"):
        loaded.images[0] = 0


def test_some_digits_can_be_picked_and_keep_their_order(loaded):
    picked = loaded.of({3, 8})
    assert set(picked.labels.tolist()) == {3, 8}
    np.testing.assert_array_equal(picked.labels, [label for label in loaded.labels if label in (3, 8)])


def test_a_split_has_every_picture_once(loaded):
    first, rest = loaded.split(1297)
    assert (len(first), len(rest)) == (1297, 500)
    np.testing.assert_array_equal(np.concatenate([first.images, rest.images]), loaded.images)


@pytest.mark.parametrize("count", [0, 2, -1])
def test_a_split_with_an_empty_part_is_refused(count):
    with pytest.raises(ValueError, match="count must be from 1 to 1"):
        digits.Digits(np.zeros((2, 8, 8)), np.zeros(2, dtype=int)).split(count)


def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(digits.DigitsMissingError, match="pip install scikit-learn"):
        digits.load.__wrapped__()
