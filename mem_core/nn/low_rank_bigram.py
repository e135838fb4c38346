"""A bigram language model whose contexts share weights: logits of rank D, with the gradient written out.

Because the output weights are shared, learning one context moves the others: it can forget. Many runs sit side by side
on the first axis, each with its own weights, and see the same batches.
Axes: R runs, C contexts, V tokens, D rank, K languages, T steps, B examples a batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine

Params = dict[str, Array]
"""`embedding` (R, C, D), `output` (R, D, V) and `bias` (R, 1, V)."""


def initial(
    engine: Engine,
    generator: np.random.Generator,
    *,
    runs: int,
    contexts: int,
    vocabulary: int,
    rank: int,
    scale: float,
) -> Params:
    """Draw one set of weights and give it to every run: entries N(0, scale^2), no bias.

    Raises:
        ValueError: naming the size that is below 1.
    """
    for name, size in (("runs", runs), ("contexts", contexts), ("vocabulary", vocabulary), ("rank", rank)):
        if size < 1:
            raise ValueError(f"{name} must be 1 or more, got {size}.")
    drawn = {
        "embedding": scale * generator.standard_normal((contexts, rank)),
        "output": scale * generator.standard_normal((rank, vocabulary)),
        "bias": np.zeros((1, vocabulary)),
    }
    return {name: engine.asarray(np.tile(values, (runs, 1, 1))) for name, values in drawn.items()}


def log_probabilities(engine: Engine, params: Params) -> Array:
    """Return ln softmax(E_c O + b) for every context, shape (R, C, V)."""
    xp = engine.xp
    logits = xp.matmul(params["embedding"], params["output"]) + params["bias"]
    logits = logits - xp.max(logits, axis=-1, keepdims=True)
    return logits - xp.log(xp.sum(xp.exp(logits), axis=-1, keepdims=True))


def pair_shares(
    engine: Engine, contexts: NDArray[np.int64], tokens: NDArray[np.int64], shape: tuple[int, int]
) -> Array:
    """Turn batches into the share of each pair (context, token): all that the gradient depends on.

    Args:
        engine: where the shares are to be used.
        contexts, tokens: drawn examples, both of shape (T, B).
        shape: (C, V).

    Returns:
        Shape (T, C, V), which sums to 1 over each batch.

    Raises:
        ValueError: if there is no example in a batch.
    """
    steps, batch_size = contexts.shape
    if batch_size < 1:
        raise ValueError(f"batches must hold 1 example or more, got {batch_size}.")
    pairs = shape[0] * shape[1]
    keys = np.arange(steps)[:, None] * pairs + contexts * shape[1] + tokens
    counts = np.bincount(keys.ravel(), minlength=steps * pairs)
    return engine.asarray((counts / batch_size).reshape(steps, *shape))


def gradient(engine: Engine, params: Params, shares: Array) -> Params:
    """Return the gradient of every run's cross-entropy on one batch.

    With G = n_c softmax(E_c O + b) - n_cy, n_cy the share of the pair (c, y) and n_c that of the context:
    dE = G O^T, dO = E^T G, db = sum over c of G.

    Args:
        engine: where the arrays live.
        params: the weights.
        shares: n_cy, shape (C, V).
    """
    xp = engine.xp
    of_context = xp.sum(shares, axis=-1, keepdims=True)
    excess = of_context * xp.exp(log_probabilities(engine, params)) - shares  # (R, C, V)
    return {
        "embedding": xp.matmul(excess, xp.matrix_transpose(params["output"])),
        "output": xp.matmul(xp.matrix_transpose(params["embedding"]), excess),
        "bias": xp.sum(excess, axis=-2, keepdims=True),
    }


def excess_losses(engine: Engine, params: Params, joint: Array, least: Array) -> Array:
    """Return the exact loss of each run on each language above the least possible, in nats.

    L = sum over c of q(c) KL(P_c || model) = -sum over c, y of q(c) P(y|c) ln model(y|c) - H

    Args:
        engine: where the arrays live.
        params: the weights.
        joint: q(c) P(y|c) of each language, shape (K, C, V).
        least: H, the entropy of the next token given the context, shape (K,).

    Returns:
        Shape (R, K).
    """
    xp = engine.xp
    logs = log_probabilities(engine, params)
    runs, languages = logs.shape[0], joint.shape[0]
    flat: Any = xp.matmul(xp.reshape(logs, (runs, -1)), xp.matrix_transpose(xp.reshape(joint, (languages, -1))))
    return -flat - least
