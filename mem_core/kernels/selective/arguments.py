"""The arguments that `selective_scan` and its step share."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments


def take_vectors(given: Arguments, name: str, vectors: Array, *times: str) -> Array:
    """Check B or C in any of its forms; return (batch, groups, state, …), or (1, channels, state, 1) if fixed.

    Args:
        given: the arguments of the function, `channels` among the axes it knows.
        name: `B` or `C`.
        vectors: (batch, groups, state, …) or (batch, state, …), or for a scan (channels, state).
        times: the further axes: "length", or none for a step.
    """
    axes = getattr(vectors, "ndim", 0) - len(times)
    if axes == 3:
        vectors = given.take(name, vectors, "batch", "groups", "state", *times)
        given.check_divides("groups", "channels")
        return vectors
    if axes == 1 and times:
        return given.take(name, vectors, "channels", "state")[None, :, :, None]
    return given.take(name, vectors, "batch", "state", *times)[:, None]


def check_same_groups(given: Arguments, B: Array, C: Array, channels: int) -> None:
    """Refuse B and C, as `take_vectors` returned them, that cut the channels into different groups."""
    groups = [vectors.shape[1] for vectors in (B, C) if vectors.shape[1] != channels]
    if len(set(groups)) > 1:
        raise given.error(f"C must have as many groups as B = {groups[0]}, got {groups[1]}")
