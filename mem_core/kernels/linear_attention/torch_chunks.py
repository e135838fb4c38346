"""Sequences cut into chunks, and chunks into halves, on PyTorch; what linear attention and the delta rule share.

Axes: b batch, l length, c chunk, h head, q (and k) position in the chunk; n block of neighbouring positions, s position
in half a block.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mem_core.kernels.linear_attention.partition import attention_blocks


def in_blocks(part: Callable[..., tuple[Tensor, ...]], size: int, q: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Call `part` on a few sequences at a time and put the results together; a GPU takes all at once."""
    rows = [slice(None)] if q.is_cuda else list(attention_blocks(tuple(q.shape), size))
    if len(rows) == 1:
        return part(size, q, *tensors)
    results = (part(size, q[block], *(tensor[block] for tensor in tensors)) for block in rows)
    return tuple(torch.cat(result) for result in zip(*results, strict=True))


def split(sequence: Tensor, size: int) -> Tensor:
    """Lay (b,l,h,width) out as (b,c,h,q,width), the end filled up with zeros.

    No key and a log-gate of 0 leave a state as it is.
    """
    batch, length, heads, width = sequence.shape
    missing = -length % size
    if missing:
        sequence = torch.cat([sequence, sequence.new_zeros(batch, missing, heads, width)], dim=1)
    # Contiguous, because PyTorch multiplies small matrices with odd strides one by one.
    return sequence.reshape(batch, -1, size, heads, width).transpose(2, 3).contiguous()


def joined(chunks: Tensor, length: int) -> Tensor:
    """Undo `split`: (b,c,h,q,width) to (b,l,h,width)."""
    return chunks.transpose(2, 3).flatten(1, 2)[:, :length]


def earlier_and_later(chunks: Tensor, half: int) -> tuple[Tensor, Tensor]:
    """View blocks of 2·`half` positions of (b,c,h,q,width) as their two halves (b,c,h,n,s,width)."""
    halves = chunks.view(*chunks.shape[:3], -1, 2, half, chunks.shape[4])
    return halves[:, :, :, :, 0], halves[:, :, :, :, 1]


def corner(square: Tensor, half: int) -> Tensor:
    """Cut out of (b,c,h,q,k), of every block of 2·`half` positions, q in the later half and k in the earlier.

    Returns (b,c,h,n,s,s).
    """
    count = square.shape[4] // (2 * half)
    blocks = square.reshape(*square.shape[:3], count, 2, half, count, 2, half)[:, :, :, :, 1, :, :, 0]
    return blocks.diagonal(dim1=3, dim2=5).movedim(-1, 3).contiguous()


def in_pairs(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """Part neighbouring blocks (b,c,h,2n,s,s) into the earlier and the later of every pair (b,c,h,n,s,s)."""
    pairs = blocks.view(*blocks.shape[:3], -1, 2, *blocks.shape[4:])
    return pairs[:, :, :, :, 0], pairs[:, :, :, :, 1]


def with_corner(earlier: Tensor, corners: Tensor, later: Tensor) -> Tensor:
    """Put pairs of blocks on the diagonal of larger ones, with corners below; all (b,c,h,n,s,s).

    Returns (b,c,h,n,2s,2s).
    """
    above = torch.cat([earlier, torch.zeros_like(corners)], dim=-1)
    return torch.cat([above, torch.cat([corners, later], dim=-1)], dim=-2)
