"""Batch normalisation against torch.nn.BatchNorm1d: outputs, gradients, running statistics."""

import numpy as np
import pytest
import torch

from mem_core.engine import philox
from mem_core.nn.batch_norm import initial_statistics, standardise, standardise_batch, standardise_gradient

COUNT, CHANNELS = 9, 4


def _batch(number):
    return 3.0 + 2.0 * philox(0, "batch", number).normal(size=(COUNT, CHANNELS))


def test_outputs_gradients_and_running_statistics_equal_torchs(engine):
    layer = torch.nn.BatchNorm1d(CHANNELS, affine=False, dtype=torch.float64)
    running = initial_statistics(engine, 1, CHANNELS)
    for number in range(3):
        x, slope = _batch(number), philox(1, "slope", number).normal(size=(COUNT, CHANNELS))
        expected_input = torch.tensor(x, requires_grad=True)
        expected = layer(expected_input)
        expected.backward(torch.tensor(slope))
        batch = standardise_batch(engine, engine.asarray(x[None]))
        gradient = standardise_gradient(engine, batch, engine.asarray(slope[None]))
        running = running.after(batch.statistics)
        np.testing.assert_allclose(engine.to_numpy(batch.standardised[0]), expected.detach().numpy(), rtol=1e-10)
        np.testing.assert_allclose(engine.to_numpy(gradient[0]), expected_input.grad.numpy(), rtol=1e-9, atol=1e-12)
    layer.eval()
    ours = standardise(engine.asarray(_batch(7)[None]), running)
    np.testing.assert_allclose(engine.to_numpy(ours[0]), layer(torch.tensor(_batch(7))).numpy(), rtol=1e-12)


def test_networks_side_by_side_do_not_mix(engine):
    both = np.stack([_batch(0), 10 * _batch(1)])
    together = engine.to_numpy(standardise_batch(engine, engine.asarray(both)).standardised)
    assert together.mean(axis=1) == pytest.approx(np.zeros((2, CHANNELS)), abs=1e-12)
    assert together.std(axis=1) == pytest.approx(np.ones((2, CHANNELS)), rel=1e-5)
