from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from mem_core.engine import select
from mem_core.lab import live as live_module
from mem_core.lab import runner
from mem_core.lab.live import Live
from mem_core.lab.runner import InProcessRunner, Request
from mem_core.lab.status import words
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Frame, RunError
from mem_core.mechanisms.tables import Table

SLUG = "memorybank"
SECONDS = 10.0


def request(seed: int = 0) -> Request:
    return Request(SLUG, catalog.load(SLUG).presets["browser"], seed, select("numpy"))


def frame(progress: float, steps: int) -> Frame:
    return Frame(progress, {"loss": Table.of(step=list(range(steps)))}, f"step {steps}")


class Scripted:
    """A runner that plays frames, waiting before each until it is let go on."""

    def __init__(self, play: Callable[[], Iterator[Frame]]) -> None:
        self.play = play

    def frames(self, request: Request) -> Iterator[Frame]:
        return self.play()

    def holds(self, request: Request) -> bool:
        return False


def start(
    monkeypatch: pytest.MonkeyPatch, play: Callable[[], Iterator[Frame]], previous: Live | None = None
) -> tuple[Live, list[float]]:
    monkeypatch.setattr(runner, "_chosen", Scripted(play))
    changes: list[float] = []
    return Live(request(), previous, lambda: changes.append(time.monotonic())).start(), changes


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def test_a_short_run_is_over_when_it_has_been_started(monkeypatch: pytest.MonkeyPatch) -> None:
    live, changes = start(monkeypatch, lambda: iter([frame(0.5, 1), frame(1.0, 2)]))
    assert (live.finished, live.running, live.problem) == (True, False, "")
    assert live.result is not None
    assert len(live.result.tables["loss"]) == 2
    assert changes == []


def test_a_long_run_goes_on_and_tells_of_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "SECONDS_IN_CELL", 0.0)
    monkeypatch.setattr(live_module, "SECONDS_BETWEEN_FRAMES", 0.0)
    gate = threading.Event()

    def play() -> Iterator[Frame]:
        yield frame(0.3, 1)
        gate.wait(SECONDS)
        yield frame(0.6, 2)
        yield frame(1.0, 3)

    live, changes = start(monkeypatch, play)
    assert live.running
    assert live.result is None
    assert len(live.tables["loss"]) == 1
    gate.set()
    wait_until(lambda: live.finished and len(changes) == 3)
    assert len(live.tables["loss"]) == 3


def test_a_stopped_run_keeps_what_had_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "SECONDS_IN_CELL", 0.0)
    gate = threading.Event()

    def play() -> Iterator[Frame]:
        yield frame(0.3, 1)
        gate.wait(SECONDS)
        yield frame(0.6, 2)
        raise AssertionError("the run went on after it was stopped")

    live, _ = start(monkeypatch, play)
    live.stop()
    gate.set()
    wait_until(lambda: not live.running)
    assert live.stopped
    assert not live.finished
    assert len(live.tables["loss"]) >= 1


def test_a_run_that_diverges_says_why_and_keeps_its_last_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    def play() -> Iterator[Frame]:
        yield frame(0.3, 2)
        raise RunError("Training diverged at step 3. Lower the learning rate.")

    live, _ = start(monkeypatch, play)
    assert live.problem == "Training diverged at step 3. Lower the learning rate."
    assert len(live.tables["loss"]) == 2
    assert live.result is None


def test_an_error_of_ours_ends_the_run_with_a_sentence_and_a_log_entry(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def play() -> Iterator[Frame]:
        yield frame(0.3, 2)
        raise ZeroDivisionError("inner details")

    live, _ = start(monkeypatch, play)
    assert live.problem == "This run ended at an error in the program (ZeroDivisionError); change a setting."
    assert len(live.tables["loss"]) == 2
    assert "inner details" in caplog.text


def test_two_threads_on_one_run_take_its_frames_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "SECONDS_IN_CELL", 0.0)
    monkeypatch.setattr(live_module, "SECONDS_BETWEEN_FRAMES", 0.0)

    def play() -> Iterator[Frame]:
        for step in range(1, 40):
            time.sleep(0.001)
            yield frame(step / 39, step)

    live, _ = start(monkeypatch, play)
    live.go_on()
    wait_until(lambda: not live.running)
    assert live.finished
    assert len(live.tables["loss"]) == 39


def test_before_and_between_its_frames_the_run_before_stays_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    before, _ = start(monkeypatch, lambda: iter([frame(1.0, 5)]))
    monkeypatch.setattr(live_module, "SECONDS_IN_CELL", 0.0)
    gate = threading.Event()

    def play() -> Iterator[Frame]:
        yield replace(frame(0.1, 0), tables={"loss": Table.of(step=[]), "fit": Table.of(day=[1])})
        gate.wait(SECONDS)
        yield frame(1.0, 2)

    live, _ = start(monkeypatch, play, before)
    assert len(live.tables["loss"]) == 5
    assert len(live.tables["fit"]) == 1
    gate.set()
    wait_until(lambda: live.finished)
    assert len(live.tables["loss"]) == 2


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replace the mechanism's run by a quick one that notes the seeds it was run with."""
    seeds: list[int] = []

    def run(settings: object, engine: object, seed: int) -> Iterator[Frame]:
        seeds.append(seed)
        yield frame(0.5, seed)
        yield frame(1.0, seed + 1)

    real = catalog.load(SLUG)
    monkeypatch.setattr(catalog, "load", lambda slug: replace(real, run=run))
    return seeds


def test_the_same_run_is_computed_once_and_then_shown_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = counted(monkeypatch)
    in_process = InProcessRunner()
    assert not in_process.holds(request(3))
    first, second = (list(in_process.frames(request(3))) for _ in range(2))
    assert in_process.holds(request(3))
    assert seeds == [3]
    assert len(first) == 2
    assert second == first[-1:]


def test_a_run_that_was_made_before_says_so_and_not_that_it_took_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    counted(monkeypatch)
    monkeypatch.setattr(runner, "_chosen", InProcessRunner())
    first, again = (Live(request(3), None, lambda: None).start() for _ in range(2))
    assert words(first).startswith("Done in ")
    assert words(again).startswith("Shown at once: these settings have been run before.")


def test_a_run_that_was_broken_off_is_not_taken_for_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = counted(monkeypatch)
    in_process = InProcessRunner()
    next(in_process.frames(request(3)))
    assert len(list(in_process.frames(request(3)))) == 2
    assert seeds == [3, 3]


def test_the_oldest_results_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = counted(monkeypatch)
    monkeypatch.setattr(runner, "KEPT_RESULTS", 2)
    in_process = InProcessRunner()
    for seed in (1, 2, 3, 1):
        list(in_process.frames(request(seed)))
    assert seeds == [1, 2, 3, 1]


def test_the_key_of_a_result_depends_on_all_it_was_made_from(monkeypatch: pytest.MonkeyPatch) -> None:
    one = request()
    others = [
        replace(one, seed=1),
        replace(one, settings=one.settings.changed(tau=2.0)),
        replace(one, engine=select("torch")),
        replace(one, engine=select("numpy", precision="float64")),
    ]
    assert len({item.key for item in [one, *others]}) == 5
    key = one.key
    monkeypatch.setattr(runner, "source_hash", lambda slug: "another source")
    assert one.key != key
