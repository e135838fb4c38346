"""Where the names of lines are written: at their last points, pushed apart where they would lie on one another."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mem_core.lab.chart_templates import LABEL_Y, RUN, THIS_RUN
from mem_core.mechanisms.charts import Axis, Chart, Layer

LINE_HEIGHT = 15
"""Least distance between two names, in pixels."""

Rows = list[dict[str, Any]]


def line_ends(chart: Chart, layer: Layer, rows: Rows) -> Rows:
    """Return this run's last row of each line, with the height of its name in the column `LABEL_Y`."""
    last: dict[Any, dict[str, Any]] = {}
    for row in rows:
        if row[RUN] == THIS_RUN and _drawable(chart.y, row[layer.y]) and row[layer.x] is not None:
            series = (row[layer.color], row.get(layer.dash))
            if series not in last or row[layer.x] >= last[series][layer.x]:
                last[series] = row
    heights = [row[layer.y] for row in rows if _drawable(chart.y, row[layer.y])]
    if not last:
        return []
    forth, back = _pixels(chart, min(heights), max(heights))
    ends = sorted(last.values(), key=lambda row: forth(row[layer.y]))
    places = spread([forth(row[layer.y]) for row in ends], LINE_HEIGHT)
    return [row | {LABEL_Y: back(place)} for row, place in zip(ends, places, strict=True)]


def spread(places: list[float], apart: float) -> list[float]:
    """Move sorted places as little as needed so that neighbours are `apart`, keeping each cluster's centre.

    >>> spread([0.0, 1.0, 50.0], 10.0)
    [-4.5, 5.5, 50.0]
    """
    clusters: list[list[float]] = []  # each the wanted places of names that touch
    for place in places:
        clusters.append([place])
        while len(clusters) > 1 and _bottom(clusters[-1], apart) < _top(clusters[-2], apart) + apart:
            clusters[-2:] = [clusters[-2] + clusters[-1]]
    return [_bottom(cluster, apart) + apart * index for cluster in clusters for index in range(len(cluster))]


def _bottom(cluster: list[float], apart: float) -> float:
    return sum(cluster) / len(cluster) - apart * (len(cluster) - 1) / 2


def _top(cluster: list[float], apart: float) -> float:
    return _bottom(cluster, apart) + apart * (len(cluster) - 1)


def _drawable(axis: Axis, value: float | None) -> bool:
    return value is not None and (axis.scale != "log" or value > 0)


def _pixels(chart: Chart, low: float, high: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Return maps from a value to pixels above the axis and back, about as Vega-Lite will draw it."""
    low, high = chart.y.domain or (min(low, 0.0) if chart.y.zero else low, high)
    if chart.y.scale == "log":
        bottom, per_pixel = math.log(low), (math.log(high / low) or 1.0) / chart.height
        return lambda y: (math.log(y) - bottom) / per_pixel, lambda place: math.exp(bottom + place * per_pixel)
    per_pixel = ((high - low) or 1.0) / chart.height
    return lambda y: (y - low) / per_pixel, lambda place: low + place * per_pixel
