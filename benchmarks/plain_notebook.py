"""The page to beat: the same run and the same charts, in a plain marimo notebook that rebuilds its charts each time.

It even gets its data in our compact form: what differs is that every chart is built with Altair again.

Which mechanism and which setting it moves come from the environment, so that one file serves for all.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium")


@app.cell
def _():
    import os

    import marimo as mo

    from mem_core.engine import select
    from mem_core.lab.chart_binding import as_csv, columns_drawn, runs
    from mem_core.lab.chart_templates import draw, tables_used
    from mem_core.lab.control_panel import described
    from mem_core.mechanisms import catalog
    from mem_core.mechanisms.experiment import run_to_end

    mechanism = catalog.load(os.environ["PLAIN_SLUG"])
    name = os.environ["PLAIN_SETTING"]
    default = mechanism.presets["browser"]
    engine = select()
    return as_csv, columns_drawn, default, described, draw, engine, mechanism, mo, name, run_to_end, runs, tables_used


@app.cell
def _(default, described, mo, name):
    bounds = described(name, default.controls()[name])
    if bounds["scale"] == "log":
        steps = [bounds["low"] * (bounds["high"] / bounds["low"]) ** (i / 60) for i in range(61)]
    else:
        step = bounds["step"] or (bounds["high"] - bounds["low"]) / 100
        steps = [bounds["low"] + step * i for i in range(round((bounds["high"] - bounds["low"]) / step) + 1)]
    nearest = min(steps, key=lambda value: abs(value - getattr(default, name)))
    moved = mo.ui.slider(steps=steps, value=nearest)
    moved
    return (moved,)


@app.cell
def _(default, engine, mechanism, moved, name, run_to_end):
    value = type(getattr(default, name))(moved.value)
    tables = run_to_end(mechanism, default.changed(**{name: value}), engine, 0).tables
    return (tables,)


@app.cell
def _(as_csv, columns_drawn, draw, mechanism, mo, runs, tables, tables_used):
    charts = []
    for chart in mechanism.charts:
        drawn = draw(chart)
        drawn.datasets = {
            table: as_csv(columns_drawn(chart, table), runs(table, tables)) for table in tables_used(chart)
        }
        charts.append(drawn)
    mo.vstack(charts)
    return


@app.cell
def _(moved, mo, tables):
    tables
    mo.md(f"<span class='moved'>{moved.value}</span>")
    return


if __name__ == "__main__":
    app.run()
