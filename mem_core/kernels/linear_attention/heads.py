"""What the arguments of gated linear attention and of the delta rule have in common."""

from __future__ import annotations

import math

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments

FORGOTTEN = -1000.0
"""Log-gate that stands for −∞: its exponential is 0 in float64, and differences of its sums are numbers."""


def scale_of(given: Arguments, scale: float | None, q: Array) -> float:
    """Return what the queries (…, key width) are multiplied by, key width^−1/2 unless told otherwise."""
    scale = q.shape[-1] ** -0.5 if scale is None else float(scale)
    if not math.isfinite(scale):
        raise given.error(f"scale must be a finite number, got {scale}")
    return scale


def take_gates(given: Arguments, g: Array, *axes: str) -> Array:
    """Check the gates, of which there is one a head or one for every number of a key."""
    per_head = getattr(g, "ndim", 0) == len(axes)
    return given.take("g", g, *axes) if per_head else given.take("g", g, *axes, "key width")
