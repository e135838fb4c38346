"""A fully connected network with max(0, ·) between its layers, and the losses it is trained with, gradients by hand.

    h_0 = x,   h_l = max(0, h_(l−1)·W_l + b_l),   logits = h_(L−1)·W_L + b_L

Networks sit side by side on the first axis, each with its own weights and, where asked, its own examples.
Axes: N networks, n examples, I inputs of a layer, O outputs of it, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine

Parameters = list[dict[str, Array]]
"""For each layer `weight` of shape (N, I, O) and `bias` of shape (N, 1, O)."""


def initial(engine: Engine, generators: Sequence[np.random.Generator], widths: Sequence[int]) -> Parameters:
    """Draw weights and biases as torch.nn.Linear does: uniform within ±1/√I.

    Args:
        engine: where the weights go.
        generators: one for each network.
        widths: inputs, units of each hidden layer, classes; at least two numbers.

    Raises:
        ValueError: if there are fewer than two widths, or one below 1.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths must be two or more numbers of 1 or more, got {tuple(widths)}.")
    networks = [[_drawn(generator, *sizes) for sizes in pairwise(widths)] for generator in generators]
    return [
        {name: engine.asarray(np.stack([layer[name] for layer in layers])) for name in ("weight", "bias")}
        for layers in zip(*networks, strict=True)
    ]


def _drawn(generator: np.random.Generator, inputs: int, outputs: int) -> dict[str, NDArray[np.float64]]:
    values = generator.uniform(-1, 1, (inputs + 1, outputs)) / math.sqrt(inputs)
    return {"weight": values[:-1], "bias": values[-1:]}


def forward(engine: Engine, params: Parameters, inputs: Array) -> list[Array]:
    """Return the inputs, what every hidden layer gives, and the logits.

    Args:
        engine: whose arrays these are.
        params: the weights.
        inputs: shape (N, n, I), or (1, n, I) for the same examples in every network.
    """
    activations = [inputs]
    for number, layer in enumerate(params, start=1):
        sums = engine.xp.matmul(activations[-1], layer["weight"]) + layer["bias"]
        activations.append(sums if number == len(params) else sums * (sums > 0))
    return activations


def gradient(engine: Engine, params: Parameters, activations: Sequence[Array], error: Array) -> Parameters:
    """Return the gradient by the weights, from that by the logits.

    dW_l = h_(l−1)ᵀ·δ_l,   db_l = Σ over examples of δ_l,   δ_(l−1) = (δ_l·W_lᵀ) where h_(l−1) > 0, else 0

    Args:
        engine: whose arrays these are.
        params: the weights.
        activations: as `forward` gave them.
        error: gradient by the logits δ_L, shape (N, n, C).
    """
    xp = engine.xp
    return [
        {
            "weight": xp.matmul(xp.matrix_transpose(before), delta),
            "bias": xp.sum(delta, axis=-2, keepdims=True),
        }
        for before, delta in _by_layer(engine, params, activations, error)
    ]


def squared_gradients(engine: Engine, params: Parameters, activations: Sequence[Array], errors: Array) -> Parameters:
    """Return the mean over examples of every example's squared gradient, without making those gradients.

    One example's gradient is the outer product of h_(l−1) and δ_l, so the sum of squares is (h²)ᵀ·δ².

    Args:
        engine: whose arrays these are.
        params: the weights.
        activations: as `forward` gave them.
        errors: gradient of each example's own loss by its logits, not divided by n, shape (N, n, C).
    """
    xp, count = engine.xp, errors.shape[-2]
    return [
        {
            "weight": xp.matmul(xp.matrix_transpose(before * before), delta * delta) / count,
            "bias": xp.mean(delta * delta, axis=-2, keepdims=True),
        }
        for before, delta in _by_layer(engine, params, activations, errors)
    ]


def _by_layer(
    engine: Engine, params: Parameters, activations: Sequence[Array], error: Array
) -> Sequence[tuple[Array, Array]]:
    """Pair every layer's inputs h_(l−1) with δ_l, first layer first."""
    xp = engine.xp

    def backwards() -> Iterator[tuple[Array, Array]]:
        delta = error
        for number in range(len(params) - 1, -1, -1):
            yield activations[number], delta
            if number:
                through = xp.matmul(delta, xp.matrix_transpose(params[number]["weight"]))
                delta = through * (activations[number] > 0)

    return [*backwards()][::-1]


def log_softmax(engine: Engine, logits: Array) -> Array:
    """Return z − ln Σ exp z over the last axis."""
    xp = engine.xp
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def cross_entropy(engine: Engine, logits: Array, targets: Array) -> tuple[Array, Array]:
    """Return the mean cross-entropy of every network, in nats, and its gradient by the logits.

    loss = −(1/n) Σ t·ln softmax(z),   gradient = (softmax(z) − t)/n

    Args:
        engine: whose arrays these are.
        logits: z, shape (N, n, C).
        targets: t, one-hot or a distribution, shape (N, n, C).

    Returns:
        Loss of shape (N,) and gradient of shape (N, n, C).
    """
    xp, count = engine.xp, logits.shape[-2]
    logs = log_softmax(engine, logits)
    return -xp.sum(targets * logs, axis=(-2, -1)) / count, (xp.exp(logs) - targets) / count


def distillation(
    engine: Engine, logits: Array, teacher: Array, *, temperature: float, units: int
) -> tuple[Array, Array]:
    """Return how far a network's answers are from its teacher's on the first `units`, and the gradient by the logits.

    With q = softmax(z/T) and p = softmax(teacher/T) over these units alone:
    loss = (1/n) Σ KL(p ‖ q),   gradient = (q − p)/(n·T) on these units and 0 on the others

    Args:
        engine: whose arrays these are.
        logits, teacher: z and the teacher's logits, shape (N, n, C).
        temperature: T, above 0. There is no factor T², as in the code of De Lange et al. 2023.
        units: how many, from 1 to C.

    Returns:
        Loss of shape (N,), in nats, and gradient of shape (N, n, C).

    Raises:
        ValueError: if `temperature` or `units` is out of its range.

    Source: Li and Hoiem 2016, "Learning without Forgetting", arXiv 1606.09282; Hinton et al. 2015, arXiv 1503.02531.
    """
    classes, count, xp = logits.shape[-1], logits.shape[-2], engine.xp
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}.")
    if not 1 <= units <= classes:
        raise ValueError(f"units must be from 1 to {classes}, got {units}.")
    ours, theirs = (log_softmax(engine, each[..., :units] / temperature) for each in (logits, teacher))
    wanted = xp.exp(theirs)
    loss = xp.sum(wanted * (theirs - ours), axis=(-2, -1)) / count
    error = (xp.exp(ours) - wanted) / (count * temperature)
    return loss, xp.concat([error, 0.0 * logits[..., units:]], axis=-1)
