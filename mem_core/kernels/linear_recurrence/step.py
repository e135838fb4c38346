"""`linear_scan_step`: one step of the first-order linear recurrence."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, cast_like


def linear_scan_step(a: Array, b: Array, state: Array) -> Array:
    """Advance the first-order linear recurrence by one step: h' = a h + b.

    Args:
        a: factors (batch, channels).
        b: inputs (batch, channels).
        state: h (batch, channels); left as it is.

    Returns:
        h' (batch, channels) in b's type.

    Raises:
        ValueError: if shapes do not fit, an axis is empty, or numbers are not floating-point.

    Source:
        Martin & Cundy 2018 (arXiv 1709.04057).
    """
    given = Arguments("linear_scan_step")
    inputs = b
    a = given.take("a", a, "batch", "channels")
    b = given.take("b", b, "batch", "channels")
    state = given.take("state", state, "batch", "channels")
    return cast_like(a * state + b, inputs)
