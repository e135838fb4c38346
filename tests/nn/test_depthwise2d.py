"""Depthwise convolution over a grid against SciPy, PyTorch and its own definition. Axes: batch, channels, length."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from mem_core.engine import philox, select
from mem_core.nn.depthwise2d import depthwise_conv3x3

SIDES = [1, 2, 3, 7, 8]
# Sums of at most nine products in float64.
TOLERANCE = 1e-12


def _drawn(side, batch=3, channels=4):
    generator = philox(side, "depthwise")
    return generator.standard_normal((batch, channels, side * side)), generator.standard_normal((channels, 3, 3))


def _convolved(engine, x, weight):
    return engine.to_numpy(depthwise_conv3x3(engine.asarray(x), engine.asarray(weight)))


def _gradients(engine, x, weight, by):
    def loss(given):
        return engine.xp.sum(depthwise_conv3x3(*given) * engine.asarray(by))

    found = engine.value_and_grad(loss)((engine.asarray(x), engine.asarray(weight)))[1]
    return [engine.to_numpy(gradient) for gradient in found]


@pytest.mark.parametrize("side", SIDES)
def test_agrees_with_scipys_correlation(engine, side):
    x, weight = _drawn(side)
    wanted = [
        [ndimage.correlate(grid.reshape(side, side), taps, mode="constant").reshape(-1) for grid, taps in pairs]
        for pairs in (zip(image, weight, strict=True) for image in x)
    ]
    np.testing.assert_allclose(_convolved(engine, x, weight), wanted, atol=TOLERANCE)


@pytest.mark.parametrize("side", SIDES)
def test_gradients_agree_with_those_of_torchs_own_convolution(side):
    x, weight = _drawn(side)
    by = philox(side, "gradient").standard_normal(x.shape)
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, weight)]
    grid = tensors[0].reshape(3, 4, side, side)
    found = torch.nn.functional.conv2d(grid, tensors[1][:, None], padding=1, groups=4).reshape(x.shape)
    wanted = torch.autograd.grad((found * torch.tensor(by)).sum(), tensors)
    for mine, theirs in zip(_gradients(select("numpy", "float64"), x, weight, by), wanted, strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), atol=TOLERANCE)


def test_a_single_one_in_the_middle_of_the_kernel_changes_nothing(engine):
    x, weight = _drawn(5)
    identity = np.zeros_like(weight)
    identity[:, 1, 1] = 1.0
    np.testing.assert_array_equal(_convolved(engine, x, identity), x)


def test_nothing_leaks_from_one_row_or_image_into_the_next(engine):
    x = np.zeros((2, 1, 16))
    x[0, 0, [3, 15]] = 1.0  # at the right border, and the last token of the first image
    y = _convolved(engine, x, np.ones((1, 3, 3)))
    np.testing.assert_array_equal(y[0, 0].reshape(4, 4), [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]])
    assert not y[1].any()


def test_arrays_that_are_views_are_convolved_alike(engine):
    x, weight = _drawn(4)
    turned = np.ascontiguousarray(x.transpose(2, 0, 1)).transpose(1, 2, 0)
    np.testing.assert_array_equal(_convolved(engine, turned, weight), _convolved(engine, x, weight))


@pytest.mark.parametrize("length", [0, 2, 60, 63])
def test_tokens_that_fill_no_square_are_refused(engine, length):
    with pytest.raises(ValueError, match=f"token count {length} is not a square grid"):
        depthwise_conv3x3(engine.xp.zeros((1, 2, length)), engine.xp.zeros((2, 3, 3)))


def test_weights_for_other_channels_are_refused(engine):
    with pytest.raises(ValueError, match=r"weight must have shape \(2, 3, 3\), got \(4, 3, 3\)"):
        depthwise_conv3x3(engine.xp.zeros((1, 2, 9)), engine.xp.zeros((4, 3, 3)))
