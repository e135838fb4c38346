"""The causal convolution on NumPy: one multiply-add of the whole sequence per tap, no loop over time.

Axes: b batch, d channel, l length; W taps. The inputs come with the W − 1 earlier ones in front (b,d,W−1+l).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.activations import sigmoid, silu_slope
from mem_core.kernels.cache_blocks import blocks

Floats = NDArray[np.floating]


def forward(padded: Floats, weight: Floats, bias: Floats, *, activation: str | None) -> Floats:
    """Return the output (b,d,l) for padded (b,d,W−1+l), weight (d,W), bias (d,)."""
    batch, channels, length = padded.shape
    y = np.empty((batch, channels, length - weight.shape[1] + 1), padded.dtype)
    for rows in blocks(batch, channels * length):
        total = _weighted_sum(padded[rows], weight, bias)
        y[rows] = total * sigmoid(total) if activation == "silu" else total
    return y


def backward(
    arrays: tuple[Floats, Floats, Floats], outputs: Floats, gradient: Floats, *, activation: str | None
) -> tuple[Floats, Floats, Floats]:
    """Return the gradients of padded, weight and bias.

    The sum before the activation is computed again: one more pass costs less than a sequence held in memory.
    """
    padded, weight, bias = arrays
    batch, channels, padded_length = padded.shape
    dpadded, dweight, dbias = np.zeros_like(padded), np.zeros_like(weight), np.zeros_like(bias)
    for rows in blocks(batch, channels * padded_length):
        dtotal, inputs = gradient[rows], padded[rows]
        if activation == "silu":
            dtotal = dtotal * silu_slope(_weighted_sum(inputs, weight, bias))
        for tap in range(weight.shape[1]):
            reached = slice(tap, tap + dtotal.shape[2])
            dpadded[rows, :, reached] += dtotal * weight[:, tap, None]
            dweight[:, tap] += np.vecdot(dtotal, inputs[:, :, reached]).sum(axis=0)
        dbias += dtotal.sum(axis=-1).sum(axis=0)
    return dpadded, dweight, dbias


def _weighted_sum(padded: Floats, weight: Floats, bias: Floats) -> Floats:
    taps = weight.shape[1]
    length = padded.shape[-1] - taps + 1
    total = padded[..., :length] * weight[:, :1]
    for tap in range(1, taps):
        total += padded[..., tap : tap + length] * weight[:, tap, None]
    total += bias[:, None]
    return total
