"""`linear_scan`: the first-order linear recurrence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, cast_like
from mem_core.kernels.dispatch import Kernel, zeros
from mem_core.kernels.linear_recurrence import on_numpy


def _load_torch() -> Callable[..., Any]:
    from mem_core.kernels.linear_recurrence import on_torch

    return on_torch.first_order_scan


def _load_triton() -> Callable[..., Any]:
    from mem_core.kernels.linear_recurrence import on_triton

    return on_triton.first_order_scan


first_order_scan = Kernel(on_numpy.forward, on_numpy.backward, _load_torch, _load_triton, name="linear_scan")
"""(a, b, initial state) → h."""


def linear_scan(a: Array, b: Array, initial_state: Array | None = None, *, check: bool = False) -> Array:
    """Scan a sequence with the first-order linear recurrence, channel by channel.

        h_t = a_t h_{t−1} + b_t,  h_0 = initial_state

    a_t is what is kept of the past, b_t what is new. The factors may have any size and sign, 0 among them.

    Args:
        a: factors (batch, length, channels).
        b: inputs (batch, length, channels).
        initial_state: h_0 (batch, channels); zero if left out.
        check: refuse numbers that are not finite.

    Returns:
        h (batch, length, channels) in b's type; differentiable in every array. Arithmetic is in float64 if a is
        float64, else in float32.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, or `check` finds a number that is not
            finite.

    Source:
        Martin & Cundy 2018, "Parallelizing Linear Recurrent Neural Nets Over Sequence Length" (arXiv 1709.04057).

    >>> import numpy as np
    >>> linear_scan(np.full((1, 4, 1), 0.5), np.ones((1, 4, 1))).ravel()
    array([1.   , 1.5  , 1.75 , 1.875])
    """
    given = Arguments("linear_scan", first_order_scan, check)
    inputs = b
    a = given.take("a", a, "batch", "length", "channels")
    b = given.take("b", b, "batch", "length", "channels")
    initial_state = given.take_optional("initial_state", initial_state, "batch", "channels")
    if initial_state is None:
        initial_state = zeros((b.shape[0], b.shape[2]), like=b)
    return cast_like(first_order_scan(a, b, initial_state), inputs)
