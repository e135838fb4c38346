"""Runs so short that they stay in the server process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mem_core.mechanisms.contract import RunError

LIGHT = {"light_seconds": 0.2}


def ids(reading: Any) -> tuple[int, int]:
    table = reading.wait().frames[-1].tables["ids"]
    return int(table["process"][0]), int(table["thread"][0])


def test_a_run_with_a_small_budget_is_computed_in_the_thread_that_asks(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(**LIGHT)
    (frame,) = lab.runner.frames(lab.request("who_computes"))
    table = frame.tables["ids"]
    assert (table["process"][0], table["thread"][0]) == (os.getpid(), threading.get_ident())
    assert [(event.happening, event.where) for event in lab.events] == [("started", "server"), ("finished", "server")]
    assert lab.runner.holds(lab.request("who_computes"))
    assert [event.happening for event in lab.events[2:]] == []
    list(lab.runner.frames(lab.request("who_computes")))
    assert lab.happenings("who_computes")[2:] == ["kept"]


def test_a_run_of_unknown_cost_goes_to_a_worker_and_once_it_is_known_to_be_light_stays(
    make_lab: Callable[..., Any],
) -> None:
    lab = make_lab(**LIGHT)
    for seed in (1, 2):
        lab.read("steady", seed=seed).wait()
    assert [event.where for event in lab.events if event.happening == "finished"] == ["cpu", "server"]


def test_a_run_above_the_stated_cost_goes_to_a_worker(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(light_seconds=0.009)
    assert ids(lab.read("who_computes"))[0] in lab.runner.worker_pids()


def test_a_run_for_the_gpu_is_never_light(make_lab: Callable[..., Any], fake_gpu: Any) -> None:
    lab = make_lab(gpu_workers=1, **LIGHT)
    for seed in (1, 2):
        lab.read("steady", seed=seed, engine=fake_gpu).wait()
    assert [event.where for event in lab.events if event.happening == "finished"] == ["gpu", "gpu"]


def test_a_run_that_turns_out_not_to_be_light_goes_to_a_worker(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(light_seconds=0.02)
    pool = lab.runner._pool
    pool._expected.measured(lab.request("steady", steps=5, pause=0.06), 0.001)
    reading = lab.read("steady", steps=5, pause=0.06).wait()
    assert reading.messages == [f"step {step} on numpy" for step in (1, 2, 3, 4, 5)]
    assert [(event.happening, event.where, event.reason) for event in lab.events] == [
        ("started", "server", ""),
        ("retried", "server", "time"),
        ("started", "cpu", ""),
        ("finished", "cpu", ""),
    ]
    assert not lab.runner._light.is_light(lab.request("steady", steps=5, pause=0.06))


def test_two_who_ask_for_the_same_light_run_at_once_share_one_computation(make_lab: Callable[..., Any]) -> None:
    lab = make_lab(light_seconds=20)
    lab.runner._pool._expected.measured(lab.request("who_computes", pause=0.3), 0.001)
    readings = [lab.read("who_computes", pause=0.3) for _ in range(6)]
    assert len({ids(reading) for reading in readings}) == 1
    assert sorted(lab.happenings("who_computes")) == ["finished", *["kept"] * 5, "started"]


@pytest.mark.parametrize(("slug", "error"), [("diverging", RunError), ("broken", ZeroDivisionError)])
def test_a_light_run_that_fails_says_so_and_is_counted(
    make_lab: Callable[..., Any], slug: str, error: type[Exception]
) -> None:
    lab = make_lab(**LIGHT)
    lab.runner._pool._expected.measured(lab.request(slug), 0.001)
    assert type(lab.read(slug).wait().error) is error
    assert lab.happenings(slug) == ["started", "failed"]
    assert not lab.runner.holds(lab.request(slug))
