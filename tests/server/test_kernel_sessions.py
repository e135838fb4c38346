"""Whose notebook is whose: real websockets, a real kernel, and everybody who should not be there."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.requests import HTTPConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from benchmarks.real_browser import free_port
from server.classroom import unguarded
from server.database.connection import Database
from server.door import kernel_sessions, live_connections
from server.door.function_calls import only_unfolds
from server.door.kernel_sessions import KernelSessions, session_id_of
from server.door.live_connections import LOGIN_ENDED
from server.door.notebook_files import names_in

from .conftest import Room

NOTEBOOK = """
import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
    slider = mo.ui.slider(1, 9)
    slider
    return mo, slider

@app.cell
def _(mo, slider):
    mo.download(b"hello " * slider.value, filename="hello.txt")
    return
"""
PATIENCE = 20
"""Seconds for a kernel to start on a busy machine."""


class ServedRoom(Room):
    """A room on a port of this machine, until it is closed."""

    NOTEBOOK = "/small"

    def __init__(self, database: Database, notebook: Path) -> None:
        port = free_port()
        self.ORIGIN = f"http://127.0.0.1:{port}"
        self._port = port
        self._server: uvicorn.Server | None = None
        self._browsers = contextlib.ExitStack()
        super().__init__(database, unguarded([(self.NOTEBOOK, notebook)]))

    def browser(self, address: str = "127.0.0.1") -> httpx.Client:
        if self._server is None:
            self._start()
        opened = httpx.Client(base_url=self.ORIGIN, headers={"origin": self.ORIGIN}, timeout=PATIENCE)
        return self._browsers.enter_context(opened)

    def _start(self) -> None:
        config = uvicorn.Config(self.app, port=self._port, log_level="error", proxy_headers=False, access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + PATIENCE
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def close(self) -> None:
        self._browsers.close()
        assert self._server is not None
        self._server.should_exit = True
        self._thread.join(timeout=PATIENCE)
        assert not self._thread.is_alive()

    def socket(
        self, browser: httpx.Client, session_id: str, origin: str | None = "own", more: str = ""
    ) -> ClientConnection:
        """Open the websocket of a notebook as its page would."""
        address = f"{self.ORIGIN.replace('http', 'ws')}{self.NOTEBOOK}/ws?session_id={session_id}{more}"
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return connect(
            address,
            origin=self.ORIGIN if origin == "own" else origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookies},
            open_timeout=PATIENCE,
            max_size=None,
            max_queue=None,
        )

    def refused(self, browser: httpx.Client, session_id: str, **how: Any) -> bool:
        """Tell whether a websocket is refused before it opens."""
        try:
            self.socket(browser, session_id, **how).close()
        except InvalidStatus as refused:
            return refused.response.status_code == 403
        return False

    def move(self, browser: httpx.Client, *session_ids: str, control: str = "x") -> int:
        """Move a control."""
        return self.send(browser, "set_ui_element_value", {"objectIds": [control], "values": [3]}, *session_ids)

    def send(self, browser: httpx.Client, what: str, body: dict[str, Any], *session_ids: str) -> int:
        """Send something to a kernel, naming sessions as a page names one."""
        page = browser.get(self.NOTEBOOK + "/").text
        token = re.findall(r'"serverToken":\s*"([^"]+)"', page)
        headers = [("Marimo-Session-Id", session_id) for session_id in session_ids]
        headers += [("Marimo-Server-Token", word) for word in token]
        return browser.post(f"{self.NOTEBOOK}/api/kernel/{what}", json=body, headers=headers).status_code


@pytest.fixture
def served(sqlite: Database, tmp_path: Path) -> Iterator[ServedRoom]:
    notebook = tmp_path / "small.py"
    notebook.write_text(NOTEBOOK)
    room = ServedRoom(sqlite, notebook)
    yield room
    room.close()


def _until(socket: ClientConnection, word: str) -> str:
    """Read messages until one holds a word."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        message = socket.recv(timeout=PATIENCE)
        if word in str(message):
            return str(message)
    raise AssertionError(f"no {word}")


def _end(socket: ClientConnection) -> int:
    """Read what is still sent, and return the code it is closed with."""
    try:
        while True:
            socket.recv(timeout=PATIENCE)
    except ConnectionClosed as closed:
        return int(closed.rcvd.code) if closed.rcvd is not None else 0


def test_a_session_belongs_to_the_login_that_opened_it_first(served: ServedRoom) -> None:
    lea, leo = served.learner("Lea"), served.learner("Leo")
    elsewhere = served.browser()
    code = re.findall(r'class="code big">([\w-]+)<', served.post(lea, "/me/code", "/me").text)[0]
    served.post(elsewhere, "/return", code=code)
    with served.socket(lea, "s_aaaaaa") as socket:
        control = re.findall(r"object-id=['\"]([\w-]+)", _until(socket, "marimo-slider").replace("\\", ""))
        _until(socket, "completed-run")
        for stranger in (leo, elsewhere, served.ada, served.bob):
            assert served.refused(stranger, "s_aaaaaa")
            assert served.move(stranger, "s_aaaaaa") == 403
        assert control
        assert served.move(lea, "s_aaaaaa", control=control[0]) == 200
        assert "@file/18-" in _until(socket, "@file/")
    # Nor once its page is gone, while marimo still keeps it.
    assert served.refused(leo, "s_aaaaaa")
    assert served.move(leo, "s_aaaaaa") == 403
    with served.socket(lea, "s_aaaaaa") as socket:
        _until(socket, "reconnected")


def test_a_file_of_a_notebook_is_for_whom_it_was_made(served: ServedRoom) -> None:
    lea, leo = served.learner("Lea"), served.learner("Leo")
    with served.socket(lea, "s_aaaaaa") as socket, served.socket(leo, "s_bbbbbb") as other:
        file = f"{served.NOTEBOOK}/@file/{names_in(_until(socket, '@file/'))[0]}"
        _until(other, "@file/")
        assert lea.get(file).content == b"hello "
        for stranger in (leo, served.ada, served.bob):
            assert stranger.get(file).status_code == 404
        assert served.browser().get(file).status_code == 303
        for guessed in ("1-psm_12345678", "4-/etc/passwd", "..%2f..%2fsmall.py", "6-1-aaaaaaaa.txt"):
            assert lea.get(f"{served.NOTEBOOK}/@file/{guessed}").status_code == 404


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None, "http://127.0.0.1"])
def test_a_websocket_opens_only_from_our_own_page(served: ServedRoom, origin: str | None) -> None:
    assert served.refused(served.learner("Lea"), "s_aaaaaa", origin=origin)


@pytest.mark.parametrize("more", ["&kiosk=true", "&access_token=x", "&file=/etc/passwd", "&session_id=s_bbbbbb"])
def test_a_websocket_cannot_name_a_session_or_a_file_in_other_ways(served: ServedRoom, more: str) -> None:
    assert served.refused(served.learner("Lea"), "s_aaaaaa", more=more)


def test_the_pages_close_when_the_login_ends(served: ServedRoom) -> None:
    lea, leo, eve, exa = (served.learner(name) for name in ("Lea", "Leo", "Eve", "Exa"))
    with contextlib.ExitStack() as stack:
        sockets = {
            name: stack.enter_context(served.socket(browser, f"s_{name}aaa"))
            for name, browser in (("lea", lea), ("leo", leo), ("eve", eve), ("exa", exa))
        }
        served.post(lea, "/logout", "/me")
        assert _end(sockets["lea"]) == LOGIN_ENDED
        served.post(served.ada, f"/classes/1/members/{served.number('Leo')}/code", "/classes/1")
        assert _end(sockets["leo"]) == LOGIN_ENDED
        served.post(served.ada, f"/classes/1/members/{served.number('Eve')}/erase", "/classes/1", sure="yes")
        assert _end(sockets["eve"]) == LOGIN_ENDED
        assert sockets["exa"].ping().wait(PATIENCE)  # who has nothing to do with it stays
        served.post(served.ada, "/classes/1/archive", "/classes/1")
        assert _end(sockets["exa"]) == LOGIN_ENDED
    assert served.refused(lea, "s_leaaaa")


def test_a_page_notices_by_itself_that_its_login_ended(served: ServedRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_connections, "LOOK_EVERY_SECONDS", 0.1)
    lea = served.learner("Lea")
    with served.socket(lea, "s_aaaaaa") as socket:
        with served.database.writing() as session:  # as another process would
            session.connection().exec_driver_sql(
                "UPDATE logins SET expires_at = '2020-01-01' WHERE membership_id IS NOT NULL"
            )
        served.services.logins.forget()
        assert _end(socket) == LOGIN_ENDED


@pytest.mark.parametrize(
    ("name", "arguments", "status"),
    [("load", {}, 200), ("load", {"path": "/"}, 403), ("list_directory", {}, 403), ("search", {"query": "x"}, 403)],
)
def test_of_the_functions_of_a_page_only_that_of_a_fold_can_be_called(
    served: ServedRoom, name: str, arguments: dict[str, str], status: int
) -> None:
    lea, leo = served.learner("Lea"), served.learner("Leo")
    body = {"functionCallId": "1", "namespace": "MJUe-9", "functionName": name, "args": arguments}
    with served.socket(lea, "s_aaaaaa") as socket:
        _until(socket, "completed-run")
        assert served.send(lea, "function_call", body, "s_aaaaaa") == status
        assert served.send(leo, "function_call", body, "s_aaaaaa") == 403


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", b"[" * 100_000, b'{"functionName": "load", "args": {}}'])
def test_a_call_that_is_none_is_refused(body: bytes) -> None:
    assert not only_unfolds(body)


def test_two_sessions_named_at_once_are_none(served: ServedRoom) -> None:
    lea = served.learner("Lea")
    with served.socket(lea, "s_aaaaaa"):
        assert served.move(lea) == 403
        assert served.move(lea, "s_aaaaaa", "s_aaaaaa") == 403
        assert served.move(lea, "s_cccccc") == 403
        assert served.move(lea, "S_AAAAAA") == 403


def test_one_login_cannot_open_sessions_without_end() -> None:
    seconds = [0.0]
    sessions = KernelSessions(clock=lambda: seconds[0])
    ids = [f"s_{number:06}" for number in range(kernel_sessions.MOST_PER_LOGIN + 1)]
    assert all(sessions.enter(session_id, 1) for session_id in ids[:-1])
    assert not sessions.enter(ids[-1], 1)
    assert sessions.enter(ids[-1], 2)
    sessions.leave(ids[0])
    assert not sessions.enter("s_zzzzzz", 1)  # marimo still keeps the one that was left
    seconds[0] = kernel_sessions.MARIMO_KEEPS_SECONDS + 1.0
    assert sessions.enter("s_zzzzzz", 1)


def test_an_id_is_free_again_only_when_marimo_has_forgotten_it() -> None:
    seconds = [0.0]
    sessions = KernelSessions(clock=lambda: seconds[0])
    assert sessions.enter("s_aaaaaa", 1)
    seconds[0] = 10 * kernel_sessions.REMEMBERED_SECONDS
    assert not sessions.enter("s_aaaaaa", 2)  # still open, however long
    sessions.leave("s_aaaaaa")
    seconds[0] += kernel_sessions.REMEMBERED_SECONDS - 1.0
    assert not sessions.enter("s_aaaaaa", 2)
    seconds[0] += 2.0
    assert sessions.enter("s_aaaaaa", 2)
    assert not sessions.belongs("s_aaaaaa", 1)


@pytest.mark.parametrize(
    ("query", "headers", "found"),
    [
        ("session_id=s_abc123", {}, "s_abc123"),
        ("", {"marimo-session-id": "s_abc123"}, "s_abc123"),
        ("session_id=s_abc123", {"marimo-session-id": "s_abc123"}, None),
        ("session_id=s_abc123", {"marimo-stable-session-id": "s_other1"}, None),
        ("session_id=__all__", {}, None),
        ("session_id=s_abc1234", {}, None),
        ("session_id=s_abc123%0a", {}, None),
        ("session_id=", {}, None),
        ("", {}, None),
    ],
)
def test_a_session_is_named_in_one_way_only(query: str, headers: dict[str, str], found: str | None) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "query_string": query.encode(), "headers": raw, "path": "/"}
    assert session_id_of(HTTPConnection(scope)) == found


def test_the_names_of_files_are_found_in_what_marimo_sends() -> None:
    message = json.dumps({"data": '<a href="./@file/6-77-aB3dE6gH.txt"> ./@file/x.txt @file/6-77-aB3dE6gHi.txt'})
    assert names_in(message) == ["6-77-aB3dE6gH.txt"]
    assert names_in("") == []
