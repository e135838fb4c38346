"""DBSCAN for many small sets at once: points with enough neighbours form clusters, what is left is noise.

A point is a core point if at least `min_samples` points, itself among them, lie within `eps` of it. Core points within
`eps` of one another share a cluster; a point within `eps` of a core point joins that point's cluster; the rest is
noise. Written with whole arrays: connected components by squaring the reachability matrix ⌈log₂ K⌉ times.

Axes: ... any leading axes, K points.

Source: Ester, Kriegel, Sander and Xu 1996, "A density-based algorithm for discovering clusters".
"""

from __future__ import annotations

import math

from mem_core.engine import Array, Engine

NOISE = -1
"""Label of a point in no cluster."""


def dbscan(engine: Engine, distances: Array, eps: float, min_samples: int = 2, present: Array | None = None) -> Array:
    """Label the points of each set by cluster.

    Clusters are numbered by their first core point, and a border point of two clusters joins the lower one, as in
    scikit-learn.

    Args:
        engine: whose arrays these are.
        distances: between the points, symmetric, (..., K, K).
        eps: largest distance between neighbours; a distance of exactly `eps` counts.
        min_samples: points within `eps` that make a core point, the point itself included.
        present: False where a place holds no point, (..., K); all hold one if None.

    Returns:
        labels (..., K), int64: 0, 1, ... and `NOISE`, also where no point is present.

    Raises:
        ValueError: if eps is not positive or min_samples below 1.
    """
    if not eps > 0:
        raise ValueError(f"eps is {eps!r}, but a neighbourhood must be larger than 0.")
    if min_samples < 1:
        raise ValueError(f"min_samples is {min_samples!r}, but it must be at least 1.")
    xp, count = engine.xp, distances.shape[-1]
    place = xp.arange(count)
    near = (distances <= eps) | (place[:, None] == place)
    if present is not None:
        near = near & present[..., :, None] & present[..., None, :]
    core = xp.sum(xp.astype(near, xp.int64), axis=-1) >= min_samples
    reach = _connected(engine, near & core[..., :, None] & core[..., None, :])
    first = xp.min(xp.where(reach, place, count), axis=-1)  # of a core point: the first core point of its cluster
    through = xp.where(near & core[..., None, :], first[..., None, :], count)
    first = xp.min(through, axis=-1)  # of any point; count for noise
    leads = core & (first == place)
    before = xp.astype(leads[..., None, :] & (place < first[..., None]), xp.int64)
    return xp.where(first < count, xp.sum(before, axis=-1), NOISE)


def largest_cluster(engine: Engine, labels: Array) -> Array:
    """Mark the members of the largest cluster; of several as large, the one whose member comes first.

    Args:
        engine: whose arrays these are.
        labels: as `dbscan` gives them, (..., K).

    Returns:
        booleans (..., K), all False where every point is noise.
    """
    xp, count = engine.xp, labels.shape[-1]
    clustered = labels != NOISE
    together = (labels[..., :, None] == labels[..., None, :]) & clustered[..., None]
    size = xp.sum(xp.astype(together, xp.int64), axis=-1)
    largest = clustered & (size == xp.max(size, axis=-1)[..., None])
    place = xp.arange(count)
    first = xp.min(xp.where(largest, place, count), axis=-1)[..., None]
    return xp.any(together & (place == first)[..., None, :], axis=-1)


def _connected(engine: Engine, adjacent: Array) -> Array:
    """Reachability in any number of steps, from that in one step or none; squaring doubles the steps."""
    xp, reach = engine.xp, adjacent
    for _ in range(max(1, math.ceil(math.log2(max(2, adjacent.shape[-1]))))):
        steps = xp.astype(reach, engine.float_dtype)
        reach = steps @ steps > 0
    return reach
