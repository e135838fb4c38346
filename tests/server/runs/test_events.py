"""What is told to whoever counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from server.runs.events import RunEvent


def test_an_event_says_how_long_a_run_waited_and_was_computed_and_names_nobody(make_lab: Callable[..., Any]) -> None:
    lab = make_lab()
    busy = lab.read("steady", seed=1, steps=400, pause=0.05)
    lab.until(lambda: busy.frames)
    waiting = lab.read("other", learner="ada", steps=2, pause=0.2)
    lab.until(lambda: lab.runner.counts()["cpu"] == (1, 1))
    busy.leave()
    waiting.wait()
    started, finished = (event for event in lab.events if event.slug == "other")
    assert (started.happening, finished.happening) == ("started", "finished")
    assert started.waited > 0
    assert finished.waited == pytest.approx(started.waited, abs=0.05)
    assert finished.seconds >= 0.2
    assert "learner" not in {field.name for field in fields(RunEvent)}
    assert all("ada" not in repr(event) for event in lab.events)


def test_waiting_ends_with_the_first_attempt(make_lab: Callable[..., Any]) -> None:
    lab = make_lab()
    lab.read("crashing", steps=3, pause=0.3).wait()
    assert lab.happenings("crashing") == ["started", "retried", "failed"]
    assert lab.events[-1].waited == lab.events[1].waited


def test_a_listener_that_fails_is_logged_and_disturbs_no_run(
    make_lab: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: RunEvent) -> None:
        raise ValueError("no such metric")

    lab = make_lab(on_event=fail, light_seconds=0.2)
    assert lab.read("steady").wait().error is None
    assert lab.read("who_computes").wait().error is None
    assert caplog.text.count("no such metric") >= 4


def test_a_supervisor_outlives_an_error_of_ours(
    make_lab: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lab = make_lab()
    with monkeypatch.context() as broken:
        broken.setattr("server.runs.attempt.read_frame", lambda data: 1 / 0)
        assert str(lab.read("steady").wait().error) == "The server could not compute this run."
    assert "ZeroDivisionError" in caplog.text
    assert lab.read("steady").wait().error is None
    with monkeypatch.context() as broken:
        broken.setattr(lab.cache, "put", lambda key, data: 1 / 0)
        assert lab.read("steady", seed=1).wait().error is None
    assert "A result could not be kept." in caplog.text
    assert lab.read("steady", seed=2).wait().error is None
