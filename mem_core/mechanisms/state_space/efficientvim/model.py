"""The small vision model: one token for every pixel, mixing layers, and a head that listens to all of them.

Axes: b image, D channels, l token (row after row of the picture), N state, S blocks, K classes.

    x = stem(3×3 neighbourhood) + position
    per block: x += mixer(LN(x));  x += W₂ gelu(W₁ LN(x))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

from mem_core.data.digits import SIDE
from mem_core.engine import Array, Engine, philox
from mem_core.nn import fusion_head
from mem_core.nn import hidden_state_mixer_block as mixer_block
from mem_core.nn.depthwise2d import TAPS, depthwise_conv3x3
from mem_core.nn.gelu import gelu
from mem_core.nn.hidden_state_mixer_block import Maps, Mixer
from mem_core.nn.norms import layer_norm

Params: TypeAlias = dict[str, Any]
TOKENS = SIDE * SIDE
CLASSES = 10
POSITION_DEVIATION = 0.02
"""Of the learned position terms at the start; our choice."""
WIDENING = 2
"""Hidden units of the feed-forward layer for each channel; the paper has 4."""


@dataclass(frozen=True)
class Shape:
    """Sizes and choices of a model.

    Attributes:
        channels: D.
        states: N.
        blocks: S; the states of every block are a stage for the head.
        mixer: where the channels are mixed.
        fusion: whether the head listens to the states of every block, or to the last tokens alone.
    """

    channels: int
    states: int
    blocks: int
    mixer: Mixer
    fusion: bool

    @property
    def stages(self) -> int:
        """How many blocks' states the head listens to."""
        return self.blocks if self.fusion else 0


@dataclass(frozen=True)
class Seen:
    """What a model makes of some pictures.

    Attributes:
        logits: what all heads say together (b,K).
        maps: of the first block, before the softmax.
        writes: P∘B of the first block (b,N,l).
    """

    logits: Array
    maps: Maps
    writes: Array


def init(engine: Engine, shape: Shape, seed: int) -> Params:
    """Draw the parameters; linear maps normal with deviation 1/√(inputs), position terms as above."""
    generator = philox(seed, "efficientvim", "weights")
    width = shape.channels

    def linear(rows: int, columns: int) -> Array:
        return engine.asarray(generator.standard_normal((rows, columns)) / math.sqrt(columns))

    def block() -> Params:
        return {
            "mixer_norm": _norm(engine, width),
            "mixer": mixer_block.init(engine, width, shape.states, generator),
            "feed_norm": _norm(engine, width),
            "widen": linear(WIDENING * width, width),
            "narrow": linear(width, WIDENING * width),
        }

    return {
        "stem": linear(width, TAPS * TAPS),
        "position": engine.asarray(POSITION_DEVIATION * generator.standard_normal((width, TOKENS))),
        "blocks": [block() for _ in range(shape.blocks)],
        "head": fusion_head.init(engine, shape.stages, width, CLASSES, generator),
    }


def neighbourhoods(engine: Engine, images: Array) -> Array:
    """Return every pixel with its eight neighbours, zeros outside of the picture: (b,l) to (b,9,l)."""
    xp, count = engine.xp, TAPS * TAPS
    nine = images[:, None, :] * xp.ones((1, count, 1))
    return depthwise_conv3x3(nine, xp.reshape(xp.eye(count), (count, TAPS, TAPS)))


def logits(engine: Engine, params: Params, shape: Shape, nearby: Array) -> Array:
    """Score the classes: `neighbourhoods` (b,9,l) to (b,K)."""
    return answers(engine, params, shape, nearby)[1]


def answers(engine: Engine, params: Params, shape: Shape, nearby: Array) -> tuple[Array, Array]:
    """Return what every head alone says (heads,b,K), and what they say together (b,K)."""
    head_logits, together, _ = _run(engine, params, shape, nearby)
    return head_logits, together


def look(engine: Engine, params: Params, shape: Shape, nearby: Array, shift: float = 0.0) -> Seen:
    """Score the classes and keep what the page shows; `shift` is added to the learned A of every block."""
    params = shifted(params, shift)
    _, together, first = _run(engine, params, shape, nearby)
    writes = mixer_block.write_weights(engine, params["blocks"][0]["mixer"], first)
    return Seen(together, first, writes)


def shifted(params: Params, shift: float) -> Params:
    """Return the same parameters with `shift` added to the A of every block."""
    mixers = [{**block["mixer"], "A": block["mixer"]["A"] + shift} for block in params["blocks"]]
    blocks = [{**block, "mixer": mixer} for block, mixer in zip(params["blocks"], mixers, strict=True)]
    return {**params, "blocks": blocks}


def _run(engine: Engine, params: Params, shape: Shape, nearby: Array) -> tuple[Array, Array, Maps]:
    x = params["stem"] @ nearby + params["position"]
    mix = mixer_block.MIX[shape.mixer]
    states, all_maps = [], []
    for block in params["blocks"]:
        normed = layer_norm(x, **block["mixer_norm"], axis=1)
        given = mixer_block.maps(block["mixer"], normed)
        mixed, seen = mix(block["mixer"], normed, given)
        x = x + mixed
        x = x + block["narrow"] @ gelu(block["widen"] @ layer_norm(x, **block["feed_norm"], axis=1))
        states.append(seen)
        all_maps.append(given)
    head_logits = fusion_head.head_logits(engine, params["head"], states[: shape.stages], x)
    return head_logits, fusion_head.fused(engine, params["head"], head_logits), all_maps[0]


def _norm(engine: Engine, channels: int) -> Params:
    return {"weight": engine.xp.ones(channels), "bias": engine.xp.zeros(channels)}
