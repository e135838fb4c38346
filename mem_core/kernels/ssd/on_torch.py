"""The state-space dual scan on PyTorch: the same chunks as on NumPy, as a function with a hand-written gradient.

Axes: b batch, c chunk, q (and k) position in the chunk, g group of heads, r head in its group, p head width, n state.
Everything between the entry points lies group first: X, y and E (b,c,g,r,q,p), B and C (b,c,g,q,n),
states (b,c,g,r·p,n). Equation numbers are those in the docstring of `ssd_scan`.

The gradient is made of PyTorch operations on what `save_for_backward` kept, all out of place, so that it works under
`torch.func.grad` and `torch.func.vmap`, and can itself be differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from mem_core.kernels.ssd.partition import default_chunk_size, scan_blocks
from mem_core.kernels.torch_functions import apply, batch_first


def chunked_scan(
    x: Tensor, step: Tensor, log_decay: Tensor, B: Tensor, C: Tensor, initial_state: Tensor, *, chunk_size: int | None
) -> tuple[Tensor, Tensor]:
    """Return `(y, final_state)`; x, y (b,l,H,P), step, log_decay (b,l,H), B, C (b,l,G,N), states (b,H,P,N)."""
    size = chunk_size or default_chunk_size(x.shape[3], B.shape[3])
    found: tuple[Tensor, Tensor] = apply(_ChunkedScan, x, step, log_decay, B, C, initial_state, size)
    return found


class _ChunkedScan(torch.autograd.Function):
    @staticmethod
    def forward(
        x: Tensor, step: Tensor, log_decay: Tensor, B: Tensor, C: Tensor, initial_state: Tensor, size: int
    ) -> tuple[Tensor, Tensor]:
        y, final = _in_blocks(_forward, size, x, step, log_decay, B, C, initial_state)
        return y, final

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        *tensors, ctx.size = inputs
        ctx.save_for_backward(*tensors, output[0])

    @staticmethod
    def backward(ctx: Any, dy: Tensor, dfinal: Tensor) -> tuple[Tensor | None, ...]:
        return *_in_blocks(_backward, ctx.size, *ctx.saved_tensors, dy, dfinal), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> tuple[Any, tuple[int, int]]:
        # No tensor is shared between the sequences of a batch, so a batch axis more joins the one that is there.
        *tensors, size = inputs
        together = [tensor.flatten(0, 1) for tensor in batch_first(info.batch_size, tensors, in_dims[:-1])]
        y, final = chunked_scan(*together, chunk_size=size)
        return tuple(result.reshape(info.batch_size, -1, *result.shape[1:]) for result in (y, final)), (0, 0)


def _in_blocks(part: Callable[..., tuple[Tensor, ...]], size: int, x: Tensor, *tensors: Tensor) -> list[Tensor]:
    """Call `part` on a few sequences at a time and put the results together; a GPU takes all at once."""
    rows = [slice(None)] if x.is_cuda else list(scan_blocks(x.shape, size))
    if len(rows) == 1:
        return list(part(size, x, *tensors))
    results = (part(size, x[block], *(tensor[block] for tensor in tensors)) for block in rows)
    return [torch.cat(result) for result in zip(*results, strict=True)]


def _forward(
    size: int, x: Tensor, step: Tensor, log_decay: Tensor, B: Tensor, C: Tensor, initial_state: Tensor
) -> tuple[Tensor, Tensor]:
    chunks = _Chunks(x * step[..., None], log_decay, B, C, size)
    entering, final = chunks.states(initial_state)
    inside = (chunks.decays * chunks.similarities()) @ chunks.X
    # (b,c,g,r,q,p)
    from_before = _by_head(chunks.C @ entering.mT, chunks.heads)
    outputs = torch.addcmul(inside, from_before, chunks.since_start)
    return chunks.joined(outputs), final.reshape(initial_state.shape)


def _backward(
    size: int,
    x: Tensor,
    step: Tensor,
    log_decay: Tensor,
    B: Tensor,
    C: Tensor,
    initial_state: Tensor,
    y: Tensor,
    dy: Tensor,
    dfinal: Tensor,
) -> tuple[Tensor, ...]:
    chunks = _Chunks(x * step[..., None], log_decay, B, C, size)
    E = chunks.split(dy)
    entering, final = chunks.states(initial_state)
    dleaving, dinitial = chunks.state_gradients(E, dfinal)
    leaving = torch.cat([entering[:, 1:], final[:, None]], dim=1)

    to_earlier = (chunks.decays * chunks.similarities()).mT @ E
    dX = to_earlier + _by_head(chunks.B @ dleaving.mT, chunks.heads) * chunks.until_end
    # (b,c,g,q,k): the heads of a group share B and C
    dsimilarities = (chunks.decays * (E @ chunks.X.mT)).sum(dim=3)
    dC = dsimilarities @ chunks.B + _side_by_side(E * chunks.since_start) @ entering
    dB = dsimilarities.mT @ chunks.C + _side_by_side(chunks.X * chunks.until_end) @ dleaving

    # (b,c,g,r,q), summed in float64: what a position sends out less what it takes in; nearly equal over a chunk
    flow = (chunks.split(y) * E - chunks.X * dX).sum(dim=-1, dtype=torch.float64)
    # (b,c,g,r,1): what the state leaving the chunk carries out
    carried = _by_head((leaving * dleaving).mT, chunks.heads).sum(dim=(4, 5), dtype=torch.float64)[..., None]
    dlog_decay = (flow.flip(-1).cumsum(-1).flip(-1) + carried).to(log_decay.dtype)
    dX = chunks.joined(dX)
    return (
        dX * step[..., None],
        (dX * x).sum(dim=-1),
        chunks.joined(dlog_decay[..., None])[..., 0],
        chunks.joined(dB[:, :, :, None]),
        chunks.joined(dC[:, :, :, None]),
        dinitial.reshape(initial_state.shape),
    )


class _Chunks:
    """Sequences cut into chunks, and the decays between their positions."""

    def __init__(self, X: Tensor, log_decay: Tensor, B: Tensor, C: Tensor, size: int) -> None:
        self.length, self.groups, self.heads = X.shape[1], B.shape[2], X.shape[2] // B.shape[2]
        self.size = min(size, self.length)
        self.X = self.split(X)
        self.B, self.C = self.split(B)[:, :, :, 0], self.split(C)[:, :, :, 0]
        # cs (b,c,g,r,q): differences of float32 cumulative sums lose the digits that matter where decays are strong;
        # float64 costs little here, before the axis k appears.
        self.elapsed = self.split(log_decay[..., None])[..., 0].double().cumsum(-1)
        # (b,c,g,r,q,1): exp(cs_q) and exp(cs_Q − cs_q)
        self.since_start = self.elapsed.exp().to(X.dtype)[..., None]
        self.until_end = (self.elapsed[..., -1:] - self.elapsed).exp().to(X.dtype)[..., None]
        # L (b,c,g,r,q,k): how much of what entered at k is left at q, 0 for k after q. −inf goes in before exp: for k
        # after q the exponent is positive and could overflow.
        exponent = (self.elapsed[..., :, None] - self.elapsed[..., None, :]).to(X.dtype)
        after = torch.ones(self.size, self.size, dtype=torch.bool, device=X.device).triu(1)
        self.decays = exponent.masked_fill(after, -torch.inf).exp()

    def split(self, sequence: Tensor) -> Tensor:
        """Lay (b,l,heads,width) out as (b,c,g,heads of a group,q,width), the end filled up with zeros."""
        batch, length, heads, width = sequence.shape
        missing = -length % self.size
        if missing:
            # No input and a log-decay of 0 leave the state as it is.
            sequence = torch.cat([sequence, sequence.new_zeros(batch, missing, heads, width)], dim=1)
        shape = (batch, -1, self.size, self.groups, heads // self.groups, width)
        # Contiguous, because PyTorch multiplies small matrices with odd strides one by one.
        return sequence.reshape(shape).permute(0, 1, 3, 4, 2, 5).contiguous()

    def joined(self, chunks: Tensor) -> Tensor:
        """Undo `split`: (b,c,g,r,q,width) to (b,l,heads,width)."""
        batch, count, width = chunks.shape[0], chunks.shape[1], chunks.shape[-1]
        return chunks.permute(0, 1, 4, 2, 3, 5).reshape(batch, count * self.size, -1, width)[:, : self.length]

    def similarities(self) -> Tensor:
        """C Bᵀ (b,c,g,1,q,k), the same for all heads of a group."""
        return (self.C @ self.B.mT)[:, :, :, None]

    def states(self, initial: Tensor) -> tuple[Tensor, Tensor]:
        """States entering every chunk (b,c,g,rp,n), and the state after the last (2, 3)."""
        added = _side_by_side(self.X * self.until_end).mT @ self.B
        return self._carried(initial, added, range(added.shape[1]))

    def state_gradients(self, E: Tensor, dfinal: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the states leaving every chunk (b,c,g,rp,n), and of the initial state."""
        added = _side_by_side(E * self.since_start).mT @ self.C
        return self._carried(dfinal, added, reversed(range(added.shape[1])))

    def _carried(self, state: Tensor, added: Tensor, order: Iterable[int]) -> tuple[Tensor, Tensor]:
        batch, count, groups, rows, numbers = added.shape
        state = state.reshape(batch, groups, rows, numbers)
        # (b,c,g,r,1) to (b,c,g,rp,1)
        kept = self.elapsed[..., -1:].exp().to(added.dtype).repeat_interleave(rows // self.heads, dim=3)
        before = [state] * count
        for chunk in order:
            before[chunk] = state
            state = torch.addcmul(added[:, chunk], kept[:, chunk], state)
        return torch.stack(before, dim=1), state


def _by_head(chunks: Tensor, heads: int) -> Tensor:
    """(b,c,g,q,rp) to (b,c,g,r,q,p)."""
    return chunks.reshape(*chunks.shape[:4], heads, -1).transpose(3, 4)


def _side_by_side(chunks: Tensor) -> Tensor:
    """(b,c,g,r,q,p) to (b,c,g,q,rp)."""
    return chunks.transpose(3, 4).flatten(4)
