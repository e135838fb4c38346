"""The kernels of gated linear attention in Triton; `on_triton.py` says which runs when.

Axes: b batch, t time, h head; c chunk, i and j positions in a chunk of BT, K key width, V value width. Equation numbers
are those in the docstring of `gated_linear_attention`. E is the gradient of o, S_c the state that enters chunk c of a
sequence b·h and S_{c+1} the one that leaves it, in arrays (b·h, chunks + 1, K, V); dS their gradients.

    dA_ij = E_i·v_j                                     dv = Aᵀ E + (k ∘ exp(G_Q − G)) dS_{c+1}
    dq_i = Σ_j dA_ij k_j exp(G_i − G_j) + exp G_i ∘ S_c E_i
    dk_j = Σ_i dA_ij q_i exp(G_i − G_j) + exp(G_Q − G_j) ∘ dS_{c+1} v_j
    dg_i = Σ_{s≥i>j} dA_sj q_s k_j exp(G_s − G_j) + exp G_Q ∘ Σ_v S_c ∘ dS_{c+1}
           + Σ_{s≥i} q_s ∘ exp G_s ∘ S_c E_s + Σ_{s<i} k_s ∘ exp(G_Q − G_s) ∘ dS_{c+1} v_s

In all of them q is multiplied by the scale.
"""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

from mem_core.kernels.linear_attention.triton_tiles import (
    BT,
    HALVINGS,
    decays_between,
    load,
    load_gates,
    load_state,
    product,
    rows_of_chunk,
    state_at,
    store,
    store_state,
    to_border,
)
from mem_core.kernels.triton_functions import tuned

_tuned = tuned(
    [triton.Config({}, num_warps=warps, num_stages=stages) for warps in (4, 8) for stages in (2, 3)],
    ["heads", "K", "V"],
    interpreted={},
)


@_tuned
@triton.jit
@no_type_check
def carry(
    rows: tl.pointer_type,
    values: tl.pointer_type,
    g: tl.pointer_type,
    edge: tl.pointer_type,
    states: tl.pointer_type,
    last: tl.pointer_type,
    scale: float,
    length: int,
    heads: int,
    K: int,
    V: int,
    chunks: int,
    PER_HEAD: tl.constexpr,
    BACKWARD: tl.constexpr,
    DOT: tl.constexpr,
    PRECISION: tl.constexpr,
    BK: tl.constexpr,
    BV: tl.constexpr,
) -> None:
    """Walk over the chunks with (3) from the state at the edge, for a tile of it, and keep all states on the way.

    BACKWARD it walks from the end with queries for keys and the gradients of outputs for values, and keeps the
    gradients of the states.
    """
    value = tl.program_id(1) % tl.cdiv(V, BV) * BV + tl.arange(0, BV)
    key = tl.program_id(1) // tl.cdiv(V, BV) * BK + tl.arange(0, BK)
    sequence = tl.program_id(0)
    state = load_state(edge + state_at(sequence, 0, 1, K, V), key, value, K, V).to(tl.float32)
    for count in tl.range(0, chunks):
        chunk = chunks - 1 - count if BACKWARD else count
        number = chunk + 1 if BACKWARD else chunk
        store_state(states + state_at(sequence, number, chunks + 1, K, V), key, value, K, V, state)
        begin, row, inside = rows_of_chunk(sequence, chunk, length, heads)
        gates = load_gates(g, begin, row, inside, key, K, PER_HEAD)
        elapsed, total = tl.cumsum(gates, 0), tl.sum(gates, 0)
        decay = tl.exp(elapsed) * scale if BACKWARD else tl.exp(total[None, :] - elapsed)
        decayed = load(rows + begin * K, row, inside, key, K) * decay
        added = product(tl.trans(decayed), load(values + begin * V, row, inside, value, V), DOT, PRECISION)
        state = tl.exp(total)[:, None] * state + added
    number = 0 if BACKWARD else chunks
    store_state(states + state_at(sequence, number, chunks + 1, K, V), key, value, K, V, state)
    store_state(last + state_at(sequence, 0, 1, K, V), key, value, K, V, state)


@_tuned
@triton.jit
@no_type_check
def compare(
    q: tl.pointer_type,
    k: tl.pointer_type,
    g: tl.pointer_type,
    alike: tl.pointer_type,
    scale: float,
    length: int,
    heads: int,
    K: int,
    V: int,
    chunks: int,
    PER_HEAD: tl.constexpr,
    DOT: tl.constexpr,
    PRECISION: tl.constexpr,
    BK: tl.constexpr,
) -> None:
    """Compute A (1) of one chunk, as rows (b·t·h, BT)."""
    sequence, chunk = tl.program_id(0) // chunks, tl.program_id(0) % chunks
    begin, row, inside = rows_of_chunk(sequence, chunk, length, heads)
    position = tl.arange(0, BT)
    found = tl.zeros((BT, BT), tl.float32)
    for first in tl.range(0, K, BK):
        key = first + tl.arange(0, BK)
        queries = load(q + begin * K, row, inside, key, K) * scale
        keys = load(k + begin * K, row, inside, key, K)
        if PER_HEAD:
            found += product(queries, tl.trans(keys), DOT, PRECISION)
        else:
            elapsed = tl.cumsum(load_gates(g, begin, row, inside, key, K, PER_HEAD), 0)
            found += tl.where(position[:, None] == position[None, :], tl.sum(queries * keys, 1)[:, None], 0.0)
            for halving in tl.range(0, HALVINGS):
                decay, later, across = to_border(elapsed, 1 << halving, BK)
                reading, written = tl.where(later, queries * decay, 0.0), tl.where(later, 0.0, keys * decay)
                found += tl.where(across, product(reading, tl.trans(written), DOT, PRECISION), 0.0)
    if PER_HEAD:
        found *= decays_between(tl.cumsum(load_gates(g, begin, row, inside, position, K, PER_HEAD), 0))
    store(alike + begin * BT, row, inside, position, BT, found)


@_tuned
@triton.jit
@no_type_check
def read(
    q: tl.pointer_type,
    v: tl.pointer_type,
    g: tl.pointer_type,
    alike: tl.pointer_type,
    states: tl.pointer_type,
    o: tl.pointer_type,
    scale: float,
    length: int,
    heads: int,
    K: int,
    V: int,
    chunks: int,
    PER_HEAD: tl.constexpr,
    DOT: tl.constexpr,
    PRECISION: tl.constexpr,
    BK: tl.constexpr,
    BV: tl.constexpr,
) -> None:
    """Compute (2) for BV values of one chunk."""
    sequence, chunk = tl.program_id(0) // chunks, tl.program_id(0) % chunks
    value = tl.program_id(1) * BV + tl.arange(0, BV)
    begin, row, inside = rows_of_chunk(sequence, chunk, length, heads)
    states += state_at(sequence, chunk, chunks + 1, K, V)
    weights = load(alike + begin * BT, row, inside, tl.arange(0, BT), BT)
    found = product(weights, load(v + begin * V, row, inside, value, V), DOT, PRECISION)
    for first in tl.range(0, K, BK):
        key = first + tl.arange(0, BK)
        decay = tl.exp(tl.cumsum(load_gates(g, begin, row, inside, key, K, PER_HEAD), 0))
        queries = load(q + begin * K, row, inside, key, K) * (decay * scale)
        found += product(queries, load_state(states, key, value, K, V), DOT, PRECISION)
    store(o + begin * V, row, inside, value, V, found)


@_tuned
@triton.jit
@no_type_check
def gradients_of_values(
    k: tl.pointer_type,
    g: tl.pointer_type,
    do: tl.pointer_type,
    alike: tl.pointer_type,
    dstates: tl.pointer_type,
    dv: tl.pointer_type,
    length: int,
    heads: int,
    K: int,
    V: int,
    chunks: int,
    PER_HEAD: tl.constexpr,
    INSIDE: tl.constexpr,
    DOT: tl.constexpr,
    PRECISION: tl.constexpr,
    BK: tl.constexpr,
    BV: tl.constexpr,
) -> None:
    """Compute dv for BV values of one chunk; INSIDE only what comes from inside the chunk."""
    sequence, chunk = tl.program_id(0) // chunks, tl.program_id(0) % chunks
    value = tl.program_id(1) * BV + tl.arange(0, BV)
    begin, row, inside = rows_of_chunk(sequence, chunk, length, heads)
    dstates += state_at(sequence, chunk + 1, chunks + 1, K, V)
    weights = load(alike + begin * BT, row, inside, tl.arange(0, BT), BT)
    found = product(tl.trans(weights), load(do + begin * V, row, inside, value, V), DOT, PRECISION)
    if not INSIDE:
        for first in tl.range(0, K, BK):
            key = first + tl.arange(0, BK)
            gates = load_gates(g, begin, row, inside, key, K, PER_HEAD)
            decay = tl.exp(tl.sum(gates, 0)[None, :] - tl.cumsum(gates, 0))
            keys = load(k + begin * K, row, inside, key, K) * decay
            found += product(keys, load_state(dstates, key, value, K, V), DOT, PRECISION)
    store(dv + begin * V, row, inside, value, V, found)


@_tuned
@triton.jit
@no_type_check
def gradients_of_keys(
    q: tl.pointer_type,
    k: tl.pointer_type,
    v: tl.pointer_type,
    g: tl.pointer_type,
    do: tl.pointer_type,
    states: tl.pointer_type,
    dstates: tl.pointer_type,
    dq: tl.pointer_type,
    dk: tl.pointer_type,
    dg: tl.pointer_type,
    scale: float,
    rows: int,
    length: int,
    heads: int,
    K: int,
    V: int,
    chunks: int,
    PER_HEAD: tl.constexpr,
    DOT: tl.constexpr,
    PRECISION: tl.constexpr,
    BK: tl.constexpr,
    BV: tl.constexpr,
) -> None:
    """Compute dq, dk and dg for BK key numbers of one chunk.

    With one gate a head dg is the part of it that these key numbers bring, in an array (K/BK, b, t, h).
    """
    sequence, chunk = tl.program_id(0) // chunks, tl.program_id(0) % chunks
    key = tl.program_id(1) * BK + tl.arange(0, BK)
    begin, row, inside = rows_of_chunk(sequence, chunk, length, heads)
    states += state_at(sequence, chunk, chunks + 1, K, V)
    dstates += state_at(sequence, chunk + 1, chunks + 1, K, V)
    to_queries, to_keys = tl.zeros((BT, BK), tl.float32), tl.zeros((BT, BK), tl.float32)
    dalike, carried = tl.zeros((BT, BT), tl.float32), tl.zeros((BK,), tl.float32)
    for first in tl.range(0, V, BV):
        value = first + tl.arange(0, BV)
        errors = load(do + begin * V, row, inside, value, V)
        values = load(v + begin * V, row, inside, value, V)
        entering, dleaving = load_state(states, key, value, K, V), load_state(dstates, key, value, K, V)
        dalike += product(errors, tl.trans(values), DOT, PRECISION)
        to_queries += product(errors, tl.trans(entering), DOT, PRECISION)
        to_keys += product(values, tl.trans(dleaving), DOT, PRECISION)
        carried += tl.sum(entering.to(tl.float32) * dleaving.to(tl.float32), 1)

    gates = load_gates(g, begin, row, inside, key, K, PER_HEAD)
    elapsed, total = tl.cumsum(gates, 0), tl.sum(gates, 0)[None, :]
    queries = load(q + begin * K, row, inside, key, K) * scale
    keys = load(k + begin * K, row, inside, key, K)
    to_queries *= tl.exp(elapsed)
    to_keys *= tl.exp(total - elapsed)
    # From here on `passing` collects dg_i. What differences there are, of sums over the same pairs, are of few terms.
    left = keys * to_keys
    passing = tl.cumsum(left, 0) - left + tl.exp(total) * carried[None, :]
    i, j = tl.arange(0, BT)[:, None], tl.arange(0, BT)[None, :]
    if PER_HEAD:
        passing += tl.cumsum(queries * to_queries, 0, reverse=True)
        between = tl.where(i > j, dalike * decays_between(elapsed), 0.0)
        pairs = between * product(queries, tl.trans(keys), DOT, PRECISION)
        found = tl.sum(passing, 1) + tl.cumsum(tl.sum(pairs, 1) - tl.sum(pairs, 0), 0, reverse=True)
        tl.store(dg + tl.program_id(1).to(tl.int64) * rows + begin + row, found, inside)
        to_queries += product(between, keys, DOT, PRECISION)
        to_keys += product(tl.trans(between), queries, DOT, PRECISION)
    else:
        for halving in tl.range(0, HALVINGS):
            decay, later, across = to_border(elapsed, 1 << halving, BK)
            between = tl.where(across, dalike, 0.0)
            to_queries += decay * product(between, tl.where(later, 0.0, keys * decay), DOT, PRECISION)
            to_keys += decay * product(tl.trans(between), tl.where(later, queries * decay, 0.0), DOT, PRECISION)
        passing += tl.cumsum(queries * to_queries - (keys * to_keys - left), 0, reverse=True)
        store(dg + begin * K, row, inside, key, K, passing)
    own = tl.sum(tl.where(i == j, dalike, 0.0), 1)[:, None]
    store(dq + begin * K, row, inside, key, K, (to_queries + own * keys) * scale)
    store(dk + begin * K, row, inside, key, K, to_keys + own * queries)
