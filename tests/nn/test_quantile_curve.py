"""Stretching a curve against PyTorch's linear interpolation."""

import numpy as np
import pytest
import torch

from mem_core.engine import philox, select
from mem_core.nn.quantile_curve import stretch


@pytest.mark.parametrize(
    ("length", "size"), [(1, 1), (1, 7), (2, 5), (32, 33), (32, 256), (31, 100), (7, 7), (64, 10), (100, 1)]
)
def test_agrees_with_interpolate_of_torch(engine, length, size):
    values = philox(0, "curves").standard_normal((3, 4, length))
    found = engine.to_numpy(stretch(engine, engine.asarray(values), size))
    wanted = torch.nn.functional.interpolate(torch.tensor(values), size=size, mode="linear", align_corners=False)
    # The stated tolerance of the method is 1e-6; in float64 both compute the same line.
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-12)


def test_float32_agrees_to_a_millionth():
    # PyTorch rounds the coordinate to float32, an error of 2e-6 times the slope; sorted curves have small slopes.
    values = np.sort(philox(1, "curves").random((5, 32), dtype=np.float32))
    found = stretch(select("numpy"), values, 1000)
    wanted = torch.nn.functional.interpolate(
        torch.tensor(values)[None], size=1000, mode="linear", align_corners=False
    ).numpy()[0]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_constant_curve_stays_exactly_constant(engine):
    values = engine.xp.full((2, 32), 0.1)
    assert (engine.to_numpy(stretch(engine, values, 257)) == 0.1).all()


def test_sorted_values_stay_sorted_and_within_their_ends(engine):
    values = -np.sort(-philox(2, "curves").random((1, 32)))
    found = engine.to_numpy(stretch(engine, engine.asarray(values), 300))[0]
    assert (np.diff(found) <= 0).all()
    assert found[0] == values[0, 0]
    assert found[-1] == values[0, -1]


def test_bad_input_is_named(engine):
    with pytest.raises(ValueError, match="values must hold"):
        stretch(engine, engine.xp.zeros((2, 0)), 4)
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        stretch(engine, engine.xp.zeros((2, 3)), 0)
