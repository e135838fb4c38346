"""The selective scan in Triton, with all that stands around the recurrence in one pass over memory.

Axes: b batch, g group of channels, d channel, t time, n state.

Forward a program walks through time with BD channels of a group; the states never leave the chip but for those between
blocks of 64 steps, 4 N/64 bytes for every channel and step. Backward every block is scanned again from these. Long
sequences with few channels are cut into chunks, as in `linear_scan`: once for the states, a scan over chunks, and once
more for the outputs.

Aims at the rate of exponentials: N of them for every channel and step forward and 2 N backward, beside about 9 N and
25 N other operations, for s (4 + 2 N G/D) bytes moved forward at s bytes a number with a gate, and s (8 + 2 N G/D) and
16 N/32 for the partial sums of dB and dC backward. At N = 16 and two bytes a number the exponentials of an H200 take
twice the time of the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
from torch import Tensor

from mem_core.kernels.gating import output, step_size
from mem_core.kernels.selective import on_torch
from mem_core.kernels.selective.triton_launches import Launches
from mem_core.kernels.triton_functions import differentiable


def forward(*arrays: Tensor | None, delta_softplus: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return `(y, last_state, states that leave the blocks)`; see `gated_selective_scan` for the arrays."""
    launches = Launches(arrays, delta_softplus)
    y, leaving = torch.empty_like(launches.u), launches.states(launches.blocks)
    launches.scan(y, leaving)
    return y, leaving[:, -1].clone(), leaving


def backward(
    arrays: Sequence[Tensor | None],
    results: Sequence[Tensor],
    gradients: Sequence[Tensor],
    *,
    delta_softplus: bool,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of all arrays, None for None."""
    launches, leaving = Launches(arrays, delta_softplus), results[2]
    du, ddelta = torch.empty_like(launches.u), torch.empty_like(launches.delta)
    dz = du if launches.z is None else torch.empty_like(launches.z)
    programs = triton.cdiv(launches.each, launches.width)
    by_step = (launches.batch, launches.groups, programs, launches.state, launches.length)
    dA = launches.states(launches.blocks)
    dB, dC = (launches.room(*by_step) if launches.varying[name] else launches.states(launches.blocks) for name in "BC")
    dD, dbias = (launches.room(launches.batch, launches.chunks_back(), launches.channels) for _ in range(2))
    dy, dlast = gradients[0].contiguous(), gradients[1].float()
    dinitial = launches.scan_back(leaving, dy, dlast, (du, ddelta, dz, dA, dB, dC, dD, dbias))
    of_vectors = (
        _total(total, (2,) if launches.varying[name] else (0, 1), vectors)
        for name, total, vectors in (("B", dB, launches.B), ("C", dC, launches.C))
    )
    return (
        du,
        ddelta,
        _total(dA, (0, 1), launches.A),
        *of_vectors,
        None if launches.D is None else _total(dD, (0, 1), launches.D),
        None if launches.z is None else dz,
        None if launches.bias is None else _total(dbias, (0, 1), launches.bias),
        dinitial.to(launches.initial_state.dtype),
    )


def _total(parts: Tensor, axes: tuple[int, ...], like: Tensor) -> Tensor:
    return parts.sum(dim=axes).reshape(like.shape).to(like.dtype)


def _plain(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    z: Tensor | None,
    delta_bias: Tensor | None,
    initial_state: Tensor,
    *,
    delta_softplus: bool,
) -> tuple[Tensor, Tensor]:
    step = step_size(delta, None if delta_bias is None else delta_bias[:, None], delta_softplus)
    y, last = on_torch.with_all_states(u, step, A, B, C, initial_state)
    return output(y, u, None if D is None else D[:, None], z, like=u), last


gated_selective_scan = differentiable(
    "gated_selective_scan",
    forward,
    backward,
    # Every channel has its own numbers.
    join=(1, 1, 0, 1, 1, 0, 1, 0, 1),
    join_results=(1, 1, 2),
    kept=1,
    options="bool delta_softplus",
    plain=_plain,
)
"""(u, delta, A, B, C, D, z, delta bias, initial state; delta_softplus) → (y, last state).

u, delta, z, y (b,d,t), A (d,n), B and C (b,g,n,t) or (1,d,n,1), D, delta bias (d,), states (b,d,n); D, z and delta bias
may be None.
"""
