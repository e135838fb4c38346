"""Data bound to a finished specification: this run's rows, and those of the runs a learner has pinned.

Data travel as CSV text inside the specification. As JSON objects they would be five times as long, and the page would
spend more time reading them than drawing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from mem_core.lab.chart_templates import LABEL_Y, PRESENT, RUN, THIS_RUN, ends_name, specification, tables_used
from mem_core.lab.line_ends import line_ends
from mem_core.mechanisms.charts import Chart, Layer
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
Pinned = Sequence[tuple[str, Tables]]

MIME = "application/vnd.vegalite.v6+json"
DIGITS = 6
"""Of a number in a chart: more than a screen can show."""


def bind(chart: Chart, tables: Tables, pinned: Pinned = ()) -> dict[str, Any]:
    """Return the chart's specification with the rows of this run, and of each pinned run under its name."""
    data = {name: as_csv(columns_drawn(chart, name), runs(name, tables, pinned)) for name in tables_used(chart)}
    for layer in chart.layers:
        if layer.label_ends:
            columns = [layer.x, layer.y, layer.color, *([layer.dash] if layer.dash else []), LABEL_Y]
            shown = [table for _, table in runs(layer.table, tables, pinned)]
            data[ends_name(layer)] = as_csv(columns, [(THIS_RUN, line_ends(chart, layer, shown))])
    return {
        **specification(chart),
        "params": [{"name": PRESENT, "value": present(chart, tables, pinned)}],
        "datasets": data,
        "description": chart.describe(tables),
    }


def has_marks(chart: Chart, tables: Tables) -> bool:
    """Whether there is anything to draw but rules and words: axes of nothing have no ends."""
    tables_of_marks = {layer.table for layer in chart.layers if layer.mark not in ("rule_x", "rule_y", "text")}
    return any(len(tables[name]) for name in tables_of_marks)


def runs(name: str, tables: Tables, pinned: Pinned = ()) -> list[tuple[str, Table]]:
    """List the tables of one name with the name of their run, this run last."""
    return [(run, of_run[name]) for run, of_run in (*pinned, (THIS_RUN, tables)) if name in of_run]


def columns_drawn(chart: Chart, name: str) -> list[str]:
    """List the columns of one table that the chart draws; the page needs no others."""
    columns = [column for layer in chart.layers if layer.table == name for column in _columns(layer)]
    return list(dict.fromkeys(columns))


def as_csv(columns: Sequence[str], tables: Sequence[tuple[str, Table]]) -> str:
    """Write some columns of the tables of one or more runs as CSV, the run in a column of its own."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*columns, RUN])
    for run, table in tables:
        shown = [_shown(table, column) for column in columns]
        writer.writerows((*row, run) for row in zip(*shown, strict=True))
    return out.getvalue()


def present(chart: Chart, tables: Tables, pinned: Pinned = ()) -> list[str]:
    """List the chart's series that occur in the data, in the chart's order."""
    found: set[Any] = set()
    for layer in chart.layers:
        if layer.color and layer.mark != "heatmap":
            for _, table in runs(layer.table, tables, pinned):
                found.update(table[layer.color].tolist() if layer.color in table.columns else ())
    return [name for name in chart.series if name in found]


def _columns(layer: Layer) -> list[str]:
    named = (layer.x, layer.x2, layer.y, layer.y2, layer.color, layer.dash, layer.detail, layer.text, layer.outline)
    return [column for column in named if column]


def _shown(table: Table, column: str) -> list[Any]:
    if column not in table.columns:
        return [""] * len(table)
    values = table[column]
    if values.dtype.kind == "f":
        # Not a number becomes an empty cell, which Vega-Lite reads as a gap.
        return [f"{value:.{DIGITS}g}" if value - value == 0 else "" for value in values.tolist()]
    return ["true" if value else "" for value in values.tolist()] if values.dtype.kind == "b" else list(values.tolist())
