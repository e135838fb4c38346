"""The causal convolution on NumPy: one multiply-add of the whole sequence per tap, no loop over time.

Axes: b batch, d channel, l length; W taps. `padded` is the inputs with the W − 1 earlier ones in front (b,d,W−1+l).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.activations import sigmoid, silu_slope
from mem_core.kernels.cache_blocks import blocks

Floats = NDArray[np.floating]


def forward(x: Floats, weight: Floats, bias: Floats, initial_state: Floats, *, activation: str | None) -> Floats:
    """Return the output (b,d,l) for x (b,d,l), weight (d,W), bias (d,), initial_state (b,d,W−1)."""
    y = np.empty_like(x)
    for rows, padded in _blocks(x, initial_state):
        total = _weighted_sum(padded, weight, bias)
        y[rows] = total * sigmoid(total) if activation == "silu" else total
    return y


def backward(
    arrays: tuple[Floats, Floats, Floats, Floats], outputs: Floats, gradient: Floats, *, activation: str | None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the gradients of x, weight, bias and the initial state.

    The sum before the activation is computed again: one more pass costs less than a sequence held in memory.
    """
    x, weight, bias, initial_state = arrays
    earlier = initial_state.shape[2]
    dx, dinitial_state = np.empty_like(x), np.empty_like(initial_state)
    dweight, dbias = np.zeros_like(weight), np.zeros_like(bias)
    for rows, padded in _blocks(x, initial_state):
        dtotal, dpadded = gradient[rows], np.zeros_like(padded)
        if activation == "silu":
            dtotal = dtotal * silu_slope(_weighted_sum(padded, weight, bias))
        for tap in range(weight.shape[1]):
            reached = slice(tap, tap + dtotal.shape[2])
            dpadded[:, :, reached] += dtotal * weight[:, tap, None]
            dweight[:, tap] += np.vecdot(dtotal, padded[:, :, reached]).sum(axis=0)
        dbias += dtotal.sum(axis=-1).sum(axis=0)
        dinitial_state[rows], dx[rows] = dpadded[:, :, :earlier], dpadded[:, :, earlier:]
    return dx, dweight, dbias, dinitial_state


def _blocks(x: Floats, initial_state: Floats) -> Iterator[tuple[slice, Floats]]:
    """Take a few sequences at a time, with the earlier inputs in front."""
    batch, channels, length = x.shape
    for rows in blocks(batch, channels * (length + initial_state.shape[2])):
        yield rows, np.concatenate([initial_state[rows], x[rows]], axis=2)


def _weighted_sum(padded: Floats, weight: Floats, bias: Floats) -> Floats:
    taps = weight.shape[1]
    length = padded.shape[-1] - taps + 1
    total = padded[..., :length] * weight[:, :1]
    for tap in range(1, taps):
        total += padded[..., tap : tap + length] * weight[:, tap, None]
    total += bias[:, None]
    return total
