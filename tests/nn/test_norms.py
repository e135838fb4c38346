"""Norms against PyTorch's own, and against their definition."""

import numpy as np
import pytest
import torch

from mem_core.engine import philox
from mem_core.nn.norms import gated_rms_norm, layer_norm, rms_norm

# The same few operations in float64.
TOLERANCE = 1e-12


def _numbers(*shape):
    return philox(0, "norms").standard_normal(shape)


def test_plain_norm_agrees_with_torch(engine):
    x, weight = _numbers(4, 7, 5), _numbers(5)
    found = engine.to_numpy(rms_norm(engine, engine.asarray(x), engine.asarray(weight)))
    wanted = torch.nn.functional.rms_norm(torch.tensor(x), (5,), torch.tensor(weight), eps=1e-5)
    np.testing.assert_allclose(found, wanted.numpy(), rtol=TOLERANCE, atol=TOLERANCE)


def test_rows_come_out_with_a_mean_square_of_one(engine):
    x = 1000 * _numbers(6, 16)
    found = engine.to_numpy(rms_norm(engine, engine.asarray(x), engine.xp.ones(16)))
    np.testing.assert_allclose((found**2).mean(axis=-1), 1.0, rtol=1e-6)


def test_a_row_of_zeros_stays_zero(engine):
    assert not engine.to_numpy(rms_norm(engine, engine.xp.zeros((2, 3)), engine.xp.ones(3))).any()


def test_gated_norm_gates_before_it_normalises(engine):
    x, z, weight = _numbers(3, 8), _numbers(2, 3, 8)[1], _numbers(8)
    found = engine.to_numpy(gated_rms_norm(engine, *map(engine.asarray, (x, z, weight))))
    gated = torch.tensor(x) * torch.nn.functional.silu(torch.tensor(z))
    wanted = torch.nn.functional.rms_norm(gated, (8,), torch.tensor(weight), eps=1e-5)
    np.testing.assert_allclose(found, wanted.numpy(), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("axis", [-1, 0, 1, 2])
def test_layer_norm_agrees_with_torch_along_any_axis(engine, axis):
    x, by = 3 + _numbers(4, 7, 5), _numbers(2, 4, 7, 5)[1]
    size = x.shape[axis]
    weight, bias = _numbers(size), _numbers(2, size)[1]
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, weight, bias)]
    moved = torch.nn.functional.layer_norm(tensors[0].movedim(axis, -1), (size,), *tensors[1:], eps=1e-5)
    wanted = moved.movedim(-1, axis)
    gradients = torch.autograd.grad((wanted * torch.tensor(by)).sum(), tensors)

    def loss(given):
        return engine.xp.sum(layer_norm(*given, axis=axis) * engine.asarray(by))

    given = tuple(map(engine.asarray, (x, weight, bias)))
    found = engine.to_numpy(layer_norm(*given, axis=axis))
    np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=TOLERANCE, atol=TOLERANCE)
    for mine, theirs in zip(engine.value_and_grad(loss)(given)[1], gradients, strict=True):
        np.testing.assert_allclose(engine.to_numpy(mine), theirs.numpy(), rtol=1e-10, atol=1e-10)


def test_layer_norm_gives_mean_zero_and_the_biased_variance_one(engine):
    x = engine.asarray(5 + 100 * _numbers(6, 16))
    found = engine.to_numpy(layer_norm(x, engine.xp.ones(16), engine.xp.zeros(16)))
    np.testing.assert_allclose(found.mean(axis=-1), 0.0, atol=1e-12)
    np.testing.assert_allclose(found.var(axis=-1), 1.0, rtol=1e-6)


def test_layer_norm_of_equal_numbers_is_the_bias(engine):
    found = layer_norm(engine.xp.ones((2, 3)), engine.xp.ones(3), engine.asarray(np.array([1.0, 2.0, 3.0])))
    np.testing.assert_allclose(engine.to_numpy(found), [[1, 2, 3]] * 2)
