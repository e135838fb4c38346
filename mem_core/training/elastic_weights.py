"""Elastic weight consolidation: weights that mattered to earlier tasks are held where they were, as by springs."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Array, Engine, leaves, map_tree
from mem_core.training.optimizers import Tree


@dataclass(frozen=True, eq=False)
class Anchor:
    """Where the weights stood when the last task ended, and how much each of them mattered so far.

    Attributes:
        params: θ*, with networks side by side on the first axis of every leaf.
        importance: F, the mean over all tasks so far of the diagonal of the empirical Fisher information.
        tasks: how many tasks went into F.
    """

    params: Tree
    importance: Tree
    tasks: int

    @classmethod
    def after(cls, earlier: Anchor | None, params: Tree, importance: Tree) -> Anchor:
        """Move the anchor to the weights at a task's end: F ← F + (f − F)/k, with f that of the k-th task alone."""
        if earlier is None:
            return cls(params, importance, 1)
        tasks = earlier.tasks + 1
        mean = map_tree(lambda old, new: old + (new - old) / tasks, earlier.importance, importance)
        return cls(params, mean, tasks)


def penalty(engine: Engine, params: Tree, anchor: Anchor, strength: float) -> tuple[Array, Tree]:
    """Return what it costs every network to have left its anchor, and the gradient: both exactly 0 at the anchor.

    loss = λ Σ F·(θ − θ*)²,   gradient = 2λF·(θ − θ*)

    Args:
        engine: whose arrays these are.
        params: θ, every leaf of shape (N, ...) for N networks.
        anchor: θ* and F.
        strength: λ, 0 or more.

    Returns:
        Loss of shape (N,) and the gradient, a tree like `params`.

    Raises:
        ValueError: if `strength` is negative or not a number.

    Source: Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks", arXiv 1612.00796. There
    λ is halved; here, as in the code of De Lange et al. 2023 (arXiv 2205.13452), it is not.
    """
    if not strength >= 0:
        raise ValueError(f"strength must be 0 or more, got {strength}.")
    moved = map_tree(lambda now, then: now - then, params, anchor.params)
    gradient = map_tree(lambda distance, weight: 2 * strength * weight * distance, moved, anchor.importance)
    loss = sum(
        engine.xp.sum(engine.xp.reshape(distance * pull, (distance.shape[0], -1)), axis=-1) / 2
        for distance, pull in zip(leaves(moved), leaves(gradient), strict=True)
    )
    return loss, gradient
