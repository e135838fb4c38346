"""The tables of a run: what the charts draw and the claims read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mem_core.mechanisms.tables import Table

Tables = dict[str, Table]
Row = tuple[Any, ...]

SUCCESS, FAILURE = "right", "wrong"
OUTCOMES = (SUCCESS, FAILURE)
HERE, PAPER = "here", "paper, AIME 24"
SOURCES = (HERE, PAPER)
BINS = 20
OF_ALL_MARGINS = 0.005
"""Share of the margins at each end that the histogram leaves out."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "training": ("step", "right", "feedback"),
    "cloud": ("across", "up", "outcome"),
    "cloud_means": ("across", "up", "outcome"),
    "cloud_facts": ("layer", "explained", "traces"),
    "layers": ("layer", "distance", "separation", "feedback"),
    "margins": ("low", "high", "share", "outcome"),
    "threshold": ("margin", "text"),
    "verdict": ("true_positive", "true_negative", "balanced", "accuracy", "per_class", "layers_used"),
    "votes": ("voters", "accuracy", "score"),
    "voted": ("voters", "accuracy", "score"),
    "references": ("value", "text"),
    "methods": ("measure", "share", "source"),
    "sizes": ("size", "balanced", "low", "high"),
    "own_size": ("size", "balanced"),
    "reasoners": (
        *("model", "feedback", "balanced", "true_positive", "true_negative"),
        *("auc_margin", "auc_d_success", "auc_confidence"),
        *("d_first", "d_last", "separation_last", "mean", "majority", "any_right"),
        *("top1_margin", "top1_d_success", "top1_confidence", "top16_margin", "top16_d_success", "top16_confidence"),
    ),
}
"""Every table of a run, with its columns."""
UNITS = {"step": "steps", "voters": "candidates", "size": "traces", "per_class": "traces", "traces": "traces"}


def table(name: str, rows: Iterable[Row] = ()) -> Table:
    """Make one of the tables from its rows."""
    columns = COLUMNS[name]
    turned = list(zip(*rows, strict=True)) or [()] * len(columns)
    units = {column: UNITS[column] for column in columns if column in UNITS}
    return Table.of(units, **dict(zip(columns, turned, strict=True)))


def empty() -> Tables:
    """Return every table with its columns and no rows."""
    return {name: table(name) for name in COLUMNS}


def feedback_name(feedback: int) -> str:
    """Name the series of one feedback."""
    return f"w = {feedback}"


def histogram(margins: Sequence[float], right: Sequence[bool]) -> list[Row]:
    """Count margins in bins, each outcome as a share of its own traces; right ones take each bin's left half."""
    order = sorted(margins)
    cut = int(OF_ALL_MARGINS * len(order))
    reach = max(abs(order[cut]), abs(order[-1 - cut])) or 1.0
    width = 2 * _rounded_up(reach) / BINS
    rows: list[Row] = []
    for half, outcome in enumerate(OUTCOMES):
        places = [
            math.floor(margin / width) + BINS // 2
            for margin, so in zip(margins, right, strict=True)
            if so == (outcome == SUCCESS)
        ]
        counts = {place: places.count(place) for place in set(places)}
        for place in range(BINS):
            low = width * (place - BINS // 2 + half / 2)
            rows.append((low, low + width / 2, counts.get(place, 0) / len(places), outcome))
    return rows


def _rounded_up(reach: float) -> float:
    """Round up to one of a few numbers times a power of ten, so that the axis does not move with every run."""
    power = 10.0 ** math.floor(math.log10(reach))
    return next(step * power for step in (1, 1.5, 2, 3, 5, 7.5, 10) if step * power >= reach)
