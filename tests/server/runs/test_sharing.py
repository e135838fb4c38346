"""One computation for everybody who asks for the same, cancelled when nobody reads it any more."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from mem_core.mechanisms.contract import Frame, RunError
from server.runs.shared_run import SharedRun

SLOW = {"steps": 400, "pause": 0.05}


def test_those_who_come_late_see_the_same_frames_of_one_computation(lab: Any) -> None:
    first = lab.read("steady", learner="ada", steps=6, pause=0.4)
    lab.until(lambda: len(first.frames) == 3)
    late = lab.read("steady", learner="bo", steps=6, pause=0.4)
    assert late.wait().messages == first.wait().messages
    assert len(late.messages) == 6
    assert all(one is other for one, other in zip(first.frames, late.frames, strict=True))
    assert lab.happenings("steady") == ["started", "finished"]


def test_other_settings_another_seed_or_another_mechanism_is_another_computation(lab: Any) -> None:
    for reading in (lab.read("steady", seed=7), lab.read("steady", seed=8), lab.read("steady", seed=7, steps=2)):
        reading.wait()
    assert lab.happenings("steady") == ["started", "finished"] * 3


def test_a_run_goes_on_until_its_last_reader_leaves_and_then_is_cancelled(lab: Any) -> None:
    first, second = (lab.read("steady", learner=learner, seed=1, **SLOW) for learner in ("ada", "bo"))
    lab.until(lambda: len(first.frames) > 1 and len(second.frames) > 1)
    first.leave()
    seen = len(second.frames)
    lab.until(lambda: len(second.frames) > seen + 2)
    assert "cancelled" not in lab.happenings("steady")
    second.leave()
    lab.until(lambda: lab.happenings("steady") == ["started", "cancelled"])
    lab.until(lambda: lab.runner.counts()["cpu"] == (0, 0))
    assert not lab.runner.holds(lab.request("steady", seed=1, **SLOW))


def test_the_worker_of_a_cancelled_run_lives_on_if_it_stops_in_time(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(stop_seconds=30)
    reading = lab.read("steady", seed=2, **SLOW)
    lab.until(lambda: reading.frames)
    before = lab.runner.worker_pids()
    reading.leave()
    assert lab.read("steady", seed=3).wait().error is None
    assert lab.runner.worker_pids() == before


def test_the_worker_of_a_cancelled_run_that_hangs_is_killed(lab: Any) -> None:
    reader = lab.runner.frames(lab.request("endless"))
    while not next(reader).tables:
        pass
    (pid,) = lab.runner.worker_pids()
    reader.close()
    lab.until(lambda: lab.happenings("endless") == ["started", "cancelled"])
    assert not psutil.pid_exists(pid)
    assert lab.read("steady", seed=4).wait().error is None


def test_a_reader_who_is_forgotten_has_left(lab: Any) -> None:
    reader = lab.runner.frames(lab.request("steady", seed=5, **SLOW))
    next(reader)
    del reader
    gc.collect()
    lab.until(lambda: lab.happenings("steady")[-1:] == ["cancelled"])


def test_leaving_waits_for_no_lock_because_garbage_is_collected_anywhere(lab: Any) -> None:
    reader = lab.runner.frames(lab.request("steady", seed=6, **SLOW))
    next(reader)
    left = threading.Event()

    def leave() -> None:
        reader.close()
        left.set()

    with lab.runner._pool._lock:
        threading.Thread(target=leave, daemon=True).start()
        assert left.wait(10)
    lab.until(lambda: lab.happenings("steady")[-1:] == ["cancelled"])


def test_a_run_that_waits_is_withdrawn_when_its_reader_leaves(lab: Any) -> None:
    busy = lab.read("steady", seed=7, **SLOW)
    lab.until(lambda: busy.frames)
    waiting = lab.runner.frames(lab.request("steady", learner="bo", seed=8, **SLOW))
    assert next(waiting).message.startswith("Waiting: number 1 in the queue, about ")
    assert lab.runner.counts()["cpu"] == (1, 1)
    waiting.close()
    lab.until(lambda: lab.runner.counts()["cpu"] == (0, 1))
    busy.leave()
    lab.until(lambda: lab.happenings("steady").count("cancelled") == 2)
    assert lab.happenings("steady").count("started") == 1


def test_whoever_asks_again_after_cancelling_gets_a_new_run(lab: Any) -> None:
    first = lab.read("steady", seed=9, steps=12, pause=0.05)
    lab.until(lambda: first.frames)
    first.leave()
    again = lab.read("steady", seed=9, steps=12, pause=0.05).wait()
    assert again.error is None
    assert len(again.frames) == 12


def test_frames_that_take_too_much_memory_are_thinned_out_and_the_newest_stays(lab: Any) -> None:
    run = SharedRun(lab.request("steady"), key="", kept_mib=1)
    for number in range(1, 1001):
        run.publish(Frame(number / 1000, {}, str(number)), 100_000)
    run.end()
    seen, after = [], 0
    while after < 1000:
        found = run.next_frame(after, 1.0)
        assert found is not None
        after, frame = found
        seen.append(int(frame.message))
    assert 2 <= len(seen) <= 10
    assert seen == sorted(set(seen))
    assert seen[-1] == 1000


def test_a_reader_sees_every_frame_before_it_is_told_of_a_failure(lab: Any) -> None:
    run = SharedRun(lab.request("steady"), key="", kept_mib=1)
    run.publish(Frame(0.5, {}, "half"), 10)
    run.end("It failed.")
    assert run.next_frame(0, 1.0) == (1, Frame(0.5, {}, "half"))
    with pytest.raises(RunError, match=r"^It failed\.$"):
        run.next_frame(1, 1.0)
