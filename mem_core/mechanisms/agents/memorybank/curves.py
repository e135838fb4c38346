"""Curve families for retention against time, and starts for fitting each.

Axes: B any leading axes (data sets, starts), P parameters, N delays. Every parameter is positive, so a curve takes
the logarithms of its parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from mem_core.data.forgetting_measurements import MINUTES_PER_DAY
from mem_core.engine import Array
from mem_core.mechanisms.agents.memorybank.fsrs import DECAY, FACTOR

LARGEST_EXPONENT = 60.0
"""Exponents are held within this, so that no start overflows; e^60 is far beyond any retention."""
SHORTEST_LOG10 = 1e-12
"""Stands in for a logarithm that would not be positive: the 1885 formula has no value at one minute or less."""
DECADES = tuple(range(-4, 7))
"""Powers of ten, in days, from which time constants start: ten seconds to thousands of years."""


@dataclass(frozen=True)
class Family:
    """One curve family.

    Attributes:
        name: in settings, tables and charts.
        formula: in words of mathematics, t in days unless it says otherwise.
        parameters: their names.
        value: `value(xp, log_days, logs)`, log-delays (N,) and log-parameters (..., P) to retention (..., N).
        starts: log-parameters from which a fit starts.
    """

    name: str
    formula: str
    parameters: tuple[str, ...]
    value: Callable[[Any, Array, Sequence[Array]], Array]
    starts: tuple[tuple[float, ...], ...]


def _exp(xp: Any, exponent: Array) -> Array:
    return xp.exp(xp.clip(exponent, -LARGEST_EXPONENT, LARGEST_EXPONENT))


def _decay(xp: Any, log_days: Array, log_scale: Array) -> Array:
    """exp(−t/S), from logarithms."""
    return _exp(xp, -_exp(xp, log_days - log_scale))


def exponential(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """exp(−t/S)."""
    return _decay(xp, log_days, logs[0])


def scaled_exponential(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """a·exp(−t/S)."""
    return _exp(xp, logs[0]) * _decay(xp, log_days, logs[1])


def exponential_asymptote(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """a·exp(−t/S) + c."""
    return scaled_exponential(xp, log_days, logs[:2]) + _exp(xp, logs[2])


def power(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """a·t^(−b)."""
    return _exp(xp, logs[0] - _exp(xp, logs[1]) * log_days)


def wickelgren(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """(1 + β·t)^(−ψ) (Wickelgren 1974)."""
    return _exp(xp, -_exp(xp, logs[1]) * xp.log1p(_exp(xp, logs[0] + log_days)))


def wickelgren_scaled(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """λ·(1 + β·t)^(−ψ) (Wixted and Carpenter 2007)."""
    return _exp(xp, logs[0]) * wickelgren(xp, log_days, logs[1:])


def ebbinghaus_1885(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """K / ((log10 t)^c + k), t in minutes and not below one (Ebbinghaus 1885, pages 77 and 78)."""
    log10_minutes = (log_days + math.log(MINUTES_PER_DAY)) / math.log(10)
    grown = _exp(xp, _exp(xp, logs[1]) * xp.log(xp.clip(log10_minutes, SHORTEST_LOG10, None)))
    k = _exp(xp, logs[0])
    return k / (grown + k)


def ebbinghaus_1880(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """1 − (1 − (2/t)^p)^q, t in minutes and not below two (Ebbinghaus's manuscript of 1880)."""
    log_ratio = xp.clip(log_days + math.log(MINUTES_PER_DAY / 2), SHORTEST_LOG10, None)
    inner = -xp.expm1(xp.clip(-_exp(xp, logs[0]) * log_ratio, -LARGEST_EXPONENT, -SHORTEST_LOG10))
    return -xp.expm1(_exp(xp, logs[1]) * xp.log(inner))


def logarithmic(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """A − b·ln t."""
    return _exp(xp, logs[0]) - _exp(xp, logs[1]) * log_days


def two_exponentials(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """c₁·exp(−t/S₁) + c₂·exp(−t/S₂), the memory chain model."""
    return scaled_exponential(xp, log_days, logs[:2]) + scaled_exponential(xp, log_days, logs[2:])


def power_boost(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """a·t^(−b), plus a constant from one day on, the jump that Murre and Dros (2015) see there."""
    after_a_night = xp.astype(log_days >= -1e-9, log_days.dtype)
    return power(xp, log_days, logs[:2]) + _exp(xp, logs[2]) * after_a_night


def fsrs_curve(xp: Any, log_days: Array, logs: Sequence[Array]) -> Array:
    """(1 + F·t/S)^(−0.1542), FSRS-6 with its default exponent."""
    return _exp(xp, -DECAY * xp.log1p(_exp(xp, log_days - logs[0] + math.log(FACTOR))))


def _logs(*rows: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(math.log, row)) for row in rows)


_SCALES = tuple(10.0**decade for decade in DECADES)
_PAIRS = tuple(combinations(_SCALES[:-1], 2))

FAMILIES: tuple[Family, ...] = (
    Family("exponential", "exp(−t/S)", ("S",), exponential, _logs(*((s,) for s in _SCALES))),
    Family(
        "scaled exponential",
        "a·exp(−t/S)",
        ("a", "S"),
        scaled_exponential,
        _logs(*((0.4, s) for s in _SCALES)),
    ),
    Family(
        "exponential to a floor",
        "a·exp(−t/S) + c",
        ("a", "S", "c"),
        exponential_asymptote,
        _logs(*((0.3, s, 0.2) for s in _SCALES)),
    ),
    Family("power", "a·t^(−b)", ("a", "b"), power, _logs((0.3, 0.05), (0.3, 0.15), (0.5, 0.5))),
    Family("Wickelgren", "(1 + β·t)^(−ψ)", ("β", "ψ"), wickelgren, _logs(*((b, 0.15) for b in _SCALES))),
    Family(
        "scaled Wickelgren",
        "λ·(1 + β·t)^(−ψ)",
        ("λ", "β", "ψ"),
        wickelgren_scaled,
        _logs(*((0.8, b, 0.15) for b in _SCALES)),
    ),
    Family(
        "Ebbinghaus 1885",
        "k / ((log10 t)^c + k), t in minutes",
        ("k", "c"),
        ebbinghaus_1885,
        _logs((1.84, 1.25), (1.0, 0.6), (5.0, 2.0)),
    ),
    Family(
        "Ebbinghaus 1880",
        "1 − (1 − (2/t)^p)^q, t in minutes",
        ("p", "q"),
        ebbinghaus_1880,
        _logs((0.099, 0.51), (0.3, 0.3), (0.03, 1.0)),
    ),
    Family("logarithmic", "a − b·ln t", ("a", "b"), logarithmic, _logs((0.3, 0.03), (0.5, 0.1))),
    Family(
        "two exponentials",
        "c₁·exp(−t/S₁) + c₂·exp(−t/S₂)",
        ("c₁", "S₁", "c₂", "S₂"),
        two_exponentials,
        _logs(*((0.3, fast, 0.3, slow) for fast, slow in _PAIRS)),
    ),
    Family(
        "power with a boost",
        "a·t^(−b), plus d from one day on",
        ("a", "b", "d"),
        power_boost,
        _logs((0.3, 0.05, 0.03), (0.2, 0.2, 0.1), (0.3, 0.15, 0.001)),
    ),
    Family("FSRS-6", "(1 + F·t/S)^(−0.1542)", ("S",), fsrs_curve, _logs(*((s,) for s in _SCALES))),
)
"""Every family, in the order of the charts."""

BY_NAME = {family.name: family for family in FAMILIES}
"""Families by name."""
