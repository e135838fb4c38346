"""`selective_scan`: the scan of Mamba-1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, wide
from mem_core.kernels.dispatch import Kernel, zeros
from mem_core.kernels.gating import output, step_size
from mem_core.kernels.selective import on_numpy
from mem_core.kernels.selective.arguments import check_same_groups, take_vectors


def _load_torch() -> Callable[..., Any]:
    from mem_core.kernels.selective import on_torch

    return on_torch.selective_recurrence


def _load_triton() -> Callable[..., Any]:
    from mem_core.kernels.selective import on_triton

    return on_triton.gated_selective_scan


selective_recurrence = Kernel(on_numpy.forward, on_numpy.backward, _load_torch, _load_triton, name="selective_scan")
"""(u, Δ, A, B, C, initial state) → (y, last state, …); B and C (b,g,n,t), or (1,d,n,1) if always the same.

In Triton (u, delta, A, B, C, D, z, delta bias, initial state; delta_softplus) → (y, last state).
"""


def selective_scan(
    u: Array,
    delta: Array,
    A: Array,
    B: Array,
    C: Array,
    D: Array | None = None,
    z: Array | None = None,
    delta_bias: Array | None = None,
    delta_softplus: bool = False,
    initial_state: Array | None = None,
    return_last_state: bool = False,
    *,
    check: bool = False,
) -> Any:
    """Scan a sequence with Mamba-1's recurrence, in which the input chooses what is kept, written and read.

        Δ_t = softplus(delta_t + delta_bias)                or delta_t + delta_bias without delta_softplus
        h_t = exp(Δ_t A) h_{t−1} + Δ_t u_t B_t              h_0 = initial_state, `state` numbers for every channel
        y_t = (h_t · C_t + D u_t) · silu(z_t)

    Where Δ is large the past fades and the input is written, where it is small both pass by. The factor Δ_t B_t of the
    input is the first-order form of the zero-order hold (exp(Δ A) − 1)/A · B, as in Mamba's own code.

    Args:
        u: inputs (batch, channels, length); time is the last axis, as in the literature.
        delta: step sizes Δ before bias and softplus (batch, channels, length).
        A: decay rates (channels, state), negative: a positive one is computed as asked and grows without bound.
        B: what is written into the state (batch, state, length), or (batch, groups, state, length) where `groups`
            divides `channels` and neighbouring channels share a group, or (channels, state) at all times the same.
        C: what is read from the state, in any of these forms; as many groups as B has.
        D: weight of the direct path (channels,); none if left out.
        z: gate (batch, channels, length); none if left out.
        delta_bias: added to delta (channels,).
        delta_softplus: make Δ positive by log(1 + exp).
        initial_state: h_0 (batch, channels, state); zero if left out.
        return_last_state: return `(y, h_length)`.
        check: refuse numbers that are not finite.

    Returns:
        y (batch, channels, length) in u's type, or `(y, last_state)`; the state is float32, or float64 if u is.
        Differentiable in every array. Arithmetic is in the state's type.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, or `check` finds a number that is not
            finite.

    Source:
        Gu & Dao 2023, "Mamba" (arXiv 2312.00752), algorithm 2; argument names of `selective_scan_fn` in `mamba_ssm`.

    >>> import numpy as np
    >>> one = np.ones((1, 1, 3))
    >>> halving = np.array([[-np.log(2.0)]])
    >>> selective_scan(one, one, halving, one, one)
    array([[[1.  , 1.5 , 1.75]]])
    """
    given = Arguments("selective_scan", selective_recurrence, check)
    inputs = u
    u = given.take("u", u, "batch", "channels", "length")
    delta = given.take("delta", delta, "batch", "channels", "length")
    A = given.take("A", A, "channels", "state")
    B = take_vectors(given, "B", B, "length")
    C = take_vectors(given, "C", C, "length")
    check_same_groups(given, B, C, u.shape[1])
    D = given.take_optional("D", D, "channels")
    z = given.take_optional("z", z, "batch", "channels", "length")
    delta_bias = given.take_optional("delta_bias", delta_bias, "channels")
    initial_state = given.take_optional("initial_state", initial_state, "batch", "channels", "state")

    if initial_state is None:
        initial_state = zeros((*u.shape[:2], A.shape[1]), like=wide(u))
    if selective_recurrence.takes(u):
        # Its one pass over memory takes in all that stands around the recurrence.
        arrays = (u, delta, A, B, C, D, z, delta_bias, initial_state)
        y, last = selective_recurrence.triton(*arrays, delta_softplus=delta_softplus)
        return (y, last) if return_last_state else y
    step = step_size(delta, _beside(delta_bias), delta_softplus)
    found = selective_recurrence(u, step, A, B, C, initial_state)
    y = output(found[0], u, _beside(D), z, like=inputs)
    return (y, found[1]) if return_last_state else y


def _beside(channels: Array | None) -> Array | None:
    return None if channels is None else channels[:, None]
