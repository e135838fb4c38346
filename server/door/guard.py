"""The guard: looks at every request and websocket before anything else of the classroom does."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from sqlalchemy.exc import OperationalError
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.door.access import GET, WEBSOCKET, Access, Rule
from server.door.answers import database_silent, sentence
from server.door.function_calls import once_more, only_unfolds, whole_body
from server.door.kernel_sessions import session_id_of
from server.door.notebook_files import PATH, is_there, names_in
from server.door.services import Services
from server.people.who import Who
from server.runs.learner import LEARNER

ELSEWHERE = "This server answers only its own pages; open it by its own address."


class Guard:
    """Let through what the table of routes allows, to whom it allows it.

    Args:
        app: what to guard.
        services: what the classroom has; the guard puts it and who is asking into the scope.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app, self.services = app, services
        self._origin = services.configuration.public_url
        self._host = urlsplit(self._origin).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {}).update(services=self.services, who=None)
        connection = HTTPConnection(scope)
        refusal = self._stranger(connection)
        rule = self.services.table.find(_method(scope), scope["path"])
        if refusal is None:
            refusal = await self._unwelcome(connection, rule)
        if refusal is not None or rule is None:
            await _refuse(refusal or sentence(404, "There is no such page."), scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(connection, receive, send)
        elif rule.access is Access.UNFOLD:
            await self._unfold(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _stranger(self, connection: HTTPConnection) -> Response | None:
        """Refuse what was sent to another name than ours, and changes and websockets sent by another's page."""
        if connection.headers.getlist("host") != [self._host]:
            return sentence(403, ELSEWHERE)
        origins = connection.headers.getlist("origin")
        must_say = _method(connection.scope) not in (GET, "HEAD")
        if origins != [self._origin] and (must_say or origins):
            return sentence(403, ELSEWHERE)
        return None

    async def _unwelcome(self, connection: HTTPConnection, rule: Rule | None) -> Response | None:
        if rule is None:
            return sentence(404, "There is no such page.")
        if rule.access is Access.FILES:
            return None
        try:
            who = connection.scope["state"]["who"] = await self.services.who(connection)
        except OperationalError:
            return database_silent()
        connection.scope["meta"] = {LEARNER: who.label if who is not None else ""}
        if not rule.access.admits(who.role if who is not None else None):
            return self._turned_away(connection, rule, who)
        if rule.access in (Access.KERNEL, Access.UNFOLD) and who is not None and not self._own_session(connection, who):
            return sentence(403, "This session of a notebook is not yours; reload the page.")
        if rule.access is Access.OFFERED and who is not None and not self._offered(connection, who):
            return sentence(404, "This file is not there any more; reload the page.")
        return None

    def _turned_away(self, connection: HTTPConnection, rule: Rule, who: Who | None) -> Response:
        if rule.access is Access.CLOSED:
            return sentence(403, "This is closed here.")
        if who is not None:
            return sentence(403, "This page is not for you.")
        if rule.method == GET:
            wanted = connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")
            way_in = "/login" if rule.access in (Access.STAFF, Access.INSTRUCTOR) else "/join"
            return RedirectResponse(f"{way_in}?next={quote(wanted, safe='')}" if wanted != "/" else way_in, 303)
        return sentence(401, "You are not logged in any more; come in again.", back="/return")

    def _own_session(self, connection: HTTPConnection, who: Who) -> bool:
        session_id = session_id_of(connection)
        if session_id is None:
            return False
        if connection.scope["type"] == "websocket":
            return True  # bound when it connects
        return self.services.kernel_sessions.belongs(session_id, who.login_id)

    def _offered(self, connection: HTTPConnection, who: Who) -> bool:
        name = connection.scope["path"].rpartition(PATH)[2]
        return self.services.kernel_sessions.offered(name, who.login_id) and is_there(name)

    async def _unfold(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive)
        if body is None:
            return
        if only_unfolds(body):
            await self.app(scope, once_more(body, receive), send)
        else:
            await sentence(403, "This is closed here.")(scope, receive, send)

    async def _connect(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        who: Who = connection.scope["state"]["who"]
        session_id = session_id_of(connection) or ""
        sessions = self.services.kernel_sessions
        if not sessions.enter(session_id, who.login_id):
            await _refuse(
                sentence(403, "This session is not yours, or you have too many."), connection.scope, receive, send
            )
            return

        async def send_on(message: Message) -> None:
            sessions.offer(session_id, names_in(message.get("text") or ""))
            await send(message)

        try:
            await self.services.connections.run(
                self.app, connection.scope, receive, send_on, who, lambda: self.services.who(connection)
            )
        finally:
            sessions.leave(session_id)


def _method(scope: Scope) -> str:
    return WEBSOCKET if scope["type"] == "websocket" else str(scope["method"])


async def _refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        # Before it is accepted; the browser sees a 403.
        await send({"type": "websocket.close", "code": 1008, "reason": "This page may not connect here."})
    else:
        await answer(scope, receive, send)
