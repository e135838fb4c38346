"""Runs on a GPU, which may fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mem_core.engine import Engine
from server.runs.pool import GPU_NOTICE, NO_GPU_NOTICE

SLOW = {"steps": 400, "pause": 0.05}


@pytest.mark.parametrize("learner", ["ada", ""])
def test_the_gpu_has_a_worker_and_a_queue_of_its_own(
    make_lab: Callable[..., Any], fake_gpu: Engine, learner: str
) -> None:
    lab = make_lab(gpu_workers=1, running_per_learner=1)
    busy = lab.read("steady", learner=learner, **SLOW)
    lab.until(lambda: busy.frames)
    on_gpu = lab.read("steady", learner=learner, engine=fake_gpu).wait()
    assert on_gpu.messages == [f"step {step} on cuda" for step in (1, 2, 3)]
    assert lab.runner.counts() == {"cpu": (0, 1), "gpu": (0, 0)}
    assert [event.where for event in lab.events] == ["cpu", "gpu", "gpu"]
    busy.leave()
    assert lab.runner.holds(lab.request("steady", engine=fake_gpu))
    assert not lab.runner.holds(lab.request("steady"))


@pytest.mark.parametrize("slug", ["lost_device", "crash_on_gpu"])
def test_what_fails_on_the_gpu_is_made_on_the_cpu_with_a_notice(
    make_lab: Callable[..., Any], fake_gpu: Engine, slug: str
) -> None:
    lab = make_lab(gpu_workers=1)
    reading = lab.read(slug, engine=fake_gpu).wait()
    assert reading.error is None
    assert reading.messages[-3:] == [f"{GPU_NOTICE} step {step} on torch" for step in (1, 2, 3)]
    assert lab.happenings(slug) == ["started", "retried", "finished"]
    assert [(event.where, event.reason) for event in lab.events] == [("gpu", ""), ("cpu", "device"), ("cpu", "")]
    assert not lab.runner.holds(lab.request(slug, engine=fake_gpu)), "it would be shown as if the GPU had made it"
    assert lab.read("steady", engine=fake_gpu).wait().messages[-1] == "step 3 on cuda"


def test_a_process_whose_gpu_failed_is_replaced(make_lab: Callable[..., Any], fake_gpu: Engine) -> None:
    lab = make_lab(gpu_workers=1)
    lab.read("steady", engine=fake_gpu).wait()
    lab.until(lambda: len(lab.runner.worker_pids()) == 2)
    before = set(lab.runner.worker_pids())
    lab.read("lost_device", engine=fake_gpu).wait()
    lab.read("steady", seed=1, engine=fake_gpu).wait()
    assert len(before & set(lab.runner.worker_pids())) == 1


def test_a_process_without_a_limit_of_its_own_is_watched_from_outside(
    make_lab: Callable[..., Any], fake_gpu: Engine
) -> None:
    lab = make_lab(gpu_workers=1)
    lab.read("steady", engine=fake_gpu).wait()
    lab.until(lambda: len(lab.runner.worker_pids()) == 2)
    before = set(lab.runner.worker_pids())
    reading = lab.read("hog", engine=fake_gpu).wait()
    assert str(reading.error).startswith("This run needed more than 96 MiB of memory")
    assert lab.happenings("hog") == ["started", "retried", "failed"]
    assert before - set(lab.runner.worker_pids())


def test_a_run_that_fails_by_itself_on_the_gpu_is_not_made_again(
    make_lab: Callable[..., Any], fake_gpu: Engine
) -> None:
    lab = make_lab(gpu_workers=1)
    reading = lab.read("diverging", engine=fake_gpu).wait()
    assert str(reading.error) == "Training diverged at step 3. Lower steps."
    assert lab.happenings("diverging") == ["started", "failed"]


def test_without_a_gpu_a_run_for_one_is_made_on_the_cpu_with_a_notice(lab: Any, fake_gpu: Engine) -> None:
    reading = lab.read("steady", engine=fake_gpu).wait()
    assert reading.messages[-1] == f"{NO_GPU_NOTICE} step 3 on torch"
    assert [event.where for event in lab.events] == ["cpu", "cpu"]


def test_a_gpu_that_fails_while_the_server_closes_ends_the_run_in_a_sentence(
    make_lab: Callable[..., Any], fake_gpu: Engine
) -> None:
    lab = make_lab(gpu_workers=1)
    lab.read("steady", engine=fake_gpu).wait()
    lab.runner._pool._cpu.close()
    reading = lab.read("lost_device", engine=fake_gpu).wait()
    assert str(reading.error) == "The server is being stopped; run this again in a minute."
    assert lab.runner.counts() == {"cpu": (0, 0), "gpu": (0, 0)}
