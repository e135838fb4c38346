"""Where the run is: progress, stop, pin, and which engine computes it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import marimo as mo

from mem_core.lab import link, styles
from mem_core.lab.live import Live

if TYPE_CHECKING:
    from mem_core.lab.page import Page


def status(page: Page, live: Live) -> mo.Html:
    """Return the line above the charts, and one sentence if something was wrong."""
    parts: list[Any] = [styles.callout(problem, "danger") for problem in (page.problem, live.problem) if problem]
    parts.append(mo.Html(f"<div class='lab-status' role='status' data-state='{_state(live)}'>{words(live)}</div>"))
    parts.append(mo.hstack(_buttons(page, live), justify="start", align="center", wrap=True, gap=0.5))
    return mo.vstack(parts, gap=0.4)


def _state(live: Live) -> str:
    return "running" if live.running else "stopped" if live.stopped else "problem" if live.problem else "finished"


def words(live: Live) -> str:
    """Return where the run is, as HTML."""
    frame = live.frame
    message = escape(frame.message) if frame is not None else ""
    if live.running:
        share = frame.progress if frame is not None else 0.0
        bar = f"<progress class='lab-progress' max='1' value='{share:.3f}' aria-label='Progress of the run'></progress>"
        return bar + (message or "Starting …")
    if live.from_before:
        return f"Shown at once: these settings have been run before. {message}"
    ended = "Stopped" if live.stopped else "Ended early" if live.problem else "Done"
    return f"{ended} in {live.seconds:.2f} s. {message}"


class Buttons:
    """Stop, pin and unpin, made once with the page.

    Buttons made with every frame would be new ones each time, and a click on one that has just been replaced is lost.
    """

    def __init__(self, page: Page) -> None:
        self.stop: Any = mo.ui.button(label="Stop", kind="danger", on_click=lambda _: page.stop())
        self.pin: Any = mo.ui.button(label="Pin this run", tooltip="Keep it to compare", on_click=lambda _: page.pin())
        self.unpin: Any = mo.ui.button(label="Remove what is pinned", on_click=lambda _: page.unpin())


def _buttons(page: Page, live: Live) -> list[Any]:
    buttons: list[Any] = [page.buttons.stop] if live.running else []
    buttons.append(page.buttons.pin)
    if page.pinned:
        buttons.append(page.buttons.unpin)
    address = link.write(live.request.settings, page.default, live.request.seed)
    buttons.append(mo.Html(f"<a class='lab-link' href='{escape(address)}'>Link to this state</a>"))
    buttons.append(mo.Html(styles.badge(page.engine.badge)))
    return buttons
