"""A real mechanism on a real worker, and the page that reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mem_core.engine import Engine, available, select
from mem_core.lab import runner as lab_runner
from mem_core.lab.live import Live
from mem_core.lab.runner import InProcessRunner, Request
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Frame
from server.runs.events import RunEvent
from server.runs.limits import RunLimits
from server.runs.pool_runner import PoolRunner
from server.runs.result_cache import ResultCache


def same(one: Frame, other: Frame) -> bool:
    """Compare bit for bit, the types of columns and the order of everything included."""
    assert (one.progress, one.message, list(one.tables)) == (other.progress, other.message, list(other.tables))
    for name, table in one.tables.items():
        assert list(table.columns) == list(other.tables[name].columns)
        assert dict(table.units) == dict(other.tables[name].units)
        for title, column in table.columns.items():
            back = other.tables[name].columns[title]
            assert back.dtype == column.dtype
            assert back.tobytes() == np.ascontiguousarray(column).tobytes()
    return True


def test_a_run_of_memorybank_on_a_worker_equals_the_run_in_process_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[RunEvent] = []
    limits = RunLimits(light_seconds=1e-9, memory_mib=512)
    pooled = PoolRunner(ResultCache(tmp_path), workers=1, gpu_workers=0, limits=limits, on_event=events.append)
    try:
        for engine in (select("numpy", "float64"), *[select(name) for name in available() if name != "cuda"]):
            _compare(pooled, engine)
        assert {event.where for event in events if event.happening == "finished"} == {"cpu"}
        _page_reads(pooled, monkeypatch)
    finally:
        pooled.close()


def _compare(pooled: PoolRunner, engine: Engine) -> None:
    request = Request("memorybank", catalog.load("memorybank").presets["browser"], 0, engine)
    frames = [frame for frame in pooled.frames(request) if frame.tables]
    expected = list(InProcessRunner().frames(request))
    # While nothing new comes, the newest frame is repeated.
    frames = [frame for number, frame in enumerate(frames) if number == 0 or frame is not frames[number - 1]]
    assert len(frames) == len(expected)
    assert all(map(same, expected, frames))
    (kept,) = pooled.frames(request)
    assert same(expected[-1], kept)


def _page_reads(pooled: PoolRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_runner, "_chosen", pooled)
    request = Request("memorybank", catalog.load("memorybank").presets["browser"], 5, select("numpy"))
    live = Live(request, None, lambda: None)
    while live._advance(until=0.0):
        pass
    assert (live.finished, live.problem, live.from_before) == (True, "", False)
    assert Live(request, None, lambda: None).from_before
