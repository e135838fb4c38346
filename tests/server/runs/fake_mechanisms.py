"""Small mechanisms that behave and misbehave, and the program of a worker that knows them and no others."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mem_core.engine import Engine, select
from mem_core.engine.numpy_engine import NumpyEngine
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Frame, RunError
from mem_core.mechanisms.controls import Number, Whole, setting
from mem_core.mechanisms.settings import Settings
from mem_core.mechanisms.tables import Table
from server.runs import messages, worker


@dataclass(frozen=True)
class FakeSettings(Settings):
    steps: int = setting(3, Whole(label="steps", help="frames", low=1, high=100_000))
    pause: float = setting(0.0, Number(label="pause", help="seconds between frames", low=0, high=60))
    size: int = setting(1, Whole(label="size", help="numbers in a frame", low=1, high=10_000_000))


class FakeGpu(NumpyEngine):
    kind = "cuda"
    badge = "NumPy playing a GPU"


class FakeTorch(NumpyEngine):
    """What runs fall back on, without the seconds that PyTorch takes to load."""

    kind = "torch"


def select_fake(name: str = "auto", precision: Any = "float32") -> Engine:
    fakes = {"cuda": FakeGpu, "torch": FakeTorch}
    return fakes[name](precision) if name in fakes else select(name, precision)


def steady(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    for step in range(1, settings.steps + 1):
        if step > 1:
            time.sleep(settings.pause)
        numbers = np.arange(settings.size, dtype=float) + step + seed
        yield Frame(step / settings.steps, {"numbers": Table.of(value=numbers)}, f"step {step} on {engine.kind}")


def other(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    yield from steady(settings, engine, seed)


def endless(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    yield from steady(settings, engine, seed)
    while True:
        pass


def hog(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    held = []
    while True:
        held.append(np.ones(1 << 21))  # 16 MiB
        yield Frame(0.5, {}, f"{len(held)} pieces held")
        time.sleep(0.02)


def hog_at_once(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    yield Frame(1.0, {"sum": Table.of(value=[np.ones(1 << 30).sum()])})


def crashing(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    yield from steady(settings, engine, seed)
    os.kill(os.getpid(), signal.SIGKILL)


def broken(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    yield from steady(settings, engine, seed)
    raise ZeroDivisionError("inner details")


def diverging(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    yield from steady(settings, engine, seed)
    raise RunError("Training diverged at step 3. Lower steps.")


def lost_device(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    if engine.kind == "cuda":
        yield Frame(0.1, {}, "half-way")
        raise RuntimeError("CUDA error: device lost")
    yield from steady(settings, engine, seed)


def crash_on_gpu(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    if engine.kind == "cuda":
        os.kill(os.getpid(), signal.SIGKILL)
    yield from steady(settings, engine, seed)


def who_computes(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    time.sleep(settings.pause)
    yield Frame(1.0, {"ids": Table.of(process=[os.getpid()], thread=[threading.get_ident()])})


def silent(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    yield from ()


def odd_column(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    yield Frame(1.0, {"odd": Table.of(value=np.array([object()]))})


def too_large(settings: FakeSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    largest, messages.LARGEST = messages.LARGEST, 10_000
    try:
        yield Frame(1.0, {"zeros": Table.of(value=np.zeros(10_000))})
    finally:
        messages.LARGEST = largest


RUNS = (
    *(steady, other, endless, hog, hog_at_once, crashing, broken, diverging, silent, odd_column),
    *(lost_device, crash_on_gpu, who_computes, too_large),
)
BUDGETS = {"who_computes": 0.01}
"""Seconds; the others are of unknown cost until they were measured."""
REAL = catalog.load("memorybank")
FAKES = {
    run.__name__: replace(
        REAL,
        slug=run.__name__,
        settings=FakeSettings,
        presets={"browser": FakeSettings()},
        run=run,
        budget_seconds={"numpy": BUDGETS[run.__name__]} if run.__name__ in BUDGETS else {},
    )
    for run in RUNS
}


if __name__ == "__main__":
    catalog.load = FAKES.__getitem__
    catalog.slugs = lambda: tuple(FAKES)
    worker.select = select_fake
    worker.available = lambda: ("numpy",)
    sys.exit(worker.main())
