"""The hidden state mixer, one image after the other in float64: slow and obvious.

Axes: b image, d channel, l token, n state, e inner channel.

    P_nl = softmax over l of (Δ_nl + A_n)
    h = x (P ∘ B)ᵀ                              (d,n): every state a weighted sum of tokens
    [h̃; z] = W_hz h,  h' = W_o (h̃ ∘ (silu(z) + D))
    y = h' C                                    (d,l)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def hidden_state_mixer(
    x: Floats, dt: Floats, A: Floats, B: Floats, C: Floats, D: Floats, hz_weight: Floats, out_weight: Floats
) -> tuple[Floats, Floats]:
    """Return `(y, h')`; the arguments are those of the public function."""
    y, mixed = np.zeros(x.shape), np.zeros((*x.shape[:2], len(A)))
    for b in range(len(x)):
        exponential = np.exp(dt[b] + A[:, None] - (dt[b] + A[:, None]).max())
        shares = exponential / exponential.sum(axis=1, keepdims=True)
        both = hz_weight @ (x[b] @ (shares * B[b]).T)
        h, z = both[: len(both) // 2], both[len(both) // 2 :]
        mixed[b] = out_weight @ (h * (z / (1 + np.exp(-z)) + D))
        y[b] = mixed[b] @ C[b]
    return y, mixed
