"""The parts of the evaluation card as HTML: dimensions by regime, panels, other mechanisms, comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from urllib.parse import parse_qsl

import marimo as mo

from mem_core.lab import styles
from mem_core.lab.jobs import Job
from mem_core.lab.memory_map import address, cell, html_table
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Mechanism, Result
from mem_core.mechanisms.overview.memory_in_llms.card import DIMENSIONS, CardRun, Difference, Measure, compare
from mem_core.mechanisms.overview.memory_in_llms.filling import HALF_LIFE, told
from mem_core.mechanisms.overview.memory_in_llms.regimes import REGIMES
from mem_core.mechanisms.overview.memory_in_llms.taxonomy import TYPE_NAMES, place_of
from mem_core.mechanisms.tables import Table


def own_table(runs: Sequence[CardRun]) -> mo.Html:
    """Return five dimensions in three regimes, and below them what was asked, as of when, by what code."""
    heads = ("Dimension", *(run.regime for run in runs))
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th>"
        + "".join(cell(run.regime, _measure(run.measures.get(name)), "number") for run in runs)
        + "</tr>"
        for name in DIMENSIONS
    )
    words = f"Asked as of {runs[0].as_of}; slice: {runs[0].slice}; engine {runs[0].engine}; version {runs[0].version}."
    return mo.vstack(
        [
            html_table(heads, rows, "Evaluation card of this run"),
            mo.Html(f"<p class='lab-small'>{escape(words)}</p>"),
        ],
        gap=0.3,
    )


def panels_table(panels: Table, latency: Table) -> mo.Html:
    """Return the five panels of measures, and how long an answer took on this machine."""
    rows = [(row["panel"], row["measure"], [row[regime] for regime in REGIMES]) for row in panels.rows()]
    rows.append((rows[-1][0], "time per answer (µs, this machine)", latency["latency"].tolist()))
    written = "".join(
        f"<tr><th scope='row'>{escape(panel)}</th>"
        + cell("Measure", escape(words))
        + "".join(cell(regime, _number(value), "number") for regime, value in zip(REGIMES, values, strict=True))
        + "</tr>"
        for panel, words, values in rows
    )
    return html_table(("Panel", "Measure", *REGIMES), written, "Five panels of measures")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _measure(measure: Measure | None) -> str:
    if measure is None or math.isnan(measure.value):
        return "–"
    interval = "" if math.isnan(measure.low) else f" ({measure.low:.3f} to {measure.high:.3f})"
    return f"{measure.value:.3f}{interval}"


def mechanism_part(name: str, job: Job) -> mo.Html:
    """Return what a mechanism says of itself and what its run shows, or where the run is.

    Args:
        name: slug and query of the run, as `run_links.name_of` gives it.
        job: the run.
    """
    if job.problem:
        return styles.callout(f"{name}: {job.problem}", "danger")
    if job.outcome is None:
        return styles.callout(f"{name}: running …")
    result, run = job.outcome
    slug, _, query = name.partition("?")
    mechanism = catalog.load(slug)
    return mo.vstack([_header(mechanism, run, query), _claims(mechanism, result)], gap=0.3)


def _header(mechanism: Mechanism, run: CardRun, query: str) -> mo.Html:
    kinds = ", ".join(TYPE_NAMES[kind] for kind in place_of(mechanism.slug).types)
    half_life = "; ".join(
        f"{name}: {'not reached in this run' if math.isnan(measure.value) else f'{measure.value:.3g}'}"
        for name, measure in run.measures.items()
        if name.startswith(HALF_LIFE)
    )
    own = f"Stores {mechanism.stores}; written {mechanism.written}; read {mechanism.read}; fades {mechanism.fades}."
    changed = ", ".join(f"{name} {value}" for name, value in parse_qsl(query, keep_blank_values=True))
    facts = (
        f"With {changed or 'its defaults and seed 0'}. Regime: {run.regime}; engine {run.engine}; "
        f"version {run.version}; {half_life or 'no curve of retention'}."
    )
    link = address(mechanism.slug) + (f"?{query}" if query else "")
    return mo.Html(
        f"<h4><a class='lab-link' href='{escape(link)}'>{escape(mechanism.name)}</a> "
        f"{styles.badge(kinds)}</h4><p>{escape(own)}</p><p class='lab-small'>{escape(facts)}</p>"
    )


def _claims(mechanism: Mechanism, result: Result) -> mo.Html:
    found = told(mechanism, result)
    rows = "".join(
        f"<tr><th scope='row'>{escape(claim.statement)}</th>"
        + cell("Here", f"{evidence.value:.3g} (wanted {escape(evidence.wanted)})" if evidence.tells else "–", "number")
        + cell("Verdict", _verdict(evidence.tells, evidence.holds))
        + "</tr>"
        for claim, evidence in found
    )
    more = len(mechanism.claims) - len(found)
    rest = (
        f"{more} more {'claim needs' if more == 1 else 'claims need'} runs of their own, on its page." if more else ""
    )
    table = html_table(("The paper says", "Here", "Verdict"), rows, f"Claims of {mechanism.name}") if rows else ""
    return mo.vstack([*([table] if table else []), mo.Html(f"<p class='lab-small'>{rest}</p>")], gap=0.2)


def _verdict(tells: bool, holds: bool) -> str:
    return styles.badge("✓ holds" if holds else "✗ not here") if tells else "this run cannot tell"


def compared(saved: CardRun, here: Sequence[CardRun]) -> mo.Html:
    """Return how a saved run differs from its partner here, or why the two may not be compared."""
    title = f"{saved.subject}, {saved.regime}"
    same = [run for run in here if run.subject == saved.subject]
    if not same:
        return styles.callout(f"{title}: this card has no run of {saved.subject}; fill it above.")
    partner = max(same, key=lambda run: (run.regime == saved.regime, run.slice == saved.slice))
    try:
        differences = compare(saved, partner)
    except ValueError as error:
        return styles.callout(f"{title}: {error}", "danger")
    rows = "".join(f"<tr>{_difference(difference)}</tr>" for difference in differences)
    same_code = "the same code" if saved.version == partner.version else "other code"
    words = f"{title}: saved on {saved.engine}, here {partner.engine}, {same_code}."
    return mo.vstack(
        [
            mo.Html(f"<p>{escape(words)}</p>"),
            html_table(("Measure", "Saved", "Here", "Difference"), rows, f"Comparison of {title}"),
        ],
        gap=0.2,
    )


def _difference(difference: Difference) -> str:
    apart = {True: ", the intervals are apart", False: ", the intervals overlap", None: ""}[difference.apart]
    return (
        f"<th scope='row'>{escape(difference.measure)}</th>"
        + cell("Saved", f"{difference.first:.4g}", "number")
        + cell("Here", f"{difference.second:.4g}", "number")
        + cell("Difference", f"{difference.value:.3g}{apart}", "number")
    )
