"""`gated_linear_attention`: attention without softmax whose memory fades."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, cast_like, wide
from mem_core.kernels.dispatch import Kernel, zeros
from mem_core.kernels.linear_attention import on_numpy
from mem_core.kernels.linear_attention.heads import scale_of, take_gates


def _load_torch() -> Callable[..., Any]:
    from mem_core.kernels.linear_attention import on_torch

    return on_torch.chunked_attention


def _load_triton() -> Callable[..., Any]:
    from mem_core.kernels.linear_attention import on_triton

    return on_triton.chunked_attention


chunked_attention = Kernel(
    on_numpy.forward, on_numpy.backward, _load_torch, _load_triton, name="gated_linear_attention"
)
"""(q, k, v, g, initial state; scale) → (o, final state)."""


def gated_linear_attention(
    q: Array,
    k: Array,
    v: Array,
    g: Array,
    scale: float | None = None,
    initial_state: Array | None = None,
    return_final_state: bool = False,
    *,
    check: bool = False,
) -> Any:
    """Read from and write to a memory that keeps a part of itself at every step, by a gate for every key number.

        S_t = diag(exp g_t) S_{t−1} + k_t v_tᵀ              S_0 = initial_state
        o_t = S_tᵀ (scale q_t)

    The work is done in chunks of Q positions. With G the running sum of g inside a chunk:

        (1) inside a chunk      A_ij = Σ_κ q_iκ k_jκ exp(G_iκ − G_jκ) for j ≤ i, else 0
        (2)                     O = A V + (q ∘ exp G) S,  S the state that entered the chunk
        (3) between chunks      S ← diag(exp G_Q) S + (k ∘ exp(G_Q − G))ᵀ V

    exp(−G) overflows, so A is no product of two matrices. It is put together from such products: of every two
    neighbouring blocks of 1, 2, 4, … positions, the later reads the earlier by way of the border between them.

    Args:
        q: queries (batch, length, heads, key width).
        k: keys, as q.
        v: values (batch, length, heads, value width).
        g: logarithms of the gates, as q, or (batch, length, heads) for one gate a head. 0 keeps everything, −∞ forgets
            everything; a positive one is computed as asked and grows without bound.
        scale: multiplies the queries; key width^−1/2 if left out.
        initial_state: S_0 (batch, heads, key width, value width); zero if left out.
        return_final_state: return `(o, S_length)`.
        check: refuse numbers that are not finite.

    Returns:
        o (batch, length, heads, value width) in v's type, or `(o, final_state)`; the state is float32, or float64 if q
        is. Differentiable in every array. Arithmetic is in the state's type.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, scale is not finite, or `check` finds a
            number that is not finite.

    Source:
        Yang et al. 2024, "Gated Linear Attention Transformers with Hardware-Efficient Training" (arXiv 2312.06635),
        section 4; one gate a head is the retention of arXiv 2307.08621 and the recurrence of Mamba-2 (`ssd_scan`).

    >>> import numpy as np
    >>> one = np.ones((1, 3, 1, 1))
    >>> gated_linear_attention(one, one, one, np.full((1, 3, 1), -np.log(2.0))).ravel()
    array([1.  , 1.5 , 1.75])
    """
    given = Arguments("gated_linear_attention", chunked_attention, check)
    inputs = v
    q = given.take("q", q, "batch", "length", "heads", "key width")
    k = given.take("k", k, "batch", "length", "heads", "key width")
    v = given.take("v", v, "batch", "length", "heads", "value width")
    g = take_gates(given, g, "batch", "length", "heads")
    initial_state = given.take_optional("initial_state", initial_state, "batch", "heads", "key width", "value width")
    if initial_state is None:
        initial_state = zeros((q.shape[0], q.shape[2], q.shape[3], v.shape[3]), like=wide(q))
    o, final_state = chunked_attention(q, k, v, g, initial_state, scale=scale_of(given, scale, q))
    o = cast_like(o, inputs)
    return (o, final_state) if return_final_state else o
