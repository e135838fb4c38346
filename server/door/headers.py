"""The headers every answer carries, above all what a page may load and run.

Our own pages have no script. A notebook's page has marimo's, and its charts turn their expressions into code, so less
can be forbidden there. Two policies hold at once: by the first, scripts come from this server alone, or stand in a
`data:` address as the controls' does; by the second, only those that the page was sent with may run (each answer marks
them with a word drawn for it), and what they load themselves. So a script that is put into a page later does not run.
"""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.door.access import Table

_SCRIPT_TAG = re.compile(rb"<(script|link rel=\"modulepreload\")(?=[\s>])")

SITE_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
"""Our own pages have no script at all."""

NOTEBOOK_POLICY = {
    "default-src": "'none'",
    "script-src": "'self' data: 'nonce-{nonce}' 'unsafe-eval'",  # Vega writes functions for a chart's expressions
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'none'",
    "base-uri": "'self'",  # marimo sets it to the page's own address
    "frame-ancestors": "'none'",
}
MARKED_SCRIPTS_POLICY = {"script-src": "'strict-dynamic' 'nonce-{nonce}' 'unsafe-eval'", "worker-src": "'self'"}

COMMON = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
HTTPS_ONLY = "max-age=31536000"


class SecurityHeaders:
    """Put the headers on every answer, and take marimo's invitation to other sites off.

    Args:
        app: what to guard.
        table: tells notebooks from our own pages.
        secure: whether learners come over https.
    """

    def __init__(self, app: ASGIApp, table: Table, secure: bool) -> None:
        self.app, self.table, self.secure = app, table, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Sender(self, scope, send))

    def finish(self, scope: Scope, start: Message) -> None:
        """Set the headers of an answer that is no notebook's page."""
        headers = self._common(start)
        headers["Content-Security-Policy"] = policy(SITE_POLICY)
        if self.table.notebook(scope["path"]) is None:
            headers.setdefault("Cache-Control", "no-store")

    def finish_page(self, start: Message, body: bytes) -> bytes:
        """Set the headers of a notebook's page, and return it with its scripts marked."""
        nonce = secrets.token_urlsafe(16)
        marked = _SCRIPT_TAG.sub(rb'<\1 nonce="' + nonce.encode() + b'"', body)
        headers = self._common(start)
        both = f"{policy(NOTEBOOK_POLICY)}, {policy(MARKED_SCRIPTS_POLICY)}"
        headers["Content-Security-Policy"] = both.format(nonce=nonce)
        headers["Cache-Control"] = "no-store"  # the mark is for one answer
        del headers["ETag"]
        headers["Content-Length"] = str(len(marked))
        return marked

    def _common(self, start: Message) -> MutableHeaders:
        headers = MutableHeaders(scope=start)
        for name in [name for name in headers if name.lower().startswith("access-control-")]:
            del headers[name]
        for name, value in COMMON.items():
            headers[name] = value
        if self.secure:
            headers["Strict-Transport-Security"] = HTTPS_ONLY
        return headers


class _Sender:
    """Sends one answer on, and the page of a notebook only once it is known whole."""

    def __init__(self, headers: SecurityHeaders, scope: Scope, send: Send) -> None:
        self._headers, self._scope, self._send = headers, scope, send
        self._page: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._is_page(message):
                self._page = message
                return
            self._headers.finish(self._scope, message)
        elif self._page is not None:
            self._body += message.get("body", b"")
            if message.get("more_body", False):
                return
            body = self._headers.finish_page(self._page, self._body)
            await self._send(self._page)
            message = {"type": "http.response.body", "body": body}
        await self._send(message)

    def _is_page(self, start: Message) -> bool:
        kind = MutableHeaders(scope=start).get("content-type", "")
        return kind.startswith("text/html") and self._headers.table.notebook(self._scope["path"]) is not None


def policy(directives: dict[str, str]) -> str:
    """Return a content security policy as its header is written."""
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
