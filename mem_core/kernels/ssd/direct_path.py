"""The direct path of Mamba-2, past the state."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments


def take_direct_weight(given: Arguments, D: Array | None) -> Array | None:
    """Check the weight, one number a head or one for every channel of a head; return (heads, 1) or (heads, width)."""
    if D is None:
        return None
    if getattr(D, "ndim", 1) == 2:
        return given.take("D", D, "heads", "width")
    return given.take("D", D, "heads")[:, None]
