"""The first-order recurrence twice in float64: step by step, and by doubling; what the fast versions answer to.

    h_t = a_t h_{t−1} + b_t,  h_0 = initial_state

Doubling rests on an associative operation. "Multiply by a, then add b" is a pair (a, b), and two such steps in a row
are one: (a, b) then (a', b') is (a a', a' b + b'). So the pairs can be combined in any grouping, as sums can: after a
pass with stride s every position holds the combination of the 2s steps up to it, and ⌈log2 length⌉ passes do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def linear_scan(a: Floats, b: Floats, initial_state: Floats) -> Floats:
    """Return h (batch, length, channels) for a and b of that shape, initial_state (batch, channels)."""
    h = np.zeros(b.shape)
    state = initial_state.astype(np.float64)
    for t in range(b.shape[1]):
        state = a[:, t] * state + b[:, t]
        h[:, t] = state
    return h


def linear_scan_by_doubling(a: Floats, b: Floats, initial_state: Floats) -> Floats:
    """Return the same in ⌈log2 length⌉ passes over the whole sequence."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    b[:, 0] += a[:, 0] * initial_state
    stride = 1
    while stride < b.shape[1]:
        # The right sides are complete before anything is stored; b before a, whose old value it needs.
        b[:, stride:] = a[:, stride:] * b[:, :-stride] + b[:, stride:]
        a[:, stride:] = a[:, stride:] * a[:, :-stride]
        stride *= 2
    return b
