"""Whose turn a page's runs take."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from marimo._runtime.commands import HTTPRequest
from starlette.requests import HTTPConnection

from mem_core.engine import select
from mem_core.lab import runner
from mem_core.lab.runner import InProcessRunner, Request
from mem_core.mechanisms import catalog
from server.runs import learner as module
from server.runs.learner import LEARNER, learner_of_page

ENGINE = select("numpy")


@pytest.fixture
def pages_ask() -> Iterator[None]:
    before = runner._chosen, runner._asking
    runner.use(InProcessRunner(), learner_of_page)
    yield
    runner._chosen, runner._asking = before


def opened_by(monkeypatch: pytest.MonkeyPatch, meta: dict[str, str] | None) -> None:
    scope: dict[str, Any] = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b"", "server": None}
    seen = HTTPRequest.from_request(HTTPConnection(scope | ({} if meta is None else {"meta": meta})))
    monkeypatch.setattr(module.mo, "app_meta", lambda: SimpleNamespace(request=seen))


def request(**keywords: Any) -> Request:
    return Request("memorybank", catalog.load("memorybank").presets["browser"], 0, ENGINE, **keywords)


def test_without_a_server_nobody_asks() -> None:
    assert request().learner == ""


@pytest.mark.usefixtures("pages_ask")
def test_outside_of_a_page_nobody_asks() -> None:
    assert request().learner == ""


@pytest.mark.usefixtures("pages_ask")
@pytest.mark.parametrize(("meta", "learner"), [({LEARNER: "12"}, "12"), ({}, ""), (None, "")])
def test_a_run_is_asked_for_by_whoever_the_guard_says_opened_the_page(
    monkeypatch: pytest.MonkeyPatch, meta: dict[str, str] | None, learner: str
) -> None:
    opened_by(monkeypatch, meta)
    assert request().learner == learner


def test_two_learners_requests_for_the_same_run_are_equal() -> None:
    assert request(learner="ada") == request(learner="bo")
    assert hash(request(learner="ada")) == hash(request(learner="bo"))
