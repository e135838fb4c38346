"""A middleware that stops reading a request that is too large, whether or not it says so beforehand."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.door.answers import sentence

MOST_BYTES = 1024 * 1024
"""More than a roster or a form of ours, and much more than a control's value."""


class BodySize:
    """Refuse bodies above a size.

    Args:
        app: what to guard.
        most: the most bytes of a body.
    """

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        reading = _Reading(self.most, receive, send)
        stated = Headers(scope=scope).get("content-length", "0")
        reading.too_much = not stated.isdecimal() or int(stated) > self.most
        try:
            if not reading.too_much:
                await self.app(scope, reading.receive, reading.send)
        except Exception:
            if not reading.too_much:  # else it complains that the rest did not come
                raise
        if reading.too_much and not reading.answered:
            await sentence(413, f"That is more than {self.most // 1024} KB.")(scope, receive, send)


class _Reading:
    """One request that is being read, until it is too much."""

    def __init__(self, most: int, receive: Receive, send: Send) -> None:
        self._left, self._receive, self._send = most, receive, send
        self.too_much = self.answered = False

    async def receive(self) -> Message:
        """Return the next part; once it is too much, the client is as good as gone."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self.too_much = self.too_much or self._left < 0
        return {"type": "http.disconnect"} if self.too_much else message

    async def send(self, message: Message) -> None:
        """Send the answer, unless it is one to half a request."""
        if not self.too_much or self.answered:
            self.answered = True
            await self._send(message)
