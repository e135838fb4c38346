"""Codes that people read and type, and tokens that browsers keep; the database has only hashes of what is secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets

ALPHABET = "BCDFGHJKMNPQRSTVWXYZ23456789"
"""No vowels, so that no code is a word, and nothing that looks like something else."""

JOIN_LENGTH = 8
"""38 bits: with sixty guesses a minute, half a century to find one of a hundred classes."""
PERSONAL_LENGTH = 12
"""57 bits."""
GROUP = 4


def draw_join_code() -> str:
    """Draw the code of a section."""
    return _draw(JOIN_LENGTH)


def draw_personal_code() -> str:
    """Draw the code by which one person comes back."""
    return _draw(PERSONAL_LENGTH)


def draw_token() -> str:
    """Draw what a browser keeps to be known again: 256 bits."""
    return secrets.token_urlsafe(32)


def read(text: str) -> str:
    """Return a code as it was drawn, however it was typed.

    >>> read(" bcdf-ghjk ")
    'BCDFGHJK'
    """
    return "".join(character for character in text.upper() if character.isascii() and character.isalnum())


def show(code: str) -> str:
    """Return a code in groups that are easy to read out.

    >>> show("BCDFGHJK2345")
    'BCDF-GHJK-2345'
    """
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def hash_of_token(token: str) -> str:
    """Return the hash that stands for a token; it is long and random, so a plain hash cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_of_personal_code(code: str, secret: str) -> str:
    """Return the hash that stands for a personal code, keyed so that a copied database alone cannot be searched."""
    return hmac.new(secret.encode(), b"personal code " + code.encode(), hashlib.sha256).hexdigest()


def _draw(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
