"""Charts as plain data: which columns of which table go where.

A mechanism says what is drawn, never how: `mem_core.lab` turns each `Chart` into one Vega-Lite specification,
once, and binds the data of every later run to it. So a mechanism needs no plotting library, and a browser can be
given the finished specifications.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mem_core.mechanisms.tables import Table

Mark = Literal["line", "point", "bar", "area", "band", "errorbar", "rule_x", "rule_y", "heatmap", "text"]
AxisScale = Literal["linear", "log", "symlog", "nominal", "ordinal"]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis: its title, unit and scale.

    Attributes:
        title: what is measured, in plain words.
        unit: shown in brackets after the title; empty for a pure number.
        scale: `linear`, `log`, `symlog` (log with a zero), or `nominal` / `ordinal` for categories.
        domain: fixed ends of the axis; None lets the data decide.
        zero: whether the axis must include zero.
        reverse: whether the axis runs from high to low.
    """

    title: str
    unit: str = ""
    scale: AxisScale = "linear"
    domain: tuple[float, float] | None = None
    zero: bool = False
    reverse: bool = False


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One mark drawn from one table.

    Attributes:
        mark: `line`, `point`, `bar` (grouped by `color`), `area` (stacked by `color`), `band` (from `y` to `y2`),
            `errorbar` (from `y` to `y2`), `rule_x` (a vertical line at `x`), `rule_y` (a horizontal line at `y`),
            `heatmap` (a cell per row, coloured by `color` as a number), `text` (the column `text` at x, y).
        table: name of the table in the frame. The page adds a column `run` to it, so it may not have one itself.
        x, y, y2: column names.
        color: column whose values name the series (a number for `heatmap`).
        dash: column whose values choose the dash, where two things differ (for example train and test).
        detail: column that separates lines without a colour of their own.
        text: column with words for a `text` or rule mark.
        x2: right end of a heat-map cell, where cells are not one category each.
        label_ends: write each series' name at the end of its line, in place of a legend.
        outline: for `heatmap`, a column of booleans: true cells get an outline.
        size: stroke width or point size; None takes the house default.
        accumulate: draw the rows of the page's earlier runs too, after this run's own.
    """

    mark: Mark
    table: str
    x: str = ""
    y: str = ""
    y2: str = ""
    color: str = ""
    dash: str = ""
    detail: str = ""
    text: str = ""
    x2: str = ""
    label_ends: bool = False
    outline: str = ""
    size: float | None = None
    accumulate: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One chart: axes, layers and the sentence that says what it shows.

    Attributes:
        key: short name used in links and tests.
        title: what the chart shows.
        x, y: the axes.
        layers: drawn in order, the first at the back.
        describe: gives one or two sentences computed from the tables, for a screen reader and for everyone.
        look_for: what a learner should look for, in one sentence.
        series: names of the colour series in a fixed order, so that a series keeps its colour from run to run.
        legend: title of the colour legend.
        color_domain: fixed ends of a heat map's colours; None lets the data decide.
        height: in pixels.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    layers: tuple[Layer, ...]
    describe: Callable[[Mapping[str, Table]], str]
    look_for: str = ""
    series: tuple[str, ...] = field(default=())
    legend: str = ""
    color_domain: tuple[float, float] | None = None
    height: int = 260
