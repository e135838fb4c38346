"""What a run may do to its worker, and what its readers and the other runs see of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from mem_core.mechanisms.contract import RunError
from server.runs import worker_process
from server.runs.worker_process import ROOT, environment

WORKS_ON = {"steps": 2}


def sentence(reading: Any) -> str:
    error = reading.wait().error
    assert isinstance(error, RunError)
    return str(error)


def still_works(lab: Any) -> bool:
    return lab.read("steady", seed=int(time.monotonic() * 1e6), **WORKS_ON).wait().error is None


def test_frames_come_one_after_the_other_and_the_last_is_kept(lab: Any) -> None:
    reading = lab.read("steady", steps=3, pause=0.2)
    lab.until(lambda: len(reading.frames) == 1)
    assert lab.runner.counts()["cpu"] == (0, 1)
    assert reading.wait().messages == ["step 1 on numpy", "step 2 on numpy", "step 3 on numpy"]
    assert lab.runner.holds(lab.request("steady", steps=3, pause=0.2))
    assert lab.read("steady", steps=3, pause=0.2).wait().messages == ["step 3 on numpy"]
    assert lab.happenings("steady") == ["started", "finished", "kept"]
    assert lab.events[1].seconds > 0.4


def test_a_run_that_diverges_says_so_after_its_frames(lab: Any) -> None:
    reading = lab.read("diverging")
    assert sentence(reading) == "Training diverged at step 3. Lower steps."
    assert len(reading.frames) == 3
    assert [event.reason for event in lab.events] == ["", "run"]
    assert not lab.runner.holds(lab.request("diverging"))


@pytest.mark.parametrize(
    ("slug", "name", "logged"),
    [
        ("broken", "ZeroDivisionError", "inner details"),
        ("silent", "no frame", "gave no frame"),
        ("odd_column", "FrameBytesError", "'value' of table 'odd'"),
        ("too_large", "ValueError", "the largest is"),
    ],
)
def test_an_error_of_ours_is_one_sentence_and_a_log_entry(
    lab: Any, slug: str, name: str, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert sentence(lab.read(slug)) == f"This run ended at an error in the program ({name}); change a setting."
    assert logged in caplog.text
    assert lab.events[-1].reason == "program"


def test_a_run_that_kills_its_worker_is_tried_twice_and_then_ends_in_a_sentence(lab: Any) -> None:
    before = lab.runner.worker_pids()
    reading = lab.read("crashing", steps=5)
    assert sentence(reading) == (
        "The process computing this run ended by signal 9; run it again, or lower steps (now 5)."
    )
    assert lab.happenings("crashing") == ["started", "retried", "failed"]
    assert lab.events[-1].reason == "crash"
    assert still_works(lab)
    assert lab.runner.worker_pids() != before


def test_a_worker_killed_in_the_middle_of_a_run_is_replaced_and_the_run_finishes(lab: Any) -> None:
    reading = lab.read("steady", steps=4, pause=0.3, seed=1)
    lab.until(lambda: len(reading.frames) == 2)
    os.kill(lab.runner.worker_pids()[0], signal.SIGKILL)
    assert reading.wait().error is None
    assert reading.messages[-4:] == [f"step {step} on numpy" for step in (1, 2, 3, 4)]
    assert len(reading.messages) >= 6
    assert lab.happenings("steady") == ["started", "retried", "finished"]


def test_a_worker_killed_while_idle_is_replaced_unnoticed(lab: Any) -> None:
    assert still_works(lab)
    os.kill(lab.runner.worker_pids()[0], signal.SIGKILL)
    assert still_works(lab)


def test_a_run_that_hangs_ends_at_the_time_limit_and_says_what_to_lower(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(seconds=1.5)
    assert sentence(lab.read("endless", steps=4)) == (
        "This run took longer than 1.5 seconds, the most that a run may take here; lower steps (now 4)."
    )
    assert lab.events[-1].reason == "time"
    assert 1.5 <= lab.events[-1].seconds < 6
    assert still_works(lab)


@pytest.mark.parametrize("slug", ["hog", "hog_at_once"])
def test_a_run_that_takes_too_much_memory_ends_in_a_sentence(lab: Any, slug: str) -> None:
    assert sentence(lab.read(slug)) == (
        "This run needed more than 96 MiB of memory, the most that a run may take here; lower pause or size or steps."
    )
    assert lab.events[-1].reason == "memory"
    assert lab.happenings(slug) == ["started", "failed"]
    assert still_works(lab)


def test_a_slow_reader_keeps_nobody_waiting_and_finds_the_newest_frame(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(kept_frames_mib=1)
    reader = lab.runner.frames(lab.request("steady", steps=200, size=10_000))  # 80 kB a frame, 16 MB in all
    next(reader)
    lab.until(lambda: "finished" in lab.happenings("steady"))
    left = [frame for frame in reader if frame.tables]
    assert left[-1].message == "step 200 on numpy"
    assert len(left) <= 13
    assert still_works(lab)


def test_workers_that_cannot_start_are_a_sentence_and_not_a_wait_for_ever(
    make_lab: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    sleeps = "import time; time.sleep(600)"
    for program in (
        (sys.executable, "-c", "raise SystemExit(3)"),
        ("/no/such/program",),
        (sys.executable, "-c", sleeps),
    ):
        lab = make_lab(program=program, start_seconds=1)
        assert sentence(lab.read("steady")) == ("No process could be started for this run; the server's log says why.")
    assert "it ended with code 3" in caplog.text
    assert "/no/such/program" in caplog.text
    assert "it was not ready after 1 seconds" in caplog.text


def test_a_worker_that_talks_nonsense_is_treated_as_a_crash(make_lab: Callable[..., Any]) -> None:
    says = "import socket, sys, time; s = socket.socket(fileno=int(sys.argv[2])); s.send(b'GET / HTTP'); time.sleep(60)"
    assert "could be started" in sentence(make_lab(program=(sys.executable, "-c", says)).read("steady"))


def test_a_worker_gets_no_secret_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEMORY_LAB_SECRET", "DATABASE_URL", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "hidden")
    monkeypatch.setenv("MEMORY_LAB_CHAT_URL", "http://127.0.0.1:8000/v1")
    given = environment(gpu=False)
    assert "hidden" not in given.values()
    assert given["OMP_NUM_THREADS"] == "1"
    assert given["PATH"] == os.environ["PATH"]
    assert given["MEMORY_LAB_CHAT_URL"] == "http://127.0.0.1:8000/v1", "some mechanisms can ask a language model"


def test_only_a_worker_for_the_gpu_sees_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert environment(gpu=True)["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment(gpu=False)["CUDA_VISIBLE_DEVICES"] == ""


def test_workers_end_when_the_server_is_killed_even_in_the_middle_of_a_run() -> None:
    fakes = Path(__file__).with_name("fake_mechanisms.py")
    server = (
        "import sys, time\n"
        "from server.runs.messages import Shown, Task\n"
        "from server.runs.worker_process import WorkerProcess\n"
        f"worker = WorkerProcess((sys.executable, {str(fakes)!r}))\n"
        "assert worker.wait_until_ready(30)\n"
        "worker.send(Task(1, 'endless', {}, 0, 'numpy', 'float32'))\n"
        "assert isinstance(worker.receive(30), Shown)\n"
        "print(worker.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        worker = psutil.Process(int(process.stdout.readline()))
        process.kill()
    deadline = time.monotonic() + 10
    while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_real_program_is_a_module_of_the_server() -> None:
    assert (sys.executable, "-m", "server.runs.worker") == worker_process.PROGRAM
