"""The gated delta rule on PyTorch: the same chunks as on NumPy, as a function with a hand-written gradient.

Axes: b batch, c chunk, h head, q (and k) position in the chunk, K key width, V value width. Between the entry points
queries and keys lie as (b,c,h,q,K), values as (b,c,h,q,V), β as (b,c,h,q,1), states as (b,c,h,K,V). Equation numbers
are those in the docstring of `gated_delta_rule`.

The gradient is made of PyTorch operations on what `save_for_backward` kept, all out of place, so that it works under
`torch.func.grad` and `torch.func.vmap`, and can itself be differentiated.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mem_core.kernels.linear_attention.heads import FORGOTTEN
from mem_core.kernels.linear_attention.partition import chunk_size_for
from mem_core.kernels.linear_attention.torch_chunks import corner, in_blocks, in_pairs, joined, split, with_corner
from mem_core.kernels.torch_functions import apply, batch_first


def chunked_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    g: Tensor,
    initial_state: Tensor,
    *,
    scale: float,
    chunk_size: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return `(o, final_state)`; q, k (b,l,h,K), v, o (b,l,h,V), beta, g (b,l,h), states (b,h,K,V)."""
    size = chunk_size or chunk_size_for(v.shape[1], *initial_state.shape[2:])
    found: tuple[Tensor, Tensor] = apply(_ChunkedRule, scale * q, k, v, beta, g, initial_state, size)
    return found


class _ChunkedRule(torch.autograd.Function):
    @staticmethod
    def forward(
        q: Tensor, k: Tensor, v: Tensor, beta: Tensor, g: Tensor, initial_state: Tensor, size: int
    ) -> tuple[Tensor, ...]:
        return in_blocks(_forward, size, q, k, v, beta, g, initial_state)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs[:6])
        ctx.size = inputs[6]

    @staticmethod
    def backward(ctx: Any, do: Tensor, dfinal: Tensor) -> tuple[Tensor | None, ...]:
        return *in_blocks(_backward, ctx.size, *ctx.saved_tensors, do, dfinal), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> tuple[Any, tuple[int, int]]:
        # No tensor is shared between the sequences of a batch, so a batch axis more joins the one that is there.
        *tensors, size = inputs
        together = [tensor.flatten(0, 1) for tensor in batch_first(info.batch_size, tensors, in_dims[:-1])]
        o, final = apply(_ChunkedRule, *together, size)
        return tuple(result.reshape(info.batch_size, -1, *result.shape[1:]) for result in (o, final)), (0, 0)


def _forward(
    size: int, q: Tensor, k: Tensor, v: Tensor, beta: Tensor, g: Tensor, initial_state: Tensor
) -> tuple[Tensor, Tensor]:
    chunks = _Chunks(q, k, v, beta, g, size)
    entering, final, written = chunks.states(initial_state)
    o = chunks.similarities() @ written + (chunks.q * chunks.since_start) @ entering
    return joined(o, v.shape[1]), final


def _backward(
    size: int,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    g: Tensor,
    initial_state: Tensor,
    do: Tensor,
    dfinal: Tensor,
) -> tuple[Tensor, ...]:
    chunks = _Chunks(q, k, v, beta, g, size)
    E = split(do, size)
    entering, final, written = chunks.states(initial_state)
    dleaving, dinitial, dwritten = chunks.state_gradients(E, dfinal)
    leaving = torch.cat([entering[:, 1:], final[:, None]], dim=1)

    # Through what is read (5) and what is kept (6), except from a position to itself.
    dsimilarities = E @ written.mT
    dproducts = dsimilarities.tril(-1) * chunks.decays
    dq = torch.addcmul(dproducts @ chunks.k, E @ entering.mT, chunks.since_start)
    dk = torch.addcmul(dproducts.mT @ chunks.q, written @ dleaving.mT, chunks.until_end)
    # Through the triangular systems (2, 3), then through their matrix below the diagonal (1).
    sent_to_v = chunks.inverse.mT @ dwritten
    sent_to_k = chunks.inverse.mT @ (dwritten @ entering.mT)
    dproducts = (sent_to_k @ chunks.W.mT - sent_to_v @ chunks.U.mT).tril(-1) * chunks.decays
    corrected = torch.addcmul(dproducts @ chunks.k, sent_to_k, chunks.since_start, value=-1)
    dk = dk + dproducts.mT @ (chunks.beta * chunks.k)
    dbeta = (corrected * chunks.k).sum(dim=-1) + (sent_to_v * chunks.v).sum(dim=-1)
    corrected = corrected * chunks.beta

    # The gradient of a log-gate is what all later positions take from before less what they leave for after, in this
    # chunk and, by the state that leaves it, behind.
    flow = (chunks.q * dq + chunks.k * (corrected - dk)).sum(dim=-1)
    dg = flow.flip(-1).cumsum(-1).flip(-1) + (leaving * dleaving).sum(dim=(-2, -1))[..., None]
    own = dsimilarities.diagonal(dim1=3, dim2=4)[..., None]
    dq, dk = torch.addcmul(dq, own, chunks.k), torch.addcmul(dk, own, chunks.q) + corrected
    sequences = (dq, dk, chunks.beta * sent_to_v, dbeta[..., None], dg[..., None])
    dq, dk, dv, dbeta, dg = (joined(gradient, v.shape[1]) for gradient in sequences)
    return dq, dk, dv, dbeta[..., 0], dg[..., 0], dinitial


class _Chunks:
    """Sequences cut into chunks, the decays between their positions, and the solved triangular systems."""

    def __init__(self, q: Tensor, k: Tensor, v: Tensor, beta: Tensor, g: Tensor, size: int) -> None:
        self.q, self.k, self.v = (split(sequence, size) for sequence in (q, k, v))
        self.beta = split(beta[..., None], size)
        # G (b,c,h,q,1): differences of float32 cumulative sums lose the digits that matter where decays are strong.
        elapsed = split(g.clamp(FORGOTTEN)[..., None], size).double().cumsum(3)
        # exp(G_q) and exp(G_Q − G_q)
        self.since_start = elapsed.exp().to(k.dtype)
        self.until_end = (elapsed[:, :, :, -1:] - elapsed).exp().to(k.dtype)
        # L (b,c,h,q,k), 0 for k after q. −inf goes in before exp: there the exponent is positive and could overflow.
        after = torch.ones(size, size, dtype=torch.bool, device=k.device).triu(1)
        self.decays = (elapsed - elapsed.mT).to(k.dtype).masked_fill(after, -torch.inf).exp()
        # M⁻¹ (b,c,h,q,k), U (b,c,h,q,V), W (b,c,h,q,K) (1, 2, 3)
        weighted = self.beta * self.k
        self.inverse = _inverse_from_below((weighted @ self.k.mT) * self.decays)
        self.U = self.inverse @ (self.beta * self.v)
        self.W = self.inverse @ (weighted * self.since_start)

    def similarities(self) -> Tensor:
        """(q kᵀ) ∘ L (b,c,h,q,k)."""
        return (self.q @ self.k.mT) * self.decays

    def states(self, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States entering every chunk (b,c,h,K,V), the state after the last, and V' (b,c,h,q,V) (4, 6)."""
        kept, ending = self.since_start[:, :, :, -1:], (self.k * self.until_end).mT
        entering, written = [], []
        for chunk in range(kept.shape[1]):
            entering.append(state)
            written.append(self.U[:, chunk] - self.W[:, chunk] @ state)
            state = torch.addcmul(ending[:, chunk] @ written[-1], kept[:, chunk], state)
        return torch.stack(entering, dim=1), state, torch.stack(written, dim=1)

    def state_gradients(self, E: Tensor, dstate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of the states leaving every chunk (b,c,h,K,V), of the initial state, and of V' (b,c,h,q,V)."""
        kept, ending = self.since_start[:, :, :, -1:], self.k * self.until_end
        inside, read = self.similarities().mT @ E, (self.q * self.since_start).mT @ E
        dleaving, dwritten = [], []
        for chunk in reversed(range(kept.shape[1])):
            dleaving.append(dstate)
            dwritten.append(inside[:, chunk] + ending[:, chunk] @ dstate)
            dstate = torch.addcmul(read[:, chunk], kept[:, chunk], dstate) - self.W[:, chunk].mT @ dwritten[-1]
        return torch.stack(dleaving[::-1], dim=1), dstate, torch.stack(dwritten[::-1], dim=1)


def _inverse_from_below(matrix: Tensor) -> Tensor:
    """Invert triangular matrices (b,c,h,q,k) with ones on the diagonal; of `matrix`, what is below it is read.

    The inverse of [[A, 0], [C, D]] is [[A⁻¹, 0], [−D⁻¹ C A⁻¹, D⁻¹]]: blocks of 1, 2, 4, … positions, all at once.
    """
    size = matrix.shape[-1]
    # (b,c,h,q,1,1)
    inverse = torch.ones_like(matrix[..., :1, None])
    while inverse.shape[-1] < size:
        earlier, later = in_pairs(inverse)
        inverse = with_corner(earlier, -(later @ corner(matrix, inverse.shape[-1])) @ earlier, later)
    return inverse[:, :, :, 0]
