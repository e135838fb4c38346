"""Places in the queue, expected waits and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mem_core.engine import select
from mem_core.lab.runner import Request
from mem_core.mechanisms import catalog
from server.runs.expected_seconds import ExpectedSeconds
from server.runs.lane import Lane, LaneClosedError, Place, QueueFullError
from server.runs.limits import RunLimits
from server.runs.shared_run import SharedRun

ENGINE = select("numpy")
DEFAULT = catalog.load("memorybank").presets["browser"]


@pytest.fixture
def expected() -> ExpectedSeconds:
    known = ExpectedSeconds()
    known.measured(run("").request, 10.0)
    return known


@pytest.fixture
def make_lane(expected: ExpectedSeconds) -> Callable[..., Lane]:
    def make(workers: int = 1, **limits: Any) -> Lane:
        return Lane(workers, RunLimits(**limits), expected)

    return make


def run(learner: str) -> SharedRun:
    return SharedRun(Request("memorybank", DEFAULT, 0, ENGINE, learner), "", kept_mib=1)


def put(lane: Lane, *learners: str) -> list[SharedRun]:
    runs = [run(learner) for learner in learners]
    for one in runs:
        lane.put(one)
    return runs


def test_a_place_counts_the_turns_before_it_and_the_seconds_they_take(make_lane: Callable[..., Lane]) -> None:
    lane = make_lane(workers=2)
    a1, a2, b1 = put(lane, "ada", "ada", "bo")
    assert lane.place(a1) == Place(1, 0.0)
    assert lane.place(b1) == Place(2, 5.0)
    assert lane.place(a2) == Place(3, 10.0)


def test_what_is_computed_counts_with_what_is_left_of_it(make_lane: Callable[..., Lane]) -> None:
    lane = make_lane()
    computing, waiting = put(lane, "ada", "bo")
    assert lane.take() is computing
    computing.begin()
    assert computing.started is not None
    computing.started -= 4.0
    place = lane.place(waiting)
    assert place is not None
    assert place.position == 1
    assert place.seconds == pytest.approx(6.0, abs=0.5)
    computing.started -= 100.0
    assert lane.place(waiting) == Place(1, 0.0)
    assert lane.place(computing) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "1 second"), (1.2, "2 seconds"), (99.0, "99 seconds"), (121.0, "3 minutes")]
)
def test_a_place_is_said_in_words(seconds: float, words: str) -> None:
    assert Place(3, seconds).words == f"Waiting: number 3 in the queue, about {words}."


def test_a_full_queue_refuses_and_says_when_there_will_be_room(make_lane: Callable[..., Lane]) -> None:
    lane = make_lane(workers=2, queue_length=3)
    put(lane, "ada", "bo", "cy")
    with pytest.raises(QueueFullError) as refusal:
        lane.put(run("di"))
    assert str(refusal.value) == "The queue is full, with 3 waiting; try again in about 5 seconds."
    assert (refusal.value.retry_after, refusal.value.reason) == (5, "queue")


def test_a_learner_with_too_many_waiting_is_refused_until_the_first_starts(make_lane: Callable[..., Lane]) -> None:
    lane = make_lane(waiting_per_learner=2)
    put(lane, "bo", "ada", "ada")
    with pytest.raises(QueueFullError) as refusal:
        lane.put(run("ada"))
    assert str(refusal.value) == (
        "You have 2 runs waiting already, the most that one may have; try again in about 10 seconds."
    )
    assert (refusal.value.retry_after, refusal.value.reason) == (10, "learner")
    put(lane, "bo")


def test_when_the_reader_whose_turn_it_was_leaves_it_becomes_anothers(make_lane: Callable[..., Lane]) -> None:
    lane = make_lane(running_per_learner=1)
    shared, other = put(lane, "ada", "ada")
    shared.learners.append("bo")
    assert lane.take() is shared
    lane.leave(shared, "ada")
    assert lane.take() is other
    lane.done(shared)
    lane.done(other)
    assert lane.counts() == (0, 0)


def test_leaving_a_run_that_has_just_ended_takes_nobodys_turn(make_lane: Callable[..., Lane]) -> None:
    lane = make_lane(running_per_learner=1)
    ended, other = put(lane, "ada", "ada")
    ended.learners.append("bo")
    assert lane.take() is ended
    lane.done(ended)
    assert lane.take() is other
    lane.leave(ended, "ada")
    (third,) = put(lane, "bo")
    assert lane.take() is third
    lane.done(other)
    lane.done(third)
    assert lane.counts() == (0, 0)


def test_a_closed_lane_gives_back_what_waits_and_takes_nothing_more(make_lane: Callable[..., Lane]) -> None:
    lane = make_lane()
    waiting = put(lane, "ada", "bo")
    assert lane.close() == waiting
    assert lane.take() is None
    for put_again in (lane.put, lane.put_first):
        with pytest.raises(LaneClosedError, match=r"^The server is being stopped; run this again in a minute\.$"):
            put_again(run("ada"))
