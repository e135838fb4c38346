"""The kernels of the gated delta rule in Triton; `on_triton.py` says which runs when.

Axes: b batch, t time, h head; c chunk, i and j positions in a chunk of BT, K key width, V value width. Equation numbers
are those in the docstring of `gated_delta_rule`. S_c is the state that enters chunk c of a sequence b·h and S_{c+1} the
one that leaves it, in arrays (b·h, chunks + 1, K, V). Some kernels hold all K numbers of a key at once, BK ≥ K.
"""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

from mem_core.kernels.linear_attention.triton_tiles import (
    BT,
    decays_between,
    load,
    load_gates,
    load_state,
    product,
    rows_of_chunk,
    state_at,
    store,
    store_state,
)
from mem_core.kernels.triton_functions import tuned

_BLOCK = tl.constexpr(16)  # positions for which a triangular system is solved row by row
_DOUBLINGS = tl.constexpr((BT.value // 16).bit_length() - 1)

# One stage is what fits into shared memory for float32 and the widest keys.
_tuned = tuned(
    [triton.Config({}, num_warps=warps, num_stages=stages) for warps, stages in ((4, 2), (8, 1), (8, 2), (8, 3))],
    ["heads", "K", "V"],
    interpreted={},
)


@triton.jit
@no_type_check
def inverse_from_below(below: tl.tensor) -> tl.tensor:
    """Invert I + `below` (BT,BT), which has nothing on and above its diagonal.

    Blocks of 16 positions row by row: row i of the inverse is row i of I less Σ_j below_ij times row j. Then pairs of
    blocks: the inverse of [[A, 0], [C, D]] has −D⁻¹ C A⁻¹ in the corner.
    """
    block, row = tl.arange(0, BT // _BLOCK), tl.arange(0, _BLOCK)
    on_diagonal = block[:, None, None, None] == block[None, None, :, None]
    blocks = tl.sum(tl.where(on_diagonal, tl.reshape(below, (BT // _BLOCK, _BLOCK, BT // _BLOCK, _BLOCK)), 0.0), 2)
    found = tl.where(row[None, :, None] == row[None, None, :], 1.0, 0.0 * blocks)
    for i in tl.range(1, _BLOCK):
        coefficients = tl.sum(tl.where(row[None, :, None] == i, blocks, 0.0), 1)
        subtracted = tl.sum(coefficients[:, :, None] * found, 1)
        found -= tl.where(row[None, :, None] == i, subtracted[:, None, :], 0.0)
    inverse = tl.reshape(tl.where(on_diagonal, found[:, :, None, :], 0.0), (BT, BT))
    i, j = tl.arange(0, BT)[:, None], tl.arange(0, BT)[None, :]
    for doubling in tl.static_range(_DOUBLINGS):
        half = _BLOCK << doubling
        in_corner = (i // (2 * half) == j // (2 * half)) & (i // half > j // half)
        corner = tl.where(in_corner, below, 0.0)
        # In full precision: keys that are alike make these matrices ill-conditioned.
        inverse -= tl.dot(tl.dot(inverse, corner, input_precision="tf32x3"), inverse, input_precision="tf32x3")
    return inverse


@_tuned
@triton.jit
@no_type_check
def solve(
    k: tl.pointer_type,
    v: tl.pointer_type,
    beta: tl.pointer_type,
    g: tl.pointer_type,
    inverses: tl.pointer_type,
    U: tl.pointer_type,
    W: tl.pointer_type,
    length: int,
    heads: int,
    K: int,
    V: int,
    chunks: int,
    PRECISION: tl.constexpr,
    KEEP: tl.constexpr,
    BK: tl.constexpr,
    BV: tl.constexpr,
) -> None:
    """Compute (1) to (3) of one chunk, and KEEP M⁻¹ as rows (b·t·h, BT)."""
    sequence, chunk = tl.program_id(0) // chunks, tl.program_id(0) % chunks
    begin, row, inside = rows_of_chunk(sequence, chunk, length, heads)
    position = tl.arange(0, BT)
    rate = tl.load(beta + begin + row, inside, 0.0).to(tl.float32)[:, None]
    elapsed = tl.cumsum(load_gates(g, begin, row, inside, position, K, True), 0)
    alike = tl.zeros((BT, BT), tl.float32)
    for first in tl.range(0, K, BK):
        keys = load(k + begin * K, row, inside, first + tl.arange(0, BK), K)
        alike += product(keys, tl.trans(keys), tl.float32, PRECISION)
    below = tl.where(position[:, None] > position[None, :], rate * alike * decays_between(elapsed), 0.0)
    inverse = inverse_from_below(below)
    if KEEP:
        store(inverses + begin * BT, row, inside, position, BT, inverse)
    for first in tl.range(0, V, BV):
        value = first + tl.arange(0, BV)
        values = rate * load(v + begin * V, row, inside, value, V)
        store(U + begin * V, row, inside, value, V, product(inverse, values, tl.float32, PRECISION))
    for first in tl.range(0, K, BK):
        key = first + tl.arange(0, BK)
        keys = rate * tl.exp(elapsed) * load(k + begin * K, row, inside, key, K)
        store(W + begin * K, row, inside, key, K, product(inverse, keys, tl.float32, PRECISION))


@_tuned
@triton.jit
@no_type_check
def correct(
    k: tl.pointer_type,
    U: tl.pointer_type,
    W: tl.pointer_type,
    g: tl.pointer_type,
    initial_state: tl.pointer_type,
    states: tl.pointer_type,
    written: tl.pointer_type,
    final_state: tl.pointer_type,
    length: int,
    heads: int,
    K: int,
    V: int,
    chunks: int,
    DOT: tl.constexpr,
    PRECISION: tl.constexpr,
    BK: tl.constexpr,
    BV: tl.constexpr,
) -> None:
    """Walk over the chunks with (4) and (6) for BV values of the state, and keep V' and all states on the way."""
    sequence = tl.program_id(0)
    key, value = tl.arange(0, BK), tl.program_id(1) * BV + tl.arange(0, BV)
    edge = state_at(sequence, 0, 1, K, V)
    state = load_state(initial_state + edge, key, value, K, V).to(tl.float32)
    for chunk in tl.range(0, chunks):
        store_state(states + state_at(sequence, chunk, chunks + 1, K, V), key, value, K, V, state)
        begin, row, inside = rows_of_chunk(sequence, chunk, length, heads)
        gates = load_gates(g, begin, row, inside, key, K, True)
        before = product(load(W + begin * K, row, inside, key, K), state, DOT, PRECISION)
        new = load(U + begin * V, row, inside, value, V) - before
        store(written + begin * V, row, inside, value, V, new)
        total = tl.sum(gates, 0)
        ending = load(k + begin * K, row, inside, key, K) * tl.exp(total[None, :] - tl.cumsum(gates, 0))
        state = tl.exp(total)[:, None] * state + product(tl.trans(ending), new, DOT, PRECISION)
    store_state(states + state_at(sequence, chunks, chunks + 1, K, V), key, value, K, V, state)
    store_state(final_state + edge, key, value, K, V, state)


@_tuned
@triton.jit
@no_type_check
def correct_back(
    q: tl.pointer_type,
    k: tl.pointer_type,
    W: tl.pointer_type,
    g: tl.pointer_type,
    do: tl.pointer_type,
    inside_chunks: tl.pointer_type,
    dfinal: tl.pointer_type,
    dstates: tl.pointer_type,
    dwritten: tl.pointer_type,
    dinitial: tl.pointer_type,
    scale: float,
    length: int,
    heads: int,
    K: int,
    V: int,
    chunks: int,
    DOT: tl.constexpr,
    PRECISION: tl.constexpr,
    BK: tl.constexpr,
    BV: tl.constexpr,
) -> None:
    """Walk back over the chunks for BV values of the state, and keep the gradients of V' and of all states.

    dV' = (what comes from inside the chunk) + (k exp(G_Q − G)) dS_{c+1}
    dS_c = exp(G_Q) dS_{c+1} + (q exp G)ᵀ E − Wᵀ dV'
    """
    sequence = tl.program_id(0)
    key, value = tl.arange(0, BK), tl.program_id(1) * BV + tl.arange(0, BV)
    edge = state_at(sequence, 0, 1, K, V)
    dstate = load_state(dfinal + edge, key, value, K, V).to(tl.float32)
    for count in tl.range(0, chunks):
        chunk = chunks - 1 - count
        store_state(dstates + state_at(sequence, chunk + 1, chunks + 1, K, V), key, value, K, V, dstate)
        begin, row, inside = rows_of_chunk(sequence, chunk, length, heads)
        gates = load_gates(g, begin, row, inside, key, K, True)
        elapsed, total = tl.cumsum(gates, 0), tl.sum(gates, 0)
        ending = load(k + begin * K, row, inside, key, K) * tl.exp(total[None, :] - elapsed)
        new = load(inside_chunks + begin * V, row, inside, value, V) + product(ending, dstate, DOT, PRECISION)
        store(dwritten + begin * V, row, inside, value, V, new)
        reading = load(q + begin * K, row, inside, key, K) * (tl.exp(elapsed) * scale)
        dstate = tl.exp(total)[:, None] * dstate
        dstate += product(tl.trans(reading), load(do + begin * V, row, inside, value, V), DOT, PRECISION)
        dstate -= product(tl.trans(load(W + begin * K, row, inside, key, K)), new, DOT, PRECISION)
    store_state(dinitial + edge, key, value, K, V, dstate)


@_tuned
@triton.jit
@no_type_check
def solve_back(
    k: tl.pointer_type,
    v: tl.pointer_type,
    beta: tl.pointer_type,
    g: tl.pointer_type,
    inverses: tl.pointer_type,
    U: tl.pointer_type,
    W: tl.pointer_type,
    states: tl.pointer_type,
    dwritten: tl.pointer_type,
    dk_reading: tl.pointer_type,
    dg_reading: tl.pointer_type,
    dk: tl.pointer_type,
    dv: tl.pointer_type,
    dbeta: tl.pointer_type,
    dg: tl.pointer_type,
    length: int,
    heads: int,
    K: int,
    V: int,
    chunks: int,
    DOT: tl.constexpr,
    PRECISION: tl.constexpr,
    BK: tl.constexpr,
    BV: tl.constexpr,
) -> None:
    """Compute dv, dβ and the rest of dk and dg for one chunk, through (3), (2) and (1).

    With Y = M⁻ᵀ dV', Z = M⁻ᵀ dV' S_cᵀ, and X the part of (Z Wᵀ − Y Uᵀ) ∘ L below the diagonal:

        dv = β Y        dβ = ⟨Y, v⟩ + ⟨R, k⟩,  R = X k − Z exp(G)        dk += Xᵀ (β k) + β R
        dg_i += Σ_{s≥i} (⟨k_s, β_s R_s⟩ − ⟨k_s, (Xᵀ β k)_s⟩)
    """
    sequence, chunk = tl.program_id(0) // chunks, tl.program_id(0) % chunks
    begin, row, inside = rows_of_chunk(sequence, chunk, length, heads)
    position, key = tl.arange(0, BT), tl.arange(0, BK)
    states += state_at(sequence, chunk, chunks + 1, K, V)
    rate = tl.load(beta + begin + row, inside, 0.0).to(tl.float32)[:, None]
    elapsed = tl.cumsum(load_gates(g, begin, row, inside, key, K, True), 0)
    back = tl.trans(load(inverses + begin * BT, row, inside, position, BT))

    products, to_W = tl.zeros((BT, BT), tl.float32), tl.zeros((BT, BK), tl.float32)
    to_rate = tl.zeros((BT,), tl.float32)
    for first in tl.range(0, V, BV):
        value = first + tl.arange(0, BV)
        new = load(dwritten + begin * V, row, inside, value, V)
        sent = product(back, new, DOT, PRECISION)
        products -= product(sent, tl.trans(load(U + begin * V, row, inside, value, V)), DOT, PRECISION)
        to_W += product(new, tl.trans(load_state(states, key, value, K, V)), DOT, PRECISION)
        to_rate += tl.sum(sent * load(v + begin * V, row, inside, value, V), 1)
        store(dv + begin * V, row, inside, value, V, rate * sent)
    sent = product(back, to_W, DOT, PRECISION)
    products += product(sent, tl.trans(load(W + begin * K, row, inside, key, K)), DOT, PRECISION)
    products = tl.where(position[:, None] > position[None, :], products * decays_between(elapsed), 0.0)
    keys = load(k + begin * K, row, inside, key, K)
    rest = product(products, keys, DOT, PRECISION) - sent * tl.exp(elapsed)
    to_earlier = product(tl.trans(products), rate * keys, DOT, PRECISION)
    reading = load(dk_reading + begin * K, row, inside, key, K)
    store(dk + begin * K, row, inside, key, K, reading + to_earlier + rate * rest)
    tl.store(dbeta + begin + row, to_rate + tl.sum(rest * keys, 1), inside)
    flow = tl.sum(keys * (rate * rest - to_earlier), 1)
    reading_gate = tl.load(dg_reading + begin + row, inside, 0.0)
    tl.store(dg + begin + row, reading_gate + tl.cumsum(flow, 0, reverse=True), inside)
