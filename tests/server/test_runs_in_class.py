"""How the classroom's runs are tied to the people in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from mem_core.lab import runner
from server.app import file_routes
from server.classroom import _ANSWERS, behind_the_door, runs_on_workers
from server.configuration import ConfigurationError, checked
from server.runs.lane import QueueFullError
from server.runs.learner import LEARNER, learner_of_page
from server.runs.pool_runner import PoolRunner


@pytest.fixture(autouse=True)
def the_runner_of_before() -> Iterator[None]:
    before = runner._chosen, runner._asking
    yield
    runner._chosen, runner._asking = before


def _configuration(results: Path) -> Any:
    return checked(
        {
            "secret": "s" * 40,
            "public_url": "http://127.0.0.1:2718",
            "database_url": "sqlite:////not/opened/here",
            "results_directory": results,
            "run_workers": 1,
        }
    )


def test_the_guard_says_which_learner_asks(room: Any) -> None:
    def say(request: Request) -> Response:
        return JSONResponse(request.scope["meta"])

    door = behind_the_door(Starlette(routes=[Route("/", say), Route("/join", say)]), room.services)
    lea, max_ = room.learner("Lea"), room.learner("Max")
    said = []
    for browser in (lea, max_, room.browser()):
        probe = TestClient(door, base_url=room.ORIGIN, headers={"origin": room.ORIGIN}, cookies=browser.cookies)
        said.append(probe.get("/join").json()[LEARNER])
    assert said == [f"learner {room.number('Lea')}", f"learner {room.number('Max')}", ""]


def test_a_full_queue_is_said_with_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullRunner:
        def frames(self, request: runner.Request) -> Iterator[Any]:
            raise QueueFullError(f"The queue is full for {request.learner}.", 7, "queue")

    monkeypatch.setattr(runner, "_chosen", FullRunner())
    browser = TestClient(Starlette(routes=file_routes(), exception_handlers=_ANSWERS))
    answer = browser.get("/pictures/memorybank.svg")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert "The queue is full for picture of memorybank." in answer.text


def test_runs_go_to_workers_while_the_server_is_open(tmp_path: Path) -> None:
    with runs_on_workers(_configuration(tmp_path / "results"), seconds_to_finish=0.0):
        chosen = runner.chosen()
        assert isinstance(chosen, PoolRunner)
        assert runner._asking is learner_of_page
    assert (tmp_path / "results").is_dir()
    assert chosen.worker_pids() == []


def test_results_that_cannot_be_kept_where_they_should_be_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(
            ConfigurationError, match=r"results_directory: .*file/results cannot be made \(Not a directory\)"
        ),
        runs_on_workers(_configuration(tmp_path / "file" / "results"), seconds_to_finish=0.0),
    ):
        pass
