"""What comes before and after the recurrence in Mamba's layers, the same for a scan and for a step."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.activations import silu, softplus
from mem_core.kernels.arguments import cast_like, wide


def step_size(dt: Array, dt_bias: Array | None, dt_softplus: bool) -> Array:
    """Δ = softplus(dt + dt_bias), or without the softplus; the bias must fit to the step sizes."""
    step = dt if dt_bias is None else dt + dt_bias
    return softplus(step) if dt_softplus else step


def output(y: Array, x: Array, D: Array | None, z: Array | None, like: Array) -> Array:
    """(y + D x)·silu(z), in the type of `like`; D must fit to x."""
    if D is not None:
        y = wide(y) + wide(x) * wide(D)
    if z is not None:
        y = wide(y) * silu(wide(z))
    return cast_like(y, like)
