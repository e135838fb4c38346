"""One run on one worker: its frames passed on as they come, its limits held."""

from __future__ import annotations

import logging
import time
from threading import Event
from typing import Literal

from mem_core.mechanisms import catalog
from server.runs.events import Reason
from server.runs.frame_bytes import FrameBytesError, read_frame
from server.runs.lane import CLOSING
from server.runs.limits import RunLimits, what_to_lower
from server.runs.messages import Ended, Failed, Shown, Stop, Task, WireClosedError
from server.runs.shared_run import SharedRun
from server.runs.worker_process import WorkerProcess

SECONDS_BETWEEN_LOOKS = 0.1
"""How often it is looked whether a run is still wanted and within its limits."""

_log = logging.getLogger(__name__)


class NoResultError(Exception):
    """A run that gave no result.

    Attributes:
        reason: why; `cancelled` if nobody wants it any more.
        sentence: what its readers are told.
    """

    def __init__(self, reason: Reason | Literal["cancelled"], sentence: str) -> None:
        super().__init__(sentence)
        self.reason, self.sentence = reason, sentence


def closing() -> NoResultError:
    """Return what a run ends with because the server stops."""
    return NoResultError("closing", CLOSING)


class Attempt:
    """Computes a run on a worker that is ready.

    Args:
        worker: it is killed if it does not stop in time; look at `alive` afterwards.
        run: what to compute.
        number: of this attempt, different from all others of this worker.
        limits: on time and memory.
        closing: set when the server stops.
    """

    def __init__(self, worker: WorkerProcess, run: SharedRun, number: int, limits: RunLimits, closing: Event) -> None:
        self._worker, self._run, self._number = worker, run, number
        self._limits, self._closing = limits, closing
        self._memory_before = worker.memory()
        self._last = b""

    def result(self) -> bytes:
        """Return the last frame as bytes, every frame having been published.

        Raises:
            NoResultError: if it comes to no result.
        """
        self._run.begin()
        try:
            self._worker.send(self._task())
            return self._follow()
        except WireClosedError:
            ended = self._worker.how_it_ended()
            self._worker.kill()
            raise NoResultError(
                "crash", f"The process computing this run {ended}; run it again, or lower {self._what_to_lower()}."
            ) from None

    def _task(self) -> Task:
        request, engine = self._run.request, self._run.engine
        precision = request.engine.precision
        return Task(self._number, request.slug, request.settings.formatted(), request.seed, engine, precision)

    def _follow(self) -> bytes:
        look_at = 0.0
        while True:
            if time.monotonic() >= look_at:
                self._look()
                look_at = time.monotonic() + SECONDS_BETWEEN_LOOKS
            message = self._worker.receive(SECONDS_BETWEEN_LOOKS)
            if isinstance(message, Shown):
                self._publish(message.frame)
            elif isinstance(message, Failed):
                raise self._failed(message)
            elif isinstance(message, Ended):
                if not self._last:
                    raise self._error_of_ours("no frame", "The run gave no frame.")
                return self._last

    def _publish(self, data: bytes) -> None:
        try:
            self._run.publish(read_frame(data), len(data))
        except FrameBytesError as error:
            self._stop()
            raise self._error_of_ours("FrameBytesError", str(error)) from error
        self._last = data

    def _look(self) -> None:
        """Stop the run if it is no longer wanted or beyond a limit."""
        limits = self._limits
        if self._closing.is_set():
            self._worker.kill()
            raise closing()
        if self._run.abandoned:
            self._stop()
            raise NoResultError("cancelled", "This run was stopped.")
        if self._run.seconds > limits.seconds:
            self._stop()
            sentence = f"This run took longer than {limits.seconds:g} seconds, the most that a run may take here; "
            raise NoResultError("time", f"{sentence}lower {self._what_to_lower()}.")
        if self._worker.memory() - self._memory_before > limits.memory_bytes:
            self._worker.kill()
            raise self._too_much_memory()

    def _stop(self) -> None:
        """Tell the worker to stop, and kill it if it does not in time."""
        until = time.monotonic() + self._limits.stop_seconds
        try:
            self._worker.send(Stop(self._number))
            while (left := until - time.monotonic()) > 0:
                if isinstance(self._worker.receive(left), Ended | Failed):
                    return
        except WireClosedError:
            pass
        self._worker.kill()

    def _failed(self, message: Failed) -> NoResultError:
        if message.reason == "run":
            return NoResultError("run", message.sentence)
        if self._run.engine == "cuda":
            self._worker.kill()  # an error can leave a process unable to use its GPU again
        if message.reason == "memory":
            return self._too_much_memory()
        return self._error_of_ours(message.sentence, message.detail)

    def _error_of_ours(self, name: str, detail: str) -> NoResultError:
        """Log what went wrong; the learner gets the sentence that a run in the server process gives, too."""
        _log.error("A run of %s failed.\n%s", self._run.request.slug, detail)
        return NoResultError("program", f"This run ended at an error in the program ({name}); change a setting.")

    def _too_much_memory(self) -> NoResultError:
        sentence = f"This run needed more than {self._limits.memory_mib} MiB of memory, the most that a run may take "
        return NoResultError("memory", f"{sentence}here; lower {self._what_to_lower()}.")

    def _what_to_lower(self) -> str:
        request = self._run.request
        return what_to_lower(request.settings, catalog.load(request.slug).presets["browser"])
