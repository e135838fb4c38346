"""One queue of runs and the workers that serve it: there is one for the CPU, and one for a GPU."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from mem_core.mechanisms.contract import RunError
from server.runs.events import Reason
from server.runs.expected_seconds import ExpectedSeconds
from server.runs.fair_queue import FairQueue
from server.runs.limits import RunLimits
from server.runs.shared_run import SharedRun

CLOSING = "The server is being stopped; run this again in a minute."
"""What a run ends with because the server stops."""


@dataclass(frozen=True)
class Place:
    """Where a run waits.

    Attributes:
        position: 1 is next.
        seconds: expected until it starts.
    """

    position: int
    seconds: float

    @property
    def words(self) -> str:
        """The place in words for the page."""
        return f"Waiting: number {self.position} in the queue, about {_in_words(self.seconds)}."


class QueueFullError(RunError):
    """A run that is not even queued.

    Attributes:
        retry_after: whole seconds after which to try again, for the header of a 429 answer.
        reason: whether the queue is full or the learner asks for too much.
    """

    def __init__(self, sentence: str, retry_after: int, reason: Reason) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        self.reason: Reason = reason


class LaneClosedError(RunError):
    """A run that comes when the server takes no more."""

    reason: Reason = "closing"

    def __init__(self) -> None:
        super().__init__(CLOSING)


class Lane:
    """A fair queue that threads share.

    Args:
        workers: how many runs it computes at once.
        limits: how many may wait.
        expected: how long runs take.
    """

    def __init__(self, workers: int, limits: RunLimits, expected: ExpectedSeconds) -> None:
        self.workers = workers
        self._limits, self._expected = limits, expected
        self._changed = threading.Condition()
        self._queue: FairQueue[SharedRun] = FairQueue(limits.running_per_learner)
        self._running: list[SharedRun] = []
        self._closed = False

    def put(self, run: SharedRun) -> None:
        """Add a run to its owner's line.

        Raises:
            QueueFullError: if the queue or the owner's line is as long as it may be.
            LaneClosedError: if the lane is closed.
        """
        with self._changed:
            self._require_open()
            mine = self._queue.waiting(run.owner)
            if len(self._queue) >= self._limits.queue_length:
                raise self._full()
            if len(mine) >= self._limits.waiting_per_learner:
                raise self._too_many(mine)
            self._queue.put(run.owner, run)
            self._changed.notify()

    def put_first(self, run: SharedRun) -> None:
        """Add a run that has waited its turn in another lane.

        Raises:
            LaneClosedError: if the lane is closed.
        """
        with self._changed:
            self._require_open()
            self._queue.put_first(run.owner, run)
            self._changed.notify()

    def take(self) -> SharedRun | None:
        """Wait for the next run and take it; None once the lane is closed. Call `done` afterwards."""
        with self._changed:
            while not self._closed:
                run = self._queue.take()
                if run is not None:
                    self._running.append(run)
                    return run
                self._changed.wait()
            return None

    def done(self, run: SharedRun) -> None:
        """Say that a run taken is no longer computed here."""
        with self._changed:
            self._running.remove(run)
            self._queue.done(run)
            self._changed.notify_all()

    def withdraw(self, run: SharedRun) -> bool:
        """Remove a run that waits; say whether it did."""
        with self._changed:
            return self._queue.remove(run)

    def leave(self, run: SharedRun, learner: str) -> None:
        """Take a learner off a run that others still read; if it was their turn, it is another's now."""
        with self._changed:
            before = run.owner
            run.learners.remove(learner)
            if run.owner != before:
                self._queue.move(run, run.owner)
                self._changed.notify_all()

    def place(self, run: SharedRun) -> Place | None:
        """Return where a run waits, or None if it does not."""
        with self._changed:
            seconds = sum(max(0.0, self._expected.of(one.request) - one.seconds) for one in self._running)
            for position, other in enumerate(self._queue.order(), 1):
                if other is run:
                    return Place(position, seconds / self.workers)
                seconds += self._expected.of(other.request)
            return None

    def counts(self) -> tuple[int, int]:
        """Return how many runs wait and how many are computed."""
        with self._changed:
            return len(self._queue), len(self._running)

    def close(self) -> list[SharedRun]:
        """Take no more; return what was waiting."""
        with self._changed:
            self._closed = True
            left = list(self._queue.order())
            for run in left:
                self._queue.remove(run)
            self._changed.notify_all()
            return left

    def _require_open(self) -> None:
        if self._closed:
            raise LaneClosedError

    def _full(self) -> QueueFullError:
        expected = [self._expected.of(waiting.request) for waiting in self._queue.order()]
        words = f"The queue is full, with {len(expected)} waiting"
        return _try_again(words, sum(expected) / len(expected) / self.workers, "queue")

    def _too_many(self, mine: tuple[SharedRun, ...]) -> QueueFullError:
        place = self.place(mine[0])  # when it starts, there is room for another
        words = f"You have {len(mine)} runs waiting already, the most that one may have"
        return _try_again(words, place.seconds if place is not None else 0.0, "learner")


def _try_again(what: str, seconds: float, reason: Reason) -> QueueFullError:
    return QueueFullError(f"{what}; try again in about {_in_words(seconds)}.", max(1, math.ceil(seconds)), reason)


def _in_words(seconds: float) -> str:
    whole = max(1, math.ceil(seconds))
    if whole < 100:
        return f"{whole} second{'s' if whole > 1 else ''}"
    return f"{math.ceil(whole / 60)} minutes"
