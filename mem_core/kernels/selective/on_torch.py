"""The selective scan on PyTorch: the walk over blocks of time of `walking.py`, with a hand-written gradient.

Axes: b batch, t time, d channel, g group of channels, n state.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mem_core.kernels.linear_recurrence.on_torch import first_order_scan
from mem_core.kernels.selective import walking
from mem_core.kernels.selective.on_numpy import MANY
from mem_core.kernels.torch_operation import differentiable


def forward(*arrays: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return `(y, last_state, what backward needs)`; see `selective_recurrence`."""
    return walking.forward(torch, _recur, *arrays)


def backward(
    arrays: tuple[Tensor, ...], results: tuple[Tensor, Tensor, Tensor], gradients: tuple[Tensor, Tensor]
) -> tuple[Tensor, ...]:
    """Return the gradients of u, step, A, B, C and the initial state."""
    return walking.backward(torch, _recur, arrays, results[2], gradients)


def with_all_states(
    u: Tensor, step: Tensor, A: Tensor, B: Tensor, C: Tensor, initial_state: Tensor
) -> tuple[Tensor, Tensor]:
    """Do what `selective_recurrence` does by `first_order_scan`, with all states of all steps in one array."""
    written, read = (vectors.repeat_interleave(u.shape[1] // vectors.shape[1], dim=1) for vectors in (B, C))
    # (b,t,d,n)
    factors = (step[:, :, None] * A[..., None]).exp().movedim(-1, 1)
    inputs = ((step * u)[:, :, None] * written).movedim(-1, 1)
    states = first_order_scan(factors.flatten(2), inputs.flatten(2), initial_state.flatten(1)).reshape(inputs.shape)
    return (states * read.movedim(-1, 1)).sum(dim=-1).movedim(1, -1), states[:, -1]


def _recur(a: Tensor, h: Tensor, entering: Tensor, backwards: bool) -> None:
    if entering.numel() < MANY:
        return _recur_in_chunks(a, h, entering, backwards)
    factors, states = a.unbind(), h.unbind()
    if not backwards:
        for factor, state in zip(factors, states, strict=True):
            entering = torch.addcmul(state, factor, entering, out=state)
    else:
        later = states[-1].add_(entering)
        for factor, state in zip(factors[:0:-1], states[-2::-1], strict=True):
            later = torch.addcmul(state, factor, later, out=state)
    return None


def _recur_in_chunks(a: Tensor, h: Tensor, entering: Tensor, backwards: bool) -> None:
    if backwards:
        h[-1] += entering
        # What follows the last step multiplies a zero state.
        a, entering = torch.cat([a[1:], a[:1]]).flip(0), torch.zeros_like(entering)
    # (1,t,b·g·n·r)
    factors, inputs = a.reshape(1, a.shape[0], -1), (h.flip(0) if backwards else h).reshape(1, a.shape[0], -1)
    states = first_order_scan(factors, inputs, entering.reshape(1, -1)).reshape(h.shape)
    h.copy_(states.flip(0) if backwards else states)


selective_recurrence = differentiable(
    "selective_recurrence",
    forward,
    backward,
    # Every channel has its own numbers.
    join=(1, 1, 0, 1, 1, 1),
    join_results=(1, 1, 2),
    kept=1,
    plain=with_all_states,
)
"""(u, Δ, A, B, C, initial state) → (y, last state)."""
