"""The tables about dated facts: outcomes, attribution, risk and age; the rest comes from neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mem_core.mechanisms.overview.memory_in_llms.card_table import card_table, differences
from mem_core.mechanisms.overview.memory_in_llms.dated_facts import FACTS, VALUES, still_true
from mem_core.mechanisms.overview.memory_in_llms.panels import panels
from mem_core.mechanisms.overview.memory_in_llms.recording import LAGS, OUTCOMES, PARTS, Record
from mem_core.mechanisms.overview.memory_in_llms.regimes import OFFLINE, REGIMES
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings
from mem_core.mechanisms.tables import Table
from mem_core.training.paired_statistics import risk_coverage

RISK_POINTS = 80
SURE, LUCKY, NOW = "no luck", "luck: 1 in 12", "this run"
PERFECT = "closed form for perfect reads"


def tables(record: Record, settings: MapSettings, seed: int) -> dict[str, Table]:
    """Return every table about dated facts, from the worlds so far."""
    found = {f"outcomes_{part}": _outcomes(record, part) for part in PARTS}
    found |= _attribution(record, settings)
    return found | {
        "risk": _risk(record),
        "risk_now": _risk_now(record, settings),
        "ageing": _ageing(record),
        "ageing_expected": _ageing_expected(settings),
        "retention": _retention(record),
        "differences": differences(record, seed),
        "card": card_table(record, settings, seed),
        "panels": panels(record, settings),
        "latency": _latency(record),
    }


def _outcomes(record: Record, part: str) -> Table:
    rows = [(regime, outcome) for regime in REGIMES for outcome in OUTCOMES]
    shares = [record.mean(regime, f"{outcome}, {part}") for regime, outcome in rows]
    regimes, outcomes = zip(*rows, strict=True)
    return Table.of({"share": "of facts"}, regime=regimes, outcome=outcomes, share=shares)


def _attribution(record: Record, settings: MapSettings) -> dict[str, Table]:
    noises = sorted(record.sweep)
    correct, attributed = ([_mean(record.sweep[noise][part]) for noise in noises] for part in (0, 1))
    here = noises.index(settings.noise)
    ends = [0.0, 1.0]
    lines: dict[str, list[Any]] = {
        "series": [SURE, SURE, LUCKY, LUCKY],
        "attribution": ends * 2,
        "correct": [*ends, *(share + (1 - share) / VALUES for share in ends)],
    }
    return {
        "attribution": Table.of(
            {"noise": "σ"},
            noise=noises,
            attribution=attributed,
            correct=correct,
        ),
        "attribution_lines": Table.of(**lines),
        "attribution_now": Table.of(series=[NOW], attribution=[attributed[here]], correct=[correct[here]]),
    }


def _risk(record: Record) -> Table:
    rows: list[tuple[str, float, float]] = []
    for regime in REGIMES:
        coverage, risk = risk_coverage(record.confidence[regime], record.right[regime])
        step = max(1, len(coverage) // RISK_POINTS)
        places = [*range(step - 1, len(coverage) - 1, step), len(coverage) - 1]
        rows += [(regime, float(coverage[place]), float(risk[place])) for place in places]
    regimes, covered, risks = zip(*rows, strict=True)
    return Table.of({"coverage": "of questions"}, regime=regimes, coverage=covered, risk=risks)


def _risk_now(record: Record, settings: MapSettings) -> Table:
    """Return coverage and risk at the confidence below which this run refuses."""
    rows = []
    for regime in REGIMES:
        pairs = zip(record.confidence[regime], record.right[regime], strict=True)
        given = [right for confidence, right in pairs if confidence >= settings.refusal]
        risk = 1 - sum(given) / len(given) if given else math.nan
        rows.append((regime, len(given) / len(record.right[regime]), risk))
    regimes, covered, risks = zip(*rows, strict=True)
    return Table.of({"coverage": "of questions"}, regime=regimes, coverage=covered, risk=risks)


def _ageing(record: Record) -> Table:
    rows = [(regime, lag, _mean(record.ageing[regime, lag])) for regime in REGIMES for lag in LAGS]
    regimes, lags, shares = zip(*rows, strict=True)
    return Table.of({"lag": "periods"}, regime=regimes, lag=lags, share=shares)


def _ageing_expected(settings: MapSettings) -> Table:
    shares = [still_true(settings.after_snapshot, lag) for lag in LAGS]
    return Table.of({"lag": "periods"}, regime=[PERFECT] * len(LAGS), lag=list(LAGS), share=shares)


def _retention(record: Record) -> Table:
    shares = [_mean(record.ageing[OFFLINE, lag]) for lag in LAGS]
    return Table.of({"lag": "periods"}, lag=list(LAGS), retention=shares)


def _latency(record: Record) -> Table:
    questions = FACTS * record.worlds
    each = [1e6 * record.seconds[regime] / questions for regime in REGIMES]
    return Table.of({"latency": "µs per question"}, regime=REGIMES, latency=each)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
