"""The causal convolution, one output after the other in float64: slow and obvious.

Axes: b batch, d channel, t time, i tap; W taps.

    y_t = bias + Σ_i weight_i x_{t−W+1+i}        inputs before the first are the initial state
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def causal_conv1d(x: Floats, weight: Floats, bias: Floats, initial_state: Floats) -> Floats:
    """Return y (b,d,t) for x (b,d,t), weight (d,W), bias (d,), initial_state (b,d,W−1)."""
    y = np.zeros(x.shape)
    taps = weight.shape[1]
    for b, d, t in np.ndindex(*x.shape):
        history = [*initial_state[b, d], *x[b, d, : t + 1]]
        y[b, d, t] = bias[d] + sum(weight[d, i] * history[t + i] for i in range(taps))
    return y
