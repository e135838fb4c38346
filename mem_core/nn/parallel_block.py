"""A transformer block whose attention and feed-forward part read the same input side by side; its gradient by hand.

    n = norm(x),   a = attention(n),   k = max(0, n·U + c),   m = k·W + b,   x' = x + a + m

The feed-forward part is a memory: the key k is what W is asked with, m is the value that it answers.

Axes: B sequences, L tokens, d width, H heads, F feed-forward units.

Source: Wang and Komatsuzaki 2021, GPT-J-6B; Geva et al. 2021, arXiv 2012.14913, for the reading as keys and values.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mem_core.engine import Array, Engine
from mem_core.nn.norms import EPSILON

Block = dict[str, Array]
"""`scale`, `shift` (d,) of the norm; `query_key_value` (d, 3d), `attention_out` (d, d); `ffn_in` (d, F), `ffn_in_bias`
(F,), `ffn_out` (F, d), `ffn_out_bias` (d,)."""

MASKED = -1e9
"""Added to the score of a later token, whose weight then is zero."""


class NormTrace(NamedTuple):
    """A norm's rows with mean 0 and variance 1, and one over their deviation before."""

    standard: Array
    inverse_deviation: Array


class BlockTrace(NamedTuple):
    """What a block computed: enough for its gradient and for reading its memory.

    Attributes:
        norm: of the input.
        normed: n, (B, L, d).
        heads: queries, keys and values of the attention, each (B, H, L, d/H).
        weights: of the attention, (B, H, L, L).
        mixed: values mixed by the weights, (B, L, d).
        attention: a, (B, L, d).
        keys: k, what the feed-forward memory is asked with, (B, L, F).
        values: m, what it answers, (B, L, d).
        output: x', (B, L, d).
    """

    norm: NormTrace
    normed: Array
    heads: tuple[Array, Array, Array]
    weights: Array
    mixed: Array
    attention: Array
    keys: Array
    values: Array
    output: Array


def initial_block(
    engine: Engine, generator: np.random.Generator, width: int, hidden: int, residual_scale: float
) -> Block:
    """Draw normal weights of deviation 1/√(inputs), those that write to the residual stream times `residual_scale`."""

    def drawn(inputs: int, outputs: int, scale: float = 1.0) -> Array:
        return engine.asarray(generator.standard_normal((inputs, outputs)) * (scale / math.sqrt(inputs)))

    return {
        "scale": engine.xp.ones(width),
        "shift": engine.xp.zeros(width),
        "query_key_value": drawn(width, 3 * width),
        "attention_out": drawn(width, width, residual_scale),
        "ffn_in": drawn(width, hidden),
        "ffn_in_bias": engine.xp.zeros(hidden),
        "ffn_out": drawn(hidden, width, residual_scale),
        "ffn_out_bias": engine.xp.zeros(width),
    }


def standardise(engine: Engine, x: Array) -> NormTrace:
    """Give every row mean 0 and variance 1 over the last axis."""
    xp = engine.xp
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    inverse = (xp.mean(centred * centred, axis=-1, keepdims=True) + EPSILON) ** -0.5
    return NormTrace(centred * inverse, inverse)


def standardise_backward(engine: Engine, norm: NormTrace, gradient: Array) -> Array:
    """Return the gradient by x from that by the rows of mean 0 and variance 1."""
    xp = engine.xp
    along = xp.mean(gradient * norm.standard, axis=-1, keepdims=True)
    return (gradient - xp.mean(gradient, axis=-1, keepdims=True) - norm.standard * along) * norm.inverse_deviation


def block_forward(engine: Engine, block: Block, x: Array, heads: int) -> BlockTrace:
    """Run one block.

    Args:
        engine: whose arrays these are.
        block: the weights.
        x: (B, L, d).
        heads: H; d must be a multiple of it.
    """
    xp, (_, length, width) = engine.xp, x.shape
    norm = standardise(engine, x)
    normed = norm.standard * block["scale"] + block["shift"]
    projected = times(normed, block["query_key_value"])
    query, key, value = (
        _split_heads(xp, projected[..., part * width : (part + 1) * width], heads) for part in range(3)
    )
    scores = query @ xp.matrix_transpose(key) * (heads / width) ** 0.5 + _mask(engine, length)
    scores = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    weights = scores / xp.sum(scores, axis=-1, keepdims=True)
    mixed = _join_heads(xp, weights @ value)
    attention = times(mixed, block["attention_out"])
    before = times(normed, block["ffn_in"]) + block["ffn_in_bias"]
    keys = before * (before > 0)
    values = times(keys, block["ffn_out"]) + block["ffn_out_bias"]
    output = x + attention + values
    return BlockTrace(norm, normed, (query, key, value), weights, mixed, attention, keys, values, output)


def block_backward(engine: Engine, block: Block, trace: BlockTrace, gradient: Array) -> tuple[Array, Block]:
    """Return the gradient by the block's input and by its weights, from that by its output (B, L, d)."""
    xp = engine.xp
    by_projected = _attention_backward(engine, block, trace, gradient)
    by_before = times(gradient, block["ffn_out"].T) * (trace.keys > 0)
    by_normed = times(by_projected, block["query_key_value"].T) + times(by_before, block["ffn_in"].T)
    by_weight = {
        "scale": xp.sum(by_normed * trace.norm.standard, axis=(0, 1)),
        "shift": xp.sum(by_normed, axis=(0, 1)),
        "query_key_value": _outer(trace.normed, by_projected),
        "attention_out": _outer(trace.mixed, gradient),
        "ffn_in": _outer(trace.normed, by_before),
        "ffn_in_bias": xp.sum(by_before, axis=(0, 1)),
        "ffn_out": _outer(trace.keys, gradient),
        "ffn_out_bias": xp.sum(gradient, axis=(0, 1)),
    }
    return gradient + standardise_backward(engine, trace.norm, by_normed * block["scale"]), by_weight


def times(rows: Array, weights: Array) -> Array:
    """Multiply every row by a matrix, (…, I) by (I, O), as one product: NumPy is slow at many small ones."""
    return (rows.reshape(-1, rows.shape[-1]) @ weights).reshape(*rows.shape[:-1], weights.shape[-1])


def _attention_backward(engine: Engine, block: Block, trace: BlockTrace, gradient: Array) -> Array:
    """Return the gradient by queries, keys and values side by side, (B, L, 3d)."""
    xp, (query, key, value) = engine.xp, trace.heads
    heads, width = query.shape[1], gradient.shape[-1]
    by_mixed = _split_heads(xp, times(gradient, block["attention_out"].T), heads)
    by_weights = by_mixed @ xp.matrix_transpose(value)
    centred = by_weights - xp.sum(by_weights * trace.weights, axis=-1, keepdims=True)
    by_scores = trace.weights * centred * (heads / width) ** 0.5
    parts = (
        by_scores @ key,
        xp.matrix_transpose(by_scores) @ query,
        xp.matrix_transpose(trace.weights) @ by_mixed,
    )
    return xp.concat([_join_heads(xp, part) for part in parts], axis=-1)


def _outer(inputs: Array, errors: Array) -> Array:
    """Sum inputsᵀ·errors over all tokens: (B, L, I) and (B, L, O) to (I, O)."""
    return inputs.reshape(-1, inputs.shape[-1]).T @ errors.reshape(-1, errors.shape[-1])


def _split_heads(xp: Any, x: Array, heads: int) -> Array:
    """(B, L, d) to (B, H, L, d/H)."""
    batch, length, width = x.shape
    return xp.permute_dims(x.reshape(batch, length, heads, width // heads), (0, 2, 1, 3))


def _join_heads(xp: Any, x: Array) -> Array:
    """(B, H, L, d/H) to (B, L, d)."""
    batch, heads, length, part = x.shape
    return xp.permute_dims(x, (0, 2, 1, 3)).reshape(batch, length, heads * part)


def _mask(engine: Engine, length: int) -> Array:
    """Zero where a token may look, itself and before, and a large negative number after it: (L, L)."""
    places = engine.xp.arange(length)
    return engine.xp.astype(places[None, :] > places[:, None], engine.float_dtype) * MASKED
