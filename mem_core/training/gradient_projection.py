"""Gradient episodic memory: a step that would raise the loss on a remembered task is turned until it does not.

Axes: N networks, K remembered tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Engine, map_tree
from mem_core.training.optimizers import Tree
from mem_core.training.tree_arithmetic import inner_products, weighted_sum

RIDGE = 1e-3
"""Added to the diagonal of P, so that the programme has one solution (arXiv 1706.08840, code)."""
MOST_TASKS = 12
"""Remembered at once: all 2^K sets of active constraints are tried."""

Floats = NDArray[np.float64]


def correction(
    engine: Engine, gradient: Tree, references: Sequence[Tree], *, margin: float, ridge: float = RIDGE
) -> Tree:
    """Return g̃ − g: what turns a gradient g into g̃, which lowers (or leaves) the loss on every remembered task.

    g̃ = g + Σ vᵢ·Gᵢ with the v of `dual_weights`; where no Gᵢ·g is negative, v = 0 and g̃ is g.

    Args:
        engine: whose arrays these are.
        gradient: g, every leaf of shape (N, ...).
        references: Gᵢ, the gradient of the loss on each remembered task, K trees like `gradient`.
        margin: γ, the least that every vᵢ of a violated gradient must be.
        ridge: on the diagonal of P.

    Raises:
        ValueError: if there is no reference, or more than `MOST_TASKS`.

    Source: Lopez-Paz and Ranzato 2017, "Gradient Episodic Memory for Continual Learning", arXiv 1706.08840, Eq. 11.
    """
    if not 1 <= len(references) <= MOST_TASKS:
        raise ValueError(f"references must be 1 to {MOST_TASKS} gradients, got {len(references)}.")
    overlaps = _host(engine, [inner_products(engine, each, gradient) for each in references])  # (N, K)
    if not (overlaps < 0).any():
        return map_tree(lambda leaf: leaf * 0.0, gradient)
    gram = np.stack(
        [_host(engine, [inner_products(engine, one, other) for other in references]) for one in references], axis=1
    )
    weights = np.stack([dual_weights(*each, margin=margin, ridge=ridge) for each in zip(gram, overlaps, strict=True)])
    return weighted_sum(references, [engine.asarray(column) for column in weights.T])


def dual_weights(gram: Floats, overlaps: Floats, *, margin: float, ridge: float = RIDGE) -> Floats:
    """Return v, how much of each remembered gradient is added: zeros where no overlap is negative.

    v = argmin ½·vᵀPv + (Gg)ᵀv subject to v ≥ γ, with P = GGᵀ + ridge·1. P is positive definite, so exactly one set of
    constraints v = γ can be active: all are tried, and the one that rounding leaves nearest to a solution is taken.

    Args:
        gram: GGᵀ, shape (K, K).
        overlaps: Gg, shape (K,).
        margin: γ.
        ridge: above 0, or 0 if no gradient is a combination of the others.
    """
    tasks = len(overlaps)
    if not (overlaps < 0).any():
        return np.zeros(tasks)
    curvature = (gram + gram.T) / 2 + ridge * np.eye(tasks)
    tried = [_with_active(curvature, overlaps, margin, np.array(held)) for held in product((False, True), repeat=tasks)]
    return min(tried, key=lambda attempt: attempt[0])[1]


def _with_active(curvature: Floats, overlaps: Floats, margin: float, active: NDArray[np.bool_]) -> tuple[float, Floats]:
    """Solve with one set of constraints active; return by how much a condition is violated, and v."""
    free = ~active
    weights = np.full(len(active), margin, dtype=np.float64)
    fixed = overlaps[free] + curvature[np.ix_(free, active)] @ weights[active]
    weights[free] = -np.linalg.solve(curvature[np.ix_(free, free)], fixed)
    slope = curvature @ weights + overlaps
    return float(max(np.max(margin - weights), np.max(-slope[active], initial=0.0))), weights


def _host(engine: Engine, columns: Sequence[Any]) -> Floats:
    """Bring K arrays of shape (N,) back as one NumPy array (N, K)."""
    return np.stack([engine.to_numpy(column).astype(np.float64) for column in columns], axis=-1)
