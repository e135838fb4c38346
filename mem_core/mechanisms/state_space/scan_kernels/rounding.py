"""How far the ways are apart: the same inputs in the run's precision, against float64.

Axes: B sequences, one for each decay, L tokens, D channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.kernels import linear_scan
from mem_core.kernels.linear_recurrence import reference
from mem_core.mechanisms.state_space.scan_kernels.counting import scan
from mem_core.mechanisms.state_space.scan_kernels.settings import WAYS, ScanSettings
from mem_core.mechanisms.state_space.scan_kernels.small_input import SmallInput
from mem_core.mechanisms.state_space.scan_kernels.three_ways import chunks, loop, states
from mem_core.mechanisms.tables import Table

KERNEL, BOUND = "kernel", "bound"
DECAYS = (0.0, 1e-6, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0)
LENGTH, CHANNELS = 512, 8
DRAWN_FROM = 0.01
"""Differences below this share of the machine epsilon, zero among them, are drawn here: a log axis has no zero."""


def no_rounding() -> Table:
    """Return the table of differences without a row."""
    return Table.of(decay=[], way=[], difference=[], drawn=[])


def rounding(settings: ScanSettings, engine: Engine, seed: int) -> Table:
    """Scan random inputs with constant decays and take the largest difference from float64, for each way and decay."""
    decays = engine.asarray([[[decay]] for decay in DECAYS])
    a = decays * engine.xp.ones((1, LENGTH, 1))
    b = engine.asarray(philox(seed, "rounding").standard_normal((len(DECAYS), LENGTH, CHANNELS)))
    wide = widened(engine, a, b)
    true = _in_float64(engine.to_numpy(wide), engine.to_numpy(b))
    found = {way: states(scan(way, settings, engine, a, b, settings.long_chunk)) for way in WAYS}
    found[KERNEL] = linear_scan(wide, b)
    apart = {way: abs(engine.to_numpy(h) - true).max(axis=(1, 2)) for way, h in found.items()}
    apart[BOUND] = bound(engine, a, b)
    return _table(apart, DRAWN_FROM * epsilon(engine))


def cuts(engine: Engine, small: SmallInput) -> Table:
    """Scan the small input in chunks of every length: how far from the loop, and how far rounding may take it."""
    true = engine.to_numpy(states(loop(engine, small.a, small.b)))
    sizes = range(1, small.length + 1)
    found = [engine.to_numpy(states(chunks(engine, small.a, small.b, size))) for size in sizes]
    largest = [float(abs(one - true).max()) for one in found]
    return Table.of(chunk=sizes, difference=largest, bound=[float(bound(engine, small.a, small.b)[0])] * len(largest))


def bound(engine: Engine, a: Array, b: Array) -> Any:
    """Return how far rounding can take a state from the truth, for each sequence (B,), as NumPy.

        ε max_t Σ_s (t − s + 1 + log2 L) a_t … a_{s+1} |b_s|

    To first order, for decays of 0 or more. An input that came in t − s tokens ago has been multiplied t − s times and
    added at most t − s + 2 times (loop, chunks) or 2 log2 L times (tree), and each time rounding errs by at most ε/2.

    Source:
        Higham 2002, "Accuracy and Stability of Numerical Algorithms", sections 3.1 and 4.2.
    """
    wide, size = (engine.to_numpy(part) for part in (widened(engine, a, b), engine.xp.abs(b)))
    one_rounding = _in_float64(wide, size)
    all_roundings = _in_float64(wide, one_rounding) + (b.shape[1] - 1).bit_length() * one_rounding
    return epsilon(engine) * all_roundings.max(axis=(1, 2))


def epsilon(engine: Engine) -> float:
    """Return the machine epsilon of the run's precision: the distance from 1 to the next number."""
    return float(engine.xp.finfo(engine.float_dtype).eps)


def widened(engine: Engine, a: Array, b: Array) -> Array:
    """Give every channel its own copy of the decays, as `linear_scan` wants them: (B,L,1) becomes (B,L,D)."""
    return a * engine.xp.ones_like(b)


def _in_float64(a: Any, b: Any) -> Any:
    """Scan numbers that have left the engine (B,L,D), step by step in float64."""
    return reference.linear_scan(a, b, 0 * b[:, 0])


def _table(apart: Mapping[str, Any], smallest: float) -> Table:
    rows = [
        (decay, way, float(value)) for way, values in apart.items() for decay, value in zip(DECAYS, values, strict=True)
    ]
    decays, ways, differences = zip(*rows, strict=True)
    return Table.of(
        decay=decays, way=ways, difference=differences, drawn=[max(value, smallest) for value in differences]
    )
