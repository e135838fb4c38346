"""The few styles that pages add to marimo's own, and small pieces of HTML that share them."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Literal

import marimo as mo

from mem_core.lab.control_panel import script

CSS = Path(__file__).with_name("page.css").read_text()


def sheet() -> mo.Html:
    """Return the styles and the script of the controls as an element; each page shows it once."""
    return mo.Html(f"<style>{CSS}</style>{script()}")


def callout(sentence: str, kind: Literal["danger", "info", "success"] = "info") -> mo.Html:
    """Return one sentence in a box; a problem is announced to screen readers at once."""
    role = "alert" if kind == "danger" else "status"
    return mo.Html(f'<div class="lab-callout {kind}" role="{role}">{escape(sentence)}</div>')


def badge(words: str) -> str:
    """Return a few words in a pill."""
    return f'<span class="lab-badge">{escape(words)}</span>'


def panel(controls: mo.Html) -> mo.Html:
    """Return the controls in the place that pages keep for them: at the left, or above the charts on a phone."""
    return mo.Html(f"<div class='lab-panel' role='group' aria-label='Controls'><h2>Try it</h2>{controls.text}</div>")
