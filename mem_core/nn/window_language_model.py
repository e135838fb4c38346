"""A small language model that sees the last few tokens: embeddings, one ReLU layer, logits; its gradient by hand.

The embeddings of the w tokens before a place are laid side by side and go through one hidden layer:

    x = E[c_1] ⊕ … ⊕ E[c_w],   h = max(0, x·W₁ + b₁),   P(next token) = softmax(h·W₂ + b₂)

Before the first token the window is filled with a token of its own, number V.

Axes: B texts, L tokens in each, n predictions (n = B·L), w tokens in a window, d numbers in an embedding, H hidden
units, V tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine

Parameters = dict[str, Array]
"""`embedding` (V+1, d), `hidden` (w·d, H), `hidden_bias` (H,), `output` (H, V), `output_bias` (V,)."""

EMBEDDING_SCALE = 0.3
"""Standard deviation of the first embeddings."""


@dataclass(frozen=True)
class WindowShape:
    """The sizes of a model.

    Attributes:
        vocabulary: V, number of different tokens.
        window: w, how many tokens back it sees.
        width: d, numbers in an embedding.
        hidden: H, hidden units.

    Raises:
        ValueError: if a size is below 1.
    """

    vocabulary: int
    window: int
    width: int
    hidden: int

    def __post_init__(self) -> None:
        for name, size in vars(self).items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}.")


class Predictions(NamedTuple):
    """What to predict and from what, as whole numbers on the engine.

    Attributes:
        windows: the w tokens before each place, the nearest last, (…, w).
        targets: the token at that place, (…,).
    """

    windows: Array
    targets: Array


def initial_parameters(engine: Engine, shape: WindowShape, generator: np.random.Generator) -> Parameters:
    """Draw normal weights: embeddings of deviation 0.3, each layer's 1/√(number of its inputs), biases zero."""
    inputs = shape.window * shape.width
    drawn = {
        "embedding": generator.standard_normal((shape.vocabulary + 1, shape.width)) * EMBEDDING_SCALE,
        "hidden": generator.standard_normal((inputs, shape.hidden)) / math.sqrt(inputs),
        "hidden_bias": np.zeros(shape.hidden),
        "output": generator.standard_normal((shape.hidden, shape.vocabulary)) / math.sqrt(shape.hidden),
        "output_bias": np.zeros(shape.vocabulary),
    }
    return {name: engine.asarray(weights) for name, weights in drawn.items()}


def predictions_of(engine: Engine, shape: WindowShape, texts: NDArray[np.integer]) -> Predictions:
    """List every token of every text with the window before it, windows (B, L, w) and targets (B, L).

    Args:
        engine: where the numbers go.
        shape: of the model.
        texts: tokens 0 … V − 1, (B, L).

    Raises:
        ValueError: if a text has fewer than 2 tokens, or a token is not in the vocabulary.
    """
    if texts.ndim != 2 or texts.shape[1] < 2:
        raise ValueError(f"texts must have shape (B, L) with at least 2 tokens each, got {texts.shape}.")
    if texts.size and not 0 <= texts.min() <= texts.max() < shape.vocabulary:
        raise ValueError(f"tokens must lie in 0 … {shape.vocabulary - 1}, got {texts.min()} … {texts.max()}.")
    start = np.full((len(texts), shape.window), shape.vocabulary)
    padded = np.concatenate([start, texts[:, :-1]], axis=1).astype(np.intp)  # (B, w + L − 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, shape.window, axis=1)
    return Predictions(engine.asarray(windows), engine.asarray(texts.astype(np.intp)))


def logits(engine: Engine, params: Parameters, windows: Array) -> Array:
    """Return the logits of the token after each window, (n, V) for windows (n, w)."""
    _, before = _hidden_layer(engine, params, windows)
    return (before * (before > 0)) @ params["output"] + params["output_bias"]


def negative_log_likelihood(engine: Engine, params: Parameters, predictions: Predictions) -> Array:
    """Return −ln P(token | window) of every token in nats, in the shape of the targets."""
    xp = engine.xp
    windows, targets = _flat(engine, predictions)
    outputs = logits(engine, params, windows)
    top = xp.max(outputs, axis=-1, keepdims=True)
    log_sum = xp.log(xp.sum(xp.exp(outputs - top), axis=-1)) + top[:, 0]
    chosen = xp.sum(outputs * _one_hot(engine, targets, outputs.shape[-1]), axis=-1)
    return xp.reshape(log_sum - chosen, predictions.targets.shape)


def loss_and_gradient(engine: Engine, params: Parameters, predictions: Predictions) -> tuple[Array, Parameters]:
    """Return the mean of −ln P(token | window) over all predictions, and its gradient.

    With p = softmax(h·W₂ + b₂), G = (p − onehot)/n and F = G·W₂ᵀ where h > 0, else 0::

        dW₂ = hᵀG,  db₂ = ΣG,  dW₁ = xᵀF,  db₁ = ΣF,  dE_i = sum of (F·W₁ᵀ) over the places in windows that hold i

    The last sum is a product with a one-hot matrix, which for windows as small as these is faster than adding row by
    row, in a browser too.
    """
    xp = engine.xp
    windows, targets = _flat(engine, predictions)
    features, before = _hidden_layer(engine, params, windows)
    active = before > 0
    hidden = before * active
    outputs = hidden @ params["output"] + params["output_bias"]
    count, vocabulary = outputs.shape
    top = xp.max(outputs, axis=-1, keepdims=True)
    exponentials = xp.exp(outputs - top)
    sums = xp.sum(exponentials, axis=-1, keepdims=True)
    wanted = _one_hot(engine, targets, vocabulary)
    loss = (xp.sum(xp.log(sums) + top) - xp.sum(outputs * wanted)) / count
    by_outputs = (exponentials / sums - wanted) / count  # (n, V)
    by_hidden = (by_outputs @ xp.matrix_transpose(params["output"])) * active  # (n, H)
    by_features = by_hidden @ xp.matrix_transpose(params["hidden"])  # (n, w·d)
    places = _one_hot(engine, xp.reshape(windows, (-1,)), vocabulary + 1)  # (n·w, V+1)
    gradient = {
        "embedding": xp.matrix_transpose(places) @ xp.reshape(by_features, (-1, params["embedding"].shape[-1])),
        "hidden": xp.matrix_transpose(features) @ by_hidden,
        "hidden_bias": xp.sum(by_hidden, axis=0),
        "output": xp.matrix_transpose(hidden) @ by_outputs,
        "output_bias": xp.sum(by_outputs, axis=0),
    }
    return loss, gradient


def continue_greedily(engine: Engine, params: Parameters, prompts: NDArray[np.integer], length: int) -> Array:
    """Continue each prompt with the most probable next token until it has `length` tokens.

    Args:
        engine: where the parameters live.
        params: of the model.
        prompts: tokens of shape (B, P) with P at most `length`.
        length: L, tokens of the result, the prompt among them.

    Returns:
        Tokens of shape (B, L); the first P are the prompt.

    Raises:
        ValueError: if a prompt is longer than `length`.
    """
    count, given = prompts.shape
    if given > length:
        raise ValueError(f"length must be at least the {given} tokens of the prompts, got {length}.")
    xp = engine.xp
    vocabulary = params["output"].shape[-1]
    window = params["hidden"].shape[0] // params["embedding"].shape[-1]
    padded = np.concatenate([np.full((count, window), vocabulary), prompts], axis=1).astype(np.intp)
    tokens = engine.asarray(padded)  # (B, w + P)
    for _ in range(length - given):
        following = xp.argmax(logits(engine, params, tokens[:, -window:]), axis=-1)
        tokens = xp.concat([tokens, following[:, None]], axis=1)
    return tokens[:, window:]


def _flat(engine: Engine, predictions: Predictions) -> Predictions:
    """Lay all predictions out in one row, windows (n, w) and targets (n,)."""
    windows, targets = predictions
    return Predictions(engine.xp.reshape(windows, (-1, windows.shape[-1])), engine.xp.reshape(targets, (-1,)))


def _hidden_layer(engine: Engine, params: Parameters, windows: Array) -> tuple[Array, Array]:
    """Return the embeddings side by side (n, w·d) and the hidden units before their ReLU (n, H)."""
    xp = engine.xp
    rows = xp.take(params["embedding"], xp.reshape(windows, (-1,)), axis=0)
    features = xp.reshape(rows, (windows.shape[0], -1))
    return features, features @ params["hidden"] + params["hidden_bias"]


def _one_hot(engine: Engine, numbers: Array, size: int) -> Array:
    xp = engine.xp
    return xp.astype(numbers[:, None] == xp.arange(size), engine.float_dtype)
