"""What the pages of the classroom share: the database, who is logged in, and how to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from server.configuration import Configuration
from server.database.connection import Database
from server.door import forms
from server.door.access import Access, Table
from server.door.answers import templates
from server.door.cookies import LOGIN, VISIT, Cookies
from server.door.forms import Form
from server.door.kernel_sessions import KernelSessions
from server.door.limits import Limits
from server.door.live_connections import LiveConnections
from server.people import codes
from server.people.logins import Logins
from server.people.who import Who

Given = ParamSpec("Given")
Found = TypeVar("Found")

_PAGES = (Access.SIGNED_IN, Access.MEMBER, Access.STAFF, Access.INSTRUCTOR)


@dataclass
class Services:
    """Everything a running classroom has one of."""

    configuration: Configuration
    database: Database
    table: Table
    limits: Limits = field(default_factory=Limits)
    kernel_sessions: KernelSessions = field(default_factory=KernelSessions)
    connections: LiveConnections = field(default_factory=LiveConnections)

    def __post_init__(self) -> None:
        self.logins = Logins(self.database)
        self.cookies = Cookies(self.configuration.secure)
        self.secret = self.configuration.secret.get_secret_value()

    async def who(self, connection: HTTPConnection) -> Who | None:
        """Return who sends a request, or None."""
        token = self.cookies.read(connection, LOGIN)
        if token is None:
            return None
        return self.logins.recall(token) or await run_in_threadpool(self.logins.find, token)

    async def reading(
        self, function: Callable[Concatenate[Session, Given], Found], *given: Given.args, **named: Given.kwargs
    ) -> Found:
        """Call a function with a session whose changes are thrown away, in a thread."""

        def call() -> Found:
            with self.database.reading() as session:
                return function(session, *given, **named)

        return await run_in_threadpool(call)

    async def writing(
        self, function: Callable[Concatenate[Session, Given], Found], *given: Given.args, **named: Given.kwargs
    ) -> Found:
        """Call a function with a session that commits, in a thread."""

        def call() -> Found:
            with self.database.writing() as session:
                return function(session, *given, **named)

        return await run_in_threadpool(call)

    def people_changed(self) -> None:
        """Let it be known at once that somebody's place has changed: here, and to every open page."""
        self.logins.forget()
        self.connections.look_again()


def services(connection: HTTPConnection) -> Services:
    """Return what the classroom of a request has."""
    return cast(Services, connection.scope["state"]["services"])


def who(connection: HTTPConnection) -> Who | None:
    """Return who sends a request, as the door found."""
    return cast("Who | None", connection.scope["state"]["who"])


def somebody(connection: HTTPConnection) -> Who:
    """Return who sends a request that the door lets only known people send."""
    found = who(connection)
    if found is None:
        raise RuntimeError("The door let somebody unknown in.")
    return found


async def form_of(request: Request) -> Form:
    """Return what a form of ours says; `StaleFormError` if it is not one of this browser."""
    here = services(request)
    visit = here.cookies.read(request, VISIT)
    return await forms.read(request, forms.token(here.secret, visit, who(request)) if visit is not None else None)


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page of ours, whose forms carry the token of this browser."""
    here, found = services(request), who(request)
    visit = here.cookies.read(request, VISIT)
    drawn = codes.draw_token() if visit is None else visit
    form = forms.token(here.secret, drawn, found)
    text = templates().get_template(template).render(who=found, form=form, **values)
    response = HTMLResponse(text, status_code=status)
    if visit is None:
        here.cookies.set(response, VISIT, drawn)
    return response


def see(path: str) -> Response:
    """Send the browser to another page of ours after a change."""
    return RedirectResponse(path, status_code=303)


def download(name: str, record: dict[str, Any]) -> Response:
    """Return a record as a file of JSON; its name is ours, never a person's."""
    text = json.dumps(record, ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return Response(text, media_type="application/json", headers=headers)


def onward(request: Request, wanted: str) -> str:
    """Return where to go after coming in: the page that was asked for, or the gallery.

    Whatever is not exactly one of those is the gallery, so that a link cannot send somebody elsewhere.
    """
    parts = urlsplit(wanted)
    rule = services(request).table.find("GET", parts.path)
    known = rule is not None and rule.access in _PAGES
    plain = not parts.scheme and not parts.netloc and wanted.isprintable() and "\\" not in wanted
    if not known or not plain or not wanted.isascii():
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")
