"""The long input: rounds counted, and times measured, one length after the other.

Counts are the same everywhere and always. Times are this machine's and this moment's, so they stand in a table of their
own, and no claim reads it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from mem_core.engine import Array, Engine, philox
from mem_core.kernels import linear_scan
from mem_core.mechanisms.state_space.scan_kernels.counting import cost_of, scan
from mem_core.mechanisms.state_space.scan_kernels.rounding import KERNEL, widened
from mem_core.mechanisms.state_space.scan_kernels.settings import WAYS, ScanSettings
from mem_core.mechanisms.state_space.scan_kernels.three_ways import states
from mem_core.mechanisms.tables import Table

SHORTEST = 16
"""Tokens in the first input that is measured; each next one is four times as long."""
LONG_DECAY = 0.9
SECONDS_A_POINT = 0.008
"""How long one point of the times chart may go on repeating, after LEAST_REPEATS."""
LEAST_REPEATS, MOST_REPEATS = 3, 20
LANES = tuple(2**power for power in range(13))

Time = tuple[int, str, float]
"""Length, way, seconds."""


def lengths(longest: int) -> list[int]:
    """Four times as long again and again, from SHORTEST to the longest."""
    return [SHORTEST * 4**power for power in range(round(math.log(longest / SHORTEST, 4)) + 1)]


def counts_table(lengths: Sequence[int], ways: Sequence[str], work: Sequence[int], depth: Sequence[int]) -> Table:
    """Work and depth of each way, by length."""
    units = {"length": "tokens", "work": "multiplications", "depth": "rounds"}
    return Table.of(units, length=lengths, way=ways, work=work, depth=depth)


def steps_table(length: int, lanes: Sequence[int], ways: Sequence[str], steps: Sequence[int]) -> Table:
    """Steps of each way on the longest input, by lanes."""
    units = {"length": "tokens", "lanes": "lanes", "steps": "steps"}
    return Table.of(units, length=[length] * len(steps), lanes=lanes, way=ways, steps=steps)


def times_table(times: Sequence[Time], badge: str) -> Table:
    """Milliseconds of one scan, by length, and the engine that was measured."""
    return Table.of(
        {"length": "tokens", "milliseconds": "ms"},
        length=[length for length, _, _ in times],
        way=[way for _, way, _ in times],
        milliseconds=[1000 * seconds for _, _, seconds in times],
        where=[badge] * len(times),
    )


def nothing_measured() -> dict[str, Table]:
    """Return the tables of the long input without a row."""
    return {
        "counts": counts_table([], [], [], []),
        "steps": steps_table(0, [], [], []),
        "times": times_table([], ""),
    }


def counted(settings: ScanSettings, engine: Engine) -> dict[str, Table]:
    """Count the rounds of each way at every length, and the steps they make of the longest, by lanes."""
    costs = {
        (length, way): cost_of(way, settings, engine, length, _size(settings, length))
        for length in lengths(settings.longest)
        for way in WAYS
    }
    rows = [(lanes, way) for way in WAYS for lanes in sorted({*LANES, settings.lanes})]
    return {
        "counts": counts_table(
            [length for length, _ in costs],
            [way for _, way in costs],
            [cost.work for cost in costs.values()],
            [cost.depth for cost in costs.values()],
        ),
        "steps": steps_table(
            settings.longest,
            [lanes for lanes, _ in rows],
            [way for _, way in rows],
            [costs[settings.longest, way].steps(lanes) for lanes, way in rows],
        ),
    }


def measured(settings: ScanSettings, engine: Engine, seed: int) -> Iterator[tuple[int, Table]]:
    """Measure each length, and give the times so far."""
    times: list[Time] = []
    for length in lengths(settings.longest):
        times += [(length, way, seconds) for way, seconds in _seconds(settings, engine, seed, length)]
        yield length, times_table(times, engine.badge)


def _seconds(settings: ScanSettings, engine: Engine, seed: int, length: int) -> Iterator[tuple[str, float]]:
    """Measure every way, and the engine's kernel, on one input."""
    b = engine.asarray(philox(seed, "long input").standard_normal((1, length, settings.channels)))
    a = engine.xp.full((1, length, 1), LONG_DECAY)
    size = _size(settings, length)
    for way in WAYS:
        yield way, best_seconds(engine, partial(_states_by, way, settings, engine, a, b, size))
    yield KERNEL, best_seconds(engine, partial(linear_scan, widened(engine, a, b), b))


def _states_by(way: str, settings: ScanSettings, engine: Engine, a: Array, b: Array, size: int) -> Array:
    return states(scan(way, settings, engine, a, b, size))


def _size(settings: ScanSettings, length: int) -> int:
    """Return the chunk length; a chunk longer than the input is the whole input."""
    return min(settings.long_chunk, length)


def best_seconds(engine: Engine, work: Callable[[], Array]) -> float:
    """Return the shortest of several runs: compiling, waking up and whatever else goes on only ever add to a time."""
    best, started = math.inf, time.perf_counter()
    for repeat in range(1, MOST_REPEATS + 1):
        before = time.perf_counter()
        engine.item(work()[0, -1, 0])  # a GPU has finished when a number can be read
        best = min(best, time.perf_counter() - before)
        if repeat >= LEAST_REPEATS and time.perf_counter() - started > SECONDS_A_POINT:
            break
    return best
