"""Pruning by score: which units stay when those with the lowest or the highest scores are removed."""

from __future__ import annotations

from mem_core.engine import Array, Engine


def kept_units(engine: Engine, scores: Array, share: float, *, lowest_first: bool) -> Array:
    """Return one for every unit that stays and zero for the round(share · K) that are removed.

    Multiplying the output weights of a layer by it removes the units. Of units with equal scores the earlier ones
    count as lower.

    Args:
        engine: whose arrays these are.
        scores: one per unit, shape (..., K).
        share: of the units to remove, from 0 to 1.
        lowest_first: whether the units with the lowest scores are removed, or those with the highest.

    Returns:
        Ones and zeros of shape (..., K), in the engine's floating type.

    Raises:
        ValueError: if the share is not in [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share!r}, but it must be from 0 to 1.")
    xp = engine.xp
    units = scores.shape[-1]
    removed = round(share * units)
    rank = xp.argsort(xp.argsort(scores, axis=-1, stable=True), axis=-1)
    return xp.astype(rank >= removed if lowest_first else rank < units - removed, engine.float_dtype)
