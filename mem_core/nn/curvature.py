"""How steep a loss is in each direction: eigenvalues of its Hessian, by finite differences of the gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine, leaves, map_tree

DIFFERENCE_STEP = {"float32": 1e-2, "float64": 1e-4}
"""Half the distance between the two gradients compared: rounding grows below it, curvature of higher order above."""


def hessian(
    engine: Engine, loss: Callable[[Any], Array], parameters: Any, step: float | None = None
) -> NDArray[np.float64]:
    """Estimate the Hessian H_ij = d^2 loss / d theta_i d theta_j by central differences of the gradient.

    H_i. = (gradient(theta + h e_i) - gradient(theta - h e_i)) / (2 h), then made symmetric. Two gradients for each
    of the n parameters: meant for small n, and for the `float64` engine where digits matter.

    Args:
        engine: gives the gradient.
        loss: maps a tree of arrays to one number.
        parameters: the tree at which to look, n numbers in all.
        step: h; None takes the one for the engine's precision from `DIFFERENCE_STEP`.

    Returns:
        Shape (n, n), in the order of `leaves(parameters)`, each leaf in row-major order.

    Raises:
        ValueError: if `step` is not positive.
    """
    step = DIFFERENCE_STEP[engine.precision] if step is None else step
    if not step > 0:
        raise ValueError(f"step must be above 0, got {step}.")
    gradient_of = engine.value_and_grad(loss)
    flat = _flatten(engine, parameters)

    def gradient(point: NDArray[Any]) -> NDArray[Any]:
        return _flatten(engine, gradient_of(_restored(engine, point, parameters))[1])

    rows = []
    for index in range(flat.size):
        offset = np.zeros_like(flat)
        offset[index] = step
        rows.append((gradient(flat + offset) - gradient(flat - offset)) / (2 * step))
    estimate = np.stack(rows)
    return np.asarray((estimate + estimate.T) / 2)


def hessian_eigenvalues(
    engine: Engine, loss: Callable[[Any], Array], parameters: Any, step: float | None = None
) -> NDArray[np.float64]:
    """Return the eigenvalues of `hessian`, ascending: large is steep (a hill), near zero is flat (a river)."""
    return np.linalg.eigvalsh(hessian(engine, loss, parameters, step)).astype(np.float64)


def _flatten(engine: Engine, tree: Any) -> NDArray[np.float64]:
    return np.concatenate([engine.to_numpy(leaf).astype(np.float64).ravel() for leaf in leaves(tree)])


def _restored(engine: Engine, flat: NDArray[Any], tree: Any) -> Any:
    """Give a flat vector the form of `tree`."""
    pieces = iter(np.split(flat, np.cumsum([math.prod(leaf.shape) for leaf in leaves(tree)])[:-1]))
    return map_tree(lambda leaf: engine.asarray(next(pieces).reshape(tuple(leaf.shape))), tree)
