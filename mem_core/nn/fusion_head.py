"""A classifier that listens to every stage of a network: its states, and its tokens at the end.

Axes: b image, D channels, N state, l token, S stages, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from mem_core.engine import Array, Engine
from mem_core.nn.norms import layer_norm

Params: TypeAlias = dict[str, Any]


def init(engine: Engine, stages: int, channels: int, classes: int, generator: np.random.Generator) -> Params:
    """Draw one head for the states of every stage and one for the tokens at the end.

    Weights are normal with deviation 1/√D, biases zero, norms 1 and 0, and the scores that weigh the heads all 1.

    Args:
        engine: where the parameters go.
        stages: S; with 0 the tokens at the end are all there is.
        channels: D.
        classes: K.
        generator: where the random numbers come from.
    """

    def head() -> dict[str, Array]:
        return {
            "norm_weight": engine.xp.ones(channels),
            "norm_bias": engine.xp.zeros(channels),
            "weight": engine.asarray(generator.standard_normal((channels, classes)) / math.sqrt(channels)),
            "bias": engine.xp.zeros(classes),
        }

    return {"heads": [head() for _ in range(stages + 1)], "scores": engine.xp.ones(stages + 1)}


def head_logits(engine: Engine, params: Params, states: Sequence[Array], tokens: Array) -> Array:
    """Return what each head alone would say: (S+1,b,K), the tokens' own last.

    Head_s(mean over N of LN(h_s)), and Head_{S+1}(mean over l of LN(x)), LN over the channels.

    Args:
        engine: where the arrays live.
        params: from `init`.
        states: of every stage (b,D,N).
        tokens: at the end (b,D,l).

    Raises:
        ValueError: if there are not as many states as there are heads for them.
    """
    heads = params["heads"]
    if len(states) + 1 != len(heads):
        raise ValueError(f"states must be {len(heads) - 1}, one for every head but the last, got {len(states)}.")
    return engine.xp.stack([_speak(engine, head, seen) for head, seen in zip(heads, (*states, tokens), strict=True)])


def _speak(engine: Engine, head: dict[str, Array], seen: Array) -> Array:
    normed = layer_norm(seen, head["norm_weight"], head["norm_bias"], axis=1)
    return engine.xp.mean(normed, axis=-1) @ head["weight"] + head["bias"]


def fusion_weights(engine: Engine, params: Params) -> Array:
    """Return β̂ = softmax(scores), what each head counts: (S+1,)."""
    exponentials = engine.xp.exp(params["scores"] - engine.xp.max(params["scores"]))
    return exponentials / engine.xp.sum(exponentials)


def fused(engine: Engine, params: Params, logits: Array) -> Array:
    """Add up the heads' logits (S+1,b,K), each times its weight β̂: (b,K).

    Source: Lee, Choi & Kim 2024 (arXiv 2411.15241), section 3.4, multi-stage hidden state fusion.
    """
    weights = engine.xp.reshape(fusion_weights(engine, params), (-1, 1, 1))
    return engine.xp.sum(weights * logits, axis=0)
