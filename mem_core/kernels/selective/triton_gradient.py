"""The kernel of the gradient of the selective scan in Triton.

Axes: b batch, t time, g group of channels, d channel, n state. A program takes BD channels of one group and walks back
through a chunk of time in blocks of BLOCK steps, from the states that entered them: for every n the scan once more, and
the same scan backwards for g, the gradient of the states. What enters a block from the right is a_t g_t of the first
step beyond it.

    g_t = C_t dy_t + a_{t+1} g_{t+1};  dC_t = Σ_d dy_t h_t,  dB_t = Σ_d g_t Δ_t u_t,  dA = Σ_t Δ_t g_t a_t h_{t−1}
    du_t = D dy_t + Δ_t Σ_n g_t B_t,  dΔ_t = u_t Σ_n g_t B_t + Σ_n A g_t a_t h_{t−1}

Sums over channels are taken over the BD of a program; sums over programs are left to PyTorch, always in one order.
"""

from __future__ import annotations

import triton
import triton.language as tl

from mem_core.kernels.selective.triton_scan import LOG2_E, sigmoid, step_sizes, then, vector
from mem_core.kernels.triton_functions import jit, tuned

_tuned = tuned(
    [triton.Config({}, num_warps=warps, num_stages=1) for warps in (4, 8)],
    ["each", "length", "state", "BD"],
    interpreted={},
)


@_tuned
@jit
def scan_back(
    u: tl.pointer_type,
    delta: tl.pointer_type,
    A: tl.pointer_type,
    B: tl.pointer_type,
    C: tl.pointer_type,
    D: tl.pointer_type,
    z: tl.pointer_type,
    bias: tl.pointer_type,
    initial_state: tl.pointer_type,
    leaving: tl.pointer_type,
    gradient: tl.pointer_type,
    entering: tl.pointer_type,
    carried: tl.pointer_type,
    du: tl.pointer_type,
    ddelta: tl.pointer_type,
    dz: tl.pointer_type,
    dA: tl.pointer_type,
    dB: tl.pointer_type,
    dC: tl.pointer_type,
    dD: tl.pointer_type,
    dbias: tl.pointer_type,
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
    CARRIES_ONLY: tl.constexpr,
    BD: tl.constexpr,
) -> None:
    """Compute all gradients, each as far as a program can; CARRIES_ONLY what leaves the chunks to the left.

    leaving (b,blocks,d,n) comes from the scan, entering (b,chunks,d,n) and carried (b,chunks,2,d,n) hold a_t g_t: what
    enters a chunk from the right, and what goes from block to block, in turns so that none is overwritten that is
    still to be read. dA, and dB or dC that are always the same, are (b,blocks,d,n); else dB, dC (b,g,programs,n,t).
    dD, dbias (b,chunks,d).
    """
    programs, chunks, blocks = tl.cdiv(each, BD), tl.cdiv(length, chunk), tl.cdiv(length, BLOCK)
    program, channels = tl.program_id(0), groups * each
    part = program % programs
    in_group, column = part * BD + tl.arange(0, BD)[:, None], tl.arange(0, BLOCK)[None, :]
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
    of_sequence, of_chunk = batch * channels + channel, (batch * chunks + number) * channels + channel
    entering += of_chunk * state
    carried += ((batch * chunks + number) * 2 * channels + channel) * state
    shared = (sequence * programs + part) * state * length
    total_D, total_bias = tl.zeros((BD, 1), tl.float32), tl.zeros((BD, 1), tl.float32)
    first_block, end_block = number * (chunk // BLOCK), tl.minimum((number + 1) * (chunk // BLOCK), blocks)
    for back in range(end_block - first_block):
        block = end_block - 1 - back
        t = block * BLOCK + column
        place, inside = of_sequence * length + t, here & (t < length)
        step = step_sizes(delta, place, inside, shift, SOFTPLUS)
        next_step = step_sizes(delta, place + 1, inside & (t + 1 < length) & (column < BLOCK - 1), shift, SOFTPLUS)
        inputs = tl.load(u + place, inside, 0.0).to(tl.float32)
        dout = tl.load(gradient + place, inside, 0.0).to(tl.float32)
        dy = dout
        if HAS_Z:
            gate = tl.load(z + place, inside, 0.0).to(tl.float32)
            open_ = sigmoid(gate)
            dy = dout * gate * open_
        outputs, dinputs, dstep = inputs * direct, tl.zeros((BD, BLOCK), tl.float32), tl.zeros((BD, BLOCK), tl.float32)
        slot = ((batch * blocks + block) * channels + channel) * state
        for n in range(state):
            rate = tl.load(A + channel * state + n, here, 0.0).to(tl.float32)
            read = vector(C, sequence, channel, t, here, length, state, n, VARYING_C)
            if back == 0:
                later = tl.load(entering + n, here, 0.0)
            else:
                later = tl.load(carried + back % 2 * channels * state + n, here, 0.0)
            added = read * dy + tl.where(column == BLOCK - 1, later, 0.0)
            _, g = tl.associative_scan((tl.exp2(next_step * (rate * LOG2_E)), added), 1, then, reverse=True)
            factor = tl.exp2(step * (rate * LOG2_E))
            leaving_left = tl.sum(tl.where(column == 0, factor * g, 0.0), 1)[:, None]
            tl.store(carried + (back + 1) % 2 * channels * state + n, leaving_left, here)
            if not CARRIES_ONLY:
                if block == 0:
                    before = tl.load(initial_state + of_sequence * state + n, here, 0.0).to(tl.float32)
                else:
                    before = tl.load(leaving + slot - channels * state + n, here, 0.0)
                written = vector(B, sequence, channel, t, here, length, state, n, VARYING_B)
                added = inputs * step * written
                first = added + tl.where(column == 0, factor * before, 0.0)
                _, states = tl.associative_scan((factor, first), 1, then)
                outputs += states * read
                dinputs += g * written
                # g_t a_t h_{t−1}; the subtraction spares a shift of the states by a step
                flow = g * (states - added)
                dstep += rate * flow
                tl.store(dA + slot + n, tl.sum(step * flow, 1)[:, None], here)
                for_B, for_C = g * inputs * step, dy * states
                if VARYING_B:
                    tl.store(dB + shared + n * length + t, tl.sum(for_B, 0)[None, :], t < length)
                else:
                    tl.store(dB + slot + n, tl.sum(for_B, 1)[:, None], here)
                if VARYING_C:
                    tl.store(dC + shared + n * length + t, tl.sum(for_C, 0)[None, :], t < length)
                else:
                    tl.store(dC + slot + n, tl.sum(for_C, 1)[:, None], here)
        if not CARRIES_ONLY:
            tl.store(du + place, direct * dy + step * dinputs, inside)
            dstep += inputs * dinputs
            if SOFTPLUS:
                raw = tl.load(delta + place, inside, 0.0).to(tl.float32) + shift
                dstep *= sigmoid(raw)
            tl.store(ddelta + place, dstep, inside)
            if HAS_Z:
                tl.store(dz + place, dout * outputs * open_ * (1.0 + gate * (1.0 - open_)), inside)
            total_D += tl.sum(dy * inputs, 1)[:, None]
            total_bias += tl.sum(tl.where(inside, dstep, 0.0), 1)[:, None]
        tl.debug_barrier()
    if not CARRIES_ONLY:
        tl.store(dD + of_chunk, total_D, here)
        tl.store(dbias + of_chunk, total_bias, here)
