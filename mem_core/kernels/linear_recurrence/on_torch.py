"""The first-order recurrence on PyTorch: the same chunks as on NumPy, as a function with a hand-written gradient.

Axes: q position in a chunk, b batch, c chunk, d channel. First every chunk runs from a zero state, all chunks at once;
then the states between the chunks follow one another; then every position gets what is left of the state its chunk
started from.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mem_core.kernels.torch_functions import apply, batch_first


def first_order_scan(a: Tensor, b: Tensor, initial_state: Tensor) -> Tensor:
    """Return h (batch, length, channels) for a and b of that shape, initial_state (batch, channels)."""
    h: Tensor = apply(_FirstOrderScan, a, b, initial_state)
    return h


class _FirstOrderScan(torch.autograd.Function):
    @staticmethod
    def forward(a: Tensor, b: Tensor, initial_state: Tensor) -> Tensor:
        length = b.shape[1]
        # Q + length/Q steps are fewest at the square root; `isqrt` is nothing that the compiler knows.
        size = int(math.sqrt(length))
        decay, h = _chunks(a, size), _chunks(b, size)
        # In place, on copies made here: `forward` never sees a tensor that is being differentiated or batched.
        for q in range(1, size):
            h[q].addcmul_(decay[q], h[q - 1])
            decay[q].mul_(decay[q - 1])
        entering = torch.empty_like(h[0])
        state = initial_state
        for chunk in range(h.shape[2]):
            entering[:, chunk] = state
            state = torch.addcmul(h[-1, :, chunk], decay[-1, :, chunk], state)
        h.addcmul_(decay, entering)
        return h.permute(1, 2, 0, 3).flatten(1, 2)[:, :length].contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], inputs[2], output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # The same recurrence, run backwards in time: g_t = dh_t + a_{t+1} g_{t+1}.
        a, initial_state, h = ctx.saved_tensors
        following = torch.cat([a[:, 1:], a[:, :1]], dim=1)  # the last multiplies the zero state after the end
        g = first_order_scan(following.flip(1), gradient.flip(1), torch.zeros_like(initial_state)).flip(1)
        before = torch.cat([initial_state[:, None], h[:, :-1]], dim=1)
        return g * before, g, a[:, 0] * g[:, 0]

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Tensor) -> tuple[Tensor, int]:
        # Nothing is shared between the sequences of a batch, so a batch axis more joins the one that is there.
        together = [tensor.flatten(0, 1) for tensor in batch_first(info.batch_size, inputs, in_dims)]
        h = first_order_scan(*together)
        return h.reshape(info.batch_size, -1, *h.shape[1:]), 0


def _chunks(sequence: Tensor, size: int) -> Tensor:
    """Lay (b,l,d) out as (q,b,c,d), a copy; the last chunk ends in zeros, which no earlier position sees."""
    filled = functional.pad(sequence, (0, 0, 0, -sequence.shape[1] % size))
    chunks = filled.reshape(filled.shape[0], -1, size, filled.shape[2]).permute(2, 0, 1, 3)
    return chunks.clone(memory_format=torch.contiguous_format)
