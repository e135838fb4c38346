"""Every mechanism there is, found by looking into the family folders; each is imported when first asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import get_args

from mem_core import mechanisms
from mem_core.mechanisms.contract import Family, Mechanism

FAMILIES: tuple[Family, ...] = get_args(Family)
"""The families, in the order of the gallery."""

FAMILY_NAMES: Mapping[Family, str] = MappingProxyType(
    {
        "state_space": "A state that fades",
        "architectures": "Memory as a module",
        "learning": "Written into weights by training",
        "continual": "Kept while learning more",
        "editing": "Read, changed, removed",
        "agents": "Outside the model",
        "overview": "The map over them all",
    }
)


class CatalogError(LookupError):
    """A slug that names no mechanism; the message lists those there are."""


@cache
def modules() -> Mapping[str, str]:
    """Map each slug to the name of its module, family by family."""
    found = {}
    for family in FAMILIES:
        package = importlib.import_module(f"{mechanisms.__name__}.{family}")
        for info in pkgutil.iter_modules(package.__path__):
            found[info.name.replace("_", "-")] = f"{package.__name__}.{info.name}"
    return MappingProxyType(found)


def slugs() -> tuple[str, ...]:
    """List every slug, family by family."""
    return tuple(modules())


def module(slug: str) -> ModuleType:
    """Import the module of a slug.

    Raises:
        CatalogError: if there is no such mechanism.
    """
    if slug not in modules():
        raise CatalogError(f"There is no mechanism called {slug!r}; there are {', '.join(slugs())}.")
    return importlib.import_module(modules()[slug])


def load(slug: str) -> Mechanism:
    """Return the mechanism of a slug.

    Raises:
        CatalogError: if there is no such mechanism.
    """
    mechanism = module(slug).MECHANISM
    assert isinstance(mechanism, Mechanism), f"{slug} offers no MECHANISM"
    return mechanism


def load_all() -> tuple[Mechanism, ...]:
    """Return every mechanism, family by family."""
    return tuple(map(load, slugs()))
