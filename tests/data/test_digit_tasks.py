import numpy as np
import pytest
from scipy import ndimage

from mem_core.data.digit_tasks import inputs_and_targets, joined, pairs_of_digits, rotated, rotated_digits
from mem_core.data.digits import Digits
from mem_core.engine import philox


def drawn(count, stream="pictures"):
    generator = philox(0, stream)
    return Digits(generator.uniform(size=(count, 8, 8)), generator.integers(10, size=count))


@pytest.mark.parametrize("angle", [0, 10, 30, 45, 60, 90, 120, 160, -20, 400])
def test_pictures_are_turned_as_scipy_turns_them(angle):
    images = drawn(3).images
    expected = ndimage.rotate(images, angle, axes=(2, 1), reshape=False, order=1, mode="grid-constant")
    np.testing.assert_allclose(rotated(images, angle), expected, atol=1e-12)


def test_a_quarter_turn_moves_every_pixel_counter_clockwise():
    images = drawn(3).images
    np.testing.assert_allclose(rotated(images, 90), np.rot90(images, axes=(1, 2)), atol=1e-12)
    np.testing.assert_allclose(rotated(images, 0), images, atol=1e-15)


def test_pictures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="images must be square"):
        rotated(np.zeros((2, 8, 7)), 10)


def test_the_pairs_have_every_picture_once_and_only_their_own_classes():
    training, test = drawn(200), drawn(80, "test")
    tasks = pairs_of_digits(training, test)
    assert [task.classes for task in tasks] == [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
    for task in tasks:
        assert set(task.training.labels) | set(task.test.labels) == set(task.classes)
    assert sum(len(task.training) for task in tasks) == 200
    assert sum(len(task.test) for task in tasks) == 80


def test_the_rotations_have_all_pictures_and_all_classes():
    training, test = drawn(20), drawn(10, "test")
    first, second = rotated_digits(training, test, [0, 90])
    np.testing.assert_allclose(first.training.images, training.images, atol=1e-15)
    np.testing.assert_allclose(second.test.images, np.rot90(test.images, axes=(1, 2)), atol=1e-12)
    for task in (first, second):
        assert task.classes == tuple(range(10))
        np.testing.assert_array_equal(task.training.labels, training.labels)


def test_inputs_are_rows_of_pixels_and_targets_one_hot():
    pictures = joined([drawn(3), drawn(2, "more")])
    inputs, targets = inputs_and_targets(pictures)
    assert inputs.shape == (5, 64)
    np.testing.assert_array_equal(inputs[4].reshape(8, 8), drawn(2, "more").images[1])
    np.testing.assert_array_equal(targets.argmax(axis=1), pictures.labels)
    np.testing.assert_array_equal(targets.sum(axis=1), 1)
