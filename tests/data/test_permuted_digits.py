"""Permuted digits: the first task as it is, every other with one fixed order of the pixels."""

import numpy as np
import pytest

from mem_core.data.digits import Digits
from mem_core.data.permuted_digits import permuted_digits
from mem_core.engine import philox


def some(count, seed):
    generator = philox(seed, "digits")
    return Digits(generator.random((count, 8, 8)), generator.integers(10, size=count))


TRAINING, TEST = some(12, 0), some(5, 1)


def tasks(count=3, seed=0):
    return permuted_digits(TRAINING, TEST, count, philox(seed, "orders"))


def test_the_first_task_is_the_digits_as_they_are():
    first = tasks()[0]
    np.testing.assert_array_equal(first.training.images, TRAINING.images)
    np.testing.assert_array_equal(first.test.images, TEST.images)


def test_later_tasks_have_the_same_pixels_in_one_order_for_training_and_test():
    for task in tasks()[1:]:
        order = [
            int(np.flatnonzero(TRAINING.images[0].ravel() == pixel)[0]) for pixel in task.training.images[0].ravel()
        ]
        assert sorted(order) == list(range(64))
        assert order != list(range(64))
        for digits, given in ((task.training, TRAINING), (task.test, TEST)):
            np.testing.assert_array_equal(digits.images.reshape(-1, 64), given.images.reshape(-1, 64)[:, order])
            np.testing.assert_array_equal(digits.labels, given.labels)
        assert task.classes == tuple(range(10))


def test_orders_differ_between_tasks_and_seeds_and_repeat_with_the_seed():
    first, again, other = tasks(), tasks(), tasks(seed=1)
    np.testing.assert_array_equal(first[2].training.images, again[2].training.images)
    assert (first[1].training.images != first[2].training.images).any()
    assert (first[1].training.images != other[1].training.images).any()


def test_more_tasks_leave_the_earlier_ones_as_they_are():
    for few, many in zip(tasks(2), tasks(5), strict=False):
        np.testing.assert_array_equal(few.test.images, many.test.images)


def test_no_task_is_refused():
    with pytest.raises(ValueError, match="tasks must be 1 or more, got 0"):
        tasks(0)
