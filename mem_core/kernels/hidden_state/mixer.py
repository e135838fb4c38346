"""`hidden_state_mixer`: the mixer of EfficientViM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.activations import silu
from mem_core.kernels.arguments import Arguments, cast_like, wide
from mem_core.kernels.dispatch import Kernel, zeros
from mem_core.kernels.hidden_state import on_numpy


def _load_torch() -> Callable[..., Any]:
    from mem_core.kernels.hidden_state import on_torch

    return on_torch.weighted_sums


def _load_triton() -> Callable[..., Any]:
    from mem_core.kernels.hidden_state import on_triton

    return on_triton.weighted_sums


weighted_sums = Kernel(on_numpy.forward, on_numpy.backward, _load_torch, _load_triton, name="hidden_state_mixer")
"""(x, Δ, A for every image, B) → h."""


def hidden_state_mixer(
    x: Array,
    dt: Array,
    A: Array,
    B: Array,
    C: Array,
    D: Array,
    hz_weight: Array,
    out_weight: Array,
    return_hidden_state: bool = False,
    *,
    check: bool = False,
) -> Any:
    """Mix the tokens of an image through a hidden state of a few numbers a channel, and its channels inside of it.

        P_n = softmax over the tokens of (Δ_n + A_n)
        h = x (P ∘ B)ᵀ                                      every state a weighted sum of tokens
        [h̃; z] = W_hz h
        h' = W_o (h̃ ∘ (silu(z) + D))                        channels mixed where there are `state` of them, not `length`
        y = h' C

    Every token sees every other; there is no order in time, and so no step. A shifts the exponents of all tokens
    alike, which a softmax does not see: it changes nothing and its gradient is zero.

    Args:
        x: tokens (batch, channels, length), one image after another in `length`.
        dt: exponents Δ (batch, state, length).
        A: learned shifts of the exponents (state,).
        B: what is written into the state (batch, state, length).
        C: what is read from the state (batch, state, length).
        D: weight of the direct path inside the state (1,).
        hz_weight: W_hz (2 inner, channels), the halves for h̃ and for its gate z.
        out_weight: W_o (channels, inner).
        return_hidden_state: return `(y, h')`.
        check: refuse numbers that are not finite.

    Returns:
        y (batch, channels, length) in x's type, or `(y, h')`; h' (batch, channels, state) is float32, or float64 if x
        is. Differentiable in every array.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, or `check` finds a number that is not
            finite.

    Source:
        Lee, Choi & Kim 2024, "EfficientViM" (arXiv 2411.15241), section 3.3; names of its class `HSMSSD`.

    >>> import numpy as np
    >>> tokens, one = np.array([[[1.0, 2.0, 6.0]]]), np.ones((1, 1, 3))
    >>> hidden_state_mixer(tokens, 0 * one, np.zeros(1), one, one, np.ones(1), np.eye(2, 1), np.ones((1, 1)))
    array([[[3., 3., 3.]]])
    """
    given = Arguments("hidden_state_mixer", weighted_sums, check)
    inputs = x
    x = given.take("x", x, "batch", "channels", "length")
    dt = given.take("dt", dt, "batch", "state", "length")
    A = given.take("A", A, "state")
    B = given.take("B", B, "batch", "state", "length")
    C = given.take("C", C, "batch", "state", "length")
    given.know("1", 1)
    D = given.take("D", D, "1")
    out_weight = given.take("out_weight", out_weight, "channels", "inner")
    inner = out_weight.shape[1]
    given.know("2 inner", 2 * inner)
    hz_weight = given.take("hz_weight", hz_weight, "2 inner", "channels")

    shift = A + zeros((x.shape[0], 1), like=A)
    both = wide(hz_weight) @ wide(weighted_sums(x, dt, shift, B))
    mixed = wide(out_weight) @ (both[:, :inner] * (silu(both[:, inner:]) + wide(D)))
    y = cast_like(cast_like(mixed, C) @ C, inputs)
    return (y, mixed) if return_hidden_state else y
