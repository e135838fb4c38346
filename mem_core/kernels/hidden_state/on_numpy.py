"""Weighted sums of tokens on NumPy: a softmax and a matrix product for every image.

Axes: b image, d channel, l token, n state.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def forward(x: Floats, dt: Floats, A: Floats, B: Floats) -> Floats:
    """Return h (b,d,n) for x (b,d,l), dt and B (b,n,l), A (b,n)."""
    return x @ (_shares(dt, A) * B).mT


def backward(
    arrays: tuple[Floats, Floats, Floats, Floats], outputs: Floats, gradient: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the gradients of x, dt, A and B.

    A shifts all tokens of a state alike, which a softmax does not see: its gradient is 0.
    """
    x, dt, A, B = arrays
    shares = _shares(dt, A)
    # (b,n,l)
    dweights = gradient.mT @ x
    # Σ_l of the product with the weights is that of h with its own gradient.
    total = np.vecdot(gradient.mT, outputs.mT)[..., None]
    return gradient @ (shares * B), shares * (dweights * B - total), np.zeros_like(A), dweights * shares


def _shares(dt: Floats, A: Floats) -> Floats:
    """P (b,n,l), how the attention of every state is shared out over the tokens."""
    shares = dt + A[..., None]
    shares -= shares.max(axis=-1, keepdims=True)
    np.exp(shares, out=shares)
    shares /= shares.sum(axis=-1, keepdims=True)
    return shares
