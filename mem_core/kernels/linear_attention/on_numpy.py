"""Gated linear attention on NumPy, in chunks that are halved and halved again: matrix products, no loop over time.

Axes: b batch, c chunk, h head, q (and k) position in the chunk, K key width, V value width; n block of neighbouring
positions, s position in half a block. Between the entry points queries, keys and gates lie as (b,c,h,q,K), values as
(b,c,h,q,V), states as (b,c,h,K,V). Equation numbers are those in the docstring of `gated_linear_attention`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.linear_attention.heads import FORGOTTEN
from mem_core.kernels.linear_attention.numpy_chunks import diagonal, earlier_and_later, joined, quarter, split
from mem_core.kernels.linear_attention.partition import attention_blocks, chunk_size_for
from mem_core.kernels.ssd import on_numpy as ssd

Floats = NDArray[Any]


def forward(
    q: Floats, k: Floats, v: Floats, g: Floats, initial_state: Floats, *, scale: float, chunk_size: int | None = None
) -> tuple[Floats, Floats]:
    """Return `(o, final_state)`; q, k (b,l,h,K), v, o (b,l,h,V), g as q or (b,l,h), states (b,h,K,V)."""
    if g.ndim == 3:
        o, final = ssd.forward(*_as_ssd(q, k, v, g, initial_state, scale), chunk_size=chunk_size)
        return o, final.mT
    size = chunk_size or chunk_size_for(v.shape[1], *initial_state.shape[2:])
    o, final = np.empty_like(v), np.empty_like(initial_state)
    for rows in attention_blocks(k.shape, size):
        chunks = _Chunks(scale * q[rows], k[rows], v[rows], g[rows], size)
        similarities = chunks.similarities()
        entering, final[rows] = chunks.states(initial_state[rows])
        outputs = similarities @ chunks.v
        outputs += (chunks.q * chunks.since_start) @ entering
        o[rows] = joined(outputs, v.shape[1])
    return o, final


def backward(
    arrays: tuple[Floats, ...],
    outputs: tuple[Floats, Floats],
    gradients: tuple[Floats, Floats],
    *,
    scale: float,
    chunk_size: int | None = None,
) -> tuple[Floats, ...]:
    """Return the gradients of q, k, v, g and the initial state; everything in between is computed again."""
    q, k, v, g, initial_state = arrays
    if g.ndim == 3:
        turned = ((outputs[0], outputs[1].mT), (gradients[0], gradients[1].mT))
        found = ssd.backward(_as_ssd(q, k, v, g, initial_state, scale), *turned, chunk_size=chunk_size)
        dv, _, dg, dk, dq, dinitial = found
        return scale * dq, dk, dv, dg, dinitial.mT
    size = chunk_size or chunk_size_for(v.shape[1], *initial_state.shape[2:])
    found = tuple(np.empty_like(array) for array in arrays)
    # A gradient spread from one number (of a sum, say) has strides of 0, which would keep it from fast products.
    inputs = (scale * q, *arrays[1:], *(np.ascontiguousarray(gradient, dtype=v.dtype) for gradient in gradients))
    for rows in attention_blocks(k.shape, size):
        for whole, part in zip(found, _backward(size, *(array[rows] for array in inputs)), strict=True):
            whole[rows] = part
    found[0][...] *= scale
    return found


def _backward(
    size: int, q: Floats, k: Floats, v: Floats, g: Floats, initial_state: Floats, do: Floats, dfinal: Floats
) -> tuple[Floats, ...]:
    chunks = _Chunks(q, k, v, g, size)
    E = split(do, size)
    dsimilarities = E @ chunks.v.mT
    similarities, dq, dk = chunks.similarities_and_gradients(dsimilarities)
    entering, final = chunks.states(initial_state)
    dleaving, dinitial = chunks.state_gradients(E, dfinal)
    leaving = np.concatenate([entering[:, 1:], final[:, None]], axis=1)

    dq += (E @ entering.mT) * chunks.since_start
    dk += (chunks.v @ dleaving.mT) * chunks.until_end
    dv = similarities.mT @ E
    dv += (chunks.k * chunks.until_end) @ dleaving
    # The gradient of a log-gate is what all later queries read less what all later keys wrote, in this chunk and, by
    # the state that leaves it, after. A position's own key and query have no gate between them and are left out here.
    flow = chunks.q * dq - chunks.k * dk
    dg = np.cumsum(flow[..., ::-1, :], axis=-2)[..., ::-1, :]
    dg += np.vecdot(leaving, dleaving)[..., None, :]
    own = diagonal(dsimilarities)[..., None]
    dq += own * chunks.k
    dk += own * chunks.q
    return (*(joined(gradient, v.shape[1]) for gradient in (dq, dk, dv, dg)), dinitial)


def _as_ssd(q: Floats, k: Floats, v: Floats, g: Floats, initial_state: Floats, scale: float) -> tuple[Floats, ...]:
    """With one gate a head this is Mamba-2's scan with steps of 1 and other names, states the other way round."""
    return v, np.ones_like(g), np.maximum(g, FORGOTTEN), k, scale * q, initial_state.mT


class _Chunks:
    """A block of sequences cut into chunks.

    Attributes:
        since_start: what is left at q of the state that entered the chunk (b,c,h,q,K).
        until_end: what is left at the end of the chunk of what was written at q.

    Both are there once the similarities have been computed.
    """

    since_start: Floats
    until_end: Floats

    def __init__(self, q: Floats, k: Floats, v: Floats, g: Floats, size: int) -> None:
        self.size = size
        self.q, self.k, self.v, self.g = (split(sequence, size) for sequence in (q, k, v, g))

    def similarities(self) -> Floats:
        """A (b,c,h,q,k) (1)."""
        found = self._own_similarities()
        for half, q, k, _, _ in self._halves():
            quarter(found, half, 1, 0)[...] = q @ k.mT
        return found

    def similarities_and_gradients(self, dsimilarities: Floats) -> tuple[Floats, Floats, Floats]:
        """A, and the gradients of q and k through it (b,c,h,q,K) except for a position with itself."""
        found = self._own_similarities()
        dq, dk = np.zeros_like(self.q), np.zeros_like(self.k)
        for half, q, k, q_decay, k_decay in self._halves():
            quarter(found, half, 1, 0)[...] = q @ k.mT
            changes = quarter(dsimilarities, half, 1, 0)
            _, dq_later = earlier_and_later(dq, half)
            dq_later += (changes @ k) * q_decay
            dk_earlier, _ = earlier_and_later(dk, half)
            dk_earlier += (changes.mT @ q) * k_decay
        return found, dq, dk

    def states(self, initial: Floats) -> tuple[Floats, Floats]:
        """States entering every chunk (b,c,h,K,V), and the state after the last (3)."""
        added = (self.k * self.until_end).mT @ self.v
        return self._carried(initial, added, range(added.shape[1]))

    def state_gradients(self, E: Floats, dfinal: Floats) -> tuple[Floats, Floats]:
        """Gradients of the states leaving every chunk (b,c,h,K,V), and of the initial state."""
        added = (self.q * self.since_start).mT @ E
        return self._carried(dfinal, added, reversed(range(added.shape[1])))

    def _carried(self, state: Floats, added: Floats, order: Iterable[int]) -> tuple[Floats, Floats]:
        # (b,c,h,K,1)
        kept = self.since_start[..., -1, :, None]
        before = np.empty_like(added)
        for chunk in order:
            before[:, chunk] = state
            state = kept[:, chunk] * state + added[:, chunk]
        return before, state

    def _own_similarities(self) -> Floats:
        found = np.zeros((*self.q.shape[:-1], self.size), self.q.dtype)
        diagonal(found)[...] = np.vecdot(self.q, self.k)
        return found

    def _halves(self) -> Iterator[tuple[int, Floats, Floats, Floats, Floats]]:
        """Go through the blocks of 2, 4, … positions, each in two halves.

        What passes from the earlier half to the later one passes the border between them: the decay from k to q is
        that from k to the border times that from the border to q. Their exponents are sums of gates, so neither is
        positive and no digits are lost in differences of longer sums.

        Yields:
            length of half a block; the later half's queries and the earlier half's keys (b,c,h,n,s,K), both decayed to
            the border; their two decays.
        """
        # Sums of gates: from the start of the block up to q and with it; after q to the end of the block.
        from_start, to_end = self.g.copy(), np.zeros_like(self.g)
        half = 1
        while half < self.size:
            before, later = earlier_and_later(from_start, half)
            earlier, _ = earlier_and_later(to_end, half)
            _, q = earlier_and_later(self.q, half)
            k, _ = earlier_and_later(self.k, half)
            q_decay, k_decay = np.exp(later), np.exp(earlier)
            yield half, q * q_decay, k * k_decay, q_decay, k_decay
            earlier += later[..., -1:, :]
            later += before[..., -1:, :]
            half *= 2
        self.since_start, self.until_end = np.exp(from_start), np.exp(to_end)
