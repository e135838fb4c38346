"""Sums, multiples and inner products of trees of parameters, for networks that sit side by side on the first axis.

Axes: N networks.
"""

from __future__ import annotations

from collections.abc import Sequence

from mem_core.engine import Array, Engine, leaves, map_tree
from mem_core.training.optimizers import Tree


def inner_products(engine: Engine, first: Tree, second: Tree) -> Array:
    """Return Σ over all parameters of first·second for every network, shape (N,)."""
    parts = [
        engine.xp.sum(engine.xp.reshape(one * other, (one.shape[0], -1)), axis=-1)
        for one, other in zip(leaves(first), leaves(second), strict=True)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def norms(engine: Engine, tree: Tree) -> Array:
    """Return the length of every network's vector of parameters or gradients, shape (N,)."""
    return engine.xp.sqrt(inner_products(engine, tree, tree))


def weighted_sum(trees: Sequence[Tree], weights: Sequence[float | Array]) -> Tree:
    """Return Σ weightᵢ·treeᵢ; a weight is a number, or an array of one number for each network, shape (N,)."""
    return map_tree(lambda *parts: _weighted(parts, weights), trees[0], *trees[1:])


def _weighted(parts: Sequence[Array], weights: Sequence[float | Array]) -> Array:
    total = None
    for part, weight in zip(parts, weights, strict=True):
        by_network = weight if isinstance(weight, int | float) else weight.reshape((-1,) + (1,) * (part.ndim - 1))
        scaled = part * by_network
        total = scaled if total is None else total + scaled
    return total
