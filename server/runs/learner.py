"""Which learner a page asks for, so that runs can take turns."""

from __future__ import annotations

import marimo as mo

LEARNER = "learner"
"""The entry of `scope["meta"]` in which the guard writes down who is asking, before marimo sees a connection."""


def learner_of_page() -> str:
    """Return whoever opened the page in whose cell this is called; "" outside of a page, and in a page's threads."""
    request = mo.app_meta().request
    return "" if request is None else str(request.meta.get(LEARNER, ""))
