"""Runs that a learner has made, asked for again by the links of their pages."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from mem_core.lab import link
from mem_core.lab.page import select_engine
from mem_core.lab.runner import Request
from mem_core.mechanisms import catalog

LONGEST_LINKS = 40_000
"""Characters of all links together, ten of the longest."""


def requests_of(text: str) -> tuple[Request, ...]:
    """Return what the links ask for, one link a line: page, settings and seed.

    Raises:
        ValueError: if a line is no link to a mechanism's page, or its settings cannot be used.
    """
    if len(text) > LONGEST_LINKS:
        raise ValueError(f"The links have {len(text)} characters, but together they may have {LONGEST_LINKS}.")
    return tuple(_request(line.strip()) for line in text.splitlines() if line.strip())


def request_of(slug: str, query: str = "") -> Request:
    """Return what a page asks for whose address ends in this query; without one, its defaults and seed 0.

    Raises:
        ValueError: if a setting is unknown or its value not allowed.
    """
    mechanism = catalog.load(slug)
    texts = {name: value for name, value in parse_qsl(query, keep_blank_values=True) if name not in link.FOREIGN}
    seed = link.SEED.parse("seed", texts.pop("seed", "0"))
    return Request(slug, mechanism.presets["browser"].parsed(texts), seed, select_engine(mechanism))


def name_of(request: Request) -> str:
    """Return the slug, and behind it the settings that are not the default: what stands at the end of the link."""
    query = link.write(request.settings, catalog.load(request.slug).presets["browser"], request.seed)
    return request.slug + query.removesuffix("?")


def _request(line: str) -> Request:
    try:
        parts = urlsplit(line)
    except ValueError as error:
        raise ValueError(f"{_short(line)} is no link.") from error
    slug = parts.path.rstrip("/").rpartition("/")[2]
    if slug not in catalog.slugs():
        raise ValueError(f"{_short(line)} is no link to a mechanism's page: copy it from 'Link to this state' there.")
    return request_of(slug, parts.query)


def _short(line: str) -> str:
    return repr(line if len(line) <= 60 else line[:57] + "...")
