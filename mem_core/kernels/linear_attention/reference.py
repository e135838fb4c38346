"""Gated linear attention, one step after the other in float64: slow, obvious, and what the fast versions answer to.

Axes: b batch, t time, h head, K key width, V value width.

    S_t = diag(exp g_t) S_{t−1} + k_t v_tᵀ        (K,V) numbers for every head
    o_t = S_tᵀ (scale q_t)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def gated_linear_attention(
    q: Floats, k: Floats, v: Floats, g: Floats, initial_state: Floats, scale: float
) -> tuple[Floats, Floats]:
    """Return `(o, final_state)`; the arguments are those of the public `gated_linear_attention`."""
    # One gate for a whole head is the same gate for each of its K rows.
    g = np.broadcast_to(g[..., None], k.shape) if g.ndim == 3 else g
    state = initial_state.astype(np.float64)
    o = np.zeros(v.shape)
    for b, t, h in np.ndindex(*v.shape[:3]):
        state[b, h] = np.exp(g[b, t, h])[:, None] * state[b, h] + np.outer(k[b, t, h], v[b, t, h])
        o[b, t, h] = state[b, h].T @ (scale * q[b, t, h])
    return o, state
