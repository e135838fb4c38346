"""Names that people give themselves, their classes and their sections."""

from __future__ import annotations

import unicodedata

from server.people.refusals import RefusedError

LONGEST = 60
# Cc and Cf hold control characters and marks that turn the direction of writing; Co, Cs and Cn show as boxes.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_JOINERS = frozenset("\u200c\u200d")
"""Format characters that Persian and several Indian scripts need to write a name."""


def clean(text: str, what: str = "name") -> str:
    """Return a name in one form: composed, without spaces around it or runs of them within.

    Raises:
        RefusedError: nothing is left, it is too long, or it holds characters that cannot be seen.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not any(character.isalnum() for character in name):
        raise RefusedError(f"A {what} needs at least one letter or digit.")
    if len(name) > LONGEST:
        raise RefusedError(f"A {what} has at most {LONGEST} characters.")
    if any(unicodedata.category(character) in _UNSEEN and character not in _JOINERS for character in name):
        raise RefusedError(f"A {what} holds a character that cannot be seen; type it again.")
    return name


def typed_key(text: str) -> str:
    """Return the key of a name as somebody typed it, whether or not it is one."""
    return key(" ".join(text.split()))


def key(name: str) -> str:
    """Return what two spellings of the same name have in common."""
    return unicodedata.normalize("NFKC", name).casefold()
