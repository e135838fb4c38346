"""Principal components: the few directions along which a cloud of points varies most.

The cloud is centred first. For directions of an activity that is not centred, see `subspaces.principal_rows`.
Axes: n points, D numbers of each, k components.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mem_core.engine import Array


class PrincipalComponents(NamedTuple):
    """What `principal_components` finds.

    Attributes:
        coordinates: of every point along the components, shape (n, k); their mean over the points is zero.
        directions: unit rows, strongest first, shape (k, D). New points y lie at (y − mean of the cloud) · directionsᵀ.
        explained: share of the whole variance along each, shape (k,), decreasing; zeros where nothing varies.
    """

    coordinates: Array
    directions: Array
    explained: Array


def principal_components(xp: Any, x: Array, count: int) -> PrincipalComponents:
    """Return the `count` orthonormal directions that hold most of the variance of a cloud, and the points along them.

        X − X̄ = U·S·Vᵀ,   directions = first k rows of Vᵀ,   coordinates = (X − X̄)·V,   explained_j = S_j² / Σ S²

    A direction's sign is free; here its number that is largest in size is positive, so that engines agree and a
    picture does not flip from run to run. The decomposition is made in float64, whatever the type of `x`.

    Args:
        xp: array functions of the engine, `engine.xp`.
        x: X, shape (n, D).
        count: k, from 1 to the smaller of n and D.

    Raises:
        ValueError: if `x` is not a matrix, holds something that is not a finite number, or `count` is out of range.

    >>> import numpy as np
    >>> cloud = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    >>> found = principal_components(np, cloud, 1)
    >>> found.directions.round(4).tolist(), found.explained.round(4).tolist()
    ([[0.7071, 0.7071]], [1.0])

    Source: Pearson 1901; Jolliffe 2002, "Principal Component Analysis", sections 1.1 and 3.5.
    """
    if x.ndim != 2:
        raise ValueError(f"x must be a matrix of points and their numbers, got shape {tuple(x.shape)}.")
    most = min(x.shape)
    if not 1 <= count <= most:
        raise ValueError(f"count must be from 1 to {most}, the smaller side of x, got {count}.")
    if not bool(xp.all(xp.isfinite(x))):
        raise ValueError("x must hold finite numbers only.")
    cloud = xp.asarray(x, dtype=xp.float64)
    cloud = cloud - xp.mean(cloud, axis=0)
    _, lengths, rows = xp.linalg.svd(cloud, full_matrices=False)
    rows = rows[:count]
    upright = xp.max(rows, axis=-1, keepdims=True) >= -xp.min(rows, axis=-1, keepdims=True)
    rows = xp.where(upright, rows, -rows)
    energy = lengths * lengths
    whole = xp.sum(energy)
    explained = energy[:count] / xp.where(whole > 0, whole, xp.ones_like(whole))
    found = (cloud @ rows.T, rows, explained)
    return PrincipalComponents(*(xp.asarray(part, dtype=x.dtype) for part in found))
