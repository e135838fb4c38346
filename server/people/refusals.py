"""What people can do wrong, as sentences they are shown."""

from __future__ import annotations


class RefusedError(ValueError):
    """What was asked for cannot be done; the message is one sentence for who asked."""


class NotHereError(LookupError):
    """There is no such thing, or it is none of this person's business: the same answer to both."""
