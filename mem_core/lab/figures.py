"""A chart on the page: its title, picture, description, what to look for, and the numbers behind it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import marimo as mo
from marimo._plugins.stateless.mime import mime_renderer

from mem_core.lab.chart_binding import MIME, Tables, bind, has_marks
from mem_core.lab.chart_templates import tables_used
from mem_core.mechanisms.charts import Chart
from mem_core.mechanisms.tables import Table

if TYPE_CHECKING:
    from mem_core.lab.live import Live
    from mem_core.lab.page import Page

SHOWN_ROWS = 500
"""Rows of a table shown in the page; the CSV holds them all."""

# Written on the elements: a fold has a shadow root, which the page's style sheet does not reach.
_SCROLLING = "max-height:16rem;overflow:auto;color:var(--foreground)"
_COMPACT = "font-size:.8rem;font-variant-numeric:tabular-nums;border-spacing:.8rem 0;text-align:right"


def figure(page: Page, live: Live, key: str) -> mo.Html:
    """Return the chart of that name with everything that belongs to it, for the run at hand and the pinned ones."""
    chart = page.mechanism.chart(key)
    return chart_with_words(chart, page.with_earlier_runs(chart, live.tables), page.pinned)


def chart_with_words(chart: Chart, tables: Tables, pinned: Sequence[tuple[str, Tables]] = ()) -> mo.Html:
    """Return a chart between its title and the sentences that say what it shows."""
    if not all(name in tables for name in tables_used(chart)):
        return mo.Html(_figure(chart, _waiting(chart), "Waiting for the first frame."))
    if has_marks(chart, tables):
        spec = bind(chart, tables, pinned)
        body = _figure(chart, mime_renderer(MIME, spec).text, spec["description"])
    else:
        body = _figure(chart, _waiting(chart), chart.describe(tables))
    return mo.vstack([mo.Html(body), numbers(chart, tables)], gap=0)


def _figure(chart: Chart, picture: str, description: str) -> str:
    look = f"<p class='lab-look'><b>Look for:</b> {escape(chart.look_for)}</p>" if chart.look_for else ""
    # The picture is hidden from screen readers: title, description and numbers say it in words.
    return (
        f"<div class='lab-figure' data-chart='{escape(chart.key)}' role='group' aria-label='{escape(chart.title)}'>"
        f"<h3>{escape(chart.title)}</h3><div aria-hidden='true'>{picture}</div>"
        f"<p class='lab-description'>{escape(description)}</p>{look}</div>"
    )


def _waiting(chart: Chart) -> str:
    """Return an empty place of the picture's size, so that the page does not jump when the picture comes."""
    return f"<div style='height:{chart.height}px'></div>"


def numbers(chart: Chart, tables: Tables) -> mo.Html:
    """Return a fold with the numbers behind a chart, made only when it is opened."""
    return mo.accordion({"Numbers": lambda: _numbers_now(chart, tables)}, lazy=True)


def _numbers_now(chart: Chart, tables: Tables) -> mo.Html:
    parts: list[Any] = []
    for name in tables_used(chart):
        if name in tables:
            parts += [as_html(name, tables[name]), _download(chart.key, name, tables[name])]
    return mo.vstack(parts)


def as_html(name: str, table: Table) -> mo.Html:
    """Return a table as HTML, cut at a length that a page can bear."""
    heads = "".join(f"<th scope='col'>{escape(head)}</th>" for head in headings(table))
    rows = table.rows()
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(_shown(value))}</td>" for value in row.values()) + "</tr>"
        for row in rows[:SHOWN_ROWS]
    )
    cut = f"<p class='lab-small'>The first {SHOWN_ROWS} of {len(rows)} rows.</p>" if len(rows) > SHOWN_ROWS else ""
    caption = f"<caption>{escape(name.replace('_', ' '))}</caption>"
    return mo.Html(
        f"<div style='{_SCROLLING}' tabindex='0' role='region' aria-label='Table {escape(name)}'>"
        f"<table style='{_COMPACT}'>{caption}<thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table></div>{cut}"
    )


def as_csv(table: Table) -> str:
    """Write a table as CSV, with units in the heading."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headings(table))
    writer.writerows(row.values() for row in table.rows())
    return out.getvalue()


def headings(table: Table) -> list[str]:
    """List the names of the columns with their units."""
    units: Mapping[str, str] = table.units
    return [f"{name} ({units[name]})" if units.get(name) else name for name in table.columns]


def _download(chart: str, name: str, table: Table) -> Any:
    return mo.download(
        as_csv(table).encode(), filename=f"{chart}-{name}.csv", mimetype="text/csv", label=f"{name} as CSV"
    )


def _shown(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else "" if value is None else str(value)
