"""What comes before and after the recurrence in Mamba-2, the same for a scan and for a step."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.activations import silu, softplus
from mem_core.kernels.arguments import Arguments, cast_like


def take_direct_weight(given: Arguments, D: Array | None) -> Array | None:
    """Check the weight of the direct path, which is one number a head or one for every channel of a head."""
    per_channel = getattr(D, "ndim", 1) == 2
    return given.take_optional("D", D, "heads", "width") if per_channel else given.take_optional("D", D, "heads")


def step_size(dt: Array, dt_bias: Array | None, dt_softplus: bool) -> Array:
    """Δ = softplus(dt + dt_bias), or without the softplus."""
    step = dt if dt_bias is None else dt + dt_bias
    return softplus(step) if dt_softplus else step


def output(y: Array, x: Array, D: Array | None, z: Array | None, like: Array) -> Array:
    """(y + D x)·silu(z), in the type of `like`; y, x and z (…, heads, width)."""
    if D is not None:
        y = y + x * (D if D.ndim == 2 else D[:, None])
    if z is not None:
        y = y * silu(z)
    return cast_like(y, like)
