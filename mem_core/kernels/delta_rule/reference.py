"""The gated delta rule, one step after the other in float64: slow, obvious, and what the fast versions answer to.

Axes: b batch, t time, h head, K key width, V value width.

    S_d = exp(g_t) S_{t−1}                        (K,V) numbers for every head, g = 0 for the plain delta rule
    e_t = v_t − S_dᵀ k_t                          what the memory gets wrong at this key
    S_t = S_d + β_t k_t e_tᵀ
    o_t = S_tᵀ (scale q_t)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def gated_delta_rule(
    q: Floats, k: Floats, v: Floats, beta: Floats, g: Floats, initial_state: Floats, scale: float
) -> tuple[Floats, Floats]:
    """Return `(o, final_state)`; the arguments are those of the public `gated_delta_rule`."""
    state = initial_state.astype(np.float64)
    o = np.zeros(v.shape)
    for b, t, h in np.ndindex(*v.shape[:3]):
        decayed = np.exp(g[b, t, h]) * state[b, h]
        error = v[b, t, h] - decayed.T @ k[b, t, h]
        state[b, h] = decayed + beta[b, t, h] * np.outer(k[b, t, h], error)
        o[b, t, h] = state[b, h].T @ (scale * q[b, t, h])
    return o, state
