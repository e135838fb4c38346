"""The classroom's runner: results that are kept, light runs here, and everything else on workers."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence

from mem_core.engine import available
from mem_core.lab.runner import Request
from mem_core.mechanisms.contract import Frame, RunError
from server.runs.content_key import content_key, foundation
from server.runs.events import Happening, Listener, Reason, RunEvent, Where, guarded, ignore
from server.runs.expected_seconds import ExpectedSeconds
from server.runs.frame_bytes import FrameBytesError, write_frame
from server.runs.lane import Place
from server.runs.light_runs import LightRuns
from server.runs.limits import RunLimits
from server.runs.pool import Pool, Workers
from server.runs.result_cache import ResultCache
from server.runs.shared_run import SharedRun
from server.runs.worker_process import PROGRAM

SECONDS_TO_FIRST = 0.1
"""How long a reader waits for a first frame before it is told its place in the queue."""
SECONDS_BETWEEN_NEWS = 1.0
"""How often a reader gets something while nothing new has come, so that it can leave."""

_log = logging.getLogger(__name__)


class PoolRunner:
    """A `mem_core.lab.runner.Runner` that keeps results, shares computations and kills what hangs.

    Args:
        cache: where results are kept.
        workers: processes on the CPU; None for one for each core.
        gpu_workers: processes on the GPU; None for one if there is a GPU.
        limits: on runs, learners and queues.
        on_event: told what happens to runs, from several threads; its errors are logged.
        program: the command that starts a worker.

    Raises:
        ValueError: if there is to be no worker on the CPU.
    """

    def __init__(
        self,
        cache: ResultCache,
        *,
        workers: int | None = None,
        gpu_workers: int | None = None,
        limits: RunLimits | None = None,
        on_event: Listener = ignore,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        limits = limits or RunLimits()
        processes = Workers(
            cpu=(os.cpu_count() or 1) if workers is None else workers,
            gpu=int("cuda" in available()) if gpu_workers is None else gpu_workers,
            program=program,
        )
        foundation()  # of the code that is loaded, before an update can change what lies on disk
        self._cache, self._listener = cache, guarded(on_event)
        expected = ExpectedSeconds()
        self._light = LightRuns(limits.light_seconds, expected)
        self._pool = Pool(processes, limits, cache, expected, self._listener)

    def frames(self, request: Request) -> Iterator[Frame]:
        """Yield the frames of a run, the last one the result; closing the iterator leaves the run.

        While it waits, frames without tables say where. While nothing new comes, the newest frame is repeated about
        once a second, so that a reader who wants to leave can.

        Raises:
            QueueFullError: if it is not even queued.
            RunError: if it does not finish.
        """
        key = content_key(request)
        kept = self._cache.get(key)
        if kept is None and self._light.is_light(request):
            frames = self._here(request, key)
            if frames is not None:
                yield from frames
                return
        run = self._pool.join(request, key) if kept is None else kept
        if isinstance(run, Frame):
            self._tell("kept", request, "cache")
            yield run
            return
        try:
            yield from self._followed(run)
        finally:
            self._pool.leave(run, request.learner)

    def holds(self, request: Request) -> bool:
        """Tell whether the result of a run is kept."""
        return self._cache.get(content_key(request)) is not None

    def place(self, request: Request) -> Place | None:
        """Return where a run waits, or None if it does not."""
        return self._pool.place(content_key(request))

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return how many runs wait and how many are computed, on the CPU and the GPU."""
        return self._pool.counts()

    def worker_pids(self) -> list[int]:
        """List the process ids of the workers there are."""
        return self._pool.worker_pids()

    def close(self, seconds: float = 0.0) -> None:
        """Take no more runs, give those under way so long to finish, and end the workers."""
        self._pool.close(seconds)

    def _followed(self, run: SharedRun) -> Iterator[Frame]:
        number, frame, seconds = 0, None, SECONDS_TO_FIRST
        while True:
            try:
                new = run.next_frame(number, seconds)
            except EOFError:
                return
            seconds = SECONDS_BETWEEN_NEWS
            if new is not None:
                number, frame = new
            yield frame or self._waiting(run)

    def _waiting(self, run: SharedRun) -> Frame:
        place = self._pool.place(run.key)
        return Frame(0.0, {}, place.words if place is not None else "")

    def _here(self, request: Request, key: str) -> list[Frame] | None:
        """Compute a light run and keep its result; None if it turned out not to be light."""
        with self._light.turn(key) as mine:
            if not mine:
                return None
            kept = self._cache.in_memory(key)  # by whoever had the turn before
            if kept is not None:
                self._tell("kept", request, "cache")
                return [kept]
            started = time.monotonic()
            self._tell("started", request, "server")
            try:
                frames = self._light.frames(request)
            except Exception as error:
                reason: Reason = "run" if isinstance(error, RunError) else "program"
                self._tell("failed", request, "server", time.monotonic() - started, reason)
                raise
            seconds = time.monotonic() - started
            if frames is None:
                self._tell("retried", request, "server", seconds, "time")
                return None
            self._keep(key, frames[-1:])
            self._tell("finished", request, "server", seconds)
            return frames

    def _keep(self, key: str, last: list[Frame]) -> None:
        try:
            for frame in last:
                self._cache.put(key, write_frame(frame))
        except FrameBytesError:
            _log.exception("The result of a run cannot be kept.")

    def _tell(
        self, happening: Happening, request: Request, where: Where, seconds: float = 0.0, reason: Reason = ""
    ) -> None:
        self._listener(RunEvent(happening=happening, slug=request.slug, where=where, seconds=seconds, reason=reason))
