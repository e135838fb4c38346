"""The page that lays the retention curves of several mechanisms over one another, each with its own controls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

import marimo as mo

from mem_core.lab import own_measurements, styles
from mem_core.lab.control_panel import ControlPanel
from mem_core.lab.figures import chart_with_words
from mem_core.lab.live import Live
from mem_core.lab.page import select_engine
from mem_core.lab.runner import Request
from mem_core.mechanisms import catalog, retention
from mem_core.mechanisms.contract import Mechanism
from mem_core.mechanisms.controls import Choices, SettingsError
from mem_core.mechanisms.retention import Curve

WITH = "with"
"""Name in the page's address of the mechanisms that are compared."""
AT_FIRST = 3
"""How many mechanisms are compared before anyone has chosen."""


class Comparison:
    """What the cells of the page share.

    Attributes:
        mechanisms: all that have a retention curve, by name.
        frames: state that changes when a new frame has arrived.
        problem: one sentence about what could not be used, empty if all is well.
    """

    def __init__(self) -> None:
        having = [mechanism for mechanism in catalog.load_all() if mechanism.retention]
        self.mechanisms: dict[str, Mechanism] = {mechanism.name: mechanism for mechanism in having}
        self.frames, self._set_frames = mo.state(0, allow_self_loops=True)
        self.problem = ""
        self._choice = Choices(
            label="Mechanisms",
            help="Choose two or more. Each brings its own controls below.",
            options=tuple(self.mechanisms),
            least=2,
        )
        self._lives: dict[str, Live] = {}
        self._texts: dict[str, Mapping[str, str]] = {}
        self._refused: dict[str, str] = {}
        self._opened = self._read_address()
        self._chosen = self._opened

    def picks(self) -> ControlPanel:
        """Return the boxes that choose the mechanisms, ticked as the page's address asks."""
        return ControlPanel({WITH: self._choice}, {WITH: self._choice.format(self._opened)})

    def panels(self, texts: Mapping[str, str]) -> Any:
        """Return the controls of every mechanism that is chosen, as one element whose value is texts by name."""
        if self._lives:
            self.problem = ""
        try:
            self._chosen = self._choice.parse(WITH, texts[WITH])
        except SettingsError as error:
            self.problem = str(error)
        mo.query_params().set(WITH, self._choice.format(self._chosen))
        return mo.ui.dictionary({name: self._panel(self.mechanisms[name]) for name in self._chosen})

    def panel(self, picks: ControlPanel, panels: Any) -> mo.Html:
        """Return the boxes, and below them the controls of each mechanism in a fold of its own."""
        folds = "".join(
            f"<details class='lab-group'><summary>{escape(name)}</summary>{panel.text}</details>"
            for name, panel in panels.elements.items()
        )
        return styles.panel(mo.Html(picks.text + folds))

    def run(self, texts: Mapping[str, Mapping[str, str]]) -> dict[str, Live]:
        """Run every chosen mechanism with what its controls say; a run that is asked for again goes on."""
        for name, live in self._lives.items():
            if name not in texts:
                live.stop()
        self._texts.update(texts)
        self._refused.clear()
        self._lives = {name: self._live(name, given) for name, given in texts.items()}
        return self._lives

    def _live(self, name: str, texts: Mapping[str, str]) -> Live:
        mechanism, before = self.mechanisms[name], self._lives.get(name)
        settings = before.request.settings if before is not None else mechanism.presets["browser"]
        try:
            settings = settings.parsed(own_measurements.as_pairs(settings, dict(texts)))
        except SettingsError as error:
            self._refused[name] = str(error)
        if before is not None and before.request.settings == settings and not before.stopped:
            if before.running:
                before.go_on()
            return before
        if before is not None:
            before.stop()
        request = Request(mechanism.slug, settings, 0, select_engine(mechanism))
        return Live(request, before, lambda: self._set_frames(self.frames() + 1)).start()

    def status(self, lives: Mapping[str, Live]) -> mo.Html:
        """Return where the runs are, and one sentence for each thing that was wrong."""
        problems = [self.problem] if self.problem else []
        ended = {name: live.problem for name, live in lives.items() if live.problem}
        problems += [f"{name}: {problem}" for name, problem in (self._refused | ended).items()]
        running = [name for name, live in lives.items() if live.running]
        words = f"Running: {', '.join(running)} …" if running else "All runs are done."
        state = "running" if running else "finished"
        line = mo.Html(f"<div class='lab-status' role='status' data-state='{state}'>{escape(words)}</div>")
        return mo.vstack([*(styles.callout(problem, "danger") for problem in problems), line], gap=0.4)

    def figures(self, lives: Mapping[str, Live]) -> mo.Html:
        """Return both charts and the table of half-lives."""
        curves = self._curves(lives)
        tables = retention.tables(list(curves.values()))
        shown = [chart_with_words(chart, tables) for chart in retention.charts([c.label for c in curves.values()])]
        return mo.vstack([*shown, self._half_lives(curves)], gap=1.5)

    def _curves(self, lives: Mapping[str, Live]) -> dict[str, Curve]:
        tables = {name: live.tables for name, live in lives.items()}
        return {name: Curve.of(name, found["retention"]) for name, found in tables.items() if "retention" in found}

    def _half_lives(self, curves: Mapping[str, Curve]) -> mo.Html:
        """Return a table of what each curve shows and how long it lasts, with the way to the mechanism's page."""
        heads = "".join(f"<th scope='col'>{head}</th>" for head in ("Mechanism", "Shows", "Half is gone after"))
        rows = ""
        for name, curve in curves.items():
            mechanism, half_life = self.mechanisms[name], curve.half_life
            words = "not in this run" if math.isnan(half_life) else f"{half_life:.3g} {curve.unit}"
            rows += (
                f"<tr><td><a href='../{mechanism.family}/{mechanism.slug}/'>{escape(name)}</a></td>"
                f"<td>{escape(mechanism.retention)}</td><td class='number'>{escape(words)}</td></tr>"
            )
        return mo.Html(f"<table class='lab-claims'><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")

    def _panel(self, mechanism: Mechanism) -> ControlPanel:
        # What was set before another mechanism came or went stays set.
        texts = self._texts.get(mechanism.name) or mechanism.presets["browser"].formatted()
        return ControlPanel(mechanism.settings.controls(), texts, on_release=True)

    def _read_address(self) -> tuple[str, ...]:
        at_first = tuple(self.mechanisms)[:AT_FIRST]
        asked = mo.query_params().to_dict().get(WITH)
        if not isinstance(asked, str):
            return at_first
        try:
            return self._choice.parse(WITH, asked)
        except SettingsError as error:
            self.problem = f"This link could not be read, so the page starts from its defaults. {error}"
            return at_first
