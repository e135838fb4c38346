"""The state-space dual scan on NumPy, in chunks: matrix products inside a chunk, one small step between chunks.

Axes: b batch, c chunk, q (and k) position in the chunk, g group of heads, r head in its group, p head width, n state.
Everything between the entry points lies group first: X, y and E (b,c,g,q,r,p), B and C (b,c,g,q,n),
states (b,c,g,r·p,n). Equation numbers are those in the docstring of `ssd_scan`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.ssd.partition import default_chunk_size, scan_blocks

Floats = NDArray[np.floating]


def forward(
    x: Floats, step: Floats, log_decay: Floats, B: Floats, C: Floats, initial_state: Floats, *, chunk_size: int | None
) -> tuple[Floats, Floats]:
    """Return `(y, final_state)`; x, y (b,l,H,P), step, log_decay (b,l,H), B, C (b,l,G,N), states (b,H,P,N)."""
    size = chunk_size or default_chunk_size(x.shape[3], B.shape[3])
    y, final = np.empty_like(x), np.empty_like(initial_state)
    for rows in scan_blocks(x.shape, size):
        chunks = _Chunks(x[rows] * step[rows, ..., None], log_decay[rows], B[rows], C[rows], size)
        entering, after = chunks.states(initial_state[rows])
        inside = (chunks.decays() * chunks.similarities()) @ _by_head(chunks.X)
        # (b,c,g,q,r,p)
        outputs = (chunks.C @ entering.mT).reshape(chunks.X.shape)
        outputs *= chunks.since_start
        outputs += _by_head(inside)
        y[rows] = chunks.joined(outputs)
        final[rows] = after.reshape(final[rows].shape)
    return y, final


def backward(
    arrays: tuple[Floats, ...],
    outputs: tuple[Floats, Floats],
    gradients: tuple[Floats, Floats],
    *,
    chunk_size: int | None,
) -> tuple[Floats, ...]:
    """Return the gradients of x, step, log_decay, B, C and the initial state; all but y is computed again."""
    x, _, _, B, *_ = arrays
    size = chunk_size or default_chunk_size(x.shape[3], B.shape[3])
    found = tuple(np.empty_like(array) for array in arrays)
    # A gradient spread from one number (of a sum, say) has strides of 0, which would keep it from fast products.
    inputs = (*arrays, outputs[0], *(np.ascontiguousarray(gradient, dtype=x.dtype) for gradient in gradients))
    for rows in scan_blocks(x.shape, size):
        for whole, part in zip(found, _backward(size, *(array[rows] for array in inputs)), strict=True):
            whole[rows] = part
    return found


def _backward(
    size: int,
    x: Floats,
    step: Floats,
    log_decay: Floats,
    B: Floats,
    C: Floats,
    initial_state: Floats,
    y: Floats,
    dy: Floats,
    dfinal: Floats,
) -> tuple[Floats, ...]:
    chunks = _Chunks(x * step[..., None], log_decay, B, C, size)
    E = chunks.split(dy)
    entering, final = chunks.states(initial_state)
    dleaving, dinitial = chunks.state_gradients(E, dfinal)
    leaving = np.concatenate([entering[:, 1:], final[:, None]], axis=1)

    decays = chunks.decays()
    to_earlier = (decays * chunks.similarities()).mT @ _by_head(E)
    dX = _by_head(to_earlier) + (chunks.B @ dleaving.mT).reshape(chunks.X.shape) * chunks.until_end
    # (b,c,g,q,k): the heads of a group share B and C
    dsimilarities = (decays * (_by_head(E) @ _by_head(chunks.X).mT)).sum(axis=3)
    dC = dsimilarities @ chunks.B + _side_by_side(E * chunks.since_start) @ entering
    dB = dsimilarities.mT @ chunks.C + _side_by_side(chunks.X * chunks.until_end) @ dleaving

    # (b,c,g,q,r), summed in float64: what a position sends out less what it takes in; nearly equal over a chunk
    flow = (chunks.split(y) * E - chunks.X * dX).sum(axis=-1, dtype=np.float64)
    dlog_decay = np.cumsum(flow[:, :, :, ::-1], axis=3)[:, :, :, ::-1]
    # (b,c,g,1,r): what the state leaving the chunk carries out
    dlog_decay += _per_head(leaving * dleaving, flow.shape[4])[:, :, :, None]
    dinputs = chunks.joined(dX)
    return (
        dinputs * step[..., None],
        np.vecdot(dinputs, x),
        chunks.joined(dlog_decay[..., None])[..., 0],
        chunks.joined(dB),
        chunks.joined(dC),
        dinitial.reshape(initial_state.shape),
    )


class _Chunks:
    """A block of sequences cut into chunks, and the decays between their positions."""

    def __init__(self, X: Floats, log_decay: Floats, B: Floats, C: Floats, size: int) -> None:
        self.length, self.groups = X.shape[1], B.shape[2]
        self.size = min(size, self.length)
        self.X = self.split(X)
        self.B, self.C = self.split(B)[..., 0, :], self.split(C)[..., 0, :]
        # cs (b,c,g,r,q): differences of float32 cumulative sums lose the digits that matter where decays are strong;
        # float64 costs little here, before the axis k appears.
        self.elapsed = np.cumsum(self.split(log_decay[..., None])[..., 0].mT, axis=-1, dtype=np.float64)
        # (b,c,g,q,r,1): exp(cs_q) and exp(cs_Q − cs_q)
        self.since_start = self._decay_of(self.elapsed).mT[..., None]
        self.until_end = self._decay_of(self.elapsed[..., -1:] - self.elapsed).mT[..., None]

    def split(self, sequence: Floats) -> Floats:
        """Lay (b,l,heads,width) out as (b,c,g,q,heads of a group,width), the end filled up with zeros."""
        batch, length, heads, width = sequence.shape
        missing = -length % self.size
        if missing:
            # No input and a log-decay of 0 leave the state as it is.
            filling = np.zeros((batch, missing, heads, width), sequence.dtype)
            sequence = np.concatenate([sequence, filling], axis=1)
        shape = (batch, -1, self.size, self.groups, heads // self.groups, width)
        return np.ascontiguousarray(sequence).reshape(shape).swapaxes(2, 3)

    def joined(self, chunks: Floats) -> Floats:
        """Undo `split`: (b,c,g,q,…,width) to (b,l,heads,width)."""
        batch, count, width = chunks.shape[0], chunks.shape[1], chunks.shape[-1]
        return chunks.swapaxes(2, 3).reshape(batch, count * self.size, -1, width)[:, : self.length]

    def decays(self) -> Floats:
        """L (b,c,g,r,q,k): how much of what entered at k is left at q; 0 for k after q."""
        exponent = np.empty((*self.elapsed.shape, self.size), self.X.dtype)
        np.subtract(self.elapsed[..., :, None], self.elapsed[..., None, :], out=exponent, casting="same_kind")
        # −inf goes in before exp: for k after q the exponent is positive and could overflow.
        exponent += np.triu(np.full((self.size, self.size), -np.inf, self.X.dtype), 1)
        return np.exp(exponent, out=exponent)

    def similarities(self) -> Floats:
        """C Bᵀ (b,c,g,1,q,k), the same for all heads of a group."""
        similarities: Floats = (self.C @ self.B.mT)[:, :, :, None]
        return similarities

    def states(self, initial: Floats) -> tuple[Floats, Floats]:
        """States entering every chunk (b,c,g,rp,n), and the state after the last (2, 3)."""
        added = _side_by_side(self.X * self.until_end).mT @ self.B
        return self._carried(initial, added, range(added.shape[1]))

    def state_gradients(self, E: Floats, dfinal: Floats) -> tuple[Floats, Floats]:
        """Gradients of the states leaving every chunk (b,c,g,rp,n), and of the initial state."""
        added = _side_by_side(E * self.since_start).mT @ self.C
        return self._carried(dfinal, added, reversed(range(added.shape[1])))

    def _carried(self, state: Floats, added: Floats, order: Iterable[int]) -> tuple[Floats, Floats]:
        batch, _, groups, rows, numbers = added.shape
        state = state.reshape(batch, groups, rows, numbers)
        # (b,c,g,r,1) to (b,c,g,rp,1)
        kept = self._decay_of(self.elapsed[..., -1:])
        kept = np.repeat(kept, rows // kept.shape[3], axis=3)
        before = np.empty_like(added)
        for chunk in order:
            before[:, chunk] = state
            state = kept[:, chunk] * state + added[:, chunk]
        return before, state

    def _decay_of(self, exponent: Floats) -> Floats:
        return np.exp(exponent).astype(self.X.dtype, copy=False)


def _by_head(chunks: Floats) -> Floats:
    """(b,c,g,q,r,p) to (b,c,g,r,q,p), and back."""
    return chunks.swapaxes(3, 4)


def _side_by_side(chunks: Floats) -> Floats:
    """(b,c,g,q,r,p) to (b,c,g,q,rp)."""
    return chunks.reshape(*chunks.shape[:4], -1)


def _per_head(states: Floats, heads: int) -> NDArray[np.float64]:
    """Sum (b,c,g,rp,n) over p and n: (b,c,g,r)."""
    total: NDArray[np.float64] = states.reshape(*states.shape[:3], heads, -1).sum(axis=-1, dtype=np.float64)
    return total
