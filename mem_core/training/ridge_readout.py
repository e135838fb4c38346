"""What a linear readout can tell from some features: ridge regression on labels, and its accuracy.

Axes: n examples, F features, K classes; further axes in front are fits of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine

SMALLEST_DEVIATION = 1e-12
"""A feature that never changes is divided by this, and stays zero."""


@dataclass(frozen=True)
class RidgeReadout:
    """A fitted readout: scores = ((x − mean)/deviation)·weights + offset."""

    mean: Array  # (..., 1, F)
    deviation: Array  # (..., 1, F)
    weights: Array  # (..., F, K)
    offset: Array  # (..., 1, K)

    def scores(self, engine: Engine, features: Array) -> Array:
        """Score every class: (..., n, F) to (..., n, K)."""
        features = engine.xp.astype(features, engine.xp.float64)
        return (features - self.mean) / self.deviation @ self.weights + self.offset


def fit_ridge_readout(
    engine: Engine, features: Array, labels: NDArray[np.int64], classes: int, penalty: float
) -> RidgeReadout:
    """Fit one-hot labels by ridge regression on standardised features.

    W = (XᵀX + ηI)⁻¹ Xᵀ(Y − mean Y), X standardised. The constant is not penalised: with standardised features it is
    the mean of Y. Solved in float64 on every engine, because features of similar time constants are nearly parallel.

    Args:
        engine: where the features live.
        features: (..., n, F).
        labels: whole numbers below `classes`, the same for all fits (n,).
        classes: K.
        penalty: η > 0.

    Raises:
        ValueError: if a label is not a class, the numbers of examples differ, or the penalty is not positive.
    """
    if len(labels) != features.shape[-2]:
        raise ValueError(f"There are {len(labels)} labels for {features.shape[-2]} examples.")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}, but must be 0 to {classes - 1}.")
    if not penalty > 0:
        raise ValueError(f"penalty is {penalty!r}, but it must be a positive number.")
    xp = engine.xp
    features = xp.astype(features, xp.float64)
    mean = xp.mean(features, axis=-2, keepdims=True)
    deviation = xp.std(features, axis=-2, keepdims=True)
    deviation = deviation + SMALLEST_DEVIATION * (deviation < SMALLEST_DEVIATION)
    standard = (features - mean) / deviation
    targets = engine.asarray(np.eye(classes)[labels], dtype=xp.float64)
    offset = xp.mean(targets, axis=-2, keepdims=True)
    transposed = xp.matrix_transpose(standard)
    penalised = transposed @ standard + penalty * xp.eye(features.shape[-1], dtype=xp.float64)
    return RidgeReadout(mean, deviation, xp.linalg.solve(penalised, transposed @ (targets - offset)), offset)


def readout_accuracy(
    engine: Engine, readout: RidgeReadout, features: Array, labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the share of examples whose highest score is their label, one for each fit (...)."""
    answers = engine.to_numpy(engine.xp.argmax(readout.scores(engine, features), axis=-1))
    right: NDArray[np.float64] = (answers == labels).mean(axis=-1)
    return right
