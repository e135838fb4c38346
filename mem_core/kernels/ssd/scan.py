"""`ssd_scan`: the scan of Mamba-2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, wide
from mem_core.kernels.dispatch import Kernel, zeros
from mem_core.kernels.gating import output, step_size
from mem_core.kernels.ssd import on_numpy
from mem_core.kernels.ssd.direct_path import take_direct_weight


def _load_torch() -> Callable[..., Any]:
    from mem_core.kernels.ssd import on_torch

    return on_torch.chunked_scan


def _load_triton() -> Callable[..., Any]:
    from mem_core.kernels.ssd import on_triton

    return on_triton.chunked_scan


chunked_scan = Kernel(on_numpy.forward, on_numpy.backward, _load_torch, _load_triton, name="ssd_scan")
"""(x, Δ, Δ A, B, C, initial state; chunk_size) → (y, final state)."""


def ssd_scan(
    x: Array,
    dt: Array,
    A: Array,
    B: Array,
    C: Array,
    D: Array | None = None,
    z: Array | None = None,
    dt_bias: Array | None = None,
    initial_state: Array | None = None,
    dt_softplus: bool = False,
    chunk_size: int | None = None,
    return_final_state: bool = False,
    *,
    check: bool = False,
) -> Any:
    """Scan a sequence with Mamba-2's recurrence, one decay per head and time step.

        Δ_t = softplus(dt_t + dt_bias)                      or dt_t + dt_bias without dt_softplus
        h_t = exp(Δ_t A) h_{t−1} + Δ_t x_t ⊗ B_t            h_0 = initial_state
        y_t = (h_t C_t + D x_t) · silu(z_t)

    The work is done in chunks of Q positions. With X = Δ x and cs the running sum of Δ A inside a chunk:

        (1) inside a chunk      Y = ((C Bᵀ) ∘ L) X,  L_ij = exp(cs_i − cs_j) for j ≤ i, else 0
        (2) added by a chunk    S = Σ_j exp(cs_Q − cs_j) X_j ⊗ B_j
        (3) between chunks      H ← exp(cs_Q) H + S
        (4) from before         Y_i += exp(cs_i) H C_i,  H the state that entered the chunk

    Q = 1 is the recurrence, Q = length is attention with a decaying mask; the result is the same.

    Args:
        x: inputs (batch, length, heads, width).
        dt: step sizes Δ before bias and softplus (batch, length, heads).
        A: decay rates (heads,), negative: a positive one is computed as asked and grows without bound.
        B: what is written into the state (batch, length, groups, state); `groups` divides `heads`, and neighbouring
            heads share a group.
        C: what is read from the state, as B.
        D: weight of the direct path (heads,) or (heads, width); none if left out.
        z: gate (batch, length, heads, width); none if left out.
        dt_bias: added to dt (heads,).
        initial_state: h_0 (batch, heads, width, state); zero if left out.
        dt_softplus: make Δ positive by log(1 + exp).
        chunk_size: Q, changes the speed and not the result; chosen from the sizes if left out.
        return_final_state: return `(y, h_length)`.
        check: refuse numbers that are not finite.

    Returns:
        y (batch, length, heads, width) in x's type, or `(y, final_state)`; the state is float32, or float64 if x is.
        Differentiable in every array. Arithmetic is in the state's type.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, chunk_size is below 1, or `check` finds a
            number that is not finite.

    Source:
        Dao & Gu 2024, "Transformers are SSMs" (arXiv 2405.21060), section 6 and Listing 1.

    >>> import numpy as np
    >>> one = np.ones((1, 3, 1, 1))
    >>> halving = np.array([-np.log(2.0)])
    >>> ssd_scan(one, one[..., 0], halving, one, one).ravel()
    array([1.  , 1.5 , 1.75])
    """
    given = Arguments("ssd_scan", chunked_scan, check)
    if chunk_size is not None and chunk_size < 1:
        raise given.error(f"chunk_size must be at least 1, got {chunk_size}")
    inputs = x
    x = given.take("x", x, "batch", "length", "heads", "width")
    dt = given.take("dt", dt, "batch", "length", "heads")
    A = given.take("A", A, "heads")
    B = given.take("B", B, "batch", "length", "groups", "state")
    C = given.take("C", C, "batch", "length", "groups", "state")
    D = take_direct_weight(given, D)
    z = given.take_optional("z", z, "batch", "length", "heads", "width")
    dt_bias = given.take_optional("dt_bias", dt_bias, "heads")
    initial_state = given.take_optional("initial_state", initial_state, "batch", "heads", "width", "state")
    given.check_divides("groups", "heads")

    if initial_state is None:
        initial_state = zeros((x.shape[0], *x.shape[2:], B.shape[3]), like=wide(x))
    step = step_size(wide(dt), dt_bias, dt_softplus)
    y, final_state = chunked_scan(x, step, step * A, B, C, initial_state, chunk_size=chunk_size)
    y = output(y, x, D, z, like=inputs)
    return (y, final_state) if return_final_state else y
