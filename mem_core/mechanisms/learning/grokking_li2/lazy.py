"""What the hidden layer is told once the output layer has settled (stage I), exactly.

With F̃ and Ỹ the features and the one-hot labels minus their means over the n pairs, and η the decay, the output layer
settles at ridge regression, and then the gradient that reaches the features is proportional to η::

    V_ridge = (F̃ᵀF̃ + ηI)⁻¹ F̃ᵀỸ,     G_F = −∂J/∂F = (Ỹ − F̃V)Vᵀ
    (1)  G_F = η (F̃F̃ᵀ + ηI)⁻¹ ỸỸᵀF̃ (F̃ᵀF̃ + ηI)⁻¹     at V = V_ridge

Without decay it is zero: everything is memorised, and nothing more is learned.

Axes: n pairs, K hidden units, M classes. Source: arXiv 2509.21519, Proposition 1.
"""

from __future__ import annotations

from mem_core.engine import Array, Engine


def centred(engine: Engine, rows: Array) -> Array:
    """Return rows minus their mean over the pairs, shape (n, anything)."""
    return rows - engine.xp.mean(rows, axis=0, keepdims=True)


def ridge_output(engine: Engine, features: Array, targets: Array, weight_decay: float) -> Array:
    """Return V_ridge, shape (K, M), for features (n, K), targets (n, M) and η > 0."""
    xp = engine.xp
    features, targets = centred(engine, features), centred(engine, targets)
    transposed = xp.matrix_transpose(features)
    return xp.linalg.solve(_decayed(engine, transposed @ features, weight_decay), transposed @ targets)


def feature_gradient(engine: Engine, features: Array, targets: Array, output: Array) -> Array:
    """Return G_F = (Ỹ − F̃V)Vᵀ for any output weights V, shape (n, K)."""
    residual = centred(engine, targets) - centred(engine, features) @ output
    return residual @ engine.xp.matrix_transpose(output)


def feature_gradient_at_ridge(engine: Engine, features: Array, targets: Array, weight_decay: float) -> Array:
    """Return G_F at V = V_ridge by identity (1), shape (n, K)."""
    xp = engine.xp
    features, targets = centred(engine, features), centred(engine, targets)
    transposed = xp.matrix_transpose(features)
    pulled = targets @ (xp.matrix_transpose(targets) @ features)  # ỸỸᵀF̃
    left = xp.linalg.solve(_decayed(engine, features @ transposed, weight_decay), pulled)
    right = xp.linalg.solve(_decayed(engine, transposed @ features, weight_decay), xp.matrix_transpose(left))
    return weight_decay * xp.matrix_transpose(right)


def coupling(engine: Engine, features: Array) -> Array:
    """Return how far hidden units are from acting alone: mean |off-diagonal| over mean diagonal of F̃ᵀF̃.

    Zero where each unit has a feature of its own; one where all have the same.

    Args:
        engine: whose arrays these are.
        features: (N, n, K).

    Returns:
        One number per network, shape (N,).
    """
    xp = engine.xp
    features = features - xp.mean(features, axis=-2, keepdims=True)
    products = xp.matrix_transpose(features) @ features
    units = products.shape[-1]
    total = xp.sum(xp.abs(products), axis=(-2, -1))
    diagonal = xp.sum(features * features, axis=(-2, -1))
    return (total - diagonal) / (units - 1) / xp.where(diagonal > 0, diagonal, xp.ones_like(diagonal))


def _decayed(engine: Engine, square: Array, weight_decay: float) -> Array:
    return square + weight_decay * engine.xp.eye(square.shape[-1])
