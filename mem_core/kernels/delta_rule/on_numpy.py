"""The gated delta rule on NumPy, in chunks: one triangular system for a chunk, two small products between chunks.

Axes: b batch, c chunk, h head, q (and k) position in the chunk, K key width, V value width. Between the entry points
queries and keys lie as (b,c,h,q,K), values as (b,c,h,q,V), β as (b,c,h,q,1), states as (b,c,h,K,V). Equation numbers
are those in the docstring of `gated_delta_rule`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.linear_attention.heads import FORGOTTEN
from mem_core.kernels.linear_attention.numpy_chunks import diagonal, joined, quarter, split
from mem_core.kernels.linear_attention.partition import attention_blocks, chunk_size_for

Floats = NDArray[Any]


def forward(
    q: Floats,
    k: Floats,
    v: Floats,
    beta: Floats,
    g: Floats,
    initial_state: Floats,
    *,
    scale: float,
    chunk_size: int | None = None,
) -> tuple[Floats, Floats]:
    """Return `(o, final_state)`; q, k (b,l,h,K), v, o (b,l,h,V), beta, g (b,l,h), states (b,h,K,V)."""
    size = chunk_size or chunk_size_for(v.shape[1], *initial_state.shape[2:])
    o, final = np.empty_like(v), np.empty_like(initial_state)
    for rows in attention_blocks(k.shape, size):
        chunks = _Chunks(scale * q[rows], k[rows], v[rows], beta[rows], g[rows], size)
        entering, final[rows], written = chunks.states(initial_state[rows])
        outputs = chunks.similarities() @ written
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
    """Return the gradients of q, k, v, beta, g and the initial state; everything in between is computed again."""
    q, k, v, _, _, initial_state = arrays
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
    size: int,
    q: Floats,
    k: Floats,
    v: Floats,
    beta: Floats,
    g: Floats,
    initial_state: Floats,
    do: Floats,
    dfinal: Floats,
) -> tuple[Floats, ...]:
    chunks = _Chunks(q, k, v, beta, g, size)
    E = split(do, size)
    entering, final, written = chunks.states(initial_state)
    dleaving, dinitial, dwritten = chunks.state_gradients(E, dfinal)
    leaving = np.concatenate([entering[:, 1:], final[:, None]], axis=1)

    # Through what is read (5) and what is kept (6), except from a position to itself.
    dsimilarities = E @ written.mT
    dproducts = np.tril(dsimilarities, -1) * chunks.decays
    dq = dproducts @ chunks.k + (E @ entering.mT) * chunks.since_start
    dk = dproducts.mT @ chunks.q + (written @ dleaving.mT) * chunks.until_end
    # Through the triangular systems (2, 3), then through their matrix below the diagonal (1).
    sent_to_v = chunks.inverse.mT @ dwritten
    sent_to_k = chunks.inverse.mT @ (dwritten @ entering.mT)
    dproducts = np.tril(sent_to_k @ chunks.W.mT - sent_to_v @ chunks.U.mT, -1) * chunks.decays
    corrected = dproducts @ chunks.k - sent_to_k * chunks.since_start
    dk += dproducts.mT @ (chunks.beta * chunks.k)
    dbeta = np.vecdot(corrected, chunks.k) + np.vecdot(sent_to_v, chunks.v)
    corrected *= chunks.beta

    # The gradient of a log-gate is what all later positions take from before less what they leave for after, in this
    # chunk and, by the state that leaves it, behind.
    flow = np.vecdot(chunks.q, dq) + np.vecdot(chunks.k, corrected - dk)
    dg = np.cumsum(flow[..., ::-1], axis=-1)[..., ::-1]
    dg += np.vecdot(leaving, dleaving).sum(axis=-1)[..., None]
    own = diagonal(dsimilarities)[..., None]
    dq += own * chunks.k
    dk += own * chunks.q + corrected
    sequences = (dq, dk, chunks.beta * sent_to_v, dbeta[..., None], dg[..., None])
    dq, dk, dv, dbeta, dg = (joined(gradient, v.shape[1]) for gradient in sequences)
    return dq, dk, dv, dbeta[..., 0], dg[..., 0], dinitial


class _Chunks:
    """A block of sequences cut into chunks, the decays between their positions, and the solved triangular systems."""

    def __init__(self, q: Floats, k: Floats, v: Floats, beta: Floats, g: Floats, size: int) -> None:
        self.q, self.k, self.v = (split(sequence, size) for sequence in (q, k, v))
        self.beta = split(beta[..., None], size)
        # G (b,c,h,q,1): differences of float32 cumulative sums lose the digits that matter where decays are strong.
        elapsed = np.cumsum(split(np.maximum(g, FORGOTTEN)[..., None], size), axis=-2, dtype=np.float64)
        # exp(G_q) and exp(G_Q − G_q)
        self.since_start = self._decay_of(elapsed)
        self.until_end = self._decay_of(elapsed[..., -1:, :] - elapsed)
        # L (b,c,h,q,k), 0 for k after q. −inf goes in before exp: there the exponent is positive and could overflow.
        after = np.triu(np.full((size, size), -np.inf), 1)
        self.decays = self._decay_of(elapsed - elapsed.mT + after)
        # M⁻¹ (b,c,h,q,k), U (b,c,h,q,V), W (b,c,h,q,K) (1, 2, 3)
        weighted = self.beta * self.k
        self.inverse = _inverse_from_below((weighted @ self.k.mT) * self.decays)
        self.U = self.inverse @ (self.beta * self.v)
        self.W = self.inverse @ (weighted * self.since_start)

    def similarities(self) -> Floats:
        """(q kᵀ) ∘ L (b,c,h,q,k)."""
        found = self.q @ self.k.mT
        found *= self.decays
        return found

    def states(self, state: Floats) -> tuple[Floats, Floats, Floats]:
        """States entering every chunk (b,c,h,K,V), the state after the last, and V' (b,c,h,q,V) (4, 6)."""
        kept, ending = self.since_start[..., -1:, :], (self.k * self.until_end).mT
        entering = np.empty((*kept.shape[:3], *state.shape[2:]), state.dtype)
        written = self.U.copy()
        for chunk in range(entering.shape[1]):
            entering[:, chunk] = state
            written[:, chunk] -= self.W[:, chunk] @ state
            state = kept[:, chunk] * state + ending[:, chunk] @ written[:, chunk]
        return entering, state, written

    def state_gradients(self, E: Floats, dstate: Floats) -> tuple[Floats, Floats, Floats]:
        """Gradients of the states leaving every chunk (b,c,h,K,V), of the initial state, and of V' (b,c,h,q,V)."""
        kept, ending = self.since_start[..., -1:, :], self.k * self.until_end
        dleaving = np.empty((*kept.shape[:3], *dstate.shape[2:]), dstate.dtype)
        dwritten = self.similarities().mT @ E
        read = (self.q * self.since_start).mT @ E
        for chunk in reversed(range(dleaving.shape[1])):
            dleaving[:, chunk] = dstate
            dwritten[:, chunk] += ending[:, chunk] @ dstate
            dstate = kept[:, chunk] * dstate + read[:, chunk] - self.W[:, chunk].mT @ dwritten[:, chunk]
        return dleaving, dstate, dwritten

    def _decay_of(self, exponent: Floats) -> Floats:
        return np.exp(exponent).astype(self.k.dtype, copy=False)


def _inverse_from_below(matrix: Floats) -> Floats:
    """Invert triangular matrices (b,c,h,q,k) with ones on the diagonal; of `matrix`, what is below it is read.

    The inverse of [[A, 0], [C, D]] is [[A⁻¹, 0], [−D⁻¹ C A⁻¹, D⁻¹]]: blocks of 1, 2, 4, … positions, all at once.
    """
    inverse = np.zeros_like(matrix)
    diagonal(inverse)[...] = 1
    half = 1
    while half < matrix.shape[-1]:
        earlier, later = (np.ascontiguousarray(quarter(inverse, half, which, which)) for which in (0, 1))
        quarter(inverse, half, 1, 0)[...] = -(later @ quarter(matrix, half, 1, 0)) @ earlier
        half *= 2
    return inverse
