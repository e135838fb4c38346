"""Gated linear attention on PyTorch: the same halved chunks as on NumPy, as a function with a hand-written gradient.

Axes: b batch, c chunk, h head, q (and k) position in the chunk, K key width, V value width; n block of neighbouring
positions, s position in half a block. Between the entry points queries, keys and gates lie as (b,c,h,q,K), values as
(b,c,h,q,V), states as (b,c,h,K,V). Equation numbers are those in the docstring of `gated_linear_attention`.

The gradient is made of PyTorch operations on what `save_for_backward` kept, all out of place, so that it works under
`torch.func.grad` and `torch.func.vmap`, and can itself be differentiated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mem_core.kernels.linear_attention.heads import FORGOTTEN
from mem_core.kernels.linear_attention.partition import chunk_size_for
from mem_core.kernels.linear_attention.torch_chunks import (
    corner,
    earlier_and_later,
    in_blocks,
    in_pairs,
    joined,
    split,
    with_corner,
)
from mem_core.kernels.ssd.on_torch import chunked_scan
from mem_core.kernels.torch_functions import apply, batch_first


def chunked_attention(
    q: Tensor, k: Tensor, v: Tensor, g: Tensor, initial_state: Tensor, *, scale: float, chunk_size: int | None = None
) -> tuple[Tensor, Tensor]:
    """Return `(o, final_state)`; q, k (b,l,h,K), v, o (b,l,h,V), g as q or (b,l,h), states (b,h,K,V)."""
    if g.ndim == 3:
        # With one gate a head this is Mamba-2's scan with steps of 1 and other names, states the other way round.
        as_ssd = (v, torch.ones_like(g), g.clamp(FORGOTTEN), k, scale * q, initial_state.mT)
        o, final = chunked_scan(*as_ssd, chunk_size=chunk_size)
        return o, final.mT
    size = chunk_size or chunk_size_for(v.shape[1], *initial_state.shape[2:])
    found: tuple[Tensor, Tensor] = apply(_ChunkedAttention, scale * q, k, v, g, initial_state, size)
    return found


class _ChunkedAttention(torch.autograd.Function):
    @staticmethod
    def forward(q: Tensor, k: Tensor, v: Tensor, g: Tensor, initial_state: Tensor, size: int) -> tuple[Tensor, ...]:
        return in_blocks(_forward, size, q, k, v, g, initial_state)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs[:5])
        ctx.size = inputs[5]

    @staticmethod
    def backward(ctx: Any, do: Tensor, dfinal: Tensor) -> tuple[Tensor | None, ...]:
        return *in_blocks(_backward, ctx.size, *ctx.saved_tensors, do, dfinal), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> tuple[Any, tuple[int, int]]:
        # No tensor is shared between the sequences of a batch, so a batch axis more joins the one that is there.
        *tensors, size = inputs
        together = [tensor.flatten(0, 1) for tensor in batch_first(info.batch_size, tensors, in_dims[:-1])]
        o, final = apply(_ChunkedAttention, *together, size)
        return tuple(result.reshape(info.batch_size, -1, *result.shape[1:]) for result in (o, final)), (0, 0)


def _forward(size: int, q: Tensor, k: Tensor, v: Tensor, g: Tensor, initial_state: Tensor) -> tuple[Tensor, Tensor]:
    chunks = _Chunks(q, k, v, g, size)
    entering, final = chunks.states(initial_state)
    o = chunks.similarities() @ chunks.v + (chunks.q * chunks.since_start) @ entering
    return joined(o, v.shape[1]), final


def _backward(
    size: int, q: Tensor, k: Tensor, v: Tensor, g: Tensor, initial_state: Tensor, do: Tensor, dfinal: Tensor
) -> tuple[Tensor, ...]:
    chunks = _Chunks(q, k, v, g, size)
    E = split(do, size)
    entering, final = chunks.states(initial_state)
    dleaving, dinitial = chunks.state_gradients(E, dfinal)
    leaving = torch.cat([entering[:, 1:], final[:, None]], dim=1)

    dsimilarities = E @ chunks.v.mT
    dq, dk = (E @ entering.mT) * chunks.since_start, (chunks.v @ dleaving.mT) * chunks.until_end
    chunks.add_gradients_between(dsimilarities, dq, dk)
    dv = chunks.similarities().mT @ E + (chunks.k * chunks.until_end) @ dleaving
    # The gradient of a log-gate is what all later queries read less what all later keys wrote, in this chunk and, by
    # the state that leaves it, after. A position's own key and query have no gate between them and are left out here.
    flow = chunks.q * dq - chunks.k * dk
    dg = flow.flip(3).cumsum(3).flip(3) + (leaving * dleaving).sum(dim=-1)[:, :, :, None]
    own = dsimilarities.diagonal(dim1=3, dim2=4)[..., None]
    sequences = (torch.addcmul(dq, own, chunks.k), torch.addcmul(dk, own, chunks.q), dv, dg)
    return *(joined(gradient, v.shape[1]) for gradient in sequences), dinitial


class _Halves(NamedTuple):
    """The blocks of one length in two halves, their decays, and queries and keys decayed to the border between them."""

    length: int
    q: Tensor
    k: Tensor
    q_decay: Tensor
    k_decay: Tensor


class _Chunks:
    """Sequences cut into chunks.

    Attributes:
        since_start: what is left at q of the state that entered the chunk (b,c,h,q,K).
        until_end: what is left at the end of the chunk of what was written at q.
    """

    def __init__(self, q: Tensor, k: Tensor, v: Tensor, g: Tensor, size: int) -> None:
        self.q, self.k, self.v = (split(sequence, size) for sequence in (q, k, v))
        self._halves: list[_Halves] = []
        # Sums of gates: from the start of the block up to q and with it; after q to the end of the block.
        from_start = split(g, size).clone()
        to_end = torch.zeros_like(from_start)
        half = 1
        while half < size:
            before, later = earlier_and_later(from_start, half)
            earlier, _ = earlier_and_later(to_end, half)
            self._halves.append(self._decayed_to_border(half, later.exp(), earlier.exp()))
            earlier.add_(later[..., -1:, :])
            later.add_(before[..., -1:, :])
            half *= 2
        self.since_start, self.until_end = from_start.exp(), to_end.exp()

    def _decayed_to_border(self, half: int, q_decay: Tensor, k_decay: Tensor) -> _Halves:
        """Bring the later half's queries and the earlier half's keys to the border between the halves.

        What passes from the earlier half to the later one passes that border: the decay from k to q is that from k to
        the border times that from the border to q. Their exponents are sums of gates, so neither is positive and no
        digits are lost in differences of longer sums.
        """
        _, q = earlier_and_later(self.q, half)
        k, _ = earlier_and_later(self.k, half)
        return _Halves(half, q * q_decay, k * k_decay, q_decay, k_decay)

    def similarities(self) -> Tensor:
        """A (b,c,h,q,k) (1)."""
        # (b,c,h,q,1,1)
        found = (self.q * self.k).sum(dim=-1)[..., None, None]
        for halves in self._halves:
            earlier, later = in_pairs(found)
            found = with_corner(earlier, halves.q @ halves.k.mT, later)
        return found[:, :, :, 0]

    def add_gradients_between(self, dsimilarities: Tensor, dq: Tensor, dk: Tensor) -> None:
        """Add the gradients of q and k through A (b,c,h,q,K), except for a position with itself."""
        for halves in self._halves:
            changes = corner(dsimilarities, halves.length)
            _, dq_later = earlier_and_later(dq, halves.length)
            dk_earlier, _ = earlier_and_later(dk, halves.length)
            dq_later += (changes @ halves.k) * halves.q_decay
            dk_earlier += (changes.mT @ halves.q) * halves.k_decay

    def states(self, initial: Tensor) -> tuple[Tensor, Tensor]:
        """States entering every chunk (b,c,h,K,V), and the state after the last (3)."""
        added = (self.k * self.until_end).mT @ self.v
        return self._carried(initial, added, range(added.shape[1]))

    def state_gradients(self, E: Tensor, dfinal: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the states leaving every chunk (b,c,h,K,V), and of the initial state."""
        added = (self.q * self.since_start).mT @ E
        return self._carried(dfinal, added, reversed(range(added.shape[1])))

    def _carried(self, state: Tensor, added: Tensor, order: Iterable[int]) -> tuple[Tensor, Tensor]:
        # (b,c,h,K,1)
        kept = self.since_start[:, :, :, -1, :, None]
        before = [state] * added.shape[1]
        for chunk in order:
            before[chunk] = state
            state = torch.addcmul(added[:, chunk], kept[:, chunk], state)
        return torch.stack(before, dim=1), state
