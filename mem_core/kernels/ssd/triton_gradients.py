"""The kernels of the gradient of the state-space dual scan in Triton, one program a chunk.

Axes: b batch, c chunk, i and j positions in a chunk of Q, h head, g group, p head width, n state. E is the gradient of
y, H the state that enters a chunk, dS the gradient of the state that leaves it, L the decays of `ssd_scan`'s docstring
and X = Δ x.

    dX_j = Σ_i (C Bᵀ ∘ L)_ij E_i + exp(cs_Q − cs_j) dS B_j
    dC_i = Σ_j (L ∘ E Xᵀ)_ij B_j + exp(cs_i) E_i H
    dB_j = Σ_i (L ∘ E Xᵀ)_ij C_i + exp(cs_Q − cs_j) X_j dS
    d(Δ A)_i = Σ_{s≥i} (C_s·dC_s − B_s·dB_s) + ⟨the state that leaves, dS⟩      before dB, dC are added over heads
"""

from __future__ import annotations

import triton
import triton.language as tl

from mem_core.kernels.ssd.triton_chunks import decays, product, rows
from mem_core.kernels.triton_functions import jit, tuned

_KEY = ["length", "heads", "groups", "width", "state"]


@tuned(
    [triton.Config({}, num_warps=warps, num_stages=stages) for warps in (4, 8) for stages in (1, 2)],
    _KEY,
    interpreted={},
)
@jit
def gradients_of_inputs(
    x: tl.pointer_type,
    step: tl.pointer_type,
    log_decay: tl.pointer_type,
    B: tl.pointer_type,
    C: tl.pointer_type,
    dy: tl.pointer_type,
    dleaving: tl.pointer_type,
    dx: tl.pointer_type,
    dstep: tl.pointer_type,
    rows_in_all: int,
    length: int,
    heads: int,
    groups: int,
    width: int,
    state: int,
    Q: tl.constexpr,
    BP: tl.constexpr,
    BN: tl.constexpr,
) -> None:
    """Compute dx = Δ dX, and the part of dΔ = ⟨x, dX⟩ that BP columns bring, for one chunk of one head."""
    chunks, head = tl.cdiv(length, Q), tl.program_id(0) % heads
    chunk = tl.program_id(0) // heads  # b·chunks + c
    batch, t = (chunk // chunks).to(tl.int64), chunk % chunks * Q + tl.arange(0, Q)
    row, present, p = batch * length + t, t < length, tl.program_id(1) * BP + tl.arange(0, BP)
    kind = x.dtype.element_ty
    dleaving += (chunk.to(tl.int64) * heads + head) * width * state
    group = head // (heads // groups)
    similar, later = tl.zeros((Q, Q), tl.float32), tl.zeros((Q, BP), tl.float32)
    for first in range(0, state, BN):
        n = first + tl.arange(0, BN)
        there = present[:, None] & (n < state)[None, :]
        read = rows(C + group * state, row, n, there, groups * state).to(kind)
        written = rows(B + group * state, row, n, there, groups * state).to(kind)
        dstate = rows(dleaving, p, n, (p < width)[:, None] & (n < state)[None, :], state)
        similar += product(written, tl.trans(read))
        later += product(written, tl.trans(dstate))
    decay = tl.load(log_decay + row * heads + head, present, 0.0).to(tl.float32)
    elapsed, total = tl.cumsum(decay, 0), tl.sum(decay, 0)
    here = present[:, None] & (p < width)[None, :]
    gradient = rows(dy + head * width, row, p, here, heads * width).to(kind)
    found = product((similar * decays(elapsed, Q, True)).to(kind), gradient)
    found += later * tl.exp(total - elapsed)[:, None]
    inputs = rows(x + head * width, row, p, here, heads * width).to(tl.float32)
    times = tl.load(step + row * heads + head, present, 0.0).to(tl.float32)
    tl.store(dx + head * width + row[:, None] * (heads * width) + p[None, :], found * times[:, None], here)
    dstep += (tl.program_id(1).to(tl.int64) * rows_in_all + row) * heads + head
    tl.store(dstep, tl.sum(inputs * found, 1), present)


# Four warps have not registers enough.
@tuned([triton.Config({}, num_warps=8, num_stages=stages) for stages in (1, 2)], _KEY, interpreted={})
@jit
def gradients_of_vectors(
    x: tl.pointer_type,
    step: tl.pointer_type,
    log_decay: tl.pointer_type,
    B: tl.pointer_type,
    C: tl.pointer_type,
    dy: tl.pointer_type,
    entering: tl.pointer_type,
    dleaving: tl.pointer_type,
    dB: tl.pointer_type,
    dC: tl.pointer_type,
    dlog_decay: tl.pointer_type,
    rows_in_all: int,
    length: int,
    heads: int,
    groups: int,
    width: int,
    state: int,
    Q: tl.constexpr,
    BP: tl.constexpr,
    BN: tl.constexpr,
) -> None:
    """Compute BN columns of dB and dC for one chunk of one group, and what they bring of the log-decays' gradient."""
    chunks, group = tl.cdiv(length, Q), tl.program_id(0) % groups
    chunk = tl.program_id(0) // groups  # b·chunks + c
    batch, t = (chunk // chunks).to(tl.int64), chunk % chunks * Q + tl.arange(0, Q)
    row, present, n = batch * length + t, t < length, tl.program_id(1) * BN + tl.arange(0, BN)
    there = present[:, None] & (n < state)[None, :]
    kind = x.dtype.element_ty
    read = rows(C + group * state, row, n, there, groups * state).to(kind)
    written = rows(B + group * state, row, n, there, groups * state).to(kind)
    dread, dwritten = tl.zeros((Q, BN), tl.float32), tl.zeros((Q, BN), tl.float32)
    for head in range(group * (heads // groups), (group + 1) * (heads // groups)):
        decay = tl.load(log_decay + row * heads + head, present, 0.0).to(tl.float32)
        elapsed, total = tl.cumsum(decay, 0), tl.sum(decay, 0)
        times = tl.load(step + row * heads + head, present, 0.0).to(tl.float32)
        place, match = (chunk.to(tl.int64) * heads + head) * width * state, tl.zeros((Q, Q), tl.float32)
        by_read, by_written = tl.zeros((Q, BN), tl.float32), tl.zeros((Q, BN), tl.float32)
        carried = tl.zeros((BN,), tl.float32)
        for first in range(0, width, BP):
            p = first + tl.arange(0, BP)
            here, held = present[:, None] & (p < width)[None, :], (p < width)[:, None] & (n < state)[None, :]
            gradient = rows(dy + head * width, row, p, here, heads * width).to(kind)
            inputs = rows(x + head * width, row, p, here, heads * width).to(tl.float32)
            inputs = (inputs * times[:, None]).to(kind)
            before, dafter = rows(entering + place, p, n, held, state), rows(dleaving + place, p, n, held, state)
            match += product(gradient, tl.trans(inputs))
            by_read += product(gradient, before)
            by_written += product(inputs, dafter)
            carried += tl.sum(before.to(tl.float32) * dafter.to(tl.float32), 0)
        by_read *= tl.exp(elapsed)[:, None]
        by_written *= tl.exp(total - elapsed)[:, None]
        # ⟨the state that leaves, dS⟩: what is left of the one that entered, and what this chunk added
        leaving = tl.exp(total) * tl.sum(carried, 0) + tl.sum(tl.sum(by_written * written.to(tl.float32), 1), 0)
        match = (match * decays(elapsed, Q, False)).to(kind)
        by_read += product(match, written)
        by_written += product(tl.trans(match), read)
        flow = tl.sum(by_read * read.to(tl.float32) - by_written * written.to(tl.float32), 1)
        found = dlog_decay + (tl.program_id(1).to(tl.int64) * rows_in_all + row) * heads + head
        tl.store(found, tl.cumsum(flow, 0, reverse=True) + leaving, present)
        dread += by_read
        dwritten += by_written
    found = group * state + row[:, None] * (groups * state) + n[None, :]
    tl.store(dC + found, dread, there)
    tl.store(dB + found, dwritten, there)
