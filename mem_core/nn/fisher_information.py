"""The diagonal empirical Fisher information of any network: how much each parameter matters for some examples.

Where a network is made of dense layers alone, `relu_mlp.squared_gradients` gives the same without forming the
gradient of a single example.

Axes: n examples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mem_core.engine import Array, Engine, leaves, map_tree

EXAMPLES_AT_ONCE = 256
"""How many gradients of single examples are held in memory together."""


def fisher_diagonal(
    engine: Engine,
    loss: Callable[..., Array],
    params: Any,
    examples: tuple[Array, ...],
    examples_at_once: int = EXAMPLES_AT_ONCE,
) -> Any:
    """Return the mean over examples of the squared gradient of each example's own loss.

        F = (1/n) Σ (∂ log p(y|x) / ∂θ)²,   y the true label

    Args:
        engine: where the parameters live.
        loss: `loss(params, *example)`, −log p(y|x) of one example.
        params: θ, a tree of arrays.
        examples: arrays that share their first axis, n.
        examples_at_once: how many gradients of single examples are formed together.

    Returns:
        A tree like `params`.

    Raises:
        ValueError: if there are no examples, or `examples_at_once` is below 1.

    Source: Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks", arXiv 1612.00796.
    """
    if examples_at_once < 1:
        raise ValueError(f"examples_at_once must be 1 or more, got {examples_at_once}.")
    value_and_grad = engine.value_and_grad(loss)

    def squared(*example: Array) -> Any:
        return map_tree(lambda gradient: gradient * gradient, value_and_grad(params, *example)[1])

    def summed(*part: Array) -> Any:
        return map_tree(lambda squares: engine.xp.sum(squares, axis=0), engine.vmap(squared)(*part))

    return _mean(summed, examples, examples_at_once, _count(examples))


def squared_batch_gradients(gradient: Callable[..., Any], examples: tuple[Array, ...], batch_size: int) -> Any:
    """Return the mean over mini-batches of the squared gradient of each batch's mean loss.

        S = (1/m) Σ_batches (∂/∂θ mean of −log p(y|x) over the batch)²

    Much code computes this in place of the Fisher information. It is another quantity: the gradients of a batch partly
    cancel before they are squared, so it depends on which examples share a batch. With batches of one it is the same.

    Args:
        gradient: `gradient(*batch)` returns the gradient of the batch's mean loss, a tree of arrays.
        examples: arrays that share their first axis, n; a batch is `batch_size` examples in a row, the last may be
            smaller.
        batch_size: 1 or more.

    Raises:
        ValueError: if there are no examples, or `batch_size` is below 1.

    Source: `calc_importance` in ssd.py of github.com/if-loops/selective-synaptic-dampening, after Avalanche.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, got {batch_size}.")

    def squared(*batch: Array) -> Any:
        return map_tree(lambda mean: mean * mean, gradient(*batch))

    return _mean(squared, examples, batch_size, -(-_count(examples) // batch_size))


def _mean(of_part: Callable[..., Any], examples: tuple[Array, ...], size: int, count: int) -> Any:
    """Add up a tree over stretches of `size` examples and divide by `count`."""
    total = None
    for start in range(0, _count(examples), size):
        found = of_part(*(array[start : start + size] for array in examples))
        total = found if total is None else map_tree(lambda one, other: one + other, total, found)
    return map_tree(lambda leaf: leaf / count, total)


def _count(examples: tuple[Array, ...]) -> int:
    counts = {array.shape[0] for array in leaves(examples)}
    if len(counts) != 1 or counts == {0}:
        raise ValueError(f"examples must be arrays of one length of 1 or more, got lengths {sorted(counts)}.")
    return int(counts.pop())
