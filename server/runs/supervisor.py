"""A thread that keeps one worker process going and gives it one run after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from server.runs.attempt import SECONDS_BETWEEN_LOOKS, Attempt, NoResultError, closing
from server.runs.lane import Lane
from server.runs.limits import RunLimits
from server.runs.messages import WireClosedError
from server.runs.shared_run import SharedRun
from server.runs.worker_process import WorkerProcess

LONGEST_PAUSE_SECONDS = 30.0
"""Between attempts to start a worker that does not start."""

_log = logging.getLogger(__name__)


class Outcomes(Protocol):
    """Who is told what becomes of the runs."""

    def started(self, run: SharedRun) -> None:
        """Computing begins."""

    def retried(self, run: SharedRun) -> None:
        """It begins again after a crash."""

    def finished(self, run: SharedRun, result: bytes) -> None:
        """Its last frame has come."""

    def gave_nothing(self, run: SharedRun, why: NoResultError) -> None:
        """It has no result."""


class Supervisor:
    """Serves a lane with one worker process.

    Args:
        lane: where runs come from.
        start: starts a worker process.
        limits: on each run.
        outcomes: who is told.
        attempts: how often a run is begun if its worker crashes.
    """

    def __init__(
        self,
        lane: Lane,
        start: Callable[[], WorkerProcess],
        limits: RunLimits,
        outcomes: Outcomes,
        attempts: int,
    ) -> None:
        self._thread = threading.Thread(target=self._serve_all, name="supervisor of a worker", daemon=True)
        self._lane, self._start_process, self._limits = lane, start, limits
        self._outcomes, self._attempts = outcomes, attempts
        self._closing = threading.Event()
        self._worker: WorkerProcess | None = None
        self._number = 0
        self._failed_starts = 0

    @property
    def pid(self) -> int | None:
        """Process id of its worker, None while there is none."""
        worker = self._worker
        return worker.pid if worker is not None else None

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """End the run at hand and the worker, soon."""
        self._closing.set()

    def join(self) -> None:
        """Wait until both have ended, after `close` and once the lane is closed."""
        self._thread.join()

    def _serve_all(self) -> None:
        try:
            self._prepare()
            while (run := self._lane.take()) is not None:
                self._serve(run)
                self._prepare()
        finally:
            if self._worker is not None:
                self._worker.kill()

    def _serve(self, run: SharedRun) -> None:
        try:
            result = self._result(run)
        except NoResultError as why:
            self._outcomes.gave_nothing(run, why)
        except Exception:
            # Ours: the thread must live on, or the lane would lose a worker for good.
            _log.exception("A run of %s could not be supervised.", run.request.slug)
            if self._worker is not None:
                self._worker.kill()  # what it is at is not known
            self._outcomes.gave_nothing(run, NoResultError("program", "The server could not compute this run."))
        else:
            self._outcomes.finished(run, result)

    def _result(self, run: SharedRun) -> bytes:
        for left in reversed(range(self._attempts)):
            worker = self._ready_worker()
            self._number += 1
            if run.started is None:
                run.begin()
                self._outcomes.started(run)
            try:
                return Attempt(worker, run, self._number, self._limits, self._closing).result()
            except NoResultError as why:
                if why.reason != "crash" or not left or run.abandoned:
                    raise
                _log.warning("A run of %s begins again: %s", run.request.slug, why.sentence)
                self._outcomes.retried(run)
        raise AssertionError("there is at least one attempt")

    def _prepare(self) -> None:
        """Have a worker ready before a run needs it; after failed starts, pause."""
        if self._failed_starts:
            self._closing.wait(min(2.0**self._failed_starts, LONGEST_PAUSE_SECONDS))
        with suppress(NoResultError):  # it is logged, and the next run tries again and is told
            self._ready_worker()

    def _ready_worker(self) -> WorkerProcess:
        if self._worker is not None and not self._worker.alive:
            self._worker.kill()
            self._worker = None
        if self._worker is None:
            self._worker = self._started()
        return self._worker

    def _started(self) -> WorkerProcess:
        if self._closing.is_set():
            raise closing()
        try:
            worker = self._start_process()
        except OSError as error:
            raise self._no_start(str(error)) from error
        problem = self._problem_of_start(worker)
        if problem:
            worker.kill()
            raise closing() if self._closing.is_set() else self._no_start(problem)
        self._failed_starts = 0
        return worker

    def _problem_of_start(self, worker: WorkerProcess) -> str:
        until = time.monotonic() + self._limits.start_seconds
        try:
            while time.monotonic() < until and not self._closing.is_set():
                if worker.wait_until_ready(SECONDS_BETWEEN_LOOKS):
                    return ""
        except WireClosedError:
            return f"it {worker.how_it_ended()}"
        return f"it was not ready after {self._limits.start_seconds:g} seconds"

    def _no_start(self, problem: str) -> NoResultError:
        self._failed_starts += 1
        _log.error("A worker process could not be started: %s.", problem)
        return NoResultError("crash", "No process could be started for this run; the server's log says why.")
