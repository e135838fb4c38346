"""Who may reach what: one table of every route and websocket of the classroom.

A path that is not in the table is refused, whatever lies behind it; `tests/server/test_access.py` fails until a new
route is listed here. What stands here is about roles; that a class is somebody's own is looked at in `server.people`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum

from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.routing import compile_path

from server.database.models import Role
from server.door.marimo_routes import CLOSED_ROUTES, OPEN_ROUTES

GET, POST, WEBSOCKET = "GET", "POST", "WEBSOCKET"


class Access(Enum):
    """Who may reach a route, by role."""

    FILES = "anyone, without being looked at: files that are the same for all"
    ANYONE = "anyone"
    MEMBER = "learners and assistants"
    SIGNED_IN = "everybody who is logged in"
    STAFF = "instructors and assistants"
    INSTRUCTOR = "instructors"
    KERNEL = "everybody who is logged in, with a session id of their own"
    UNFOLD = "as KERNEL, and only to be shown what a page has folded away"
    OFFERED = "everybody who is logged in, files that a notebook of theirs offers"
    CLOSED = "nobody"

    def admits(self, role: Role | None) -> bool:
        """Tell whether somebody of this role, or nobody known, may pass."""
        return role in _ADMITTED[self]


_LOGGED_IN: frozenset[Role | None] = frozenset(Role)
_ADMITTED: dict[Access, frozenset[Role | None]] = {
    Access.FILES: _LOGGED_IN | {None},
    Access.ANYONE: _LOGGED_IN | {None},
    Access.MEMBER: frozenset({Role.LEARNER, Role.ASSISTANT}),
    Access.SIGNED_IN: _LOGGED_IN,
    Access.STAFF: frozenset({Role.INSTRUCTOR, Role.ASSISTANT}),
    Access.INSTRUCTOR: frozenset({Role.INSTRUCTOR}),
    Access.KERNEL: _LOGGED_IN,
    Access.UNFOLD: _LOGGED_IN,
    Access.OFFERED: _LOGGED_IN,
    Access.CLOSED: frozenset(),
}


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    Attributes:
        method: GET (which covers HEAD), POST or WEBSOCKET.
        path: as Starlette writes it, with parameters in braces.
        access: who may reach it.
    """

    method: str
    path: str
    access: Access
    pattern: re.Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", compile_path(self.path)[0])


class _Number(IntegerConvertor):
    """A number of a row, none of which is larger than every database can hold."""

    regex = "[0-9]{1,9}"


register_url_convertor("number", _Number())

CLASS = "/classes/{class_id:number}"
PERSON = CLASS + "/members/{member_id:number}"

SITE = (
    Rule(GET, "/", Access.SIGNED_IN),
    Rule(GET, "/static/{name}", Access.FILES),
    Rule(GET, "/pictures/{slug}.svg", Access.SIGNED_IN),
    Rule(GET, "/join", Access.ANYONE),
    Rule(POST, "/join", Access.ANYONE),
    Rule(GET, "/return", Access.ANYONE),
    Rule(POST, "/return", Access.ANYONE),
    Rule(GET, "/login", Access.ANYONE),
    Rule(POST, "/login", Access.ANYONE),
    Rule(POST, "/logout", Access.SIGNED_IN),
    Rule(GET, "/me", Access.MEMBER),
    Rule(POST, "/me/code", Access.MEMBER),
    Rule(GET, "/me/record", Access.MEMBER),
    Rule(GET, "/classes", Access.STAFF),
    Rule(POST, "/classes", Access.INSTRUCTOR),
    Rule(GET, CLASS, Access.STAFF),
    Rule(POST, CLASS + "/archive", Access.INSTRUCTOR),
    Rule(POST, CLASS + "/reopen", Access.INSTRUCTOR),
    Rule(POST, CLASS + "/sections", Access.INSTRUCTOR),
    Rule(POST, CLASS + "/sections/{section_id:number}/code", Access.INSTRUCTOR),
    Rule(POST, CLASS + "/assistants", Access.INSTRUCTOR),
    Rule(POST, CLASS + "/roster", Access.INSTRUCTOR),
    Rule(GET, PERSON, Access.STAFF),
    Rule(POST, PERSON + "/code", Access.STAFF),
    Rule(GET, PERSON + "/record", Access.INSTRUCTOR),
    Rule(POST, PERSON + "/erase", Access.INSTRUCTOR),
)
"""The pages of the classroom itself."""

NOTEBOOK = (
    *[Rule(method, path, Access[access]) for method, path, access in OPEN_ROUTES],
    *[Rule(method, path, Access.CLOSED) for method, path in CLOSED_ROUTES],
)
"""What marimo serves below each notebook's path."""


class Table:
    """The table for a set of notebooks.

    Args:
        notebooks: the paths that notebooks are served under, without the last slash.
    """

    def __init__(self, notebooks: Collection[str]) -> None:
        self.notebooks = frozenset(notebooks)

    def find(self, method: str, path: str) -> Rule | None:
        """Return the line for a request, or None if there is none."""
        method = GET if method == "HEAD" else method
        if path in self.notebooks:
            return Rule(GET, path, Access.SIGNED_IN) if method == GET else None
        notebook = self.notebook(path)
        rules, rest = (SITE, path) if notebook is None else (NOTEBOOK, path[len(notebook) :])
        return next((rule for rule in rules if rule.method == method and rule.pattern.fullmatch(rest)), None)

    def notebook(self, path: str) -> str | None:
        """Return the path of the notebook that a path lies below, or None."""
        parts = path.split("/")
        candidates = ("/".join(parts[:length]) for length in (2, 3) if length < len(parts))
        return next((candidate for candidate in candidates if candidate in self.notebooks), None)
