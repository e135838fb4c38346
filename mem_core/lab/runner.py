"""Where runs are computed: in this process for now; the classroom brings a pool of workers behind the same door.

A runner turns a `Request` into frames. It is chosen once per process with `use`, and results are kept by content, so
that a run someone has already made is shown at once.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from mem_core.engine import Engine
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.settings import Settings

KEPT_RESULTS = 128
"""How many final frames the cache keeps; a result is some tens of kilobytes."""


@dataclass(frozen=True)
class Request:
    """One run that somebody wants: which mechanism, with what, on which engine, and who wants it.

    `learner` decides whose turn it is where runs queue; two learners' requests for the same run are equal. It is
    whoever is asking where the request is made, as the server that chose the runner says, and "" without one.
    """

    slug: str
    settings: Settings
    seed: int
    engine: Engine
    learner: str = field(default_factory=lambda: _asking(), compare=False)

    @property
    def key(self) -> str:
        """The content this run's result depends on, as a hash: source, settings, seed and engine."""
        parts = [self.slug, source_hash(self.slug), repr(self.settings.formatted()), str(self.seed)]
        parts += [self.engine.kind, self.engine.precision]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def source_files(slug: str) -> list[Path]:
    """List the files a mechanism is written in: its module, or all modules of its package."""
    file = Path(catalog.module(slug).__file__ or "")
    return sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]


@cache
def source_hash(slug: str) -> str:
    """Hash the source of a mechanism and the data beside it, so that a changed mechanism never shows an old result."""
    files = source_files(slug)
    data = [file for ending in ("csv", "json") for file in sorted(files[0].parent.glob(f"*.{ending}"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in [*files, *data])).hexdigest()


class Runner(Protocol):
    """Computes frames. Closing the iterator stops the run."""

    def frames(self, request: Request) -> Iterator[Frame]:
        """Yield the frames of a run, the last one the result."""
        ...

    def holds(self, request: Request) -> bool:
        """Tell whether the result of a run is at hand, so that its only frame comes at once."""
        ...


class InProcessRunner:
    """Runs in the caller's own thread and keeps the results of finished runs."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, Frame] = OrderedDict()
        self._lock = threading.Lock()

    def frames(self, request: Request) -> Iterator[Frame]:
        """Yield the kept result if there is one, else the frames as they are computed."""
        kept = self._kept(request.key)
        if kept is not None:
            yield kept
            return
        frame: Frame | None = None
        for frame in catalog.load(request.slug).run(request.settings, request.engine, request.seed):
            yield frame
        if frame is not None:
            self._keep(request.key, frame)

    def holds(self, request: Request) -> bool:
        """Tell whether the result is kept."""
        return self._kept(request.key) is not None

    def _kept(self, key: str) -> Frame | None:
        with self._lock:
            frame = self._results.get(key)
            if frame is not None:
                self._results.move_to_end(key)
            return frame

    def _keep(self, key: str, frame: Frame) -> None:
        with self._lock:
            self._results[key] = frame
            while len(self._results) > KEPT_RESULTS:
                self._results.popitem(last=False)


def nobody() -> str:
    """Say that whoever asks has no name, as where there is one person only."""
    return ""


_chosen: Runner = InProcessRunner()
_asking: Callable[[], str] = nobody


def use(runner: Runner, asking: Callable[[], str] = nobody) -> None:
    """Choose the runner of this process, and who says which learner asks; a server does, before the first page."""
    global _chosen, _asking
    _chosen, _asking = runner, asking


def chosen() -> Runner:
    """Return the runner of this process."""
    return _chosen
