"""Regimes compared on the same worlds: differences with tests, and the dimensions of the card with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from mem_core.engine import philox
from mem_core.mechanisms.overview.memory_in_llms import position
from mem_core.mechanisms.overview.memory_in_llms.card import CORRECTNESS, FAITHFULNESS, POSITION, REFUSAL, TIMELINESS
from mem_core.mechanisms.overview.memory_in_llms.metrics import middle_drop
from mem_core.mechanisms.overview.memory_in_llms.recording import Record
from mem_core.mechanisms.overview.memory_in_llms.regimes import PO, REGIMES
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings
from mem_core.mechanisms.tables import Table
from mem_core.training.paired_statistics import MOST_EXACT, bootstrap_interval, holm, permutation_test

DRAWS = 4999
"""Sign vectors drawn where there are too many worlds to try all."""
CARD_MEASURES = {
    CORRECTNESS: "correct, all",
    FAITHFULNESS: "attribution",
    TIMELINESS: "correct, changed",
    REFUSAL: "refused, unanswerable",
}
"""Which measure fills which dimension of the card; position robustness comes from the position curve."""


def differences(record: Record, seed: int) -> Table:
    """Compare the regimes on the same worlds: mean difference, interval, p-value and the adjusted one."""
    pairs = list(combinations(reversed(REGIMES), 2))
    values = {regime: record.values[regime, "correct, all"] for regime in REGIMES}
    rows = [_difference(values[one], values[other], seed, f"{one}, {other}") for one, other in pairs]
    means, low, high, p = zip(*rows, strict=True)
    return Table.of(
        {"difference": "accuracy"},
        pair=[f"{one} − {other}" for one, other in pairs],
        difference=means,
        low=low,
        high=high,
        p=p,
        adjusted=holm(p),
        worlds=[record.worlds] * len(pairs),
    )


def _difference(a: Sequence[float], b: Sequence[float], seed: int, name: str) -> tuple[float, float, float, float]:
    apart = [one - other for one, other in zip(a, b, strict=True)]
    draws = 0 if len(apart) <= MOST_EXACT else DRAWS
    p = permutation_test(a, b, draws=draws, generator=philox(seed, "memory-in-llms", "signs", name))
    return sum(apart) / len(apart), *_interval(apart, seed, name), p


def card_table(record: Record, settings: MapSettings, seed: int) -> Table:
    """Return every dimension in every regime with its interval; what cannot be measured is not a number."""
    rows = []
    for regime in REGIMES:
        for dimension, name in CARD_MEASURES.items():
            known = [value for value in record.values[regime, name] if not math.isnan(value)]
            interval = _interval(known, seed, f"{regime}, {name}")
            rows.append((dimension, regime, record.mean(regime, name), *interval))
        robust = math.nan if regime == PO else 1 - middle_drop(*zip(*position.curve_of(settings)[1], strict=True))
        rows.append((POSITION, regime, robust, math.nan, math.nan))
    dimensions, regimes, values, low, high = zip(*rows, strict=True)
    return Table.of(dimension=dimensions, regime=regimes, value=values, low=low, high=high)


def _interval(values: Sequence[float], seed: int, name: str) -> tuple[float, float]:
    """Return the bootstrap interval over worlds; NaN where there are fewer than two."""
    if len(values) < 2:
        return math.nan, math.nan
    return bootstrap_interval(values, philox(seed, "memory-in-llms", "bootstrap", name))
