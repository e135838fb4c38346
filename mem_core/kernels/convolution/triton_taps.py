"""The kernels of the causal convolution in Triton.

Axes: b batch, d channel, t time; W taps, i one of them; s is the sum of taps before the activation. A program takes BD
channels and BT steps of one sequence and loads the inputs once per tap; all but the first time they come from the
cache. Time or channels may lie next to one another in memory: the stride that is 1 decides which threads load what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import triton
import triton.language as tl

from mem_core.kernels.triton_functions import fitting, jit, tuned


def _tuned(*tiles: tuple[int, int, int]) -> Callable[[Any], Any]:
    configs = [triton.Config({"BD": channels, "BT": steps}, num_warps=warps) for channels, steps, warps in tiles]
    interpreted, prune = {"BD": 4, "BT": 32}, fitting(BD="channels", BT="length")
    return tuned(configs, ["channels", "length", "x_step", "TAPS"], interpreted, prune)


@jit
def _at(
    x: tl.pointer_type,
    initial_state: tl.pointer_type,
    channel: tl.tensor,
    t: tl.tensor,
    here: tl.tensor,
    length: int,
    x_step: int,
    early: tl.tensor,
    TAPS: tl.constexpr,
) -> tl.tensor:
    """Load x at the times t of one sequence; if they are early, from the initial state where t is negative."""
    inputs = tl.load(x + t.to(tl.int64) * x_step, here & (t >= 0) & (t < length), 0.0).to(tl.float32)
    if early:
        place = channel * (TAPS - 1) + TAPS - 1 + t
        inputs += tl.load(initial_state + place, here & (t < 0) & (t > -TAPS), 0.0).to(tl.float32)
    return inputs


@jit
def _sum_of_taps(
    x: tl.pointer_type,
    weight: tl.pointer_type,
    bias: tl.pointer_type,
    initial_state: tl.pointer_type,
    channel: tl.tensor,
    t: tl.tensor,
    here: tl.tensor,
    length: int,
    x_step: int,
    early: tl.tensor,
    TAPS: tl.constexpr,
) -> tl.tensor:
    total = tl.load(bias + channel, here, 0.0).to(tl.float32) + tl.zeros_like(t)
    for i in tl.static_range(TAPS):
        factor = tl.load(weight + channel * TAPS + i, here, 0.0).to(tl.float32)
        total += factor * _at(x, initial_state, channel, t - TAPS + 1 + i, here, length, x_step, early, TAPS)
    return total


@_tuned((1, 1024, 4), (4, 256, 4), (16, 64, 4), (64, 16, 4), (128, 16, 8))
@jit
def convolve(
    x: tl.pointer_type,
    weight: tl.pointer_type,
    bias: tl.pointer_type,
    initial_state: tl.pointer_type,
    y: tl.pointer_type,
    channels: int,
    length: int,
    x_sequence: int,
    x_channel: int,
    x_step: int,
    y_sequence: int,
    y_channel: int,
    y_step: int,
    TAPS: tl.constexpr,
    SILU: tl.constexpr,
    BD: tl.constexpr,
    BT: tl.constexpr,
) -> None:
    """Compute y (b,d,t)."""
    program, blocks, tiles = tl.program_id(0), tl.cdiv(channels, BD), tl.cdiv(length, BT)
    # In 64 bits, for more than 2³¹ numbers. Neighbouring programs take the steps that follow one another.
    sequence, start = (program // (blocks * tiles)).to(tl.int64), (program % tiles) * BT
    channel = ((program // tiles) % blocks * BD + tl.arange(0, BD)).to(tl.int64)[:, None]
    t, here = start + tl.arange(0, BT)[None, :], channel < channels
    x += sequence * x_sequence + channel * x_channel
    y += sequence * y_sequence + channel * y_channel
    initial_state += sequence * channels * (TAPS - 1)
    early = start < TAPS - 1
    total = _sum_of_taps(x, weight, bias, initial_state, channel, t, here, length, x_step, early, TAPS)
    if SILU:
        total *= tl.sigmoid(total)
    tl.store(y + t.to(tl.int64) * y_step, total, here & (t < length))


@jit
def _gradient_of_sum(
    x: tl.pointer_type,
    weight: tl.pointer_type,
    bias: tl.pointer_type,
    initial_state: tl.pointer_type,
    dy: tl.pointer_type,
    channel: tl.tensor,
    t: tl.tensor,
    here: tl.tensor,
    length: int,
    x_step: int,
    dy_step: int,
    early: tl.tensor,
    TAPS: tl.constexpr,
    SILU: tl.constexpr,
) -> tl.tensor:
    """Return the gradient of the sum of taps at the times t, zero outside the sequence."""
    gradient = tl.load(dy + t.to(tl.int64) * dy_step, here & (t >= 0) & (t < length), 0.0).to(tl.float32)
    if SILU:
        total = _sum_of_taps(x, weight, bias, initial_state, channel, t, here, length, x_step, early, TAPS)
        gate = tl.sigmoid(total)
        gradient *= gate * (1.0 + total * (1.0 - gate))
    return gradient


@jit
def _gradient_of_input(
    x: tl.pointer_type,
    weight: tl.pointer_type,
    bias: tl.pointer_type,
    initial_state: tl.pointer_type,
    dy: tl.pointer_type,
    channel: tl.tensor,
    t: tl.tensor,
    here: tl.tensor,
    length: int,
    x_step: int,
    dy_step: int,
    early: tl.tensor,
    TAPS: tl.constexpr,
    SILU: tl.constexpr,
) -> tl.tensor:
    """Return dx_t = Σ_i weight_i ds_{t+W−1−i}, s the sum of taps; for negative t that of the initial state."""
    found = tl.zeros_like(channel + t).to(tl.float32)
    for i in tl.static_range(TAPS):
        later = t + TAPS - 1 - i
        gradient = _gradient_of_sum(
            x, weight, bias, initial_state, dy, channel, later, here, length, x_step, dy_step, early, TAPS, SILU
        )
        found += tl.load(weight + channel * TAPS + i, here, 0.0).to(tl.float32) * gradient
    return found


@_tuned((1, 512, 4), (4, 128, 4), (16, 32, 4), (64, 16, 8), (128, 8, 8))
@jit
def convolve_back(
    x: tl.pointer_type,
    weight: tl.pointer_type,
    bias: tl.pointer_type,
    initial_state: tl.pointer_type,
    dy: tl.pointer_type,
    dx: tl.pointer_type,
    dinitial: tl.pointer_type,
    sums: tl.pointer_type,
    channels: int,
    length: int,
    summed: int,
    x_sequence: int,
    x_channel: int,
    x_step: int,
    dy_sequence: int,
    dy_channel: int,
    dy_step: int,
    dx_sequence: int,
    dx_channel: int,
    dx_step: int,
    TAPS: tl.constexpr,
    COLUMNS: tl.constexpr,
    SILU: tl.constexpr,
    BD: tl.constexpr,
    BT: tl.constexpr,
) -> None:
    """Compute dx (b,d,t), that of the initial state (b,d,W−1), and sums (b·parts,d,W+1) for weight and bias."""
    program, blocks, parts = tl.program_id(0), tl.cdiv(channels, BD), tl.cdiv(length, summed)
    sequence, part = (program // (blocks * parts)).to(tl.int64), program % parts
    channel = ((program // parts) % blocks * BD + tl.arange(0, BD)).to(tl.int64)[:, None]
    here, column = channel < channels, tl.arange(0, COLUMNS)[None, :]
    x += sequence * x_sequence + channel * x_channel
    dy += sequence * dy_sequence + channel * dy_channel
    dx += sequence * dx_sequence + channel * dx_channel
    initial_state += sequence * channels * (TAPS - 1)
    total = tl.zeros((BD, COLUMNS), tl.float32)
    for start in range(part * summed, tl.minimum((part + 1) * summed, length), BT):
        t, early = start + tl.arange(0, BT)[None, :], start < TAPS - 1
        found = _gradient_of_input(
            x, weight, bias, initial_state, dy, channel, t, here, length, x_step, dy_step, early, TAPS, SILU
        )
        tl.store(dx + t.to(tl.int64) * dx_step, found, here & (t < length))
        # A part ends before its last tile does where BT does not divide it.
        ours = here & (t < (part + 1) * summed)
        gradient = _gradient_of_sum(
            x, weight, bias, initial_state, dy, channel, t, ours, length, x_step, dy_step, early, TAPS, SILU
        )
        total += tl.where(column == TAPS, tl.sum(gradient, 1)[:, None], 0.0)
        for i in tl.static_range(TAPS):
            inputs = _at(x, initial_state, channel, t - TAPS + 1 + i, here, length, x_step, early, TAPS)
            total += tl.where(column == i, tl.sum(gradient * inputs, 1)[:, None], 0.0)
    place = ((sequence * parts + part) * channels + channel) * (TAPS + 1) + column
    tl.store(sums + place, total, here & (column <= TAPS))
    if part == 0:
        t = column - (TAPS - 1)
        found = _gradient_of_input(
            x, weight, bias, initial_state, dy, channel, t, here, length, x_step, dy_step, True, TAPS, SILU
        )
        place = (sequence * channels + channel) * (TAPS - 1) + column
        tl.store(dinitial + place, found, here & (column < TAPS - 1))
