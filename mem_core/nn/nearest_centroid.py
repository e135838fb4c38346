"""Judging a matrix of hidden states by the nearer of two means, with a distance that is averaged over layers.

Nothing is trained: the memory is the mean of the examples of each of two classes.
Axes: N traces, L layers, D units, C centroids.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine


def centroids(engine: Engine, deltas: Array, labels: Array) -> tuple[Array, Array]:
    """Return the mean of the traces that succeeded and of those that failed, element by element.

        V_succ = mean of Δh(T) over y_T = 1,   V_fail = mean of Δh(T) over y_T = 0

    Args:
        engine: whose arrays these are.
        deltas: Δh, shape (N, L, D).
        labels: y, true or 1 for success, shape (N,).

    Returns:
        V_succ and V_fail, each of shape (L, D).

    Raises:
        ValueError: if a class has no examples, the shapes do not fit, or a number is not finite.

    Source: Liang et al. 2025 (arXiv 2510.01591), eq. 2.
    """
    _require_traces(engine, deltas)
    if tuple(labels.shape) != tuple(deltas.shape[:1]):
        raise ValueError(f"labels must have one entry for each of {deltas.shape[0]} traces, got {tuple(labels.shape)}.")
    success = engine.to_numpy(labels).astype(bool)
    sizes = int(success.sum()), int((~success).sum())
    if min(sizes) < 1:
        raise ValueError(f"Each class needs an example, got {sizes[0]} successes and {sizes[1]} failures.")
    means = means_of_subsets(engine, deltas, [np.flatnonzero(success), np.flatnonzero(~success)])
    return means[0], means[1]


def means_of_subsets(engine: Engine, deltas: Array, subsets: Sequence[NDArray[np.int64]]) -> Array:
    """Return the mean of the traces in every subset, all at once by one matrix product, shape (C, L, D).

    Args:
        engine: whose arrays these are.
        deltas: shape (N, L, D).
        subsets: numbers of the traces in each, none of them empty.

    Raises:
        ValueError: if a subset is empty.
    """
    weights = np.zeros((len(subsets), deltas.shape[0]))
    for row, numbers in zip(weights, subsets, strict=True):
        if not len(numbers):
            raise ValueError("A subset without traces has no mean.")
        row[numbers] = 1 / len(numbers)
    flat = engine.xp.reshape(deltas, (deltas.shape[0], -1))
    return engine.xp.reshape(engine.asarray(weights) @ flat, (len(subsets), *deltas.shape[1:]))


def layer_distance(engine: Engine, deltas: Array, centroid: Array) -> Array:
    """Return the Euclidean distance of every trace to one centroid, averaged over the layers.

        d(A, B) = (1/L) Σ_l ‖a_l − b_l‖₂

    This is not the Frobenius norm of A − B, in which the layers' squares would be added.

    Args:
        engine: whose arrays these are.
        deltas: shape (N, L, D).
        centroid: shape (L, D).

    Returns:
        Distances of shape (N,).

    Raises:
        ValueError: if the shapes do not fit, or a number is not finite.

    Source: Liang et al. 2025 (arXiv 2510.01591), eq. 3.
    """
    xp = engine.xp
    _require_fit(engine, deltas, centroid[None])
    apart = deltas - centroid
    return xp.mean(xp.sum(apart * apart, axis=-1) ** 0.5, axis=-1)


def layer_distances(engine: Engine, deltas: Array, many: Array) -> Array:
    """Return `layer_distance` to each of many centroids at once, by matrix products: (N, L, D), (C, L, D) to (N, C).

    ‖a − b‖² = ‖a‖² − 2a·b + ‖b‖². All is measured from the middle of the centroids first, where little is cancelled;
    what rounding leaves below zero counts as zero.
    """
    xp = engine.xp
    _require_fit(engine, deltas, many)
    middle = xp.mean(many, axis=0)
    points = xp.permute_dims(deltas - middle, (1, 0, 2))  # (L, N, D)
    centres = xp.permute_dims(many - middle, (1, 2, 0))  # (L, D, C)
    squares = xp.sum(points * points, axis=-1)[..., None] + xp.sum(centres * centres, axis=-2)[:, None]
    squares = squares - 2.0 * (points @ centres)
    return xp.mean((squares * (squares > 0)) ** 0.5, axis=0)


def verify(engine: Engine, deltas: Array, success: Array, failure: Array) -> Array:
    """Return 1 for every trace that is nearer to the centroid of success, and 0 for the others and for a tie.

    Args:
        engine: whose arrays these are.
        deltas: shape (N, L, D).
        success, failure: V_succ and V_fail, shape (L, D).

    Returns:
        Whole numbers of shape (N,).
    """
    nearer = layer_distance(engine, deltas, success) < layer_distance(engine, deltas, failure)
    return engine.xp.astype(nearer, engine.xp.int64)


def layer_curve(engine: Engine, success: Array, failure: Array) -> Array:
    """Return d(l) = ‖V_succ(l) − V_fail(l)‖₂ for every layer, shape (L,).

    Source: Liang et al. 2025 (arXiv 2510.01591), eqs. 5 and 6.
    """
    apart = success - failure
    return engine.xp.sum(apart * apart, axis=-1) ** 0.5


def separation(engine: Engine, deltas: Array, labels: Array, success: Array, failure: Array) -> Array:
    """Return d(l) in units of the spread of success, shape (L,); it does not change when a layer is scaled.

        sep(l) = d(l) / sqrt(mean over successes of ‖Δh(l) − V_succ(l)‖²)

    A layer in which all successes are the same has no spread and gives 0 where d(l) is 0, else infinity.
    """
    xp = engine.xp
    apart = deltas - success
    share = xp.astype(labels, deltas.dtype)
    spread = (share @ xp.sum(apart * apart, axis=-1) / xp.sum(share)) ** 0.5
    between = layer_curve(engine, success, failure)
    within = xp.where(spread > 0, spread, xp.ones_like(spread))
    return xp.where(spread > 0, between / within, xp.where(between > 0, float("inf") + 0.0 * between, between))


def _require_traces(engine: Engine, deltas: Array) -> None:
    if deltas.ndim != 3:
        raise ValueError(f"deltas must have the shape (traces, layers, units), got {tuple(deltas.shape)}.")
    if not bool(engine.xp.all(engine.xp.isfinite(deltas))):
        raise ValueError("deltas must hold finite numbers only.")


def _require_fit(engine: Engine, deltas: Array, many: Array) -> None:
    _require_traces(engine, deltas)
    if tuple(many.shape[1:]) != tuple(deltas.shape[1:]):
        raise ValueError(
            f"A centroid of shape {tuple(many.shape[1:])} does not fit traces of {tuple(deltas.shape[1:])} "
            "(layers, units)."
        )
    if not bool(engine.xp.all(engine.xp.isfinite(many))):
        raise ValueError("A centroid must hold finite numbers only.")
