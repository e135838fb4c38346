"""A matrix as a memory of key and value pairs, and the least-squares change that writes new pairs into it.

The memory W answers a key k with k·W. To add the residuals R to its answers for the keys K, and to change its answers
for all other keys as little as possible, add

    Δ = (Kᵀ·K + λ·C)⁻¹·Kᵀ·R,   C = mean of kᵀ·k over other keys,

which is the minimum of ‖K·Δ − R‖² + λ·tr(Δᵀ·C·Δ), the second term being λ times the mean squared change of the
answers to the other keys.

Axes: E pairs, F numbers in a key, d in a value, n other keys.

Source: Kohonen 1972; Meng et al. 2023, "Mass-Editing Memory in a Transformer", arXiv 2210.07229, equation 14.
"""

from __future__ import annotations

import math

from mem_core.engine import Array, Engine


def second_moment(engine: Engine, keys: Array) -> Array:
    """Return C = Kᵀ·K/n, not centred, in float64: (n, F) to (F, F).

    Raises:
        ValueError: if there is no key.
    """
    if keys.ndim != 2 or not len(keys):
        raise ValueError(f"keys must have shape (n, F) with n of at least 1, got {tuple(keys.shape)}.")
    keys = engine.xp.astype(keys, engine.xp.float64)
    return keys.T @ keys / len(keys)


def constrained_update(engine: Engine, keys: Array, residuals: Array, moment: Array, preservation: float) -> Array:
    """Return Δ (F, d), the change that adds the residuals to the answers and keeps other answers, in float64.

    A unit that is zero in every key, new or other, keeps its row.

    Args:
        engine: whose arrays these are.
        keys: K, (E, F).
        residuals: R, (E, d).
        moment: C, (F, F), as `second_moment` gives it.
        preservation: λ, at least 0. Larger keeps the other answers better and adds less of the residuals.

    Raises:
        ValueError: if shapes do not fit, λ is negative, or KᵀK + λC cannot be inverted.
    """
    xp, size = engine.xp, keys.shape[-1]
    if moment.shape != (size, size) or residuals.shape[:-1] != keys.shape[:-1] or keys.ndim != 2:
        raise ValueError(
            f"keys (E, F), residuals (E, d) and moment (F, F) do not fit: got {tuple(keys.shape)}, "
            f"{tuple(residuals.shape)} and {tuple(moment.shape)}."
        )
    if not (math.isfinite(preservation) and preservation >= 0):
        raise ValueError(f"preservation is {preservation!r}, but it must be zero or a positive number.")
    keys, residuals = (xp.astype(array, xp.float64) for array in (keys, residuals))
    normal = keys.T @ keys + preservation * moment
    used = xp.sum(xp.abs(normal), axis=0)
    normal = normal + xp.eye(size, dtype=xp.float64) * (used == 0)
    if preservation == 0 and int(xp.linalg.matrix_rank(normal)) < size:
        raise ValueError(
            f"{len(keys)} keys of {size} numbers do not fix all answers of the memory, and preservation is 0: "
            f"set it above 0."
        )
    return xp.linalg.solve(normal, keys.T @ residuals)
