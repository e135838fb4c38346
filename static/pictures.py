"""A small picture per mechanism for the gallery, drawn from a real default run.

Each is one chart reduced to its marks: no axes, no words. An SVG of a few kilobytes follows the page into dark mode.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mem_core.lab.palette import SERIES_COLORS
from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.contract import Mechanism
from mem_core.mechanisms.tables import Table

WIDTH, HEIGHT, MARGIN = 320, 160, 12
_MOST_POINTS = 120
"""Points of one line; more cannot be told apart at this size."""

Row = Mapping[str, Any]


def picture(mechanism: Mechanism, tables: Mapping[str, Table]) -> str:
    """Return the picture of a mechanism as SVG."""
    chart = mechanism.chart(mechanism.picture) if mechanism.picture else mechanism.charts[0]
    layers = [layer for layer in chart.layers if layer.mark in ("line", "point", "area") and layer.table in tables]
    rows = [row for layer in layers for row in tables[layer.table].rows()]
    marks = "".join(_marks(chart, layer, tables[layer.table].rows(), rows) for layer in layers)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' fill='none' stroke-width='3' "
        f"stroke-linejoin='round' stroke-linecap='round' color='#888'>{marks}</svg>"
    )


def _marks(chart: Chart, layer: Layer, rows: Sequence[Row], all_rows: Sequence[Row]) -> str:
    across = _place([row[layer.x] for row in all_rows if layer.x in row], chart.x, MARGIN, WIDTH - MARGIN)
    up = _place([row[layer.y] for row in all_rows if layer.y in row], chart.y, HEIGHT - MARGIN, MARGIN)
    series: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for row in rows:
        if _drawable(chart.x, row[layer.x]) and _drawable(chart.y, row[layer.y]):
            name = tuple(row.get(column) for column in (layer.color, layer.dash, layer.detail))
            series.setdefault(name, []).append((across(row[layer.x]), up(row[layer.y])))
    names = list(chart.series) or list(dict.fromkeys(name[0] for name in series))
    parts = []
    for (name, *_), points in series.items():
        color = SERIES_COLORS[(names.index(name) if name in names else 0) % len(SERIES_COLORS)]
        parts.append(_points(points, color) if layer.mark == "point" else _line(points, color))
    return "".join(parts)


def _line(points: list[tuple[float, float]], color: str) -> str:
    kept = points[:: max(1, len(points) // _MOST_POINTS)] + points[-1:]
    return f"<polyline stroke='{color}' points='{' '.join(f'{x:.1f},{y:.1f}' for x, y in kept)}'/>"


def _points(points: list[tuple[float, float]], color: str) -> str:
    return "".join(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4.5' fill='{color}'/>" for x, y in points[:_MOST_POINTS])


def _drawable(axis: Axis, value: Any) -> bool:
    return isinstance(value, int | float) and (axis.scale != "log" or value > 0)


def _place(values: list[Any], axis: Axis, start: float, end: float) -> Any:
    """Return a map from values to pixels between `start` and `end`."""
    bend = math.log if axis.scale == "log" else float
    bent = [bend(value) for value in (*values, *(axis.domain or ())) if _drawable(axis, value)] or [0.0, 1.0]
    low, width = min(bent), (max(bent) - min(bent)) or 1.0
    return lambda value: start + (bend(value) - low) / width * (end - start)
