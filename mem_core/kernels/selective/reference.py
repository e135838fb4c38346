"""The recurrence of Mamba-1, one channel and one step after the other in float64: what the fast versions answer to.

Axes: b batch, d channel, t time, n state; channel d uses row g of B and C.

    h_t = exp(Δ_t A) h_{t−1} + Δ_t u_t B_t        n numbers for every channel
    y_t = h_t · C_t
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def selective_scan(
    u: Floats, delta: Floats, A: Floats, B: Floats, C: Floats, initial_state: Floats
) -> tuple[Floats, Floats]:
    """Return `(y, last_state)`; the arguments are those of the public `selective_scan`, with delta = Δ."""
    y, state = np.zeros(u.shape), initial_state.astype(np.float64)
    for b, d, t in np.ndindex(*u.shape):
        written, read = (_vector(vectors, b, d, t, u.shape[1]) for vectors in (B, C))
        state[b, d] = np.exp(delta[b, d, t] * A[d]) * state[b, d] + delta[b, d, t] * u[b, d, t] * written
        y[b, d, t] = state[b, d] @ read
    return y, state


def _vector(vectors: Floats, b: int, d: int, t: int, channels: int) -> Floats:
    """Pick the n numbers of one channel and step from (b,g,n,t), (b,n,t), or (d,n), which is the same at every step."""
    if vectors.ndim == 2:
        return np.asarray(vectors[d])
    return np.asarray(vectors[b, d * vectors.shape[1] // channels, :, t] if vectors.ndim == 4 else vectors[b, :, t])
