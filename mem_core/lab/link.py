"""The link that brings a page back: every control that differs from its default, and the seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from mem_core.mechanisms.controls import SettingsError, Whole
from mem_core.mechanisms.settings import Settings

SEED = Whole(label="Seed", help="Another seed is another throw of the dice, with all else the same.", low=0, high=9999)
LONGEST_VALUE = 4000
"""Characters of one value in a link; browsers and servers cut links of more than about 8,000."""


@dataclass(frozen=True)
class Link:
    """What a link asks for, and one sentence on what could not be read; the settings are then the defaults."""

    settings: Settings
    seed: int
    problem: str = ""


def read(default: Settings, query: Mapping[str, str | list[str]]) -> Link:
    """Read a link's query; anything malformed is reported, never guessed at."""
    texts = {name: value for name, value in query.items() if name in (*default.controls(), "seed")}
    unknown = [name for name in query if name not in texts and name not in FOREIGN]
    try:
        if unknown:
            default.refuse_unknown({unknown[0]: ""})
        single = {name: _single(name, value) for name, value in texts.items()}
        seed = SEED.parse("seed", single.pop("seed", "0"))
        return Link(default.parsed(single), seed)
    except SettingsError as error:
        return Link(default, 0, f"This link could not be read, so the page starts from its defaults. {error}")


def write(settings: Settings, default: Settings, seed: int) -> str:
    """Write the query of a link: `?` and what differs from the defaults."""
    return "?" + urlencode(differences(settings, default, seed))


def differences(settings: Settings, default: Settings, seed: int) -> dict[str, str]:
    """Map the names that a link carries to their text."""
    texts = settings.formatted(against=default)
    return texts | ({"seed": str(seed)} if seed else {})


FOREIGN = ("file", "kiosk", "show-code", "include-code", "theme", "session_id", "access_token", "embed")
"""Names that marimo itself reads from a page's address."""


def _single(name: str, value: str | list[str]) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"{name} stands {len(value)} times in the link, but it may stand there once.")
    if len(value) > LONGEST_VALUE:
        raise SettingsError(
            f"{name} has {len(value)} characters, but a link may carry {LONGEST_VALUE} for each setting."
        )
    return value
