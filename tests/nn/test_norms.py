"""Root-mean-square norms against PyTorch's own, and against their definition."""

import numpy as np
import torch

from mem_core.engine import philox
from mem_core.nn.norms import gated_rms_norm, rms_norm

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
