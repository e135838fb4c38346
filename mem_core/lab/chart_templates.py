"""From a chart as plain data to a Vega-Lite specification, once per chart; data is bound later.

Building with Altair costs tens of milliseconds and binding data to the finished specification well under one, so a
page builds each chart on its first showing only.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt

from mem_core.lab.palette import CONFIG, SERIES_COLORS, SERIES_DASHES, SERIES_SHAPES, TEXT
from mem_core.mechanisms.charts import Axis, Chart, Layer

Drawing = Any
"""A chart of Altair's, whose own types do not say which kind a method returns."""

RUN = "run"
"""Column added to every bound row: which run it comes from."""
THIS_RUN = "this run"
PRESENT = "present"
"""Parameter of a specification: the series that the bound data has, in the chart's order."""
LABEL_Y = "label y"
"""Column of a line's end: where its name is written, a little away from the names of its neighbours."""

_NUMBER_SCALES = ("linear", "log", "symlog")
_LIVE_ONLY = ("area", "heatmap", "text")  # overlaying a pinned run on these hides more than it shows


@cache
def specification(chart: Chart) -> dict[str, Any]:
    """Return the chart's specification without data; its data sets are named after the mechanism's tables."""
    spec: dict[str, Any] = draw(chart).to_dict(validate=False)
    # No chart menu: it has no accessible name, and the page offers the data itself. SVG, so that text can follow
    # the page's colour into dark mode.
    spec["usermeta"] = {"embedOptions": {"actions": False, "renderer": "svg"}}
    return spec


def draw(chart: Chart) -> Drawing:
    """Build the chart with Altair."""
    layers = [part for layer in chart.layers for part in _parts(chart, layer)]
    present = alt.param(name=PRESENT, value=list(chart.series))
    return alt.layer(*layers).add_params(present).properties(width="container", height=chart.height).configure(**CONFIG)


def tables_used(chart: Chart) -> tuple[str, ...]:
    """Name the tables a chart draws from, in order and once each."""
    return tuple(dict.fromkeys(layer.table for layer in chart.layers))


def ends_name(layer: Layer) -> str:
    """Name the data set that holds the last point of each line of a layer."""
    return f"{layer.table} {layer.color} ends"


def _named(name: str) -> alt.NamedData:
    return alt.NamedData(name, format=alt.CsvDataFormat(type="csv"))


def _parts(chart: Chart, layer: Layer) -> list[Drawing]:
    base = alt.Chart(_named(layer.table))
    if layer.mark in _LIVE_ONLY:
        base = base.transform_filter(alt.datum[RUN] == THIS_RUN)
    parts = [_DRAW[layer.mark](base, chart, layer)]
    if layer.label_ends:
        parts += _end_labels(chart, layer)
    return parts


def _scale(axis: Axis) -> alt.Scale:
    keywords: dict[str, Any] = {"zero": axis.zero, "nice": axis.domain is None}
    if axis.scale in ("log", "symlog"):
        keywords = {"type": axis.scale, "nice": False}
        if axis.scale == "symlog":
            keywords["constant"] = 1
    if axis.domain is not None:
        keywords["domain"] = list(axis.domain)
    if axis.reverse:
        keywords["reverse"] = True
    return alt.Scale(**keywords)


def _title(axis: Axis) -> str:
    return f"{axis.title} ({axis.unit})" if axis.unit else axis.title


def _position(kind: type[alt.X] | type[alt.Y], field: str, axis: Axis) -> Any:
    title = _title(axis)
    if axis.scale in ("nominal", "ordinal"):
        sort = "descending" if axis.reverse else None
        return kind(field, type=axis.scale, title=title, sort=sort, axis=alt.Axis(labelAngle=0))
    # Long numbers get an SI prefix on log axes only: on a linear axis 0.5 must not read as 500m.
    look: dict[str, Any] = {"tickCount": 5, "grid": True}
    if axis.scale == "log":
        look["format"] = "~g"
    return kind(field, type="quantitative", title=title, scale=_scale(axis), axis=alt.Axis(**look))


def _x(chart: Chart, layer: Layer) -> Any:
    return _position(alt.X, layer.x, chart.x)


def _y(chart: Chart, layer: Layer) -> Any:
    return _position(alt.Y, layer.y, chart.y)


def _domain(chart: Chart, values: tuple[Any, ...]) -> dict[str, Any]:
    if not chart.series:
        return {"range": list(values)}
    return {"domain": list(chart.series), "range": [values[i % len(values)] for i in range(len(chart.series))]}


def _legend(chart: Chart) -> alt.Legend:
    """Return a legend of the series that are drawn: a series that was not selected must not be promised."""
    keywords: dict[str, Any] = {"values": alt.ExprRef(PRESENT)} if chart.series else {}
    return alt.Legend(title=chart.legend or None, **keywords)


def _color(chart: Chart, layer: Layer) -> Any:
    if not layer.color:
        # Beside coloured series a line without a name is background: it must not look like one of them.
        return alt.value(TEXT if chart.series else SERIES_COLORS[0])
    labelled = any(other.label_ends and other.color == layer.color for other in chart.layers)
    legend = None if labelled else _legend(chart)
    return alt.Color(layer.color, type="nominal", scale=alt.Scale(**_domain(chart, SERIES_COLORS)), legend=legend)


def _dash(chart: Chart, layer: Layer) -> Any:
    if layer.dash:
        return alt.StrokeDash(layer.dash, type="nominal", sort=None, legend=alt.Legend(title=None))
    if not layer.color or layer.label_ends:
        return alt.value([1, 0])
    # The same title and field as the colour's, so that Vega-Lite draws one legend for both.
    scale = alt.Scale(**_domain(chart, SERIES_DASHES))
    return alt.StrokeDash(layer.color, type="nominal", scale=scale, legend=_legend(chart))


def _detail(layer: Layer) -> Any:
    return [alt.Detail(name, type="nominal") for name in (RUN, layer.detail) if name]


def _faded() -> Any:
    return alt.condition(alt.datum[RUN] == THIS_RUN, alt.value(1.0), alt.value(0.35))


def _tooltip(chart: Chart, layer: Layer) -> list[Any]:
    numbers = {name for name, axis in ((layer.x, chart.x), (layer.y, chart.y)) if axis.scale in _NUMBER_SCALES}
    numbers |= {layer.color} if layer.mark == "heatmap" else set()
    names = dict.fromkeys(name for name in (layer.color, layer.dash, layer.x, layer.y, layer.text) if name)
    return [
        alt.Tooltip(name, type="quantitative", format=".4~g") if name in numbers else alt.Tooltip(name, type="nominal")
        for name in names
    ]


def _line(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    # Rows in the order of the table: a path may turn back.
    return base.mark_line(strokeWidth=layer.size or 2, clip=True, order=False).encode(
        x=_x(chart, layer),
        y=_y(chart, layer),
        color=_color(chart, layer),
        strokeDash=_dash(chart, layer),
        detail=_detail(layer),
        opacity=_faded(),
        tooltip=_tooltip(chart, layer),
    )


def _point(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    shape: Any = alt.value("circle")
    if layer.color and chart.series:
        shape = alt.Shape(layer.color, type="nominal", scale=alt.Scale(**_domain(chart, SERIES_SHAPES)), legend=None)
    return base.mark_point(filled=True, size=layer.size or 45, clip=True).encode(
        x=_x(chart, layer),
        y=_y(chart, layer),
        color=_color(chart, layer),
        shape=shape,
        opacity=_faded(),
        tooltip=_tooltip(chart, layer),
    )


def _bar(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    encoding = {
        "x": _x(chart, layer),
        "y": alt.Y(layer.y, type="quantitative", title=_title(chart.y), scale=_scale(chart.y), stack=None),
        "color": _color(chart, layer),
        "opacity": _faded(),
        "tooltip": _tooltip(chart, layer),
    }
    if layer.color and chart.x.scale in ("nominal", "ordinal") and layer.color != layer.x:
        encoding["xOffset"] = alt.XOffset(layer.color, type="nominal", sort=list(chart.series) or None)
    if layer.x2:
        # Binned: the bar goes from x to x2, where Vega-Lite would else draw a tick at x.
        encoding["x"] = alt.X(layer.x, type="quantitative", bin="binned", title=_title(chart.x), scale=_scale(chart.x))
        encoding["x2"] = alt.X2(layer.x2)
    return base.mark_bar(clip=True).encode(**encoding)


def _area(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    # The first of the series lies at the bottom.
    ranked = base.transform_calculate(place_in_stack=f"indexof({list(chart.series)}, datum['{layer.color}'])")
    return ranked.mark_area(opacity=0.75, clip=True).encode(
        order=alt.Order("place_in_stack", type="quantitative", sort="ascending"),
        x=_x(chart, layer),
        y=alt.Y(layer.y, type="quantitative", title=_title(chart.y), scale=_scale(chart.y), stack="zero"),
        color=_color(chart, layer),
        tooltip=_tooltip(chart, layer),
    )


def _band(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    return base.mark_area(opacity=0.18, clip=True).encode(
        x=_x(chart, layer), y=_y(chart, layer), y2=alt.Y2(layer.y2), color=_color(chart, layer), detail=_detail(layer)
    )


def _errorbar(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    return base.mark_rule(strokeWidth=layer.size or 1.5).encode(
        x=_x(chart, layer), y=_y(chart, layer), y2=alt.Y2(layer.y2), color=_color(chart, layer), opacity=_faded()
    )


def _rule_x(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    rule = base.mark_rule(strokeDash=[4, 3], strokeWidth=layer.size or 1.2, clip=True).encode(
        x=_x(chart, layer), opacity=_faded(), color=_color(chart, layer) if layer.color else alt.value(TEXT)
    )
    if not layer.text:
        return rule
    words = base.mark_text(align="left", baseline="top", dx=4, dy=2).encode(
        x=_x(chart, layer), y=alt.value(0), text=alt.Text(layer.text, type="nominal"), opacity=_faded()
    )
    return alt.layer(rule, words)


def _rule_y(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    rule = base.mark_rule(strokeDash=[4, 3], strokeWidth=layer.size or 1.2, clip=True).encode(
        y=_y(chart, layer), opacity=_faded(), color=_color(chart, layer) if layer.color else alt.value(TEXT)
    )
    if not layer.text:
        return rule
    words = base.mark_text(align="left", baseline="bottom", dx=4, dy=-2).encode(
        x=alt.value(0), y=_y(chart, layer), text=alt.Text(layer.text, type="nominal"), opacity=_faded()
    )
    return alt.layer(rule, words)


def _heatmap(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    encoding: dict[str, Any] = {
        "x": _x(chart, layer),
        "y": _y(chart, layer),
        "color": alt.Color(
            layer.color,
            type="quantitative",
            scale=alt.Scale(scheme="cividis", domain=chart.color_domain or alt.Undefined),
            legend=alt.Legend(title=chart.legend or None, gradientLength=160),
        ),
        "tooltip": _tooltip(chart, layer),
    }
    if layer.x2:
        encoding["x2"] = alt.X2(layer.x2)
    if layer.y2:
        encoding["y2"] = alt.Y2(layer.y2)
    if not layer.outline:
        return base.mark_rect(clip=True).encode(**encoding)
    encoding["stroke"] = alt.condition(alt.datum[layer.outline], alt.value("#D55E00"), alt.value("transparent"))
    return base.mark_rect(strokeWidth=1.5, clip=True).encode(**encoding)


def _text(base: Drawing, chart: Chart, layer: Layer) -> Drawing:
    return base.mark_text(align="left", dx=6, dy=-6).encode(
        x=_x(chart, layer), y=_y(chart, layer), text=alt.Text(layer.text, type="nominal")
    )


def _end_labels(chart: Chart, layer: Layer) -> list[Drawing]:
    """Write each series' name at its last point: a coloured dot, and the word in the page's text colour."""
    base = alt.Chart(_named(ends_name(layer)))
    dots = base.mark_point(filled=True, size=40).encode(
        x=_x(chart, layer), y=_y(chart, layer), color=_color(chart, layer)
    )
    apart = _position(alt.Y, LABEL_Y, chart.y)
    words = base.mark_text(align="right", baseline="bottom", dx=-4, dy=-4).encode(
        x=_x(chart, layer), y=apart, text=alt.Text(layer.color, type="nominal")
    )
    return [dots, words]


_DRAW = {
    "line": _line,
    "point": _point,
    "bar": _bar,
    "area": _area,
    "band": _band,
    "errorbar": _errorbar,
    "rule_x": _rule_x,
    "rule_y": _rule_y,
    "heatmap": _heatmap,
    "text": _text,
}
