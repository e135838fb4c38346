"""The five panels of E-MARS+ for the three regimes.

Source: arXiv 2509.18868, table 4.7.
"""

from __future__ import annotations

import math

from mem_core.mechanisms.overview.memory_in_llms.dated_facts import DISTRACTORS, FACTS, VALUES
from mem_core.mechanisms.overview.memory_in_llms.recording import LAGS, Record
from mem_core.mechanisms.overview.memory_in_llms.regimes import OFFLINE, ONLINE, PO, REGIMES
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings
from mem_core.mechanisms.tables import Table
from mem_core.training.paired_statistics import aurc, half_life, slope

WRITE, REPLAY, INHIBIT, HORIZON, COST = (
    "P1 write and time",
    "P2 replay and attribution",
    "P3 inhibition, freshness, conflict",
    "P4 long horizon",
    "P5 cost",
)
RECORDED = (
    (WRITE, "event F1", "event F1"),
    (WRITE, "time-anchoring error (periods)", "time-anchoring error"),
    (REPLAY, "answers supported by the passage cited (RSF)", "attribution"),
    (REPLAY, "right passage among five (ASR@5)", "passage among 5"),
    (REPLAY, "current value among five (Fresh@5)", "current value among 5"),
    (REPLAY, "citation coverage", "citation coverage"),
    (INHIBIT, "refused, of the unanswerable", "refused, unanswerable"),
    (INHIBIT, "right, of the changed facts (Freshness-Hit)", "correct, changed"),
    (INHIBIT, "outdated answers (Out-of-Date-Use)", "outdated, all"),
    (INHIBIT, "right where weights and index disagree (CCR)", "conflicts resolved"),
    (INHIBIT, "refused, of the stale (Refusal@Stale)", "refused, stale"),
)
"""Panel, words, and the name under which the measure is recorded."""


def panels(record: Record, settings: MapSettings) -> Table:
    """Return one row for each measure, one column for each regime."""
    rows = [(panel, words, [record.mean(regime, name) for regime in REGIMES]) for panel, words, name in RECORDED]
    rows.append((INHIBIT, "AURC", [aurc(record.confidence[regime], record.right[regime]) for regime in REGIMES]))
    curves = {regime: [_mean(record.ageing[regime, lag]) for lag in LAGS] for regime in REGIMES}
    rows.append((HORIZON, "slope (accuracy per period)", [slope(list(LAGS), curves[regime]) for regime in REGIMES]))
    rows.append((HORIZON, "half-life (periods)", [_half_life(curves[regime]) for regime in REGIMES]))
    entries = (FACTS + DISTRACTORS) * (settings.dimension + 1)
    footprint = {PO: VALUES * settings.dimension, OFFLINE: entries, ONLINE: entries}
    rows.append((COST, "passages read per answer", [0.0, 1.0, 1.0]))
    rows.append((COST, "footprint (numbers stored)", [float(footprint[regime]) for regime in REGIMES]))
    names, words, values = zip(*rows, strict=True)
    columns = dict(zip(REGIMES, zip(*values, strict=True), strict=True))
    return Table.of(panel=names, measure=words, **columns)


def _half_life(curve: list[float]) -> float:
    """Return the half-life; NaN where the curve does not fall: two runs' infinities have no difference to show."""
    found = half_life(list(LAGS), curve)
    return found if math.isfinite(found) else math.nan


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
