"""Websockets that are open, and how they end when the login they were opened with does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.people.who import Who

LOOK_EVERY_SECONDS = 30.0
"""How soon a page notices that another process, or the clock, ended its login."""
LOGIN_ENDED = 4401
"""The code a websocket is closed with; from 4000 on they are free to use."""

FindWho = Callable[[], Awaitable[Who | None]]


class LiveConnections:
    """All websockets of this process."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Event, Who] = {}

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, who: Who, find: FindWho) -> None:
        """Run an application on a websocket until it is done or the login has ended.

        Args:
            app: the application.
            scope, receive, send: the websocket.
            who: who opened it.
            find: who holds the websocket's token now.
        """
        look = asyncio.Event()
        self._open[look] = who
        connection = _Connection(receive, send)
        watching = asyncio.create_task(self._watch(look, connection, who, find))
        try:
            await app(scope, connection.receive, connection.send)
        finally:
            watching.cancel()
            del self._open[look]

    def look_again(self, login_id: int | None = None) -> None:
        """Let the websockets of a login, or all, find out at once whether their login still holds."""
        for look, who in self._open.items():
            if login_id in (None, who.login_id):
                look.set()

    async def _watch(self, look: asyncio.Event, connection: _Connection, who: Who, find: FindWho) -> None:
        now: Who | None = who
        while now is not None and now.login_id == who.login_id:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(look.wait(), LOOK_EVERY_SECONDS)
            look.clear()
            with contextlib.suppress(SQLAlchemyError):  # asked again soon
                now = await find()
        await connection.close()


class _Connection:
    """A websocket that can be closed from outside the application it belongs to."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._closing = asyncio.Event()

    async def receive(self) -> Message:
        """Return the next message, or that the other side is gone once the websocket is closed."""
        message = asyncio.ensure_future(self._receive())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({message, closing}, return_when=asyncio.FIRST_COMPLETED)
            if message.done():
                return message.result()
            return {"type": "websocket.disconnect", "code": LOGIN_ENDED}
        finally:
            message.cancel()
            closing.cancel()

    async def send(self, message: Message) -> None:
        """Send, unless the websocket is closed."""
        if not self._closing.is_set():
            await self._send(message)

    async def close(self) -> None:
        """Close the websocket and let the application know."""
        self._closing.set()
        await self._send({"type": "websocket.close", "code": LOGIN_ENDED, "reason": "The login has ended."})
