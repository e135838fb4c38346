"""The same run on every engine that works here: how long each takes, and how far their numbers are apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import marimo as mo
import numpy as np

from mem_core.engine import available, select
from mem_core.lab import styles
from mem_core.lab.jobs import Job
from mem_core.lab.live import Live
from mem_core.mechanisms.contract import Result
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.tables import Table

if TYPE_CHECKING:
    from mem_core.lab.page import Page


@dataclass(frozen=True)
class Difference:
    """The largest difference between two runs, as a share of the column's largest number, and where it is."""

    share: float
    where: str


class EngineBoard:
    """Runs the settings at hand on every engine when a button is pressed."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._job: Job | None = None
        self._asked: tuple[object, int] | None = None

    def show(self, live: Live) -> mo.Html:
        """Return the button, or what came of it for the settings at hand."""
        request = live.request
        if self._job is None or self._asked != (request.settings, request.seed):
            label = f"Run these settings on {' and '.join(available())}"
            button: mo.Html = mo.ui.button(label=label, on_click=lambda _: self._start(live))
            self._page.hold("engines", button)
            return button
        if self._job.running:
            return styles.callout("Running on every engine …")
        if self._job.problem:
            return styles.callout(self._job.problem, "danger")
        return _table(self._job.outcome, self._page.mechanism.machine_tables)

    def _start(self, live: Live) -> None:
        page, request = self._page, live.request
        self._asked = (request.settings, request.seed)

        def work() -> list[Result]:
            engines = [select(name) for name in available()]
            return [run_to_end(page.mechanism, request.settings, engine, request.seed) for engine in engines]

        self._job = Job(work, page.news_changed).start()
        page.news_changed()


def largest_difference(
    ours: Mapping[str, Table], theirs: Mapping[str, Table], without: Collection[str] = ()
) -> Difference:
    """Compare all numbers of two runs; tables of different length differ as much as can be.

    Args:
        ours, theirs: the runs' tables.
        without: names of tables that are not compared.

    Returns:
        max |a − b| / max |a| over the columns of numbers, and the name of the table and column.
    """
    largest = Difference(0.0, "")
    for name, table in ours.items():
        if name in without:
            continue
        for column, values in table.columns.items():
            other = theirs[name][column]
            if len(values) != len(other):
                return Difference(1.0, f"{name} has {len(values)} and {len(other)} rows")
            if values.dtype.kind in "fiu" and len(values):
                size = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
                share = float(np.nanmax(np.abs(values - other), initial=0.0)) / size
                largest = max(largest, Difference(share, f"{name}: {column}"), key=lambda found: found.share)
    return largest


def _table(results: list[Result], without: Collection[str]) -> mo.Html:
    first = results[0]
    rows = ""
    for result in results:
        apart = largest_difference(first.tables, result.tables, without)
        words = "–" if result is first else f"{apart.share:.1e} ({apart.where})" if apart.where else "none"
        rows += (
            f"<tr><td>{result.engine}</td><td class='number'>{result.seconds:.2f} s</td><td>{escape(words)}</td></tr>"
        )
    heads = "".join(
        f"<th scope='col'>{head}</th>" for head in ("Engine", "Time", f"Largest difference from {first.engine}")
    )
    return mo.Html(f"<table class='lab-claims'><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
