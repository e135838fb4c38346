"""What stands around the charts: where the page belongs, its source code and its paper."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import marimo as mo

from mem_core.lab.runner import source_files
from mem_core.mechanisms import catalog

if TYPE_CHECKING:
    from mem_core.lab.page import Page


def place(page: Page) -> mo.Html:
    """Return the way back to the gallery and the family this mechanism belongs to."""
    family = escape(catalog.FAMILY_NAMES[page.mechanism.family])
    return mo.Html(f"<nav class='lab-place' aria-label='Gallery'><a href='../../'>All mechanisms</a> › {family}</nav>")


def source(page: Page) -> mo.Html:
    """Return the mechanism's own code, file by file; a file is coloured only when it is opened."""
    files = source_files(page.mechanism.slug)
    return mo.accordion(
        {file.name: lambda file=file: mo.md(f"```python\n{file.read_text()}\n```") for file in files}, lazy=True
    )


def reference(page: Page) -> mo.Html:
    """Return the paper, with links to it and to its authors' code."""
    paper = page.mechanism.paper
    code = f" Authors' code: {escape(paper.code)}." if paper.code else ""
    link = f"<a href='https://arxiv.org/abs/{escape(paper.arxiv)}'>arXiv {escape(paper.arxiv)}</a>"
    return mo.Html(f"<p>{escape(paper.authors)}, <i>{escape(paper.title)}</i>, {paper.year}, {link}.{code}</p>")
