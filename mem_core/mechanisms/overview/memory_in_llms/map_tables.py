"""The tables that need no run: the map of the gallery, the quiz, and the position curve."""

from __future__ import annotations

from mem_core.mechanisms.overview.memory_in_llms import position
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings
from mem_core.mechanisms.overview.memory_in_llms.taxonomy import (
    NOT_MEMORY,
    ROLES,
    RULES,
    TYPE_NAMES,
    classify,
    places,
)
from mem_core.mechanisms.tables import Table

NO_TYPE = "no memory"


def tables(settings: MapSettings) -> dict[str, Table]:
    """Return the map with the quiz's type marked, the quiz's answer, and the position curve."""
    kind = classify(settings.observations)
    source, curve = position.curve_of(settings)
    at, accuracy = zip(*curve, strict=True)
    return {
        "map": _map(kind),
        "quiz": _quiz(settings, kind),
        "position": Table.of(source=[source] * len(curve), position=at, accuracy=accuracy),
        "position_name": Table.of(source=[source], position=[0.01], accuracy=[0.05]),
    }


def _map(chosen: str) -> Table:
    rows = []
    for kind, name in TYPE_NAMES.items():
        for role in ROLES:
            here = [place for place in places().values() if kind in place.types and place.role == role]
            rows.append((name, role, len(here), sum(place.built for place in here), kind == chosen))
    names, roles, counts, built, marked = zip(*rows, strict=True)
    return Table.of(type=names, role=roles, mechanisms=counts, built=built, yours=marked)


def _quiz(settings: MapSettings, kind: str) -> Table:
    rule = next((number for number, name in enumerate(RULES, start=1) if settings.observations[name]), 0)
    name = NO_TYPE if kind == NOT_MEMORY else TYPE_NAMES[kind]
    members = " ".join(place.slug for place in places().values() if kind in place.types)
    return Table.of(type=[name], rule=[rule], members=[members])
