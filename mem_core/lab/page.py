"""One notebook page: its mechanism, what its link asks for, and the state that its cells react to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import marimo as mo

from mem_core.engine import ENVIRONMENT_VARIABLE, EngineError, best_available, select
from mem_core.lab import link, own_measurements, styles
from mem_core.lab.control_panel import ControlPanel
from mem_core.lab.live import Live
from mem_core.lab.runner import Request
from mem_core.lab.status import Buttons
from mem_core.mechanisms import catalog
from mem_core.mechanisms.charts import Chart
from mem_core.mechanisms.contract import Mechanism, Tier
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.settings import Settings
from mem_core.mechanisms.tables import Table

SLOW_SECONDS = 0.5
"""A mechanism whose run has a budget above this waits for a slider to be let go before it runs again."""

KEPT_RUNS = 200
"""How many earlier runs a chart that accumulates them looks back on."""

PRESETS: tuple[tuple[Tier, str, str], ...] = (
    ("browser", "Reset", "Back to the defaults, sized for a browser"),
    ("cpu", "Laptop size", "A larger experiment, for a laptop or a server"),
    ("gpu", "Paper size", "The largest experiment here: slow without a GPU"),
)


class Page:
    """What the cells of one notebook share.

    Attributes:
        mechanism: the mechanism this page is about.
        frames: state that changes when a new frame has arrived or a run was pinned; chart cells read it.
        news: state that changes when a claim has been measured or an answer graded.
        buttons: stop, pin and unpin, which last as long as the page.
        pinned: runs kept for comparison, by name.
        problem: one sentence about what could not be used, empty if all is well.
    """

    def __init__(self, slug: str) -> None:
        self.mechanism: Mechanism = catalog.load(slug)
        self.default: Settings = self.mechanism.presets["browser"]
        opened = link.read(self.default, mo.query_params().to_dict())
        self._opened = opened
        self.problem = opened.problem
        # Self loops: a button counts as part of the cell that shows it, and that cell has to run again.
        self.frames, self._set_frames = mo.state(0, allow_self_loops=True)
        self.news, self._set_news = mo.state(0, allow_self_loops=True)
        self.pinned: list[tuple[str, Mapping[str, Table]]] = []
        self.live: Live | None = None
        self._earlier: dict[str, list[Table]] = {}
        self.buttons = Buttons(self)
        self._held: dict[str, Any] = {}
        self.engine = select_engine(self.mechanism)

    def controls(self) -> ControlPanel:
        """Return the panel of controls, starting from what the link asks for."""
        presets = [(words, help_, self._texts(self.mechanism.presets[tier], 0)) for tier, words, help_ in PRESETS]
        return ControlPanel(
            self.mechanism.settings.controls() | {"seed": link.SEED},
            self._texts(self._opened.settings, self._opened.seed),
            presets=presets,
            on_release=max(self.mechanism.budget_seconds.values(), default=0) > SLOW_SECONDS,
        )

    def run(self, texts: Mapping[str, str]) -> Live:
        """Run with what the controls say; if that cannot be used, keep the last good run and say why."""
        self.problem = self._opened.problem if self.live is None else ""
        try:
            settings, seed = self._read(texts)
        except SettingsError as error:
            self.problem = str(error)
            if self.live is not None:
                if self.live.running:
                    self.live.go_on()
                return self.live
            settings, seed = self.default, 0
        self._remember_in_address(settings, seed)
        self._keep_what_accumulates()
        if self.live is not None:
            self.live.stop()
        request = Request(self.mechanism.slug, settings, seed, self.engine)
        self.live = Live(request, self.live, self.frames_changed).start()
        return self.live

    def _read(self, texts: Mapping[str, str]) -> tuple[Settings, int]:
        seed = link.SEED.parse("seed", texts["seed"])
        rest = {name: text for name, text in texts.items() if name != "seed"}
        return self.default.parsed(own_measurements.as_pairs(self.default, rest)), seed

    @staticmethod
    def _texts(settings: Settings, seed: int) -> dict[str, str]:
        return settings.formatted() | {"seed": str(seed)}

    def frames_changed(self) -> None:
        """Let the cells that show frames run again."""
        self._set_frames(self.frames() + 1)

    def news_changed(self) -> None:
        """Let the cells that show claims and grades run again."""
        self._set_news(self.news() + 1)

    def with_earlier_runs(self, chart: Chart, tables: Mapping[str, Table]) -> Mapping[str, Table]:
        """Return the tables, with the rows of this page's earlier runs where the chart accumulates them."""
        names = {layer.table for layer in chart.layers if layer.accumulate} & tables.keys()
        return {**tables, **{name: tables[name].joined(self._earlier.get(name, ())) for name in names}}

    def _keep_what_accumulates(self) -> None:
        if self.live is None or not self.live.finished:
            return
        for name in {layer.table for chart in self.mechanism.charts for layer in chart.layers if layer.accumulate}:
            kept = self._earlier.setdefault(name, [])
            kept.append(self.live.tables[name])
            del kept[:-KEPT_RUNS]

    def hold(self, place: str, elements: Any) -> Any:
        """Keep elements alive that no cell names: marimo knows an element only as long as somebody holds it."""
        self._held[place] = elements
        return elements

    def stop(self) -> None:
        """End the run at hand."""
        if self.live is not None:
            self.live.stop()

    def pin(self) -> None:
        """Keep the run at hand, to compare later ones with it."""
        if self.live is not None and self.live.tables:
            self.pinned.append((f"pinned {len(self.pinned) + 1}", dict(self.live.tables)))
            self.frames_changed()

    def unpin(self) -> None:
        """Let go of all pinned runs."""
        self.pinned.clear()
        self.frames_changed()

    def _remember_in_address(self, settings: Settings, seed: int) -> None:
        """Keep the page's address in step with its controls, so that a copied address brings this page back."""
        wanted = link.differences(settings, self.default, seed)
        query = mo.query_params()
        for name in [*settings.controls(), "seed"]:
            if name in wanted and query.get(name) != wanted[name]:
                query.set(name, wanted[name])
            elif name not in wanted and name in query:
                query.remove(name)


def select_engine(mechanism: Mechanism) -> Any:
    """Return the engine that the environment asks for, a GPU, or else the one that is faster on this mechanism."""
    asked = ENVIRONMENT_VARIABLE in os.environ or best_available() != "torch"
    try:
        return select("auto" if asked else mechanism.faster_on_cpu)
    except EngineError as error:
        mo.stop(True, styles.callout(str(error), "danger"))


def open_page(slug: str) -> Page:
    """Open the page of a mechanism, as its link asks."""
    return Page(slug)
