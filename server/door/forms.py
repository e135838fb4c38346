"""Forms: each carries a token that only this browser's own pages have, and without it nothing is changed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from server.people.who import Who

FIELD = "form"
MOST_FIELDS = 20


class StaleFormError(RuntimeError):
    """The form was not opened in this browser, or not since the last login."""


@dataclass(frozen=True)
class Form:
    """What a form says.

    Attributes:
        texts: its fields, by name.
        files: the contents of its files, by name; no larger than a request may be.
    """

    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a field, empty if it is not there."""
        return self.texts.get(name, "")

    def file(self, name: str) -> bytes:
        """Return a file, empty if it is not there."""
        return self.files.get(name, b"")


def token(secret: str, visit: str, who: Who | None) -> str:
    """Return the token of forms opened in one browser by one login."""
    words = f"form {visit} {who.login_id if who is not None else ''}"
    return hmac.new(secret.encode(), words.encode(), hashlib.sha256).hexdigest()


async def read(request: Request, expected: str | None) -> Form:
    """Return what a form says.

    Args:
        request: the request that sent it.
        expected: the token it must carry; None if this browser has opened no form.

    Raises:
        StaleFormError: it carries another token, or none, or is nothing that a browser would send.
    """
    try:
        sent = await request.form(max_files=1, max_fields=MOST_FIELDS)
    except (MultiPartException, HTTPException):
        raise StaleFormError from None
    try:
        form = await _taken(sent)
    finally:
        await sent.close()
    carried = form.text(FIELD)
    if (
        expected is None
        or not all(map(_sound, form.texts.values()))
        or not hmac.compare_digest(carried.encode(), expected.encode())
    ):
        raise StaleFormError
    return form


async def _taken(sent: FormData) -> Form:
    form = Form()
    for name, value in sent.items():
        if isinstance(value, UploadFile):
            form.files[name] = await value.read()
        else:
            form.texts[name] = value
    return form


def _sound(text: str) -> bool:
    """Tell whether a text can be kept in a database: no zero characters, no halves of a pair."""
    return "\0" not in text and text.encode(errors="replace").decode() == text
