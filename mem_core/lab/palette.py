"""Colours, dashes and the look of every chart.

Colours are Okabe and Ito's, which stay apart for colour-blind eyes (https://jfly.uni-koeln.de/color/). The first four
reach a contrast of 3:1 on white and on marimo's dark background, so short lists of series use only these. Text and
axes are `currentColor`: they follow the page into dark mode without a second specification.
"""

from __future__ import annotations

from typing import Any

BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
TEXT = "currentColor"

SERIES_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, TEXT, ORANGE, SKY, YELLOW)
SERIES_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [10, 4], [1, 3], [6, 2, 1, 2])
SERIES_SHAPES = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
    "triangle-left",
)

_FONT = "ui-sans-serif, system-ui, sans-serif"
_AXIS = {
    "labelColor": TEXT,
    "titleColor": TEXT,
    "tickColor": TEXT,
    "domainColor": TEXT,
    "gridColor": TEXT,
    "gridOpacity": 0.12,
    "domainOpacity": 0.4,
    "tickOpacity": 0.4,
    "labelFont": _FONT,
    "titleFont": _FONT,
    "labelFontSize": 12,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "labelLimit": 160,
}

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": _FONT,
    "view": {"stroke": None},
    "axis": _AXIS,
    "legend": {
        "labelColor": TEXT,
        "titleColor": TEXT,
        "labelFont": _FONT,
        "titleFont": _FONT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "orient": "top",
        "direction": "horizontal",
        "symbolStrokeWidth": 2.5,
        "columns": 4,
    },
    "text": {"color": TEXT, "font": _FONT, "fontSize": 12},
    "rule": {"color": TEXT},
    "line": {"strokeWidth": 2},
    "point": {"filled": True, "size": 45},
}
