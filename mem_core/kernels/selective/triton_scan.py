"""The kernels of the selective scan in Triton, forward; `on_triton.py` says which runs when.

Axes: b batch, t time, g group of channels, d channel, n state. A program takes BD channels of one group and walks
through a chunk of time in blocks of BLOCK steps. In a block it takes one n after the other: a scan over the block,
begun with what is left of the state that entered. Steps beyond the end have Δ = 0, which leaves the state as it is.

The state that leaves a block goes to memory, for the gradient and for the next block, which reads it after a barrier:
which thread holds what is Triton's affair.
"""

from __future__ import annotations

import math

import triton
import triton.language as tl

from mem_core.kernels.triton_functions import jit, tuned

# The hardware has powers and logarithms of two; Triton's `exp` and `log` take care of denormal numbers on top.
LOG2_E = tl.constexpr(math.log2(math.e))
LN_2 = tl.constexpr(math.log(2.0))


@jit
def then(factor: tl.tensor, added: tl.tensor, next_factor: tl.tensor, next_added: tl.tensor) -> tl.tensor:
    """Combine h → factor·h + added with the same of what follows."""
    return factor * next_factor, next_factor * added + next_added


@jit
def sigmoid(x: tl.tensor) -> tl.tensor:
    """1 / (1 + exp(−x))."""
    return 1.0 / (1.0 + tl.exp2(-x * LOG2_E))


@jit
def softplus(x: tl.tensor) -> tl.tensor:
    """log(1 + exp x), by a series where 1 + exp x would lose what exp x says."""
    small = tl.exp2(tl.minimum(x, 20.0) * LOG2_E)
    series = small * (1.0 - small * (0.5 - small * (1.0 / 3.0 - 0.25 * small)))
    exact = tl.where(small < 2e-2, series, tl.log2(1.0 + small) * LN_2)
    return tl.where(x > 20.0, x, exact)


@jit
def step_sizes(
    delta: tl.pointer_type,
    place: tl.tensor,
    inside: tl.tensor,
    bias: tl.tensor,
    SOFTPLUS: tl.constexpr,
) -> tl.tensor:
    """Δ, and 0 outside."""
    raw = tl.load(delta + place, inside, 0.0).to(tl.float32) + bias
    if SOFTPLUS:
        raw = softplus(raw)
    return tl.where(inside, raw, 0.0)


@jit
def vector(
    vectors: tl.pointer_type,
    sequence: tl.tensor,
    channel: tl.tensor,
    t: tl.tensor,
    here: tl.tensor,
    length: int,
    state: int,
    n: tl.tensor,
    VARYING: tl.constexpr,
) -> tl.tensor:
    """Load the n-th number of B or C: (1,BLOCK) of the group's `sequence` (b,g), or (BD,1) if always the same."""
    if VARYING:
        numbers = tl.load(vectors + (sequence * state + n) * length + t, t < length, 0.0)
    else:
        numbers = tl.load(vectors + channel * state + n, here, 0.0)
    return numbers.to(tl.float32)


@tuned(
    [triton.Config({"BD": channels}, num_warps=warps) for channels, warps in ((16, 4), (32, 4), (64, 4), (64, 8))],
    ["each", "length", "state"],
    interpreted={"BD": 4},
)
@jit
def scan(
    u: tl.pointer_type,
    delta: tl.pointer_type,
    A: tl.pointer_type,
    B: tl.pointer_type,
    C: tl.pointer_type,
    D: tl.pointer_type,
    z: tl.pointer_type,
    bias: tl.pointer_type,
    entering: tl.pointer_type,
    y: tl.pointer_type,
    leaving: tl.pointer_type,
    groups: int,
    each: int,
    length: int,
    state: int,
    chunk: int,
    BLOCK: tl.constexpr,
    SOFTPLUS: tl.constexpr,
    HAS_D: tl.constexpr,
    HAS_Z: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    VARYING_B: tl.constexpr,
    VARYING_C: tl.constexpr,
    STATES_ONLY: tl.constexpr,
    BD: tl.constexpr,
) -> None:
    """Compute y and the states that leave the blocks (b,blocks,d,n); STATES_ONLY no y.

    entering (b,chunks,d,n) holds the states that enter the chunks.
    """
    programs, chunks, blocks = tl.cdiv(each, BD), tl.cdiv(length, chunk), tl.cdiv(length, BLOCK)
    program, channels = tl.program_id(0), groups * each
    in_group, column = program % programs * BD + tl.arange(0, BD)[:, None], tl.arange(0, BLOCK)[None, :]
    sequence, number = (program // programs % groups).to(tl.int64), program // (programs * groups) % chunks
    # In 64 bits, for more than 2³¹ numbers.
    batch = (program // (programs * groups * chunks)).to(tl.int64)
    channel, here = sequence * each + in_group, in_group < each
    sequence += batch * groups
    shift, direct = tl.zeros((BD, 1), tl.float32), tl.zeros((BD, 1), tl.float32)
    if HAS_BIAS:
        shift += tl.load(bias + channel, here, 0.0).to(tl.float32)
    if HAS_D:
        direct += tl.load(D + channel, here, 0.0).to(tl.float32)
    entering += ((batch * chunks + number) * channels + channel) * state
    leaving += (batch * blocks * channels + channel) * state
    first = number * (chunk // BLOCK)
    for block in range(first, tl.minimum(first + chunk // BLOCK, blocks)):
        t = block * BLOCK + column
        place, inside = (batch * channels + channel) * length + t, here & (t < length)
        step = step_sizes(delta, place, inside, shift, SOFTPLUS)
        inputs = tl.load(u + place, inside, 0.0).to(tl.float32)
        outputs = inputs * direct
        inputs *= step
        slot = tl.cast(block, tl.int64) * channels * state
        for n in range(state):
            if block == first:
                before = tl.load(entering + n, here, 0.0)
            else:
                before = tl.load(leaving + slot - channels * state + n, here, 0.0)
            rate = tl.load(A + channel * state + n, here, 0.0).to(tl.float32) * LOG2_E
            factor = tl.exp2(step * rate)
            added = inputs * vector(B, sequence, channel, t, here, length, state, n, VARYING_B)
            added += tl.where(column == 0, factor * before, 0.0)
            _, states = tl.associative_scan((factor, added), 1, then)
            if not STATES_ONLY:
                outputs += states * vector(C, sequence, channel, t, here, length, state, n, VARYING_C)
            end = tl.sum(tl.where(column == BLOCK - 1, states, 0.0), 1)[:, None]
            tl.store(leaving + slot + n, end, here)
        if not STATES_ONLY:
            if HAS_Z:
                gate = tl.load(z + place, inside, 0.0).to(tl.float32)
                outputs *= gate * sigmoid(gate)
            tl.store(y + place, outputs, inside)
        tl.debug_barrier()
