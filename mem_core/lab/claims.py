"""The paper's claims beside the learner's own run."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import marimo as mo

from mem_core.lab import styles
from mem_core.lab.jobs import Job
from mem_core.lab.live import Live
from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.experiment import Laboratory

if TYPE_CHECKING:
    from mem_core.lab.page import Page


class ClaimBoard:
    """Measures claims for one page: at once where the run at hand is enough, else when a button is pressed."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._jobs: dict[tuple[str, object, int], Job] = {}

    def show(self, live: Live) -> mo.Html:
        """Return the table of claims for the run at hand."""
        rows = "".join(self._row(claim, live.result) for claim in self._page.mechanism.claims)
        table = (
            "<table class='lab-claims'><thead><tr><th scope='col'>The paper says</th><th scope='col'>Here</th>"
            f"<th scope='col'>Verdict</th></tr></thead><tbody>{rows}</tbody></table>"
        )
        waiting = [claim for claim in self._page.mechanism.claims if _needs_more(claim)]
        parts = [mo.Html(table)]
        if waiting and live.result is not None:
            parts.append(self._offer(waiting, live.result))
        return mo.vstack(parts)

    def _row(self, claim: Claim, result: Result | None) -> str:
        said = f"{escape(claim.statement)} <span class='lab-small'>({escape(claim.source)})</span>"
        if claim.paper_value:
            said += f"<br><span class='lab-small'>In the paper: {escape(claim.paper_value)}.</span>"
        value, verdict = self._verdict(claim, result)
        cells = f"<td>{said}</td><td class='number'>{value}</td><td>{verdict}</td>"
        return f"<tr data-claim='{escape(claim.key)}'>{cells}</tr>"

    def _verdict(self, claim: Claim, result: Result | None) -> tuple[str, str]:
        if result is None:
            return "", "when the run has finished"
        if _needs_more(claim):
            job = self._jobs.get(_key(claim, result))
            if job is None and claim.repeats:
                return _first_reading(claim, result)
            if job is None:
                return "", f"needs {_runs(len(claim.variants))}"
            if job.running:
                return "", f"measuring {_runs(len(claim.variants))} …"
            if job.problem:
                return "", escape(job.problem)
            return _words(job.outcome)
        return _words(claim.check([result]))

    def _offer(self, claims: list[Claim], result: Result) -> mo.Html:
        open_claims = [claim for claim in claims if _key(claim, result) not in self._jobs]
        if not open_claims:
            return mo.Html("")
        runs = {str(sorted(variant.items())) for claim in open_claims for variant in claim.variants}
        # What it costs stands beside the button: a long label does not fit into one on a narrow screen.
        cost = f"{_runs(len(runs))} at these settings, about {_duration(len(runs) * result.seconds)}"
        button = mo.ui.button(
            label=f"Measure the other {len(open_claims)}", on_click=lambda _: self._measure(open_claims, result)
        )
        self._page.hold("claims", button)
        note = mo.Html(f"<span class='lab-small'>{cost}</span>")
        return mo.hstack([button, note], justify="start", align="center", wrap=True, gap=0.5)

    def _measure(self, claims: list[Claim], result: Result) -> None:
        page = self._page
        laboratory = Laboratory(page.mechanism, page.engine)
        laboratory.remember(result)
        jobs = []
        for claim in claims:

            def work(claim: Claim = claim) -> Evidence:
                return laboratory.evidence(claim, result.settings, result.seed)

            self._jobs[_key(claim, result)] = job = Job(work, page.news_changed)
            jobs.append(job)
        Job(lambda: _run_all(jobs), page.news_changed).start()
        page.news_changed()


def _run_all(jobs: list[Job]) -> None:
    for job in jobs:  # one after another: they share runs, and a laptop has few cores
        job.run()


def _needs_more(claim: Claim) -> bool:
    return any(claim.variants[0]) or len(claim.variants) > 1


def _key(claim: Claim, result: Result) -> tuple[str, object, int]:
    return claim.key, result.settings, result.seed


def _first_reading(claim: Claim, result: Result) -> tuple[str, str]:
    value, verdict = _words(claim.check([result]))
    return value, f"{verdict}<br><span class='lab-small'>this run alone, of {len(claim.variants)}</span>"


def _words(evidence: Evidence) -> tuple[str, str]:
    if not evidence.tells:
        return "", f"{styles.badge('–')} {escape(evidence.note)}"
    value = f"{evidence.value:.3g} <span class='lab-small'>(wanted {evidence.wanted})</span>"
    verdict = styles.badge("✓ holds") if evidence.holds else styles.badge("✗ not here")
    note = f"<br><span class='lab-small'>{escape(evidence.note)}</span>" if evidence.note else ""
    return value, verdict + note


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 1 else "a second"
