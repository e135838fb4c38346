"""The selective scan on NumPy: the walk over blocks of time of `walking.py`.

Where the states have many numbers, every step is one pass over them; where they have few, a block is scanned in chunks
as in `linear_scan`, in far fewer steps of Python.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.linear_recurrence import on_numpy as first_order
from mem_core.kernels.selective import walking

Floats = NDArray[np.floating]

# Numbers in the states from where on a step costs more than Python takes to call it.
MANY = 2048


def forward(
    u: Floats, step: Floats, A: Floats, B: Floats, C: Floats, initial_state: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return `(y, last_state, what backward needs)`.

    u, step, y (b,d,t), A (d,n), B and C (b,g,n,t) or (1,d,n,1), states (b,d,n).
    """
    return walking.forward(np, _recur, u, step, A, B, C, initial_state)


def backward(
    arrays: tuple[Floats, ...], outputs: tuple[Floats, Floats, Floats], gradients: tuple[Floats, Floats, Floats]
) -> tuple[Floats, ...]:
    """Return the gradients of u, step, A, B, C and the initial state."""
    dy, dlast = (gradient.astype(arrays[0].dtype, copy=False) for gradient in gradients[:2])
    return walking.backward(np, _recur, arrays, outputs[2], (dy, dlast))


def _recur(a: Floats, h: Floats, entering: Floats, backwards: bool) -> None:
    if entering.size < MANY:
        return _recur_in_chunks(a, h, entering, backwards)
    if not backwards:
        product = entering * a[0]
        h[0] += product
        for t in range(1, len(h)):
            h[t] += np.multiply(a[t], h[t - 1], out=product)
    else:
        h[-1] += entering
        product = np.empty_like(entering)
        for t in range(len(h) - 2, -1, -1):
            h[t] += np.multiply(a[t + 1], h[t + 1], out=product)
    return None


def _recur_in_chunks(a: Floats, h: Floats, entering: Floats, backwards: bool) -> None:
    if backwards:
        h[-1] += entering
        # What follows the last step multiplies a zero state.
        a, h = np.concatenate([a[1:], a[:1]])[::-1], h[::-1]
        entering = np.zeros_like(entering)
    # (1,t,b·g·n·r)
    factors, inputs = (array.reshape(1, len(array), -1) for array in (a, h))
    h[:] = first_order.forward(factors, inputs, entering.reshape(1, -1)).reshape(h.shape)
