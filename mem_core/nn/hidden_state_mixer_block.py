"""EfficientViM's mixer of image tokens, and the same layer with its channels mixed on the tokens instead.

Axes: b image, D channels, l token, row after row of a square grid, N state, K = 2 D.

Both layers write all tokens into N states and read every token back from them. They differ in where the channels are
mixed and gated: on the N states, or on the l tokens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np

from mem_core.engine import Array, Engine
from mem_core.kernels import hidden_state_mixer
from mem_core.kernels.activations import silu
from mem_core.kernels.dispatch import zeros
from mem_core.kernels.hidden_state.mixer import weighted_sums
from mem_core.nn.channel_parts import channel_parts
from mem_core.nn.depthwise2d import TAPS, depthwise_conv3x3

Params: TypeAlias = dict[str, Array]

Mixer = Literal["hidden states", "tokens"]
"""Where the channels are mixed: EfficientViM's HSM-SSD, and NC-SSD, its baseline."""
IN_STATES: Mixer = "hidden states"
ON_TOKENS: Mixer = "tokens"
MIXERS: tuple[Mixer, ...] = (IN_STATES, ON_TOKENS)

A_RANGE = (1.0, 16.0)
"""Shifts of the exponents at the start, uniform, as in EfficientViM's code."""


@dataclass(frozen=True)
class Maps:
    """How the states look at the tokens, before the softmax.

    Attributes:
        dt: exponents Δ of the writing (b,N,l).
        B: what is written (b,N,l).
        C: how every token reads from the states (b,N,l).
    """

    dt: Array
    B: Array
    C: Array


def init(engine: Engine, channels: int, states: int, generator: np.random.Generator) -> Params:
    """Draw the parameters of a layer: linear maps and convolutions normal with deviation 1/√(inputs), no biases.

    Args:
        engine: where the parameters go.
        channels: D.
        states: N.
        generator: where the random numbers come from.

    Returns:
        bcd_weight (3N,D), convolution (3N,3,3), A (N,), D (1,), hz_weight (2D,D) and out_weight (D,D); the first two
        make B, C and Δ, in this order.
    """
    drawn = {
        "bcd_weight": _normal(generator, channels, 3 * states, channels),
        "convolution": _normal(generator, TAPS * TAPS, 3 * states, TAPS, TAPS),
        "A": generator.uniform(*A_RANGE, size=states),
        "D": np.ones(1),
        "hz_weight": _normal(generator, channels, 2 * channels, channels),
        "out_weight": _normal(generator, channels, channels, channels),
    }
    return {name: engine.asarray(values) for name, values in drawn.items()}


def maps(params: Params, x: Array) -> Maps:
    """Make B, C and Δ from the tokens (b,D,l), as functions of a token and its eight neighbours.

    [B; C; Δ] = DWConv3×3(W_bcd x)

    Raises:
        ValueError: if the tokens fill no square grid.
    """
    B, C, dt = channel_parts(depthwise_conv3x3(params["bcd_weight"] @ x, params["convolution"]), parts=3)
    return Maps(B=B, C=C, dt=dt)


def write_weights(engine: Engine, params: Params, given: Maps) -> Array:
    """Return P∘B, what every state is the weighted sum of: (b,N,l).

    P_n = softmax over the tokens of (Δ_n + A_n), so that a row of P has a total of one.
    """
    xp = engine.xp
    exponents = given.dt + params["A"][:, None]
    shares = xp.exp(exponents - xp.max(exponents, axis=-1, keepdims=True))
    return shares / xp.sum(shares, axis=-1, keepdims=True) * given.B


def mix_in_states(params: Params, x: Array, given: Maps) -> tuple[Array, Array]:
    """Mix the channels on the states: 3·N·D² multiply-accumulates for it, however many tokens there are.

    h = x (P∘B)ᵀ,  [u; z] = W_hz h,  h' = W_o (u∘silu(z) + d·u),  y = h' C

    Args:
        params: from `init`.
        x: tokens (b,D,l).
        given: from `maps`.

    Returns:
        y (b,D,l) and the states h' (b,D,N).

    Source: Lee, Choi & Kim 2024 (arXiv 2411.15241), section 3.3 and Figure 3; their class `HSMSSD`.
    """
    y, states = hidden_state_mixer(
        x,
        given.dt,
        params["A"],
        given.B,
        given.C,
        params["D"],
        params["hz_weight"],
        params["out_weight"],
        return_hidden_state=True,
    )
    return y, states


def mix_on_tokens(params: Params, x: Array, given: Maps) -> tuple[Array, Array]:
    """Mix the channels on the tokens: 3·l·D² multiply-accumulates for it.

    [u; z] = W_hz x,  h = u (P∘B)ᵀ,  y = W_o ((h C + d·u)∘silu(z))

    The baseline of the paper, with the parameters of the same shapes.

    Args:
        params: from `init`.
        x: tokens (b,D,l).
        given: from `maps`.

    Returns:
        y (b,D,l) and the states h (b,D,N).

    Source: Lee, Choi & Kim 2024 (arXiv 2411.15241), section 3.2, non-causal SSD; its code is not published, so the
        place of the gate is that of Mamba-2's block.
    """
    u, z = channel_parts(params["hz_weight"] @ x, parts=2)
    shift = params["A"] + zeros((x.shape[0], 1), like=params["A"])  # (b,N)
    states = weighted_sums(u, given.dt, shift, given.B)
    return params["out_weight"] @ ((states @ given.C + params["D"] * u) * silu(z)), states


MIX: Mapping[Mixer, Callable[[Params, Array, Maps], tuple[Array, Array]]] = MappingProxyType(
    {IN_STATES: mix_in_states, ON_TOKENS: mix_on_tokens}
)
"""The layer for each choice, from B, C and Δ on."""


def _normal(generator: np.random.Generator, inputs: int, *shape: int) -> np.ndarray:
    return generator.standard_normal(shape) / math.sqrt(inputs)
