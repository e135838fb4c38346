"""A pool of workers that know fake mechanisms, and requests for them."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mem_core.engine import Engine, select
from mem_core.lab.runner import Request
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Frame
from server.runs.events import RunEvent
from server.runs.limits import RunLimits
from server.runs.pool_runner import PoolRunner
from server.runs.result_cache import ResultCache

FAKES_FILE = Path(__file__).with_name("fake_mechanisms.py")
PROGRAM = (sys.executable, str(FAKES_FILE))
LIMITS: dict[str, Any] = {"seconds": 30, "memory_mib": 96, "stop_seconds": 0.4, "light_seconds": 1e-9}
PATIENCE = 60.0


def _fakes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fake_mechanisms", FAKES_FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


fakes = _fakes()


class Lab:
    """A runner over fake mechanisms, what it told, and the means to read runs in threads."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.events: list[RunEvent] = []
        names = ("workers", "gpu_workers", "program", "on_event")
        chosen = {"workers": 1, "gpu_workers": 0, "program": PROGRAM, "on_event": self.events.append}
        chosen |= {name: changes.pop(name) for name in names if name in changes}
        self.cache = ResultCache(folder)
        self.runner = PoolRunner(self.cache, limits=RunLimits(**LIMITS | changes), **chosen)

    def request(
        self, slug: str, seed: int = 0, *, learner: str = "", engine: Engine | None = None, **settings: Any
    ) -> Request:
        return Request(slug, fakes.FakeSettings(**settings), seed, engine or select("numpy"), learner)

    def read(self, slug: str, seed: int = 0, **keywords: Any) -> Reading:
        return Reading(self.runner, self.request(slug, seed, **keywords))

    def happenings(self, slug: str) -> list[str]:
        return [event.happening for event in self.events if event.slug == slug]

    def until(self, condition: Callable[[], object]) -> None:
        until(condition)


class Reading:
    """A thread that reads a run to its end."""

    def __init__(self, runner: PoolRunner, request: Request) -> None:
        self.frames: list[Frame] = []
        self.error: Exception | None = None
        self.left = False
        self._wanted = runner.frames(request)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for frame in self._wanted:
                if frame.tables and (not self.frames or frame is not self.frames[-1]):
                    self.frames.append(frame)
                if self.left:
                    break
        except Exception as error:
            self.error = error
        finally:
            self._wanted.close()  # type: ignore[attr-defined]

    def wait(self) -> Reading:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the run did not end"
        return self

    def leave(self) -> None:
        self.left = True
        self.wait()

    @property
    def messages(self) -> list[str]:
        return [frame.message for frame in self.frames]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def fake_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    real = catalog.load
    monkeypatch.setattr(catalog, "load", lambda slug: fakes.FAKES.get(slug) or real(slug))


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("results"))
    yield lab
    lab.runner.close()


@pytest.fixture
def lab(_shared: Lab) -> Lab:
    """One pool with one worker for all tests of a module that leave it as it was."""
    _shared.events.clear()
    return _shared


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    made: list[Lab] = []

    def make(**changes: Any) -> Lab:
        made.append(Lab(changes.pop("folder", tmp_path / str(len(made))), **changes))
        return made[-1]

    yield make
    for lab in made:
        lab.runner.close()


@pytest.fixture
def fake_gpu() -> Engine:
    return fakes.FakeGpu()
