"""MemoryBank's forgetting rule: retention from time and strength, and who survives a night.

Axes: ... any leading axes, N memories. t is in whole days since the last recall; nights come after t has grown by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mem_core.engine import Array

HAZARD, PER_LOAD, RANK, RANDOM, LRU, FIFO, NONE, RELEASED = (
    "hazard",
    "per load",
    "rank",
    "random",
    "LRU",
    "FIFO",
    "none",
    "released",
)
POLICIES = (HAZARD, PER_LOAD, RANK, RANDOM, LRU, FIFO, NONE, RELEASED)
"""How pieces are forgotten, in the order of the charts."""
MATCHED = (RANK, RANDOM, LRU, FIFO)
"""Policies that fill a given number of places: each night as many as `hazard` has left."""

RELEASED_DIVISOR = 5.0
"""The 5 of the released code's exp(−t/5*S), in days."""
TIE_BREAK = 1e-9
"""Weight of a random number that decides between memories of equal rank."""


def retention(days: float, strength: float, tau: float = 1.0) -> float:
    """Retention R = exp(−t/(τ·S)) of a piece (MemoryBank §2.3, where τ = 1).

    Args:
        days: t ≥ 0 since the last recall.
        strength: S > 0, 1 at the first mention and one more with every recall.
        tau: τ > 0, days per unit of strength.

    Raises:
        ValueError: if the time is negative, or the strength or τ is not positive.

    >>> retention(0.0, 1.0)
    1.0
    """
    if not days >= 0:
        raise ValueError(f"The time since a recall cannot be negative, got {days} days.")
    if not strength > 0:
        raise ValueError(f"Strength must be positive, got {strength}.")
    if not tau > 0:
        raise ValueError(f"τ must be positive, got {tau} days.")
    return math.exp(-days / (tau * strength))


def hazard_survival(xp: Any, elapsed: Array, strength: Array, tau: float, loads: int) -> Array:
    """R(t)/R(t−1) = exp(−1/(τ·S)): the night costs what the day has cost, so that P(alive at t) = R(t).

    A second check on the same day costs R(t)/R(t) = 1: `loads` changes nothing.
    """
    del elapsed, loads
    return xp.exp(-1 / (tau * strength))


def per_load_survival(xp: Any, elapsed: Array, strength: Array, tau: float, loads: int) -> Array:
    """R(t)^loads: the released program draws against the whole of R(t) each time it loads its memory."""
    return xp.exp(-loads * elapsed / (tau * strength))


def released_survival(xp: Any, elapsed: Array, strength: Array, tau: float, loads: int) -> Array:
    """exp(−t/5*S)^loads = exp(−t·S/5)^loads, as the released code computes it: strong memories fade faster."""
    del tau
    return xp.exp(-loads * elapsed * strength / RELEASED_DIVISOR)


def none_survival(xp: Any, elapsed: Array, strength: Array, tau: float, loads: int) -> Array:
    """Keep everything: 1."""
    del elapsed, tau, loads
    return xp.ones_like(strength)


SURVIVAL: dict[str, Callable[[Any, Array, Array, float, int], Array]] = {
    HAZARD: hazard_survival,
    PER_LOAD: per_load_survival,
    NONE: none_survival,
    RELEASED: released_survival,
}
"""Chance to survive a night, for the policies that draw lots memory by memory."""


def keeping_order(xp: Any, policy: str, elapsed: Array, strength: Array, lots: Array) -> Array:
    """Say in which order a policy with a fixed number of places gives memories up: lowest first, (..., N).

    Args:
        xp: the engine's array functions.
        policy: one of `MATCHED`.
        elapsed: days since the last recall.
        strength: S.
        lots: uniform random numbers in [0, 1), which decide between equals.
    """
    chance = xp.zeros_like(elapsed) - lots * TIE_BREAK
    if policy == RANDOM:
        return xp.zeros_like(elapsed) - lots
    if policy == RANK:
        return chance - elapsed / strength
    if policy == LRU:
        return chance - elapsed
    return chance + xp.arange(elapsed.shape[-1], dtype=elapsed.dtype)


def keep_highest(xp: Any, order: Array, stored: Array, places: Array) -> Array:
    """Mark the `places` stored memories that come highest in `order`.

    Args:
        xp: the engine's array functions.
        order: (..., N), without ties.
        stored: booleans (..., N).
        places: whole numbers (..., 1), from 0 to N.
    """
    reversed_order = xp.where(stored, -order, xp.inf)
    ordered = xp.sort(reversed_order, axis=-1)
    last = xp.take_along_axis(ordered, xp.clip(places - 1, 0, None), axis=-1)
    return stored & (reversed_order <= last) & (places > 0)
