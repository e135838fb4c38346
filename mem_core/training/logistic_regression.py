"""Logistic regression of two classes on a few features, to the optimum by Newton's method.

Axes: n examples, F features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_STEPS = 100
TOLERANCE = 1e-10
"""Largest Newton step, in units of the weights, at which the optimum counts as found."""
SMALLEST_CURVATURE = 1e-12
"""Added to the diagonal: where every example is certain, the offset has no curvature left."""


@dataclass(frozen=True, eq=False)
class LogisticRegression:
    """A fitted classifier: P(true | x) = σ(x·weights + offset)."""

    weights: Floats
    offset: float

    def scores(self, features: NDArray[Any]) -> Floats:
        """Return x·weights + offset, above 0 where true is more likely than not: (n, F) to (n,)."""
        return np.asarray(features @ self.weights + self.offset)


def fit_logistic_regression(
    features: NDArray[Any], labels: NDArray[np.bool_], *, balanced: bool = False, penalty: float = 1.0
) -> LogisticRegression:
    """Minimise the penalised negative log-likelihood.

        (η/2)‖w‖² + Σ s · ln(1 + exp(∓(x·w + c))),   s = 1, or n / (2 · examples of the class) where `balanced`

    The offset c is not penalised. Newton steps are halved until the value falls.

    Args:
        features: x, shape (n, F).
        labels: shape (n,); both classes must occur.
        balanced: whether both classes count the same, however many examples they have.
        penalty: η, above 0.

    Raises:
        ValueError: if shapes do not fit, a class does not occur, or the penalty is not positive.

    Source: the problem that scikit-learn's LogisticRegression solves with C = 1/η and class_weight="balanced".
    """
    x, y = np.asarray(features, dtype=np.float64), np.asarray(labels, dtype=bool)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(f"features must be (n, F) and labels (n,), got {x.shape} and {y.shape}.")
    if y.all() or not y.any():
        raise ValueError("labels must hold both classes.")
    if not penalty > 0:
        raise ValueError(f"penalty is {penalty!r}, but it must be a positive number.")
    problem = _Problem(x, y, balanced, penalty)
    point = problem.optimum()
    return LogisticRegression(point[:-1], float(point[-1]))


class _Problem:
    """The value to be minimised, as a function of the weights and, last, the offset."""

    def __init__(self, x: Floats, y: NDArray[np.bool_], balanced: bool, penalty: float) -> None:
        self._x = np.column_stack([x, np.ones(len(x))])
        self._signed = self._x * np.where(y, 1.0, -1.0)[:, None]
        share = len(y) / (2 * np.where(y, y.sum(), (~y).sum()))
        self._importance = share if balanced else np.ones(len(y))
        self._penalty = np.append(np.full(x.shape[1], penalty), 0.0)

    def optimum(self) -> Floats:
        """Take Newton steps from zero until they no longer move."""
        point = np.zeros(len(self._penalty))
        for _ in range(MOST_STEPS):
            step = self._step(point)
            while self._value(point + step) > self._value(point) and np.abs(step).max() > TOLERANCE:
                step = step / 2
            point = point + step
            if np.abs(step).max() <= TOLERANCE:
                break
        return point

    def _value(self, point: Floats) -> float:
        losses = np.logaddexp(0.0, -self._signed @ point)
        return float(self._importance @ losses + self._penalty @ point**2 / 2)

    def _step(self, point: Floats) -> Floats:
        wrong = np.exp(-np.logaddexp(0.0, self._signed @ point))  # probability of the other class
        gradient = self._penalty * point - self._signed.T @ (self._importance * wrong)
        weight = self._importance * wrong * (1 - wrong)
        curvature = self._x.T @ (weight[:, None] * self._x) + np.diag(self._penalty + SMALLEST_CURVATURE)
        return -np.linalg.solve(curvature, gradient)
