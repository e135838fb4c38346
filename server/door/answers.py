"""Short answers of the door itself: a status and one sentence."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

TEMPLATES = Path(__file__).parent.parent / "templates"


@cache
def templates() -> Environment:
    """Return the templates of the classroom; whatever they show is escaped."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def sentence(status: int, words: str, back: str = "/", headers: dict[str, str] | None = None) -> Response:
    """Return a page that says one sentence.

    Args:
        status: the status of the answer.
        words: the sentence.
        back: where its link goes.
        headers: further headers.
    """
    page = templates().get_template("sentence.html").render(words=words, back=back, who=None)
    return HTMLResponse(page, status_code=status, headers=headers)


def database_silent() -> Response:
    """Return the page for when the database is locked or gone; what was sent has changed nothing."""
    words = "The database does not answer; nothing was changed. Try again in a moment."
    return sentence(503, words, headers={"Retry-After": "5"})
