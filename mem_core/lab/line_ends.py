"""Where the names of lines are written: at their last points, pushed apart where they would lie on one another."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.lab.chart_templates import LABEL_Y
from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.tables import Table

LINE_HEIGHT = 15
"""Least distance between two names, in pixels."""


def line_ends(chart: Chart, layer: Layer, tables: Sequence[Table]) -> Table:
    """Return the last row of each line of the last table, with the height of its name in the column `LABEL_Y`.

    Args:
        chart: whose axes decide what a pixel is.
        layer: whose lines they are.
        tables: those of all runs drawn, this run's last.
    """
    table = tables[-1]
    names = [table[column].tolist() for column in (layer.color, layer.dash) if column]
    columns = [layer.x, layer.y, layer.color, *([layer.dash] if layer.dash else [])]
    last: dict[tuple[object, ...], int] = {}
    x = table[layer.x].tolist()
    drawable = _drawable(chart.y, table[layer.y]).tolist()
    for row, series in enumerate(zip(*names, strict=True)):
        if drawable[row] and (series not in last or x[row] >= x[last[series]]):
            last[series] = row
    ends = Table({name: table[name][list(last.values())] for name in columns}, table.units)
    if not last:
        return Table({**ends.columns, LABEL_Y: np.zeros(0)})
    heights = np.concatenate([one[layer.y][_drawable(chart.y, one[layer.y])] for one in tables])
    forth, back = _pixels(chart, float(heights.min()), float(heights.max()))
    wanted = [forth(value) for value in ends[layer.y].tolist()]
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    label_y = np.zeros(len(wanted))
    for index, place in zip(order, spread([wanted[index] for index in order], LINE_HEIGHT), strict=True):
        label_y[index] = back(place)
    return Table({**ends.columns, LABEL_Y: label_y})


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


def _drawable(axis: Axis, values: NDArray[Any]) -> NDArray[np.bool_]:
    drawable: NDArray[np.bool_] = np.isfinite(values)
    return drawable & (values > 0) if axis.scale == "log" else drawable


def _pixels(chart: Chart, low: float, high: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Return maps from a value to pixels above the axis and back, about as Vega-Lite will draw it."""
    low, high = chart.y.domain or (min(low, 0.0) if chart.y.zero else low, high)
    if chart.y.scale == "log":
        bottom, per_pixel = math.log(low), (math.log(high / low) or 1.0) / chart.height
        return lambda y: (math.log(y) - bottom) / per_pixel, lambda place: math.exp(bottom + place * per_pixel)
    per_pixel = ((high - low) or 1.0) / chart.height
    return lambda y: (y - low) / per_pixel, lambda place: low + place * per_pixel
