"""`delta_rule` and `gated_delta_rule`: a memory that corrects what it has stored at a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, cast_like, wide
from mem_core.kernels.delta_rule import on_numpy
from mem_core.kernels.dispatch import NAMED, Kernel, zeros
from mem_core.kernels.linear_attention.heads import scale_of


def _load_torch() -> Callable[..., Any]:
    from mem_core.kernels.delta_rule import on_torch

    return on_torch.chunked_rule


def _load_triton() -> Callable[..., Any]:
    from mem_core.kernels.delta_rule import on_triton

    return on_triton.chunked_rule


chunked_rule = Kernel(on_numpy.forward, on_numpy.backward, _load_torch, _load_triton, name="gated_delta_rule")
"""(q, k, v, β, g, initial state; scale) → (o, final state)."""
NAMED["delta_rule"] = chunked_rule  # it serves both


def delta_rule(
    q: Array,
    k: Array,
    v: Array,
    beta: Array,
    scale: float | None = None,
    initial_state: Array | None = None,
    return_final_state: bool = False,
    *,
    check: bool = False,
) -> Any:
    """Correct at every step what a memory answers to one key, and read it.

        S_t = S_{t−1} + β_t k_t (v_t − S_{t−1}ᵀ k_t)ᵀ      S_0 = initial_state
        o_t = S_tᵀ (scale q_t)

    One step of gradient descent on ½‖Sᵀk_t − v_t‖² with learning rate β_t. For keys of length 1, β = 1 makes the
    memory answer v_t from now on, β = 0 leaves it, β = 2 turns the answer round.

    Args:
        q: queries (batch, length, heads, key width).
        k: keys, as q; of length 1, or with β ‖k‖² in 0 … 2, if the memory is not to grow without bound.
        v: values (batch, length, heads, value width).
        beta: β (batch, length, heads).
        scale: multiplies the queries; key width^−1/2 if left out.
        initial_state: S_0 (batch, heads, key width, value width); zero if left out.
        return_final_state: return `(o, S_length)`.
        check: refuse numbers that are not finite.

    Returns:
        o (batch, length, heads, value width) in v's type, or `(o, final_state)`; the state is float32, or float64 if q
        is. Differentiable in every array. Arithmetic is in the state's type.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, scale is not finite, `check` finds a
            number that is not finite, or keys are wider than 256 on a GPU.

    Source:
        Yang et al. 2024, "Parallelizing Linear Transformers with the Delta Rule over Sequence Length" (arXiv
        2406.06484); Widrow & Hoff 1960 for the rule.

    >>> import numpy as np
    >>> key, twice = np.ones((1, 2, 1, 1)), np.array([3.0, 5.0]).reshape(1, 2, 1, 1)
    >>> delta_rule(key, key, twice, beta=np.full((1, 2, 1), 0.5)).ravel()
    array([1.5 , 3.25])
    """
    given = Arguments("delta_rule", chunked_rule, check)
    return _run(given, q, k, v, beta, None, scale, initial_state, return_final_state)


def gated_delta_rule(
    q: Array,
    k: Array,
    v: Array,
    beta: Array,
    g: Array,
    scale: float | None = None,
    initial_state: Array | None = None,
    return_final_state: bool = False,
    *,
    check: bool = False,
) -> Any:
    """Let a memory fade by a gate, then correct what it answers to one key, and read it.

        S'_t = exp(g_t) S_{t−1}                             S_0 = initial_state
        S_t = S'_t + β_t k_t (v_t − S'_tᵀ k_t)ᵀ
        o_t = S_tᵀ (scale q_t)

    The work is done in chunks of Q positions. With G the running sum of g inside a chunk, and L_ij = exp(G_i − G_j)
    for j ≤ i, else 0:

        (1) M = I + the part of (β k kᵀ) ∘ L below the diagonal
        (2) U = M⁻¹ (β V)                      what each position writes if nothing was there before the chunk
        (3) W = M⁻¹ (β exp(G) k)               what it takes back of the state S before the chunk
        (4) V' = U − W S
        (5) O = (q exp G) S + ((q kᵀ) ∘ L) V'
        (6) S ← exp(G_Q) S + (k exp(G_Q − G))ᵀ V'

    Args:
        q: queries (batch, length, heads, key width).
        k: keys, as q; of length 1, or with β ‖k‖² in 0 … 2, if the memory is not to grow without bound.
        v: values (batch, length, heads, value width).
        beta: β (batch, length, heads).
        g: logarithms of the gates (batch, length, heads). 0 keeps everything, −∞ forgets everything; a positive one is
            computed as asked and grows without bound.
        scale: multiplies the queries; key width^−1/2 if left out.
        initial_state: S_0 (batch, heads, key width, value width); zero if left out.
        return_final_state: return `(o, S_length)`.
        check: refuse numbers that are not finite.

    Returns:
        o (batch, length, heads, value width) in v's type, or `(o, final_state)`; the state is float32, or float64 if q
        is. Differentiable in every array. Arithmetic is in the state's type.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, scale is not finite, `check` finds a
            number that is not finite, or keys are wider than 256 on a GPU.

    Source:
        Yang et al. 2025, "Gated Delta Networks" (arXiv 2412.06464), section 3.

    >>> import numpy as np
    >>> key, value, halving = np.ones((1, 3, 1, 1)), np.ones((1, 3, 1, 1)), np.full((1, 3, 1), -np.log(2.0))
    >>> gated_delta_rule(key, key, value, beta=np.array([[[1.0], [0.0], [0.0]]]), g=halving).ravel()
    array([1.  , 0.5 , 0.25])
    """
    given = Arguments("gated_delta_rule", chunked_rule, check)
    return _run(given, q, k, v, beta, g, scale, initial_state, return_final_state)


def _run(
    given: Arguments,
    q: Array,
    k: Array,
    v: Array,
    beta: Array,
    g: Array | None,
    scale: float | None,
    initial_state: Array | None,
    return_final_state: bool,
) -> Any:
    inputs = v
    q = given.take("q", q, "batch", "length", "heads", "key width")
    k = given.take("k", k, "batch", "length", "heads", "key width")
    v = given.take("v", v, "batch", "length", "heads", "value width")
    beta = given.take("beta", beta, "batch", "length", "heads")
    g = zeros(tuple(beta.shape), like=q) if g is None else given.take("g", g, "batch", "length", "heads")
    initial_state = given.take_optional("initial_state", initial_state, "batch", "heads", "key width", "value width")
    if initial_state is None:
        initial_state = zeros((q.shape[0], q.shape[2], q.shape[3], v.shape[3]), like=wide(q))
    o, final_state = chunked_rule(q, k, v, beta, g, initial_state, scale=scale_of(given, scale, q))
    o = cast_like(o, inputs)
    return (o, final_state) if return_final_state else o
