"""The kernels of the state-space dual scan in Triton; `on_triton.py` says which runs when.

Axes: b batch, c chunk, i and j positions in a chunk of Q, h head, g group, p head width, n state. Equation numbers are
those in the docstring of `ssd_scan`. Positions beyond the end have x = 0 and a log-decay of 0, which leave the state as
it is. Blocks are powers of two from 16 on, as matrix units want them; the rest is masked.
"""

from __future__ import annotations

import triton
import triton.language as tl

from mem_core.kernels.triton_functions import jit, tuned

# Three passes in tf32 give float32 products nearly all their digits; narrower numbers take one pass anyway.
_PRECISION = tl.constexpr("tf32x3")
_tuned = tuned(
    [triton.Config({}, num_warps=warps, num_stages=stages) for warps in (4, 8) for stages in (2, 3)],
    ["length", "heads", "groups", "width", "state"],
    interpreted={},
)


@jit
def product(left: tl.tensor, right: tl.tensor) -> tl.tensor:
    """Multiply two matrices in the narrower type that both have, and add up in float32."""
    return tl.dot(left, right, input_precision=_PRECISION)


@jit
def rows(array: tl.pointer_type, row: tl.tensor, column: tl.tensor, inside: tl.tensor, stride: int) -> tl.tensor:
    """Load [row, column] of a matrix whose rows are `stride` numbers apart, 0 outside."""
    return tl.load(array + row[:, None] * stride + column[None, :], inside, 0.0)


@jit
def decays(elapsed: tl.tensor, Q: tl.constexpr, BACKWARDS: tl.constexpr) -> tl.tensor:
    """L_ij = exp(cs_i − cs_j) for j ≤ i, else 0; BACKWARDS its transpose."""
    i, j = tl.arange(0, Q)[:, None], tl.arange(0, Q)[None, :]
    # −inf goes in before exp: on the other side the exponent is positive and could overflow.
    if BACKWARDS:
        exponent = tl.where(i <= j, elapsed[None, :] - elapsed[:, None], float("-inf"))
    else:
        exponent = tl.where(i >= j, elapsed[:, None] - elapsed[None, :], float("-inf"))
    return tl.exp(exponent)


@_tuned
@jit
def states_between_chunks(
    x: tl.pointer_type,
    step: tl.pointer_type,
    log_decay: tl.pointer_type,
    B: tl.pointer_type,
    edge: tl.pointer_type,
    between: tl.pointer_type,
    last: tl.pointer_type,
    length: int,
    heads: int,
    groups: int,
    width: int,
    state: int,
    Q: tl.constexpr,
    BP: tl.constexpr,
    BN: tl.constexpr,
    BACKWARDS: tl.constexpr,
) -> None:
    """Walk over the chunks with (2) and (3) from the state at the edge, and keep the state in front of every chunk.

    BACKWARDS it walks from the end with the gradients of the outputs for x and C for B, and keeps the gradient of the
    state that leaves every chunk.
    """
    part, head = tl.program_id(1), tl.program_id(0) % heads
    batch = (tl.program_id(0) // heads).to(tl.int64)
    group, chunks, blocks = head // (heads // groups), tl.cdiv(length, Q), tl.cdiv(state, BN)
    p, n = part // blocks * BP + tl.arange(0, BP), part % blocks * BN + tl.arange(0, BN)
    place = p[:, None] * state + n[None, :]
    here = (p < width)[:, None] & (n < state)[None, :]
    kind = x.dtype.element_ty
    carried = tl.load(edge + (batch * heads + head) * width * state + place, here, 0.0).to(tl.float32)
    for count in range(chunks):
        chunk = chunks - 1 - count if BACKWARDS else count
        t = chunk * Q + tl.arange(0, Q)
        row, present = batch * length + t, t < length
        tl.store(between + ((batch * chunks + chunk) * heads + head) * width * state + place, carried, here)
        decay = tl.load(log_decay + row * heads + head, present, 0.0).to(tl.float32)
        elapsed, total = tl.cumsum(decay, 0), tl.sum(decay, 0)
        if BACKWARDS:
            weight = tl.exp(elapsed)
        else:
            weight = tl.exp(total - elapsed) * tl.load(step + row * heads + head, present, 0.0).to(tl.float32)
        inputs = rows(x + head * width, row, p, present[:, None] & (p < width)[None, :], heads * width)
        vectors = rows(B + group * state, row, n, present[:, None] & (n < state)[None, :], groups * state)
        weighted = (inputs.to(tl.float32) * weight[:, None]).to(kind)
        carried = tl.exp(total) * carried + product(tl.trans(weighted), vectors.to(kind))
    tl.store(last + (batch * heads + head) * width * state + place, carried, here)


@_tuned
@jit
def outputs_of_chunks(
    x: tl.pointer_type,
    step: tl.pointer_type,
    log_decay: tl.pointer_type,
    B: tl.pointer_type,
    C: tl.pointer_type,
    between: tl.pointer_type,
    y: tl.pointer_type,
    length: int,
    heads: int,
    groups: int,
    width: int,
    state: int,
    Q: tl.constexpr,
    BP: tl.constexpr,
    BN: tl.constexpr,
) -> None:
    """Compute (1) and (4) for one chunk of one head."""
    chunks, head = tl.cdiv(length, Q), tl.program_id(0) % heads
    chunk = tl.program_id(0) // heads  # b·chunks + c
    batch, t = (chunk // chunks).to(tl.int64), chunk % chunks * Q + tl.arange(0, Q)
    row, present, p = batch * length + t, t < length, tl.program_id(1) * BP + tl.arange(0, BP)
    kind = x.dtype.element_ty
    between += (chunk.to(tl.int64) * heads + head) * width * state
    group = head // (heads // groups)
    similar, before = tl.zeros((Q, Q), tl.float32), tl.zeros((Q, BP), tl.float32)
    for first in range(0, state, BN):
        n = first + tl.arange(0, BN)
        there = present[:, None] & (n < state)[None, :]
        read = rows(C + group * state, row, n, there, groups * state).to(kind)
        written = rows(B + group * state, row, n, there, groups * state).to(kind)
        entering = rows(between, p, n, (p < width)[:, None] & (n < state)[None, :], state)
        similar += product(read, tl.trans(written))
        before += product(read, tl.trans(entering))
    elapsed = tl.cumsum(tl.load(log_decay + row * heads + head, present, 0.0).to(tl.float32), 0)
    here = present[:, None] & (p < width)[None, :]
    inputs = rows(x + head * width, row, p, here, heads * width).to(tl.float32)
    inputs *= tl.load(step + row * heads + head, present, 0.0).to(tl.float32)[:, None]
    outputs = product((similar * decays(elapsed, Q, False)).to(kind), inputs.to(kind))
    outputs += before * tl.exp(elapsed)[:, None]
    tl.store(y + head * width + row[:, None] * (heads * width) + p[None, :], outputs, here)


@_tuned
@jit
def walk(
    x: tl.pointer_type,
    step: tl.pointer_type,
    log_decay: tl.pointer_type,
    B: tl.pointer_type,
    C: tl.pointer_type,
    initial_state: tl.pointer_type,
    y: tl.pointer_type,
    final_state: tl.pointer_type,
    length: int,
    heads: int,
    groups: int,
    width: int,
    state: int,
    Q: tl.constexpr,
    BP: tl.constexpr,
    BN: tl.constexpr,
) -> None:
    """Compute (1) to (4) chunk after chunk, the state of BP rows and all n in registers."""
    head, batch = tl.program_id(0) % heads, (tl.program_id(0) // heads).to(tl.int64)
    p, n = tl.program_id(1) * BP + tl.arange(0, BP), tl.arange(0, BN)
    group = head // (heads // groups)
    kind = x.dtype.element_ty
    place = (batch * heads + head) * width * state + p[:, None] * state + n[None, :]
    held = (p < width)[:, None] & (n < state)[None, :]
    carried = tl.load(initial_state + place, held, 0.0).to(tl.float32)
    for first in range(0, length, Q):
        t = first + tl.arange(0, Q)
        row, present = batch * length + t, t < length
        here, there = present[:, None] & (p < width)[None, :], present[:, None] & (n < state)[None, :]
        read = rows(C + group * state, row, n, there, groups * state).to(kind)
        written = rows(B + group * state, row, n, there, groups * state).to(kind)
        inputs = rows(x + head * width, row, p, here, heads * width).to(tl.float32)
        inputs *= tl.load(step + row * heads + head, present, 0.0).to(tl.float32)[:, None]
        decay = tl.load(log_decay + row * heads + head, present, 0.0).to(tl.float32)
        elapsed, total = tl.cumsum(decay, 0), tl.sum(decay, 0)
        similar = product(read, tl.trans(written)) * decays(elapsed, Q, False)
        outputs = product(similar.to(kind), inputs.to(kind))
        outputs += product(read, tl.trans(carried.to(kind))) * tl.exp(elapsed)[:, None]
        tl.store(y + head * width + row[:, None] * (heads * width) + p[None, :], outputs, here)
        weighted = (inputs * tl.exp(total - elapsed)[:, None]).to(kind)
        carried = tl.exp(total) * carried + product(tl.trans(weighted), written)
    tl.store(final_state + place, carried, held)
