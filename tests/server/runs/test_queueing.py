"""Learners who ask for much, and what waiting looks like to their pages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from server.runs.lane import QueueFullError
from server.runs.limits import RunLimits, what_to_lower

SLOW = {"steps": 400, "pause": 0.05}


def occupied(lab: Any, learner: str = "who was here before") -> Any:
    reading = lab.read("steady", learner=learner, seed=1000, **SLOW)
    lab.until(lambda: reading.frames)
    return reading


def waiting(lab: Any, learner: str, seeds: range, slug: str = "steady") -> list[Any]:
    """Ask for runs one after the other, each in the queue before the next."""
    readings = []
    for seed in seeds:
        before, _ = lab.runner.counts()["cpu"]
        readings.append(lab.read(slug, learner=learner, seed=seed))
        lab.until(lambda before=before: lab.runner.counts()["cpu"][0] == before + 1)
    return readings


def test_a_learner_who_asks_for_much_does_not_hold_up_one_who_asks_for_little(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(waiting_per_learner=10)
    busy = occupied(lab)
    readings = waiting(lab, "greedy", range(5)) + waiting(lab, "modest", range(2), "other")
    lab.events.clear()
    busy.leave()
    for reading in readings:
        assert reading.wait().error is None
    started = [event.slug for event in lab.events if event.happening == "started"]
    assert started == ["steady", "other", "steady", "other", "steady", "steady", "steady"]


def test_no_learner_has_more_runs_computed_at_once_than_allowed(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(workers=2, running_per_learner=1)
    readings = [occupied(lab, "greedy")]
    readings += waiting(lab, "greedy", range(1))
    assert lab.runner.counts()["cpu"] == (1, 1)
    assert lab.read("steady", learner="modest", seed=5).wait().error is None
    assert lab.runner.counts()["cpu"] == (1, 1)
    for reading in readings:
        reading.leave()


def test_a_page_that_waits_is_told_its_place_and_how_long(make_lab: Callable[..., Any]) -> None:
    lab = make_lab()
    lab.read("steady", seed=1).wait()  # so that it is known how long they take
    busy = occupied(lab)
    request = lab.request("steady", seed=2)
    assert lab.runner.place(request) is None
    reader = lab.runner.frames(request)
    frame = next(reader)
    assert frame.message == "Waiting: number 1 in the queue, about 1 second."
    assert (frame.progress, dict(frame.tables)) == (0.0, {})
    assert lab.runner.place(request).position == 1
    assert lab.runner.place(lab.request("steady", seed=3)) is None
    busy.leave()
    assert list(reader)[-1].message == "step 3 on numpy"
    assert lab.events[-1].waited > 0.05


def test_beyond_the_length_of_the_queue_a_run_is_refused_with_a_time_to_come_back(
    make_lab: Callable[..., Any],
) -> None:
    lab = make_lab(queue_length=1)
    busy = occupied(lab)
    (queued,) = waiting(lab, "ada", range(1))
    refused = lab.read("steady", learner="bo", seed=7).wait().error
    assert isinstance(refused, QueueFullError)
    assert refused.retry_after >= 1
    assert str(refused).startswith("The queue is full, with 1 waiting; try again in about ")
    assert lab.events[-1].happening == "refused"
    assert lab.events[-1].reason == "queue"
    same = lab.read("steady", learner="cy", seed=0)  # what waits already can be read by more
    busy.leave()
    for reading in (queued, same):
        assert reading.wait().error is None
    assert lab.read("steady", learner="bo", seed=7).wait().error is None


def test_a_learner_with_too_many_runs_waiting_is_refused_and_others_are_not(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(waiting_per_learner=2)
    busy = occupied(lab)
    readings = waiting(lab, "greedy", range(2))
    refused = lab.read("steady", learner="greedy", seed=7).wait().error
    assert isinstance(refused, QueueFullError)
    assert lab.events[-1].reason == "learner"
    readings += waiting(lab, "modest", range(20, 21))
    busy.leave()
    for reading in readings:
        assert reading.wait().error is None


def test_closing_lets_what_is_computed_finish_and_tells_who_waits(make_lab: Callable[..., Any]) -> None:
    lab = make_lab()
    computed = lab.read("steady", seed=1, steps=4, pause=0.3)
    lab.until(lambda: computed.frames)
    queued = lab.read("steady", seed=2)
    lab.until(lambda: lab.runner.counts()["cpu"] == (1, 1))
    lab.runner.close(seconds=30)
    assert computed.wait().error is None
    assert str(queued.wait().error) == "The server is being stopped; run this again in a minute."
    assert str(lab.read("steady", seed=3).wait().error) == str(queued.error)
    assert {event.reason for event in lab.events if event.happening in ("failed", "refused")} == {"closing"}
    lab.runner.close()


def test_closing_at_once_ends_what_is_computed(make_lab: Callable[..., Any]) -> None:
    lab = make_lab()
    computed = lab.read("endless")
    lab.until(lambda: computed.frames)
    lab.runner.close()
    assert str(computed.wait().error) == "The server is being stopped; run this again in a minute."
    assert lab.happenings("endless") == ["started", "failed"]


def test_closing_does_not_wait_for_a_worker_that_is_slow_to_start(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(program=(sys.executable, "-c", "import time; time.sleep(600)"), start_seconds=500)
    reading = lab.read("steady")
    lab.until(lambda: sum(lab.runner.counts()["cpu"]) == 1)
    lab.runner.close()
    assert str(reading.wait().error) == "The server is being stopped; run this again in a minute."
    assert lab.runner.counts() == {"cpu": (0, 0), "gpu": (0, 0)}


@pytest.mark.parametrize("name", ["seconds", "memory_mib", "queue_length", "running_per_learner", "light_seconds"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_that_is_not_above_zero_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^The limit {name} must be above 0, got {value!r}\.$"):
        RunLimits(**{name: value})


def test_without_a_worker_on_the_cpu_there_is_no_pool(make_lab: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="at least one worker on the CPU, got 0"):
        make_lab(workers=0)


def test_what_to_lower_names_what_is_above_its_default(lab: Any) -> None:
    default = lab.request("steady").settings
    assert what_to_lower(default.changed(steps=9, size=5), default) == "steps (now 9) or size (now 5)"
    assert what_to_lower(default, default) == "pause or size or steps"
