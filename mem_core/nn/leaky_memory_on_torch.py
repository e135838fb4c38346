"""Leaky memory units on PyTorch: the same two loops as on NumPy, as a function with a hand-written gradient.

Axes: T time steps, N neurons side by side, b batch, H hidden units, M memory units.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mem_core.kernels.torch_functions import apply
from mem_core.nn.leaky_memory import HEIGHT, SLOPE


def leaky_memory(drive: Tensor, inward: Tensor, outward: Tensor, bias: Tensor, *, keep: Tensor, gain: Tensor) -> Tensor:
    """Return the memory at every step (T,N,b,M)."""
    memory: Tensor = apply(_LeakyMemory, drive, inward, outward, bias, keep[:, None], gain[:, None])
    return memory


class _LeakyMemory(torch.autograd.Function):
    @staticmethod
    def forward(drive: Tensor, inward: Tensor, outward: Tensor, bias: Tensor, keep: Tensor, gain: Tensor) -> Tensor:
        scale = HEIGHT * gain  # (N,1,M)
        outward, bias = SLOPE * outward, SLOPE * bias[:, None]
        memory = drive.new_empty(*drive.shape[:-1], outward.shape[-1])
        before = torch.zeros_like(memory[0])
        for now, drive_now in zip(memory.unbind(), drive.unbind(), strict=True):
            kept = keep * before
            hidden = torch.baddbmm(drive_now, kept, inward).relu_()
            torch.addcmul(kept, torch.baddbmm(bias, hidden, outward).tanh_(), scale, out=now)
            before = now
        return memory

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        drive, inward, outward, bias, keep, gain, memory = ctx.saved_tensors
        kept = torch.cat([torch.zeros_like(memory[:1]), memory[:-1] * keep])
        hidden = (kept @ inward + drive).relu()
        raised = torch.tanh(SLOPE * (hidden @ outward + bias[:, None]))
        slope = (HEIGHT * SLOPE * gain) * (1.0 - raised * raised)
        is_open = (hidden > 0).to(drive.dtype)
        to_hidden, to_memory = outward.mT, inward.mT
        later = torch.zeros_like(memory[0])
        before_tanh, before_relu = [], []
        for error_now, slope_now, open_now in reversed(
            list(zip(gradient.unbind(), slope.unbind(), is_open.unbind(), strict=True))
        ):
            error = error_now + later
            before_tanh.append(error * slope_now)
            before_relu.append((before_tanh[-1] @ to_hidden).mul_(open_now))
            later = torch.baddbmm(error, before_relu[-1], to_memory).mul_(keep)
        for_hidden, for_memory = torch.stack(before_relu[::-1]), torch.stack(before_tanh[::-1])
        return (
            for_hidden,
            _by_neuron(kept).mT @ _by_neuron(for_hidden),
            _by_neuron(hidden).mT @ _by_neuron(for_memory),
            for_memory.sum(dim=(0, 2)),
            None,
            None,
        )


def _by_neuron(sequence: Tensor) -> Tensor:
    """Lay (T,N,b,·) out as (N,T·b,·)."""
    return sequence.transpose(0, 1).flatten(1, 2)
