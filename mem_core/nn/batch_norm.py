"""Batch normalisation with its gradient by hand: each channel gets mean 0 and variance 1 over the batch.

Axes: N networks side by side, n examples in the batch, K channels.
"""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Array, Engine

EPSILON = 1e-5
"""Added to the variance; torch.nn.BatchNorm1d has the same."""
MOMENTUM = 0.1
"""Share of the running statistics that each batch replaces; torch.nn.BatchNorm1d has the same."""


@dataclass(frozen=True)
class Statistics:
    """Mean and variance of each channel, shape (N, 1, K)."""

    mean: Array
    variance: Array

    def after(self, batch: Statistics) -> Statistics:
        """Return running statistics that have seen one more batch: (1 − 0.1)·running + 0.1·batch."""
        keep = 1.0 - MOMENTUM
        return Statistics(keep * self.mean + MOMENTUM * batch.mean, keep * self.variance + MOMENTUM * batch.variance)


@dataclass(frozen=True)
class NormalisedBatch:
    """What the gradient needs: x̂ of shape (N, n, K) and 1/√(variance + ε) of shape (N, 1, K); and the statistics.

    The statistics hold the unbiased variance, which is what running statistics are made of.
    """

    standardised: Array
    inverse_deviation: Array
    statistics: Statistics


def initial_statistics(engine: Engine, networks: int, channels: int) -> Statistics:
    """Return the running statistics before the first batch: mean 0, variance 1."""
    shape = (networks, 1, channels)
    return Statistics(engine.xp.zeros(shape), engine.xp.ones(shape))


def standardise_batch(engine: Engine, x: Array) -> NormalisedBatch:
    """Return x̂ = (x − mean) / √(variance + ε), mean and variance over the batch.

    The layer's output is x̂·γ + β.

    Args:
        engine: whose arrays these are.
        x: (N, n, K), n at least 2.

    Source: Ioffe and Szegedy 2015, Algorithm 1.
    """
    xp = engine.xp
    count = x.shape[-2]
    mean = xp.mean(x, axis=-2, keepdims=True)
    centred = x - mean
    variance = xp.mean(centred * centred, axis=-2, keepdims=True)
    inverse_deviation = (variance + EPSILON) ** -0.5
    unbiased = variance * (count / (count - 1))
    return NormalisedBatch(centred * inverse_deviation, inverse_deviation, Statistics(mean, unbiased))


def standardise(x: Array, statistics: Statistics) -> Array:
    """Return (x − mean) / √(variance + ε) with running statistics, as a trained network does."""
    return (x - statistics.mean) * (statistics.variance + EPSILON) ** -0.5


def standardise_gradient(engine: Engine, batch: NormalisedBatch, gradient: Array) -> Array:
    """Return the gradient by x from the gradient g by x̂.

    d x = (g − mean(g) − x̂ · mean(g·x̂)) / √(variance + ε), means over the batch.
    """
    xp = engine.xp
    along = xp.mean(gradient * batch.standardised, axis=-2, keepdims=True)
    return (gradient - xp.mean(gradient, axis=-2, keepdims=True) - batch.standardised * along) * batch.inverse_deviation
