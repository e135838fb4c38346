"""Data bound to a finished specification: this run's rows, and those of the runs a learner has pinned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mem_core.lab.chart_templates import PRESENT, RUN, THIS_RUN, ends_name, specification, tables_used
from mem_core.lab.line_ends import line_ends
from mem_core.mechanisms.charts import Chart
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
Rows = list[dict[str, Any]]

MIME = "application/vnd.vegalite.v6+json"


def bind(chart: Chart, tables: Tables, pinned: Sequence[tuple[str, Tables]] = ()) -> dict[str, Any]:
    """Return the chart's specification with the rows of this run, and of each pinned run under its name."""
    data = {name: rows_of_runs(name, tables, pinned) for name in tables_used(chart)}
    for layer in chart.layers:
        if layer.label_ends:
            data[ends_name(layer)] = line_ends(chart, layer, data[layer.table])
    params = [{"name": PRESENT, "value": present(chart, data)}]
    return {**specification(chart), "params": params, "datasets": data, "description": chart.describe(tables)}


def present(chart: Chart, data: Mapping[str, Rows]) -> list[str]:
    """List the chart's series that occur in the data, in the chart's order."""
    columns = [(layer.table, layer.color) for layer in chart.layers if layer.color]
    found = {row[column] for table, column in columns for row in data[table] if column in row}
    return [name for name in chart.series if name in found]


def rows_of_runs(name: str, tables: Tables, pinned: Sequence[tuple[str, Tables]] = ()) -> Rows:
    """List one table's rows over this run and the pinned ones, each with the name of its run."""
    runs = [*pinned, (THIS_RUN, tables)]
    return [row | {RUN: run} for run, of_run in runs if name in of_run for row in of_run[name].rows()]
