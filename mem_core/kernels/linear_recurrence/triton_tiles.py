"""The kernels of the first-order recurrence in Triton; `on_triton.py` says which runs when.

Axes: b batch, t time, d channel, c chunk. A program takes BD channels of one sequence and walks through a chunk of time
in tiles of BT steps: a scan inside the tile, then what is left of the state that entered it. Steps beyond the end have
factor 1 and input 0, which leave the state as it is.
"""

from __future__ import annotations

import triton
import triton.language as tl

from mem_core.kernels.triton_functions import fitting, jit, tuned

_TILES = [
    triton.Config({"BT": 64, "BD": 32}, num_warps=4),
    triton.Config({"BT": 128, "BD": 32}, num_warps=4),
    triton.Config({"BT": 256, "BD": 16}, num_warps=8),
    triton.Config({"BT": 64, "BD": 64}, num_warps=4),
    triton.Config({"BT": 32, "BD": 128}, num_warps=4),
]
_tuned = tuned(
    _TILES, ["length", "channels"], interpreted={"BT": 16, "BD": 16}, prune=fitting(BT="length", BD="channels")
)


@jit
def _then(factor: tl.tensor, added: tl.tensor, next_factor: tl.tensor, next_added: tl.tensor) -> tl.tensor:
    return factor * next_factor, next_factor * added + next_added


@jit
def _advance(factor: tl.tensor, added: tl.tensor, state: tl.tensor, BT: tl.constexpr) -> tl.tensor:
    """Scan a tile from the state (BD,) that enters it: the states (BT,BD), and the one that leaves it."""
    kept, states = tl.associative_scan((factor, added), 0, _then)
    states += kept * state[None, :]
    return states, _last(states, BT)


@jit
def _last(tile: tl.tensor, BT: tl.constexpr) -> tl.tensor:
    return tl.sum(tl.where((tl.arange(0, BT) == BT - 1)[:, None], tile, 0.0), 0)


@_tuned
@jit
def scan(
    a: tl.pointer_type,
    b: tl.pointer_type,
    entering: tl.pointer_type,
    h: tl.pointer_type,
    length: int,
    channels: int,
    chunk: int,
    BT: tl.constexpr,
    BD: tl.constexpr,
) -> None:
    """Compute h (b,t,d) from the states that enter the chunks (b,c,d)."""
    program, blocks, chunks = tl.program_id(0), tl.cdiv(channels, BD), tl.cdiv(length, chunk)
    channel, part = (program % blocks) * BD + tl.arange(0, BD), program // blocks
    start, here = (part % chunks) * chunk, channel < channels
    # In 64 bits, for more than 2³¹ numbers.
    sequence = (part // chunks).to(tl.int64) * length
    state = tl.load(entering + part.to(tl.int64) * channels + channel, here, 0.0).to(tl.float32)
    end = tl.minimum(start + chunk, length)
    for first in tl.range(start, end, BT, num_stages=3):
        t = first + tl.arange(0, BT)
        place = (sequence + t)[:, None] * channels + channel
        inside = (t < end)[:, None] & here
        factor = tl.load(a + place, inside, 1.0).to(tl.float32)
        added = tl.load(b + place, inside, 0.0).to(tl.float32)
        states, state = _advance(factor, added, state, BT)
        tl.store(h + place, states, inside)


@_tuned
@jit
def scan_back(
    a: tl.pointer_type,
    h: tl.pointer_type,
    dh: tl.pointer_type,
    initial_state: tl.pointer_type,
    entering: tl.pointer_type,
    da: tl.pointer_type,
    db: tl.pointer_type,
    dinitial: tl.pointer_type,
    length: int,
    channels: int,
    chunk: int,
    BT: tl.constexpr,
    BD: tl.constexpr,
) -> None:
    """Compute da and db (b,t,d), and dinitial (b,d); entering (b,c,d) are the gradients that enter the chunks."""
    program, blocks, chunks = tl.program_id(0), tl.cdiv(channels, BD), tl.cdiv(length, chunk)
    channel, part = (program % blocks) * BD + tl.arange(0, BD), program // blocks
    start, here = (part % chunks) * chunk, channel < channels
    sequence = (part // chunks).to(tl.int64) * length
    of_sequence = (part // chunks).to(tl.int64) * channels + channel
    g = tl.load(entering + part.to(tl.int64) * channels + channel, here, 0.0).to(tl.float32)
    before_all = tl.load(initial_state + of_sequence, here, 0.0).to(tl.float32)
    end = tl.minimum(start + chunk, length)
    for first in tl.range(start, end, BT, num_stages=3):
        backwards = first + tl.arange(0, BT)
        t = length - 1 - backwards
        place = (sequence + t)[:, None] * channels + channel
        inside = (backwards < end)[:, None] & here
        # What follows the last step multiplies the zero that enters there.
        following = tl.load(a + place + channels, inside & (t < length - 1)[:, None], 1.0).to(tl.float32)
        gradient = tl.load(dh + place, inside, 0.0).to(tl.float32)
        before = tl.load(h + place - channels, inside & (t > 0)[:, None], 0.0).to(tl.float32)
        before = tl.where((t == 0)[:, None], before_all[None, :], before)
        gradients, g = _advance(following, gradient, g, BT)
        tl.store(db + place, gradients, inside)
        tl.store(da + place, gradients * before, inside)
    if end == length:
        factor = tl.load(a + sequence * channels + channel, here, 0.0).to(tl.float32)
        tl.store(dinitial + of_sequence, factor * g, here)


@_tuned
@jit
def what_chunks_do(
    a: tl.pointer_type,
    b: tl.pointer_type,
    initial_state: tl.pointer_type,
    factors: tl.pointer_type,
    states: tl.pointer_type,
    length: int,
    channels: int,
    chunk: int,
    BACKWARD: tl.constexpr,
    BT: tl.constexpr,
    BD: tl.constexpr,
) -> None:
    """Write for every chunk but the last what it does to a state, one place on; before them the initial state."""
    program, blocks, chunks = tl.program_id(0), tl.cdiv(channels, BD), tl.cdiv(length, chunk)
    channel, part = (program % blocks) * BD + tl.arange(0, BD), program // blocks
    start, here = (part % chunks) * chunk, channel < channels
    sequence, result = (part // chunks).to(tl.int64), part.to(tl.int64) * channels + channel
    if start == 0:
        tl.store(factors + result, tl.zeros((BD,), tl.float32), here)
        tl.store(
            states + result, tl.load(initial_state + sequence * channels + channel, here, 0.0).to(tl.float32), here
        )
    if start + chunk < length:
        factor, state = tl.full((BD,), 1.0, tl.float32), tl.zeros((BD,), tl.float32)
        for first in tl.range(start, start + chunk, BT, num_stages=3):
            backwards = first + tl.arange(0, BT)
            t = length - 1 - backwards if BACKWARD else backwards
            place = (sequence * length + t)[:, None] * channels + channel
            inside = (backwards < start + chunk)[:, None] & here
            if BACKWARD:
                factor_tile = tl.load(a + place + channels, inside & (t < length - 1)[:, None], 1.0).to(tl.float32)
            else:
                factor_tile = tl.load(a + place, inside, 1.0).to(tl.float32)
            kept, tile = tl.associative_scan((factor_tile, tl.load(b + place, inside, 0.0).to(tl.float32)), 0, _then)
            state = _last(kept, BT) * state + _last(tile, BT)
            factor *= _last(kept, BT)
        tl.store(factors + result + channels, factor, here)
        tl.store(states + result + channels, state, here)
