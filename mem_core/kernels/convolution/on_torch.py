"""The causal convolution on PyTorch, as a function with a hand-written gradient.

Axes: b batch, d channel, l length; W taps. `padded` is the inputs with the W − 1 earlier ones in front (b,d,W−1+l).

The gradient is made of PyTorch operations on what `save_for_backward` kept, all out of place, so that it works under
`torch.func.grad` and `torch.func.vmap`, and can itself be differentiated.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mem_core.kernels.torch_functions import apply, batch_first


def short_convolution(
    x: Tensor, weight: Tensor, bias: Tensor, initial_state: Tensor, *, activation: str | None
) -> Tensor:
    """Return the output (b,d,l) for x (b,d,l), weight (d,W), bias (d,), initial_state (b,d,W−1)."""
    padded = torch.cat([initial_state, x], dim=2)
    found: Tensor = apply(_ShortConvolution, padded, weight, bias, activation)
    return found


class _ShortConvolution(torch.autograd.Function):
    @staticmethod
    def forward(padded: Tensor, weight: Tensor, bias: Tensor, activation: str | None) -> Tensor:
        total = _weighted_sum(padded, weight, bias)
        return functional.silu(total) if activation == "silu" else total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:3])
        ctx.activation = inputs[3]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        padded, weight, bias = ctx.saved_tensors
        if ctx.activation == "silu":
            # Computed again: one more pass costs less than a sequence held in memory.
            total = _weighted_sum(padded, weight, bias)
            gate = torch.sigmoid(total)
            gradient = gradient * gate * (1 + total * (1 - gate))
        taps, length = weight.shape[1], gradient.shape[-1]
        dpadded = torch.zeros_like(padded)
        for tap in range(taps):
            dpadded = dpadded + functional.pad(gradient * weight[:, tap, None], (tap, taps - 1 - tap))
        dweight = torch.stack(
            [(gradient * padded[..., tap : tap + length]).sum(dim=(0, 2)) for tap in range(taps)], dim=1
        )
        return dpadded, dweight, gradient.sum(dim=(0, 2)), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> tuple[Tensor, int]:
        # Every channel has its own weights, so one more batch axis joins the channels.
        *tensors, activation = inputs
        padded, weight, bias = batch_first(info.batch_size, tensors, in_dims[:-1])
        # (b, batch_size·d, W−1+l)
        beside = padded.transpose(0, 1).flatten(1, 2)
        y: Tensor = apply(_ShortConvolution, beside, weight.flatten(0, 1), bias.flatten(0, 1), activation)
        return y.reshape(y.shape[0], info.batch_size, -1, y.shape[2]), 1


def _weighted_sum(padded: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return functional.conv1d(padded, weight[:, None], bias, groups=weight.shape[0])
