"""Four types of memory and one place on the map for every mechanism of the gallery.

A memory has a type, a quadruple (where it lives, how long, by what path it is written and read, how it is controlled)
and a chain: write → read → inhibit or update.

Source: arXiv 2509.18868, abstract and sections 3.2, 3.3 and 6.5. The order of the rules, the two columns of the third
part of the quadruple and the types of this gallery's mechanisms, read from their abstracts, are ours.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Family

PARAMETRIC, CONTEXTUAL, EXTERNAL, PROCEDURAL, METHOD = "P", "C", "E", "R", "M"
TYPE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        PARAMETRIC: "parametric",
        CONTEXTUAL: "contextual",
        EXTERNAL: "external",
        PROCEDURAL: "procedural or episodic",
        METHOD: "a method or a test",
    }
)
"""The allowed types; the fifth is no memory but something about memory."""
NOT_MEMORY = ""
"""What `classify` says of a tool output that is used once, inside one turn."""

RULES: Mapping[str, str] = MappingProxyType(
    {
        "recalled_alone": PARAMETRIC,
        "lost_with_context": CONTEXTUAL,
        "cites_passage": EXTERNAL,
        "survives_sessions": PROCEDURAL,
    }
)
"""Observation to type, in the order in which the rules are applied."""
ROLES = ("write", "read", "update", "measure")
"""The links of the chain that a mechanism changes, `update` short for inhibit or update, and `measure` for those that
only look."""

DATA_FILE = Path(__file__).with_name("gallery.csv")
SCHEMA = ("slug", "arxiv", "family", "types", "role", "lives", "lasts", "written", "read", "handle")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A mechanism's place on the map.

    Attributes:
        slug, arxiv, family: as in the mechanism's own header.
        types: one or more of `TYPE_NAMES`, the leading one first.
        role: the link of the chain that it changes, one of `ROLES`.
        lives, lasts, written, read, handle: the quadruple, the access path in two parts; a few words each.

    Raises:
        ValueError: if a type, role or family is unknown, or a part is empty.
    """

    slug: str
    arxiv: str
    family: str
    types: tuple[str, ...]
    role: str
    lives: str
    lasts: str
    written: str
    read: str
    handle: str

    def __post_init__(self) -> None:
        if not self.types or len(set(self.types)) < len(self.types):
            raise ValueError(f"{self.slug}: types must name each type once, at least one, got {self.types}.")
        for kind in self.types:
            _one_of(f"{self.slug}: type", kind, TYPE_NAMES)
        _one_of(f"{self.slug}: role", self.role, ROLES)
        _one_of(f"{self.slug}: family", self.family, get_args(Family))
        for name in SCHEMA:
            if not getattr(self, name):
                raise ValueError(f"{self.slug}: {name} is empty, but every part of the quadruple is needed.")

    @property
    def built(self) -> bool:
        """Whether the gallery has this mechanism's page already."""
        return self.slug in catalog.slugs()


def classify(observations: Mapping[str, bool]) -> str:
    """Return the type of a memory from what is observed of it; the first rule that applies decides.

    1. `recalled_alone`: still recalled with retrieval, tools and session caches off → parametric.
    2. `lost_with_context`: usable only while it is in the current context or cache → contextual.
    3. `cites_passage`: depends on what an external index returns, and can cite it → external.
    4. `survives_sessions`: needs events replayed across turns or sessions → procedural or episodic.

    `NOT_MEMORY` if none applies. An observation that is not named was not made.

    Raises:
        ValueError: if an observation is none of the four.

    Source: arXiv 2509.18868, section 3.2.

    >>> classify({"cites_passage": True, "survives_sessions": True})
    'E'
    """
    for name in observations:
        _one_of("observation", name, RULES)
    return next((kind for name, kind in RULES.items() if observations.get(name)), NOT_MEMORY)


@cache
def places() -> Mapping[str, Place]:
    """Return every mechanism's place by slug, in the order of the data file.

    Raises:
        ValueError: if the file has other columns, a slug twice, or a row that is no place.
    """
    return read_places(DATA_FILE.read_text(encoding="utf-8"))


def read_places(text: str) -> Mapping[str, Place]:
    """Read places from CSV text; see `places`."""
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != SCHEMA:
        raise ValueError(f"The map's columns must be {', '.join(SCHEMA)}, got {', '.join(reader.fieldnames or ())}.")
    found: dict[str, Place] = {}
    for number, row in enumerate(reader, start=2):
        if None in row or None in row.values():
            raise ValueError(f"Line {number} of the map must have {len(SCHEMA)} columns.")
        types = tuple(row.pop("types").split("/"))
        place = Place(types=types, **row)
        if place.slug in found:
            raise ValueError(f"{place.slug} stands twice on the map; every mechanism has one place.")
        found[place.slug] = place
    return MappingProxyType(found)


def place_of(slug: str) -> Place:
    """Return the place of one mechanism.

    Raises:
        ValueError: if the map does not have it.
    """
    return places()[_one_of("slug", slug, places())]


def _one_of(what: str, value: str, allowed: Mapping[str, object] | tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{what} is {value!r}, but it must be one of {', '.join(allowed)}.")
    return value
