"""A small sequence classifier: embedding, one Mamba-2 block with a residual path, a linear read-out.

Axes: b batch, l length, V vocabulary, D model width, K classes.

    e = embedding[token],  r = e + block(norm(e)),  logits = norm(r) W + bias
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from mem_core.engine import Array, Engine
from mem_core.nn import mamba2
from mem_core.nn.mamba2 import Mamba2Shape, Projected, Written
from mem_core.nn.norms import rms_norm

Params: TypeAlias = dict[str, Any]


def init(
    engine: Engine,
    shape: Mamba2Shape,
    vocabulary: int,
    classes: int,
    generator: np.random.Generator,
    own_token: bool = False,
) -> Params:
    """Draw the parameters: embeddings standard normal, the rest as in `mamba2.init`, where `own_token` is explained."""
    bound = 1 / math.sqrt(shape.width)
    embedding = generator.standard_normal((vocabulary, shape.width))
    block = mamba2.init(engine, shape, generator, own_token)
    return {
        "embedding": engine.asarray(embedding),
        "norm": engine.xp.ones(shape.width),
        "block": block,
        "last_norm": engine.xp.ones(shape.width),
        "head_weight": engine.asarray(generator.uniform(-bound, bound, size=(shape.width, classes))),
        "head_bias": engine.xp.zeros(classes),
    }


def embed(engine: Engine, params: Params, tokens: Array) -> Array:
    """Look up whole-number tokens (b,l): (b,l,D). As a product with zeros and ones, which has a gradient everywhere."""
    embedding = params["embedding"]
    xp = engine.xp
    ones = xp.astype(tokens[:, :, None] == xp.arange(embedding.shape[0]), embedding.dtype)
    return ones @ embedding


def logits(engine: Engine, params: Params, tokens: Array, delta: Array | None = None) -> Array:
    """Score the classes at every position: (b,l) to (b,l,K).

    Args:
        engine: where the arrays live.
        params: from `init`.
        tokens: whole numbers (b,l).
        delta: step sizes to use in place of the block's own (b,l,H).
    """
    embedded = embed(engine, params, tokens)
    normed = rms_norm(engine, embedded, params["norm"])
    return _score(engine, params, embedded + mamba2.apply(engine, params["block"], normed, delta))


def step_sizes(engine: Engine, params: Params, tokens: Array) -> Array:
    """Return the block's step sizes Δ: (b,l) to (b,l,H)."""
    return mamba2.step_sizes(params["block"], rms_norm(engine, embed(engine, params, tokens), params["norm"]))


class LastPosition:
    """The scores at the last position of some sequences, for one choice of step sizes after another.

    Attributes:
        delta: the block's own step sizes Δ (b,l,H).
    """

    def __init__(self, engine: Engine, params: Params, tokens: Array) -> None:
        self._engine, self._params = engine, params
        self._embedded = embed(engine, params, tokens)
        self._normed = rms_norm(engine, self._embedded, params["norm"])
        self._written: Written = mamba2.write(engine, params["block"], self._normed)
        self.delta: Array = self._written.delta

    def logits(self, delta: Array | None = None) -> Array:
        """Score the classes (b,K), with `delta` (b,l,H) in place of the block's own step sizes if given."""
        block = self._params["block"]
        state = mamba2.final_state(self._engine, block, self._written, delta)
        output = mamba2.read(self._engine, block, state, self._normed)
        return _score(self._engine, self._params, self._embedded[:, -1] + output)


def _score(engine: Engine, params: Params, residual: Array) -> Array:
    return rms_norm(engine, residual, params["last_norm"]) @ params["head_weight"] + params["head_bias"]


__all__ = ["LastPosition", "Mamba2Shape", "Params", "Projected", "embed", "init", "logits", "step_sizes"]
