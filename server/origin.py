"""A middleware that answers only its own pages.

A server on loopback can be reached by every page that the learner's browser has open. Without this, any of them could
open a websocket to a notebook's kernel: browsers do not stop cross-site websockets, they only say where they come from.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class OwnPagesOnly:
    """Refuse requests for a foreign host name, and requests and websockets sent by a foreign page.

    Args:
        app: what to guard.
        hosts: the host names this server is known by, without port.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app, self.hosts = app, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._welcome(Headers(scope=scope)):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "This page may not connect here."})
        else:
            sentence = "This server answers only its own pages; open it by the address that it printed when it started."
            await PlainTextResponse(sentence, status_code=403)(scope, receive, send)

    def _welcome(self, headers: Headers) -> bool:
        host = headers.get("host", "")
        if urlsplit(f"//{host}").hostname not in self.hosts:
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc == host
