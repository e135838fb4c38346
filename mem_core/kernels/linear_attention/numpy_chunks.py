"""Sequences cut into chunks, and chunks into halves, on NumPy; what linear attention and the delta rule share.

Axes: b batch, l length, c chunk, h head, q (and k) position in the chunk; n block of neighbouring positions, s position
in half a block.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]


def split(sequence: Floats, size: int) -> Floats:
    """Lay (b,l,h,width) out as (b,c,h,q,width), the end filled up with zeros.

    No key and a log-gate of 0 leave a state as it is.
    """
    batch, length, heads, width = sequence.shape
    missing = -length % size
    if missing:
        filling = np.zeros((batch, missing, heads, width), sequence.dtype)
        sequence = np.concatenate([sequence, filling], axis=1)
    return np.ascontiguousarray(sequence.reshape(batch, -1, size, heads, width).swapaxes(2, 3))


def joined(chunks: Floats, length: int) -> Floats:
    """Undo `split`: (b,c,h,q,width) to (b,l,h,width)."""
    batch, count, heads, size, width = chunks.shape
    return chunks.swapaxes(2, 3).reshape(batch, count * size, heads, width)[:, :length]


def earlier_and_later(chunks: Floats, half: int) -> tuple[Floats, Floats]:
    """View blocks of 2·`half` positions of (b,c,h,q,width) as their two halves (b,c,h,n,s,width)."""
    batch, count, heads, _, width = chunks.shape
    halves = chunks.reshape(batch, count, heads, -1, 2, half, width)
    return halves[..., 0, :, :], halves[..., 1, :, :]


def quarter(square: Floats, half: int, row: int, column: int) -> Floats:
    """View what of (b,c,h,q,k) lies in one block of 2·`half` positions, by the halves of q and k: (b,c,h,n,s,s).

    `row` and `column` are 0 for the earlier half and 1 for the later.
    """
    count = square.shape[-1] // (2 * half)
    blocks = square.reshape(*square.shape[:3], count, 2, half, count, 2, half)[..., row, :, :, column, :]
    on_diagonal: Floats = np.einsum("...nqnk->...nqk", blocks)
    return on_diagonal


def diagonal(square: Floats) -> Floats:
    """View of the diagonal of (b,c,h,q,k): (b,c,h,q)."""
    view: Floats = np.einsum("...qq->...q", square)
    return view
