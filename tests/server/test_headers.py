"""What every answer carries, and how large a request may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from server.classroom import behind_the_door
from server.door.access import NOTEBOOK, SITE, WEBSOCKET
from server.door.body_size import MOST_BYTES, BodySize
from server.door.headers import COMMON


def _policies(answer: Any) -> list[dict[str, str]]:
    both = answer.headers["content-security-policy"].split(", ")
    return [dict(part.strip().split(" ", 1) for part in policy.split(";")) for policy in both]


def _everywhere(room: Any) -> Iterator[Any]:
    places = {
        "class_id:number": "1",
        "section_id:number": "1",
        "member_id:number": "1",
        "slug": "x",
        "name": "icon.svg",
    }
    for rule in (*SITE, *NOTEBOOK):
        if rule.method != WEBSOCKET:
            path = re.sub(r"\{([^}]+)\}", lambda found: places.get(found[1], "x"), rule.path)
            for browser in (room.ada, room.browser()):
                yield browser.request(rule.method, path if rule in SITE else room.NOTEBOOK + path)
    yield room.ada.get("/nothing")
    yield room.ada.get("/", headers={"origin": "https://evil.example"})


def test_every_answer_of_every_route_carries_the_headers(room: Any) -> None:
    for answer in _everywhere(room):
        for name, value in COMMON.items():
            assert answer.headers.get_list(name) == [value], answer.url
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert "access-control-allow-origin" not in answer.headers
        for directive in ("default-src", "frame-ancestors"):
            assert _policies(answer)[0][directive] == "'none'", answer.url
        assert "server" not in answer.headers


def test_our_own_pages_may_run_no_script_and_be_kept_nowhere(room: Any) -> None:
    for path in ("/", "/join", "/classes", "/classes/1", "/nothing"):
        answer = room.ada.get(path)
        assert "script-src" not in _policies(answer)[0]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        # Nothing that such a policy would forbid stands in the page.
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", answer.text), path


def test_of_a_notebooks_page_only_the_scripts_it_was_sent_with_may_run(room: Any) -> None:
    first, second = (room.ada.get(room.NOTEBOOK + "/") for _ in range(2))
    sources = [policy["script-src"] for policy in _policies(first)]
    nonces = {found for policy in sources for found in re.findall(r"'nonce-([\w-]+)'", policy)}
    assert len(nonces) == 1
    nonce = nonces.pop()
    assert all("'unsafe-inline'" not in policy for policy in sources)
    assert nonce not in second.text
    scripts = re.findall(r"<script[\s>][^>]*>?", first.text)
    assert len(scripts) > 3
    assert all(f'nonce="{nonce}"' in script for script in scripts)
    assert first.headers["cache-control"] == "no-store"
    assert int(first.headers["content-length"]) == len(first.content)


def test_a_page_that_fails_carries_the_headers_and_says_nothing(room: Any) -> None:
    async def fail(request: Request) -> Response:
        raise RuntimeError("the secret is hunter2")

    room.app = behind_the_door(Starlette(routes=[Route("/join", fail)]), room.services)
    browser = TestClient(room.app, base_url=room.ORIGIN, raise_server_exceptions=False)
    answer = browser.get("/join")
    assert (answer.status_code, answer.headers["x-frame-options"]) == (500, "DENY")
    assert "hunter2" not in answer.text


def test_marimo_cannot_invite_other_sites(room: Any) -> None:
    answer = room.ada.get(room.NOTEBOOK + "/favicon.ico", headers={"origin": room.ORIGIN})
    assert [name for name in answer.headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize(
    "path", ["/join", "/classes/1/roster", "/continual/stability-gap/api/kernel/set_ui_element_value"]
)
def test_a_request_that_is_too_large_is_refused(room: Any, path: str) -> None:
    answer = room.ada.post(path, content=b"x" * (MOST_BYTES + 1))
    assert (answer.status_code, "more than 1024 KB" in answer.text) == (413, True)
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("size", [0, 10, 11, 100])
@pytest.mark.parametrize("stated", [True, False])
def test_a_body_is_read_as_far_as_is_allowed_whatever_it_says_of_itself(size: int, stated: bool) -> None:
    seen = []

    async def read(request: Request) -> Response:
        seen.append(len(await request.body()))
        return PlainTextResponse("read")

    app = BodySize(Starlette(routes=[Route("/", read, methods=["POST"])]), most=10)
    parts = (b"x" for _ in range(size))
    answer = TestClient(app).post("/", content=b"x" * size if stated else parts)
    assert answer.status_code == (200 if size <= 10 else 413)
    assert seen == ([size] if size <= 10 else [])


@pytest.mark.parametrize("length", ["-1", "ten", "1e3"])
def test_a_length_that_is_none_is_refused(room: Any, length: str) -> None:
    assert room.ada.post("/join", content=b"", headers={"content-length": length}).status_code == 413
