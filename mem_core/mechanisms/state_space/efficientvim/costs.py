"""Multiply-accumulates of the two mixers, counted exactly, and their time, measured.

L tokens, D channels, N states. Not counted, in both alike: the softmax, the gate and what else works number by number.

| part | hidden states (HSM-SSD) | tokens (NC-SSD) |
| --- | --- | --- |
| B, C, Δ | 3 L D N + 27 L N | the same |
| write | L D N | the same |
| mix | 3 N D² | 3 L D² |
| read | L D N | the same |

Source: Lee, Choi & Kim 2024 (arXiv 2411.15241), section 3.3.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from mem_core.engine import Array, Engine, philox
from mem_core.nn import hidden_state_mixer_block as mixer_block
from mem_core.nn.depthwise2d import TAPS
from mem_core.nn.hidden_state_mixer_block import IN_STATES, MIXERS, Mixer

PROJECTION, WRITE, MIX, READ = "B, C, Δ", "write", "mix", "read"
PARTS = (PROJECTION, WRITE, MIX, READ)
MAPS = 3
"""B, C and Δ."""
MAPS_OF_MIXING = 3
"""Linear maps D to D where the channels are mixed: two in, for values and gate, and one out."""

TIMED_CHANNELS, TIMED_STATES = 64, 16
"""Sizes of the layers that are timed, between the small model's here and the paper's."""
REPEATS = 5
"""A layer's time is the best of so many: what else a machine does can only make it longer."""
ENOUGH_SECONDS = 0.2
"""No further repeat after so long: the longest rows take half a second each in a browser."""


def multiply_accumulates(mixer: Mixer, length: int, channels: int, states: int) -> dict[str, int]:
    """Count each part of one layer for one picture.

    >>> sum(multiply_accumulates("hidden states", 64, 32, 9).values())
    135360
    >>> sum(multiply_accumulates("tokens", 64, 32, 9).values())
    304320
    """
    mixed_at = states if mixer == IN_STATES else length
    return {
        PROJECTION: MAPS * states * length * (channels + TAPS * TAPS),
        WRITE: length * channels * states,
        MIX: MAPS_OF_MIXING * mixed_at * channels * channels,
        READ: length * channels * states,
    }


def total(mixer: Mixer, length: int, channels: int, states: int) -> int:
    """Count all parts together."""
    return sum(multiply_accumulates(mixer, length, channels, states).values())


def milliseconds(engine: Engine, length: int, pictures: int) -> dict[Mixer, float]:
    """Measure one layer of each kind on random tokens, from B, C, Δ on, which both make alike.

    Each layer is repeated by itself, as in a network that has many of it: memory that it has used is at hand again.

    Args:
        engine: whose arrays and kernels are timed.
        length: L.
        pictures: how many are mixed at once.

    Returns:
        The best of five times of each, or of fewer where one takes long.
    """
    generator = philox(0, "efficientvim", "timing", length)

    def numbers(*shape: int) -> Array:
        return engine.asarray(generator.standard_normal(shape))

    params = mixer_block.init(engine, TIMED_CHANNELS, TIMED_STATES, generator)
    x = numbers(pictures, TIMED_CHANNELS, length)
    B, C, dt = (numbers(pictures, TIMED_STATES, length) for _ in range(MAPS))
    given = mixer_block.Maps(dt=dt, B=B, C=C)
    return {mixer: 1000 * min(_repeated(engine, mixer, params, x, given)) for mixer in MIXERS}


def _repeated(
    engine: Engine, mixer: Mixer, params: mixer_block.Params, x: Array, given: mixer_block.Maps
) -> Iterator[float]:
    """Run a layer up to `REPEATS` times and yield the seconds of each."""
    spent = 0.0
    for _ in range(REPEATS):
        started = time.perf_counter()
        y, _ = mixer_block.MIX[mixer](params, x, given)
        engine.item(y[0, 0, 0])  # a GPU answers before it has computed, unless a number is asked for
        seconds = time.perf_counter() - started
        yield seconds
        spent += seconds
        if spent > ENOUGH_SECONDS:
            return
