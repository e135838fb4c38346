"""`causal_conv1d`: the short convolution in front of a state-space layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, cast_like, wide
from mem_core.kernels.convolution import on_numpy
from mem_core.kernels.convolution.activation import check_activation
from mem_core.kernels.dispatch import Kernel, namespace, zeros


def _load_torch() -> Callable[..., Any]:
    from mem_core.kernels.convolution import on_torch

    return on_torch.short_convolution


def _load_triton() -> Callable[..., Any]:
    from mem_core.kernels.convolution import on_triton

    return on_triton.short_convolution


short_convolution = Kernel(on_numpy.forward, on_numpy.backward, _load_torch, _load_triton, name="causal_conv1d")
"""(inputs, weight, bias, earlier inputs; activation) → output."""


def causal_conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    initial_state: Array | None = None,
    activation: str | None = None,
    return_final_state: bool = False,
    *,
    check: bool = False,
) -> Any:
    """Mix every input with the few before it, each channel by itself.

        y_t = f(bias + Σ_i weight_i x_{t−W+1+i}),  i = 0 … W − 1

    The last weight multiplies the present input; none looks ahead. f is silu(s) = s·σ(s) or nothing.

    Args:
        x: inputs (batch, channels, length); time is the last axis, as in the literature.
        weight: (channels, taps), W = taps; 2 to 4 in Mamba, any number here.
        bias: (channels,); zero if left out.
        initial_state: the W − 1 inputs before the first (batch, channels, taps − 1); zero if left out.
        activation: None or "silu".
        return_final_state: return `(y, the last W − 1 inputs)`.
        check: refuse numbers that are not finite.

    Returns:
        y (batch, channels, length) in x's type, or `(y, final_state)`; the state is float32, or float64 if x is.
        Differentiable in every array.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, there is no such activation, or `check`
            finds a number that is not finite.

    Source:
        Gu & Dao 2023, "Mamba" (arXiv 2312.00752), section 3.4; argument names of `causal_conv1d` by Tri Dao.

    >>> import numpy as np
    >>> causal_conv1d(np.array([[[1.0, 2.0, 3.0]]]), np.array([[10.0, 1.0]]))
    array([[[ 1., 12., 23.]]])
    """
    given = Arguments("causal_conv1d", short_convolution, check)
    check_activation(given, activation)
    inputs = x
    x = given.take("x", x, "batch", "channels", "length")
    weight = given.take("weight", weight, "channels", "taps")
    bias = given.take_optional("bias", bias, "channels")
    given.know("taps - 1", weight.shape[1] - 1)
    initial_state = given.take_optional("initial_state", initial_state, "batch", "channels", "taps - 1")

    if initial_state is None:
        initial_state = zeros((*x.shape[:2], weight.shape[1] - 1), like=wide(x))
    if bias is None:
        bias = zeros(x.shape[1:2], like=weight)
    y = cast_like(short_convolution(x, weight, bias, initial_state, activation=activation), inputs)
    if not return_final_state:
        return y
    earlier = weight.shape[1] - 1
    # (batch, channels, taps - 1 + the last of length)
    recent = [wide(initial_state), wide(x[:, :, max(0, x.shape[2] - earlier) :])]
    window = namespace(*recent).concatenate(recent, axis=2)
    return y, window[:, :, window.shape[2] - earlier :]
