"""The causal convolution in Triton, one pass over memory forward and one backward.

Axes: b batch, d channel, t time; W taps.

Aims at the bandwidth of memory, as there are 2 W + 4 operations for 2 numbers moved (forward): forward 2 s·B·D·L bytes
at s bytes a number, backward 3 and the partial sums of the weights' gradients, 4 (W + 1) bytes for every 1024 steps.
Backward makes the slope of silu W times a number instead of passing it on, W exponentials and divisions: at W = 4 and
two bytes a number these take longer than the bytes on an H100.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import triton
from torch import Tensor

from mem_core.kernels.convolution import on_torch
from mem_core.kernels.convolution.triton_taps import convolve, convolve_back
from mem_core.kernels.triton_functions import differentiable, launch

_SUMMED = 1024  # steps whose weight gradients a program adds up before it writes them


def forward(x: Tensor, weight: Tensor, bias: Tensor, initial_state: Tensor, *, activation: str | None) -> list[Tensor]:
    """Return [y] (b,d,t) for x (b,d,t), weight (d,W), bias (d,), initial_state (b,d,W−1)."""
    y = torch.empty_like(x)
    arrays = (x, weight.contiguous(), bias.contiguous(), initial_state.contiguous(), y)
    constants = {"TAPS": weight.shape[1], "SILU": activation == "silu"}
    launch(convolve, _grid(x), *arrays, *x.shape[1:], *x.stride(), *y.stride(), **constants)
    return [y]


def backward(
    arrays: tuple[Tensor, Tensor, Tensor, Tensor],
    results: tuple[Tensor],
    gradients: tuple[Tensor],
    *,
    activation: str | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of x, weight, bias and the initial state; the sum before the activation is made again."""
    x, dy = arrays[0], gradients[0]
    weight, bias, initial_state = (array.contiguous() for array in arrays[1:])
    batch, channels, length = x.shape
    taps = weight.shape[1]
    dx, dinitial = torch.empty_like(x), torch.empty_like(initial_state)
    # (parts, d, W+1): the weights' gradients and the bias's
    sums = torch.empty(batch * triton.cdiv(length, _SUMMED), channels, taps + 1, dtype=torch.float32, device=x.device)
    launch(
        convolve_back,
        _grid(x, _SUMMED),
        *(x, weight, bias, initial_state, dy, dx, dinitial, sums),
        *(channels, length, _SUMMED),
        *(*x.stride(), *dy.stride(), *dx.stride()),
        TAPS=taps,
        COLUMNS=triton.next_power_of_2(taps + 1),
        SILU=activation == "silu",
    )
    return dx, sums[..., :taps].sum(dim=0).to(weight.dtype), sums[..., taps].sum(dim=0).to(bias.dtype), dinitial


def _grid(x: Tensor, steps: int = 0) -> Callable[[dict[str, Any]], tuple[int]]:
    batch, channels, length = x.shape
    return lambda block: (batch * triton.cdiv(channels, block["BD"]) * triton.cdiv(length, steps or block["BT"]),)


short_convolution = differentiable(
    "short_convolution",
    forward,
    backward,
    join=(1, 0, 0, 1),
    join_results=(1,),
    options="str? activation",
    plain=on_torch.short_convolution,
)
"""(inputs, weight, bias, earlier inputs; activation) → output."""
