"""The gallery: every mechanism on the map of the six families."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mem_core.mechanisms import catalog

FOLDER = Path(__file__).parent


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def gallery(base: str = "/") -> str:
    """Return the gallery page; links start with `base`."""
    mechanisms = catalog.load_all()
    families = [
        {
            "key": family,
            "name": catalog.FAMILY_NAMES[family],
            "mechanisms": [mechanism for mechanism in mechanisms if mechanism.family == family],
        }
        for family in catalog.FAMILIES
    ]
    return _templates().get_template("gallery.html").render(families=families, base=base)
