"""A two-layer network with squares as its activation, on pairs of residues, with gradients by hand.

For a pair (a, b) and one hidden unit: z = U[a] + V[b], feature z², output Σ over units of z²·(output weight). Its input
is one-hot(a) ⊕ one-hot(b), so the first matrix product is a sum of two rows, and its gradient a sum over the rows that
share a residue. Both are gathers here: in NumPy without a BLAS library, as in the browser, that is faster than
multiplying by one-hot matrices, and beside one it is as fast.

Axes: N networks trained side by side, n pairs, M residues, K hidden units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine

Parameters = dict[str, Array]
"""`hidden` of shape (N, 2M, K), the rows of a above those of b, and `output` of shape (N, K, M)."""


@dataclass(frozen=True)
class PairRows:
    """Where the rows of N networks' pairs are found, as indices on the engine.

    Attributes:
        networks, count, modulus: N, n and M.
        first, second: row of each pair's a and b among the N·2M rows of `hidden`, shape (N·n,).
        sharing: for each of these N·2M rows the pairs that use it, then N·n as filling, shape (N·2M·C,); None
            where no gradient is asked for.
    """

    networks: int
    count: int
    modulus: int
    first: Array
    second: Array
    sharing: Array | None


@dataclass(frozen=True)
class Activations:
    """What the gradient needs from a forward pass: z and z², shape (N, n, K), and the outputs, (N, n, M)."""

    inputs: Array
    features: Array
    outputs: Array


def pair_rows(
    engine: Engine, modulus: int, first: NDArray[np.int64], second: NDArray[np.int64], *, for_gradient: bool
) -> PairRows:
    """Prepare the index arrays of fixed pairs, once before training.

    Args:
        engine: where the indices go.
        modulus: M.
        first, second: residues of shape (N, n).
        for_gradient: whether `gradient` will be asked for with these pairs.
    """
    networks, count = first.shape
    offset = 2 * modulus * np.arange(networks)[:, None]
    row_of_first = (first + offset).ravel()
    row_of_second = (second + modulus + offset).ravel()
    sharing = None
    if for_gradient:
        sharing = engine.asarray(_pairs_sharing(row_of_first, row_of_second, networks * 2 * modulus).ravel())
    return PairRows(networks, count, modulus, engine.asarray(row_of_first), engine.asarray(row_of_second), sharing)


def _pairs_sharing(row_of_first: NDArray[np.int64], row_of_second: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """List for each row the pairs that use it, filled up with the number of pairs to one length."""
    pairs = len(row_of_first)
    used = np.concatenate([row_of_first, row_of_second])
    by_row = np.argsort(used, kind="stable")
    counts = np.bincount(used, minlength=rows)
    place = np.arange(2 * pairs) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.full((rows, counts.max()), pairs)
    table[used[by_row], place] = by_row % pairs
    return table


def initial_parameters(
    engine: Engine, modulus: int, hidden: int, generators: list[np.random.Generator], output_scale: float = 1.0
) -> Parameters:
    """Draw weights as torch.nn.Linear does: uniform within ±1/√(number of inputs), one generator per network.

    Args:
        engine: where the weights go.
        modulus, hidden: M and K.
        generators: one per network, N.
        output_scale: factor on the output weights; 0 starts them at zero. The hidden weights do not depend on it.
    """
    drawn = [
        (
            generator.uniform(-1, 1, (2 * modulus, hidden)) / math.sqrt(2 * modulus),
            generator.uniform(-1, 1, (hidden, modulus)) / math.sqrt(hidden) * output_scale,
        )
        for generator in generators
    ]
    return {
        "hidden": engine.asarray(np.stack([first for first, _ in drawn])),
        "output": engine.asarray(np.stack([second for _, second in drawn])),
    }


def normal_parameters(engine: Engine, modulus: int, hidden: int, generators: list[np.random.Generator]) -> Parameters:
    """Draw every weight from N(0, s²) with s = ½/(2K)^(1/3), one generator per network.

    A unit's answer is a product of three weights, so this s keeps the outputs' size from depending on K alone.

    Args:
        engine: where the weights go.
        modulus, hidden: M and K.
        generators: one per network, N.

    Source: Gromov 2023 (arXiv 2301.02679); Doshi et al. 2023 (arXiv 2310.13061), App. A.
    """
    deviation = 0.5 / (2 * hidden) ** (1 / 3)
    drawn = [
        (generator.normal(size=(2 * modulus, hidden)), generator.normal(size=(hidden, modulus)))
        for generator in generators
    ]
    return {
        "hidden": engine.asarray(np.stack([first for first, _ in drawn]) * deviation),
        "output": engine.asarray(np.stack([second for _, second in drawn]) * deviation),
    }


def hidden_inputs(engine: Engine, params: Parameters, pairs: PairRows) -> Array:
    """Return z = U[a] + V[b] for every pair of every network, shape (N, n, K)."""
    xp = engine.xp
    weights = params["hidden"]
    hidden = weights.shape[-1]
    rows = xp.reshape(weights, (-1, hidden))
    inputs = xp.take(rows, pairs.first, axis=0) + xp.take(rows, pairs.second, axis=0)
    return xp.reshape(inputs, (pairs.networks, pairs.count, hidden))


def forward(engine: Engine, params: Parameters, pairs: PairRows) -> Activations:
    """Return z = U[a] + V[b], z² and z²·output for every pair of every network."""
    inputs = hidden_inputs(engine, params, pairs)
    features = inputs * inputs
    return Activations(inputs, features, features @ params["output"])


def centred_targets(engine: Engine, labels: NDArray[np.int64], modulus: int) -> Array:
    """Return one-hot labels minus their mean 1/M over the classes, shape (..., n, M)."""
    return engine.asarray(np.eye(modulus)[labels] - 1.0 / modulus)


def centred_loss(engine: Engine, outputs: Array, targets: Array) -> tuple[Array, Array]:
    """Return the squared error after taking each pair's mean output away, and its gradient by the outputs.

    loss = (1/n) Σ_pairs ‖o − mean(o) − (e_y − 1/M)‖², summed over the M classes (a mean over them would weaken the
    loss against weight decay by M); gradient = (2/n)·(o − mean(o) − (e_y − 1/M)). Outputs of zero give 1 − 1/M.

    Args:
        engine: whose arrays these are.
        outputs: (N, n, M).
        targets: as `centred_targets` gives them.

    Returns:
        Loss of shape (N,) and gradient of shape (N, n, M).
    """
    xp = engine.xp
    residual = outputs - xp.mean(outputs, axis=-1, keepdims=True) - targets
    count = outputs.shape[-2]
    return xp.sum(residual * residual, axis=(-2, -1)) / count, residual * (2.0 / count)


def squared_loss(engine: Engine, outputs: Array, targets: Array) -> tuple[Array, Array]:
    """Return the mean squared error over pairs and classes, and its gradient by the outputs.

    loss = (1/(n·M)) Σ_pairs ‖o − t‖², gradient = (2/(n·M))·(o − t), as torch.nn.MSELoss has them. Against one-hot
    targets, outputs of zero give 1/M.

    Args:
        engine: whose arrays these are.
        outputs, targets: (N, n, M).

    Returns:
        Loss of shape (N,) and gradient of shape (N, n, M).
    """
    residual = outputs - targets
    numbers = outputs.shape[-2] * outputs.shape[-1]
    return engine.xp.sum(residual * residual, axis=(-2, -1)) / numbers, residual * (2.0 / numbers)


def gradient(
    engine: Engine, params: Parameters, pairs: PairRows, activations: Activations, output_gradient: Array
) -> Parameters:
    """Return the gradient by the parameters, from the gradient G by the outputs.

    d output = featuresᵀ G;  d z = 2z ⊙ (G outputᵀ);  d hidden = sums of d z over the pairs that share a residue.

    Args:
        engine: whose arrays these are.
        params, pairs, activations: of the forward pass.
        output_gradient: G, shape (N, n, M).

    Raises:
        ValueError: if the pairs were prepared without `for_gradient`.
    """
    through_squares = (output_gradient @ engine.xp.matrix_transpose(params["output"])) * activations.inputs
    return {
        "hidden": 2.0 * hidden_gradient(engine, pairs, through_squares),
        "output": engine.xp.matrix_transpose(activations.features) @ output_gradient,
    }


def hidden_gradient(engine: Engine, pairs: PairRows, input_gradient: Array) -> Array:
    """Return the gradient by `hidden`: for each residue the sum of d z over the pairs that have it.

    Args:
        engine: whose arrays these are.
        pairs: as they were for z.
        input_gradient: d z, shape (N, n, K).

    Raises:
        ValueError: if the pairs were prepared without `for_gradient`.
    """
    if pairs.sharing is None:
        raise ValueError("These pairs were prepared for the forward pass only; prepare them with for_gradient=True.")
    xp = engine.xp
    hidden = input_gradient.shape[-1]
    filled = xp.concat([xp.reshape(input_gradient, (-1, hidden)), xp.zeros((1, hidden))])
    shared = xp.reshape(xp.take(filled, pairs.sharing, axis=0), (pairs.networks, 2 * pairs.modulus, -1, hidden))
    return xp.sum(shared, axis=2)
