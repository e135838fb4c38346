"""The evaluation card on the page: filled from the run at hand and from runs of other mechanisms, saved, compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import marimo as mo

from mem_core.lab import styles
from mem_core.lab.card_tables import compared, mechanism_part, own_table, panels_table
from mem_core.lab.control_panel import ControlPanel
from mem_core.lab.jobs import Job
from mem_core.lab.memory_map import cell, html_table
from mem_core.lab.run_links import name_of, request_of, requests_of
from mem_core.lab.runner import Request, chosen, source_hash
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Frame, Result
from mem_core.mechanisms.controls import Choices
from mem_core.mechanisms.overview.memory_in_llms import position
from mem_core.mechanisms.overview.memory_in_llms.card import CardRun, EvaluationCard
from mem_core.mechanisms.overview.memory_in_llms.edit_tables import certificate_of
from mem_core.mechanisms.overview.memory_in_llms.filling import OWN_SLUG, own_runs, run_of

if TYPE_CHECKING:
    from mem_core.lab.live import Live
    from mem_core.lab.page import Page

WITH = "mechanisms"
VERSION_LETTERS = 12
LARGEST_FILE = 500_000
"""Bytes; a card of forty mechanisms is some twenty thousand."""


class CardBoard:
    """Fills the card of one page, and compares it with one that was saved before."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._choice = Choices(
            label="Mechanisms",
            help="Each is run with its defaults and seed 0, or taken from the runs that were made already.",
            options=tuple(slug for slug in catalog.slugs() if slug != OWN_SLUG),
        )
        self._asked: dict[str, tuple[Request, ...]] = {}
        self._jobs: dict[str, Job] = {}
        self._problems: list[str] = []

    def picks(self) -> ControlPanel:
        """Return the boxes that choose mechanisms, and the button that fills the card."""
        return ControlPanel({WITH: self._choice}, {WITH: ""}, submit="Fill the card")

    def links(self) -> Any:
        """Return the field for the links of runs that were made with other settings, on other pages."""
        return mo.ui.text_area(
            label="Links of runs that you made on other pages, one a line ('Link to this state' there)",
            placeholder="…/agents/memorybank/?tau=2&seed=5",
            rows=2,
            full_width=True,
        )

    def fill(self, texts: Mapping[str, str], links: str = "") -> int:
        """Start what was chosen and linked and has not run yet; return how often the button was pressed."""
        sent = int(texts.get("sent", 0))
        self._problems = []
        if sent:
            self._ask("boxes", lambda: tuple(map(request_of, self._choice.parse(WITH, texts[WITH]))))
        self._ask("links", lambda: _linked(links))
        self._start({name_of(request): request for requests in self._asked.values() for request in requests})
        return sent

    def _ask(self, source: str, read: Callable[[], tuple[Request, ...]]) -> None:
        """Take what was asked for; what cannot be read is one sentence, and what was asked before stays."""
        try:
            self._asked[source] = read()
        except ValueError as error:  # a SettingsError is one
            self._problems.append(str(error))

    def _start(self, wanted: Mapping[str, Request]) -> None:
        kept = {name: job for name, job in self._jobs.items() if name in wanted and not job.problem}
        added = {
            name: Job(partial(_filled, request), self._page.news_changed)
            for name, request in wanted.items()
            if name not in kept
        }
        self._jobs = {name: (kept | added)[name] for name in wanted}
        if added:
            Job(lambda: _one_after_another(list(added.values())), self._page.news_changed).start()

    def card(self, live: Live) -> EvaluationCard:
        """Return the card as far as it is filled."""
        own = own_runs(live.result, source_hash(OWN_SLUG)[:VERSION_LETTERS]) if live.result is not None else ()
        others = [job.outcome[1] for job in self._jobs.values() if job.outcome is not None]
        return EvaluationCard((*own, *others))

    def show(self, live: Live) -> mo.Html:
        """Return the card: the five dimensions of this page's run, then every mechanism that was chosen."""
        parts: list[Any] = [styles.callout(problem, "danger") for problem in self._problems]
        card = self.card(live)
        own = [run for run in card.runs if run.subject == OWN_SLUG]
        parts.append(own_table(own) if own else mo.Html("<p class='lab-small'>When the run has finished.</p>"))
        parts += [mechanism_part(name, job) for name, job in self._jobs.items()]
        if card.runs:
            parts.append(_download(card.to_json(), "evaluation-card.json", "Download the card (JSON)"))
        return mo.vstack(parts, gap=0.8)

    def panels(self, live: Live) -> mo.Html:
        """Return a fold with all measures of the survey's five panels."""
        if live.result is None:
            return mo.Html("<p class='lab-small'>When the run has finished.</p>")
        tables = live.result.tables
        return mo.accordion({"Five panels of measures": panels_table(tables["panels"], tables["latency"])})

    def certificate(self, live: Live) -> mo.Html:
        """Return the certificate of the edit, part by part, with its download."""
        if live.result is None:
            return mo.Html("<p class='lab-small'>When the run has finished.</p>")
        certificate = certificate_of(live.result.tables)
        rows = "".join(
            f"<tr><th scope='row'>F{number} {escape(row['part'])}</th>{cell('Content', escape(row['content']))}</tr>"
            for number, row in enumerate(live.result.tables["certificate"].rows(), start=1)
        )
        table = html_table(("Part", "Content"), rows, "Certificate of the edit")
        button = _download(certificate.to_json(), "certificate.json", "Download the certificate (JSON)")
        return mo.vstack([mo.accordion({"The certificate, F1 to F7": table}), button], gap=0.4)

    def upload(self) -> Any:
        """Return the control that takes a saved card, or a saved run with a position curve."""
        return mo.ui.file(filetypes=[".json"], label="A card or a run that you saved (JSON)", max_size=LARGEST_FILE)

    def compared(self, files: Sequence[Any], live: Live) -> mo.Html:
        """Return how a saved card differs from this one; a pair that may not be compared is refused with a reason."""
        if not files:
            return mo.Html("<p class='lab-small'>Nothing has been loaded.</p>")
        try:
            text = files[0].contents.decode("utf-8")
            if '"tables"' in text:
                return _position_words(text)
            saved = EvaluationCard.from_json(text)
        except ValueError as error:  # a file that is no text is a ValueError too
            return styles.callout(f"{files[0].name} could not be read. {error}", "danger")
        here = self.card(live).runs
        return mo.vstack([compared(run, here) for run in saved.runs] or [styles.callout("This card is empty.")])


def _linked(text: str) -> tuple[Request, ...]:
    requests = requests_of(text)
    if any(request.slug == OWN_SLUG for request in requests):
        raise ValueError("This page's own run is on the card already: link to a run of another mechanism.")
    return requests


def _filled(request: Request) -> tuple[Result, CardRun]:
    """Make a run, or take it if it was made already, and put it on the card."""
    frame: Frame | None = None
    for frame in chosen().frames(request):  # noqa: B007 - the last frame is the result
        pass
    assert frame is not None, f"{request.slug} gave no frame"
    result = Result(request.settings, request.seed, request.engine.kind, frame.tables)
    return result, run_of(catalog.load(request.slug), result, source_hash(request.slug)[:VERSION_LETTERS])


def _one_after_another(jobs: list[Job]) -> None:
    for job in jobs:  # a laptop has few cores
        job.run()


def _position_words(text: str) -> mo.Html:
    curve = position.saved_curve(text)
    pairs = ",".join(f"{place:.4g}:{accuracy:.4g}" for place, accuracy in curve)
    return styles.callout(f"This run has a position curve. Paste it under 'Your own position curve': {pairs}")


def _download(text: str, filename: str, label: str) -> Any:
    return mo.download(text.encode(), filename=filename, mimetype="application/json", label=label)
