"""Every route of the classroom, tried from the wrong side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marimo
import pytest
from sqlalchemy import update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from server.classroom import behind_the_door
from server.database.connection import Database
from server.database.models import Login
from server.database.times import now
from server.door.access import NOTEBOOK, SITE, WEBSOCKET, Access, Table

WHO = (
    "nobody",
    "expired",
    "learner",
    "other learner",
    "assistant",
    "other assistant",
    "instructor",
    "other instructor",
)
# For each route what everybody of WHO gets, in that order. Class 1 is the instructor's, its member the learner,
# who is in the assistant's section; the other learner is of another section, the other two of another class.
ANSWERS = {
    "GET /": "303 303 200 200 200 200 200 200",
    "GET /static/{name}": "200 200 200 200 200 200 200 200",
    "GET /pictures/{slug}.svg": "303 303 404 404 404 404 404 404",
    "GET /join": "200 200 200 200 200 200 200 200",
    "POST /join": "400 400 400 400 400 400 400 400",
    "GET /return": "200 200 200 200 200 200 200 200",
    "POST /return": "400 400 400 400 400 400 400 400",
    "GET /login": "200 200 200 200 200 200 200 200",
    "POST /login": "400 400 400 400 400 400 400 400",
    "POST /logout": "401 401 303 303 303 303 303 303",
    "GET /me": "303 303 200 200 200 200 403 403",
    "POST /me/code": "401 401 200 200 200 200 403 403",
    "GET /me/record": "303 303 200 200 200 200 403 403",
    "GET /classes": "303 303 403 403 200 200 200 200",
    "POST /classes": "401 401 403 403 403 403 400 400",
    "GET /classes/{class_id:number}": "303 303 403 403 200 404 200 404",
    "POST /classes/{class_id:number}/archive": "401 401 403 403 403 403 303 404",
    "POST /classes/{class_id:number}/reopen": "401 401 403 403 403 403 303 404",
    "POST /classes/{class_id:number}/sections": "401 401 403 403 403 403 400 404",
    "POST /classes/{class_id:number}/sections/{section_id:number}/code": "401 401 403 403 403 403 303 404",
    "POST /classes/{class_id:number}/assistants": "401 401 403 403 403 403 400 404",
    "POST /classes/{class_id:number}/roster": "401 401 403 403 403 403 400 404",
    "GET /classes/{class_id:number}/members/{member_id:number}": "303 303 403 403 200 404 200 404",
    "POST /classes/{class_id:number}/members/{member_id:number}/code": "401 401 403 403 200 404 200 404",
    "GET /classes/{class_id:number}/members/{member_id:number}/record": "303 303 403 403 403 403 200 404",
    "POST /classes/{class_id:number}/members/{member_id:number}/erase": "401 401 403 403 403 403 303 404",
}


class Visitors:
    """A room with one browser for each of WHO."""

    def __init__(self, room: Any) -> None:
        self.room = room
        learner = room.learner("Lea")
        self.browsers: dict[str, TestClient] = {
            "nobody": room.browser(),
            "expired": self._expired(),
            "learner": learner,
            "other learner": room.learner("Leo", section="Blue"),
            "assistant": room.assistant("Ann"),
            "other assistant": room.assistant("Abe", class_id=2),
            "instructor": room.ada,
            "other instructor": room.bob,
        }
        self.places = {
            "class_id:number": "1",
            "section_id:number": "1",
            "member_id:number": str(room.number("Lea")),
            "slug": "nothing",
            "name": "icon.svg",
        }

    def _expired(self) -> TestClient:
        browser: TestClient = self.room.learner("Exa")
        with self.room.database.writing() as session:
            newest = session.query(Login.id).order_by(Login.id.desc()).limit(1).scalar_subquery()
            session.execute(update(Login).where(Login.id == newest).values(expires_at=now()))
        self.room.services.logins.forget()
        return browser

    def path(self, template: str) -> str:
        for name, value in self.places.items():
            template = template.replace("{" + name + "}", value)
        return template

    def status(self, who: str, method: str, template: str) -> int:
        browser, path = self.browsers[who], self.path(template)
        if method == "GET":
            return browser.get(path).status_code
        fields = {"sure": "yes", "section": "1"} if "assistants" not in template else {"section": "1", "name": ""}
        status: int = self.room.post(browser, path, **fields).status_code
        return status


@pytest.mark.parametrize("who", WHO)
def test_every_route_answers_only_those_it_is_for(room: Any, who: str) -> None:
    assert set(ANSWERS) == {f"{rule.method} {rule.path}" for rule in SITE}
    visitors = Visitors(room)
    wanted = {route: int(answers.split()[WHO.index(who)]) for route, answers in ANSWERS.items()}
    # What ends the visit itself comes last.
    order = sorted(wanted, key=lambda route: ("logout" in route, "archive" in route, "erase" in route))
    assert {route: visitors.status(who, *route.split()) for route in order} == wanted


@pytest.mark.parametrize("who", WHO)
def test_of_a_notebook_only_page_files_and_controls_are_open(room: Any, who: str) -> None:
    visitors = Visitors(room)
    signed_in = who not in ("nobody", "expired")
    found, wanted = {}, {}
    for rule in NOTEBOOK:
        if rule.method == WEBSOCKET:
            continue
        path = room.NOTEBOOK + rule.path.replace("{path:path}", "x").replace(
            "{filename_and_length:path}", "1-12-abcdefgh.json"
        )
        answer = visitors.browsers[who].request(rule.method, path)
        found[rule] = answer.status_code
        if rule.access is Access.FILES:
            wanted[rule] = 404 if "{path" in rule.path else 200
        elif rule.access in (Access.CLOSED, Access.KERNEL, Access.UNFOLD):
            wanted[rule] = 403 if signed_in or rule.access is Access.CLOSED else 401
        else:
            wanted[rule] = (404 if "@file" in rule.path else 200) if signed_in else 303
    assert found == wanted


@pytest.mark.parametrize("path", ["/ws", "/ws_sync", "/terminal/ws", "/nothing"])
@pytest.mark.parametrize("who", ["nobody", "expired"])
def test_no_websocket_opens_without_a_login(room: Any, who: str, path: str) -> None:
    _assert_refused(Visitors(room).browsers[who], f"{room.NOTEBOOK}{path}?session_id=s_abcdef")


@pytest.mark.parametrize("path", ["/ws_sync", "/terminal/ws", "/nothing", "/sse"])
def test_no_other_websocket_opens_with_a_login(room: Any, path: str) -> None:
    _assert_refused(room.ada, f"{room.NOTEBOOK}{path}?session_id=s_abcdef")


def test_every_route_of_the_composed_application_is_in_the_table(room: Any, pages: Starlette) -> None:
    listed = {(rule.method, rule.path) for rule in SITE}
    listed |= {(rule.method, room.NOTEBOOK + rule.path) for rule in NOTEBOOK}
    # The notebook's own path is in every table; marimo has the same route once more behind ours.
    listed.add(("GET", room.NOTEBOOK))
    built = set(_routes(pages.routes))
    static = Path(marimo.__file__).parent / "_static"
    files = {("GET", f"{room.NOTEBOOK}/{file.name}") for file in static.iterdir()}  # by way of marimo's catch-all
    assert built - listed == set()
    assert listed - built - files == set()


def test_a_route_that_is_not_in_the_table_is_refused(room: Any) -> None:
    async def answer(request: Request) -> Response:
        return Response("reached")

    room.app = behind_the_door(Starlette(routes=[Route("/{path:path}", answer)]), room.services)
    reaching = room.browser()
    reaching.cookies = room.ada.cookies
    assert reaching.get("/classes").text == "reached"
    for path in (
        "/new",
        "/static/a/b",
        "/new/",
        "//join",
        "/JOIN",
        "/join/",
        "/classes/1/%2e%2e/2",
        "/classes/-1",
        "/classes/x",
    ):
        assert reaching.get(room.ORIGIN + path).status_code == 404, path


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_a_method_that_is_not_in_the_table_is_refused(room: Any, method: str) -> None:
    for path in ("/", "/join", "/classes/1", room.NOTEBOOK, room.NOTEBOOK + "/"):
        assert room.ada.request(method, path).status_code == 404


def test_paths_below_a_notebook_are_told_from_ours() -> None:
    table = Table(["/learning/grokking", "/compare"])
    assert table.notebook("/learning/grokking/ws") == "/learning/grokking"
    assert table.notebook("/compare/api/kernel/run") == "/compare"
    for path in ("/learning/grokking", "/learning/grokking2/ws", "/compare2/", "/x/compare/", "/"):
        assert table.notebook(path) is None


def test_closed_pages_say_the_same_whether_or_not_a_class_is_there(room: Any) -> None:
    answers = [
        room.bob.get(path) for path in ("/classes/1", "/classes/999", "/classes/2/members/1", "/classes/2/members/999")
    ]
    assert len({(answer.status_code, answer.text.replace("/classes/2", "/classes")) for answer in answers}) == 1


def _routes(routes: list[BaseRoute], before: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        path = before + getattr(route, "path", "")
        if isinstance(route, Mount):
            yield from _routes(route.routes, path) if route.routes else [("GET", path + "/{path:path}")]
        elif isinstance(route, WebSocketRoute):
            yield WEBSOCKET, path
        else:
            assert isinstance(route, Route)
            yield from ((method, path) for method in (route.methods or ()) if method != "HEAD")


def _assert_refused(browser: TestClient, path: str) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, browser.websocket_connect(path):
        pass
    assert refused.value.code == 1008


def test_a_database_is_not_asked_for_files(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "reading", None)
    assert room.ada.get(f"{room.NOTEBOOK}/favicon.ico").status_code == 200
