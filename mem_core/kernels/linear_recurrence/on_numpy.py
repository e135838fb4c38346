"""The first-order recurrence on NumPy, in chunks.

Axes: q position in a chunk, b batch, c chunk, d channel. First every chunk runs from a zero state, all chunks at once;
then the states between the chunks follow one another; then every position gets what is left of the state its chunk
started from. That takes Q + length/Q steps in Python instead of length, each on a long contiguous row.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def forward(a: Floats, b: Floats, initial_state: Floats, *, chunk_size: int | None = None) -> Floats:
    """Return h (batch, length, channels) for a and b of that shape, initial_state (batch, channels)."""
    batch, length, channels = b.shape
    size = chunk_size or math.isqrt(length)  # Q + length/Q is least at the square root
    decay, h = _chunks(a, size), _chunks(b, size)
    for q in range(1, size):
        h[q] += decay[q] * h[q - 1]
        decay[q] *= decay[q - 1]
    entering = np.empty_like(h[0])
    state = initial_state
    for chunk in range(h.shape[2]):
        entering[:, chunk] = state
        state = decay[-1, :, chunk] * state + h[-1, :, chunk]
    decay *= entering
    h += decay
    return h.transpose(1, 2, 0, 3).reshape(batch, -1, channels)[:, :length]


def backward(arrays: tuple[Floats, Floats, Floats], outputs: Floats, gradient: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the gradients of a, b and the initial state: the same recurrence, run backwards in time.

    g_t = dh_t + a_{t+1} g_{t+1};  db_t = g_t,  da_t = g_t h_{t−1},  dh_0 = a_1 g_1
    """
    a, _, initial_state = arrays
    h = outputs
    # What follows the last step is nothing: any factor there multiplies a zero state.
    following = np.concatenate([a[:, 1:], a[:, :1]], axis=1)
    nothing = np.zeros_like(initial_state)
    g = forward(following[:, ::-1], gradient[:, ::-1].astype(h.dtype, copy=False), nothing)[:, ::-1]
    before = np.concatenate([initial_state[:, None], h[:, :-1]], axis=1)
    return g * before, g, a[:, 0] * g[:, 0]


def _chunks(sequence: Floats, size: int) -> Floats:
    """Lay (b,l,d) out as (q,b,c,d), a copy; the last chunk ends in zeros, which no earlier position sees."""
    batch, length, channels = sequence.shape
    count = -(-length // size)
    chunks = np.zeros((size, batch, count, channels), sequence.dtype)
    in_order = chunks.transpose(1, 2, 0, 3)
    whole = length // size
    in_order[:, :whole] = sequence[:, : whole * size].reshape(batch, whole, size, channels)
    if whole < count:
        in_order[:, whole, : length - whole * size] = sequence[:, whole * size :]
    return chunks
