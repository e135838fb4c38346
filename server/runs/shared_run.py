"""One computation and everybody who reads it."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right

from mem_core.lab.runner import Request
from mem_core.mechanisms.contract import Frame, RunError
from server.runs.frame_bytes import FRAME_OVERHEAD
from server.runs.limits import MIB


class SharedRun:
    """A run that is waiting, computing or over, with its frames for those who come early and late.

    Whoever computes it never waits for whoever reads it: frames are kept here, and if they grow too large, every
    second one is let go. A reader who falls behind goes on with what is kept.

    Attributes:
        request: what is computed.
        key: the content its result depends on.
        learners: who reads it, the first being the one whose turn it takes; the runner's lock guards it.
        engine: the kind of engine it runs on, which changes if the GPU fails.
        notice: a sentence put before every frame's message.
        started: when computing began, by `time.monotonic`, or None.
        abandoned: whether the last reader has left.
    """

    def __init__(self, request: Request, key: str, kept_mib: int) -> None:
        self.request, self.key = request, key
        self.learners = [request.learner]
        self.engine: str = request.engine.kind
        self.notice = ""
        self.started: float | None = None
        self.abandoned = False
        self._made = time.monotonic()
        self._waited: float | None = None
        self._kept_bytes = kept_mib * MIB
        self._changed = threading.Condition()
        self._frames: list[tuple[int, int, Frame]] = []  # number, bytes, frame
        self._bytes = self._count = 0
        self._over = False
        self._problem = ""

    @property
    def owner(self) -> str:
        """The learner whose turn it takes."""
        return self.learners[0]

    @property
    def waited(self) -> float:
        """Seconds in the queue, so far or until it first started."""
        return time.monotonic() - self._made if self._waited is None else self._waited

    @property
    def seconds(self) -> float:
        """Seconds of computing so far."""
        return 0.0 if self.started is None else time.monotonic() - self.started

    def begin(self) -> None:
        """Note that computing begins, perhaps again: frames of an attempt before are forgotten."""
        with self._changed:
            self._waited = self.waited
            self.started = time.monotonic()
            self._frames.clear()
            self._bytes = 0

    def publish(self, frame: Frame, size: int) -> None:
        """Let every reader see a frame that takes so many bytes."""
        if self.notice:
            frame = Frame(frame.progress, frame.tables, f"{self.notice} {frame.message}".strip())
        with self._changed:
            self._count += 1
            self._frames.append((self._count, size + FRAME_OVERHEAD, frame))
            self._bytes += size + FRAME_OVERHEAD
            while len(self._frames) > 1 and self._bytes > self._kept_bytes:
                self._frames = self._frames[::-1][::2][::-1]  # from the newest, which stays
                self._bytes = sum(size for _, size, _ in self._frames)
            self._changed.notify_all()

    def end(self, problem: str = "") -> None:
        """Say that it is over, and why if it did not finish."""
        with self._changed:
            self._over, self._problem = True, problem
            self._changed.notify_all()

    def next_frame(self, after: int, seconds: float) -> tuple[int, Frame] | None:
        """Return the first kept frame with a number above `after`, waiting a while for it; None if none came.

        Raises:
            EOFError: if the run is over and no frame is left.
            RunError: if it did not finish and no frame is left.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._newest > after, seconds)
            next_one = bisect_right(self._frames, after, key=lambda kept: kept[0])
            if next_one < len(self._frames):
                number, _, frame = self._frames[next_one]
                return number, frame
            if self._problem:
                raise RunError(self._problem)
            if self._over:
                raise EOFError
            return None

    @property
    def _newest(self) -> int:
        return self._frames[-1][0] if self._frames else 0
