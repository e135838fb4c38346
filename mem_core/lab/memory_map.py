"""The map of the gallery as a table that a learner can filter, with the way to every page that exists."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import marimo as mo

from mem_core.lab import styles
from mem_core.lab.control_panel import ControlPanel
from mem_core.mechanisms import catalog
from mem_core.mechanisms.controls import Choice, Switch
from mem_core.mechanisms.overview.memory_in_llms.taxonomy import ROLES, TYPE_NAMES, Place, places

ALL = "all"
KIND, ROLE, BUILT = "type", "role", "built"
CONTROLS = {
    KIND: Choice(
        label="Type of memory",
        help="A mechanism of two types is shown for both.",
        options=(ALL, *TYPE_NAMES.values()),
    ),
    ROLE: Choice(
        label="What it changes",
        help="The link of the chain: write, read, or inhibit and update. Measure is for those that only look.",
        options=(ALL, *ROLES),
    ),
    BUILT: Switch(label="Only those with a page here", help="Others are on the map, and not in the gallery yet."),
}
HEADS = ("Mechanism", "Type", "Lives in, how long", "Written by → read by", "Handle to forget or change")

# Not the class of the claims' table: a page has one of that.
CSS = """
.lab-map { width: 100%; border-collapse: collapse; font-size: .85rem; }
.lab-map th, .lab-map td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); overflow-wrap: break-word; }
.lab-map thead th { font-weight: 600; }
.lab-map tbody th { font-weight: 500; }
.lab-scroll { max-height: 36rem; overflow: auto; }
.lab-nowrap { white-space: nowrap; }
.lab-map a { text-decoration: underline; }
.lab-map .number { font-variant-numeric: tabular-nums; }
@media (max-width: 640px) {
  .lab-map thead { display: none; }
  .lab-map tr, .lab-map th, .lab-map td { display: block; border-bottom: 0; padding: .1rem 0; }
  .lab-map tr { border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); padding: .5rem 0; }
  .lab-map td[data-head]::before { content: attr(data-head) ": "; opacity: .85; }
}
"""


def filters() -> ControlPanel:
    """Return the controls that choose which rows are shown; at first all."""
    return ControlPanel(CONTROLS, {KIND: ALL, ROLE: ALL, BUILT: "false"})


def table(texts: Mapping[str, str]) -> mo.Html:
    """Return the rows that the filters let through, and how many they are."""
    try:
        asked = {name: control.parse(name, texts[name]) for name, control in CONTROLS.items()}
    except ValueError as error:
        return styles.callout(str(error), "danger")
    shown = [place for place in places().values() if _shown(place, asked)]
    built = sum(place.built for place in shown)
    words = f"{len(shown)} of {len(places())} mechanisms, {built} of them with a page here."
    return mo.vstack([mo.Html(f"<p class='lab-small' role='status'>{words}</p>"), _rows(shown)], gap=0.4)


def _shown(place: Place, asked: Mapping[str, object]) -> bool:
    kinds = [TYPE_NAMES[kind] for kind in place.types]
    return asked[KIND] in (ALL, *kinds) and asked[ROLE] in (ALL, place.role) and (place.built or asked[BUILT] is False)


def _rows(shown: list[Place]) -> mo.Html:
    rows = "".join(f"<tr data-slug='{escape(place.slug)}'>{_cells(place)}</tr>" for place in shown)
    table = html_table(HEADS, rows, "The map of the gallery").text
    return mo.Html(f"<div class='lab-scroll' tabindex='0' role='region' aria-label='Rows of the map'>{table}</div>")


def _cells(place: Place) -> str:
    kinds = ", ".join(TYPE_NAMES[kind] for kind in place.types)
    parts = (kinds, f"{place.lives}; {place.lasts}", f"{place.written} → {place.read}", place.handle)
    cells = "".join(cell(head, escape(words)) for head, words in zip(HEADS[1:], parts, strict=True))
    return f"<th scope='row'>{_name(place)}</th>{cells}"


def _name(place: Place) -> str:
    paper = f"<a class='lab-nowrap' href='https://arxiv.org/abs/{escape(place.arxiv)}'>arXiv {escape(place.arxiv)}</a>"
    if place.built:
        link = f"<a href='{escape(address(place.slug))}'>{escape(place.slug)}</a>"
        return f"{link}<br><span class='lab-small'>{paper}</span>"
    return f"{escape(place.slug)}<br><span class='lab-small'>not built yet<br>{paper}</span>"


def address(slug: str) -> str:
    """Return the way from a mechanism's page to another's."""
    family = catalog.modules()[slug].split(".")[-2]
    return f"../../{family}/{slug}/"


def cell(head: str, inner: str, kind: str = "") -> str:
    """Return a cell that carries its heading with it, for narrow pages that have no room for a row of headings."""
    return f"<td data-head='{escape(head)}' class='{kind}'>{inner}</td>"


def html_table(heads: tuple[str, ...], rows: str, caption: str) -> mo.Html:
    """Return a table in the map's style."""
    top = "".join(f"<th scope='col'>{escape(head)}</th>" for head in heads)
    return mo.Html(
        f"<style>{CSS}</style><table class='lab-map' aria-label='{escape(caption)}'><thead><tr>{top}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
