"""The two cookies: one for who is logged in, one that ties a form to the browser it was opened in."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import HTTPConnection
from starlette.responses import Response

LOGIN, VISIT, NEW_CODE = "memory-lab", "memory-lab-visit", "memory-lab-code"
CODE_LIFETIME = timedelta(minutes=10)
LONGEST = 128
"""Characters; ours have 43 or fewer."""


class Cookies:
    """Sets and reads our cookies.

    With https their names start with `__Host-`, by which a browser takes them over https only, for every path, and
    from this host alone. Browsers refuse such names over plain http, which is for trying things on loopback.

    Args:
        secure: whether learners come over https.
    """

    def __init__(self, secure: bool) -> None:
        self._secure = secure

    def name(self, which: str) -> str:
        """Return a cookie's name in the browser."""
        return f"__Host-{which}" if self._secure else which

    def read(self, connection: HTTPConnection, which: str) -> str | None:
        """Return what the browser keeps; None if nothing, or if it was sent twice and so one is not ours."""
        sent = [header for key, header in connection.scope["headers"] if key == b"cookie"]
        pairs = [pair.strip().partition("=") for header in sent for pair in header.decode("latin-1").split(";")]
        values = [value for key, _, value in pairs if key == self.name(which)]
        return values[0] if len(values) == 1 and 0 < len(values[0]) <= LONGEST else None

    def set(self, response: Response, which: str, value: str, lifetime: timedelta | None = None) -> None:
        """Give the browser a cookie; without a lifetime it ends with the browser."""
        response.set_cookie(
            self.name(which),
            value,
            max_age=int(lifetime.total_seconds()) if lifetime is not None else None,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def clear(self, response: Response, which: str) -> None:
        """Take a cookie back."""
        response.delete_cookie(self.name(which), path="/", secure=self._secure, httponly=True, samesite="lax")
