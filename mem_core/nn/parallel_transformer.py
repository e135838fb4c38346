"""A small transformer in the parallel form of GPT-J that answers at the last token; its gradient by hand.

    x_0 = E[token] + P[place],   x_{l+1} = x_l + a_l + m_l,   logits = norm(x_n at the last token)·H

The blocks are those of `parallel_block`. Because attention and feed-forward part are added side by side, a vector added
to either at one token is a vector added to the residual stream behind the block: `blocks_forward` can start from such a
stream.

Axes: B sequences, L tokens, d width, V tokens, O answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mem_core.engine import Array, Engine
from mem_core.kernels.scatter import scatter_add
from mem_core.nn.parallel_block import (
    BlockTrace,
    NormTrace,
    block_backward,
    block_forward,
    initial_block,
    standardise,
    standardise_backward,
)
from mem_core.nn.relu_mlp import log_softmax

Parameters = dict[str, Any]
"""`tokens` (V, d), `places` (L, d), `blocks` (a list), `scale`, `shift` (d,) of the last norm, `head` (d, O)."""

EMBEDDING_SCALE = 1.0
"""Standard deviation of the first embeddings of tokens and places, which the norms bring to 1 in any case."""


@dataclass(frozen=True)
class TransformerShape:
    """The sizes of a model.

    Attributes:
        vocabulary: V, different tokens.
        length: L, tokens read.
        answers: O.
        width: d.
        blocks: how many.
        heads: of the attention; the width must be a multiple.
        expansion: feed-forward units over width.

    Raises:
        ValueError: if a size is below 1, or the heads do not divide the width.
    """

    vocabulary: int
    length: int
    answers: int
    width: int
    blocks: int = 4
    heads: int = 2
    expansion: int = 4

    def __post_init__(self) -> None:
        for name, size in vars(self).items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}.")
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of the {self.heads} heads, got {self.width}.")


class Answer(NamedTuple):
    """The last norm at the last token, and the logits (B, O)."""

    norm: NormTrace
    logits: Array


def initial_parameters(engine: Engine, shape: TransformerShape, generator: np.random.Generator) -> Parameters:
    """Draw normal weights of deviation 1/√(inputs); what writes to the residual stream is divided by √(2·blocks) too.

    Source: Radford et al. 2019, section 2.3, for the division.
    """
    width, residual_scale = shape.width, 1.0 / math.sqrt(2 * shape.blocks)
    return {
        "tokens": engine.asarray(generator.standard_normal((shape.vocabulary, width)) * EMBEDDING_SCALE),
        "places": engine.asarray(generator.standard_normal((shape.length, width)) * EMBEDDING_SCALE),
        "blocks": [
            initial_block(engine, generator, width, shape.expansion * width, residual_scale)
            for _ in range(shape.blocks)
        ],
        "scale": engine.xp.ones(width),
        "shift": engine.xp.zeros(width),
        "head": engine.asarray(generator.standard_normal((width, shape.answers)) / math.sqrt(width)),
    }


def embed(engine: Engine, params: Parameters, tokens: Array) -> Array:
    """Return x_0, (B, L, d), of whole numbers (B, L)."""
    rows = engine.xp.take(params["tokens"], tokens.reshape(-1), axis=0)
    return rows.reshape(*tokens.shape, rows.shape[-1]) + params["places"]


def blocks_forward(
    engine: Engine, params: Parameters, x: Array, heads: int, *, first: int = 0, stop: int | None = None
) -> list[BlockTrace]:
    """Run the blocks `first` to `stop` − 1 on a residual stream x_first (B, L, d); left out, all to the end."""
    traces: list[BlockTrace] = []
    for block in params["blocks"][first:stop]:
        traces.append(block_forward(engine, block, x, heads))
        x = traces[-1].output
    return traces


def answer(engine: Engine, params: Parameters, last: Array) -> Answer:
    """Read the answer from the residual stream at the last token, (…, d) to logits (…, O)."""
    norm = standardise(engine, last)
    return Answer(norm, (norm.standard * params["scale"] + params["shift"]) @ params["head"])


def answer_backward(engine: Engine, params: Parameters, norm: NormTrace, error: Array) -> Array:
    """Return the gradient by the residual stream at the last token (…, d) from that by the logits (…, O)."""
    return standardise_backward(engine, norm, error @ params["head"].T * params["scale"])


def logits(engine: Engine, params: Parameters, tokens: Array, heads: int) -> Array:
    """Score every answer: tokens (B, L) to (B, O)."""
    traces = blocks_forward(engine, params, embed(engine, params, tokens), heads)
    return answer(engine, params, traces[-1].output[:, -1]).logits


def blocks_backward(
    engine: Engine, params: Parameters, traces: Sequence[BlockTrace], by_last: Array, *, first: int = 0
) -> tuple[Array, list[dict[str, Array]]]:
    """Return the gradient by x_first (B, L, d), and by the weights of the blocks that `traces` holds.

    Args:
        engine: whose arrays these are.
        params: the weights.
        traces: of the blocks from `first` to the last.
        by_last: gradient by the stream behind the last block at the last token (B, d).
        first: block with which the traces begin.
    """
    before = engine.xp.zeros_like(traces[-1].output[:, :-1])
    gradient = engine.xp.concat([before, by_last[:, None]], axis=1)
    by_blocks: list[dict[str, Array]] = []
    for block, trace in zip(params["blocks"][first:][::-1], traces[::-1], strict=True):
        gradient, by_block = block_backward(engine, block, trace, gradient)
        by_blocks.append(by_block)
    return gradient, by_blocks[::-1]


def loss_and_gradient(
    engine: Engine, params: Parameters, tokens: Array, wanted: Array, heads: int
) -> tuple[Array, Parameters]:
    """Return the mean cross-entropy at the last token in nats, and its gradient.

    Args:
        engine: whose arrays these are.
        params: the weights.
        tokens: whole numbers (B, L).
        wanted: right answers, one-hot (B, O).
        heads: of the attention.
    """
    xp = engine.xp
    traces = blocks_forward(engine, params, embed(engine, params, tokens), heads)
    norm, scores = answer(engine, params, traces[-1].output[:, -1])
    logs = log_softmax(engine, scores)
    error = (xp.exp(logs) - wanted) / len(tokens)
    by_normed = error @ params["head"].T
    by_stream, by_blocks = blocks_backward(engine, params, traces, answer_backward(engine, params, norm, error))
    gradient = {
        "tokens": scatter_add(by_stream.reshape(-1, by_stream.shape[-1]), tokens.reshape(-1), len(params["tokens"])),
        "places": xp.sum(by_stream, axis=0),
        "blocks": by_blocks,
        "scale": xp.sum(by_normed * norm.standard, axis=0),
        "shift": xp.sum(by_normed, axis=0),
        "head": (norm.standard * params["scale"] + params["shift"]).T @ error,
    }
    return -xp.sum(wanted * logs) / len(tokens), gradient
