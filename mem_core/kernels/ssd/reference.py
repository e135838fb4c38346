"""The recurrence of Mamba-2, one step after the other in float64: slow, obvious, and what the fast versions answer to.

Axes: b batch, t time, h head, p head width, n state; head h uses row g of B and C.

    h_t = exp(Δ_t A) h_{t−1} + Δ_t x_t ⊗ B_t        (p,n) numbers for every head
    y_t = h_t C_t
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def ssd_scan(x: Floats, dt: Floats, A: Floats, B: Floats, C: Floats, initial_state: Floats) -> tuple[Floats, Floats]:
    """Return `(y, final_state)`; the arguments are those of the public `ssd_scan`, with dt = Δ."""
    heads, groups = x.shape[2], B.shape[2]
    state = initial_state.astype(np.float64)
    y = np.zeros(x.shape)
    for b, t, h in np.ndindex(*x.shape[:3]):
        g = h * groups // heads
        state[b, h] = np.exp(dt[b, t, h] * A[h]) * state[b, h] + dt[b, t, h] * np.outer(x[b, t, h], B[b, t, g])
        y[b, t, h] = state[b, h] @ C[b, t, g]
    return y, state
