"""Runs so short that sending them to a worker would cost more than computing them where they were asked for."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from mem_core.lab.runner import Request
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Frame
from server.runs.expected_seconds import ExpectedSeconds

OVERRUN = 5
"""A run that takes so many times what a light run may is given up here, between frames, and goes to a worker."""


class _Turn:
    """A lock that lives as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class LightRuns:
    """Computes light runs in the thread at hand, no two of the same content at once.

    Args:
        light_seconds: what a light run is expected to take at most.
        expected: how long runs take.
    """

    def __init__(self, light_seconds: float, expected: ExpectedSeconds) -> None:
        self._light_seconds, self._expected = light_seconds, expected
        self._lock = threading.Lock()
        self._turns: weakref.WeakValueDictionary[str, _Turn] = weakref.WeakValueDictionary()

    def is_light(self, request: Request) -> bool:
        """Tell whether a run is known to be light; one of unknown cost is not, for only a worker can be killed."""
        known = self._expected.known(request)
        return request.engine.kind != "cuda" and known is not None and known <= self._light_seconds

    @contextmanager
    def turn(self, key: str) -> Iterator[bool]:
        """Hold the turn of a key; False if another thread has held it for longer than a light run takes."""
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
        mine = turn.lock.acquire(timeout=OVERRUN * self._light_seconds)
        try:
            yield mine
        finally:
            if mine:
                turn.lock.release()

    def frames(self, request: Request) -> list[Frame] | None:
        """Return all frames of a run, or None if it takes too long for here.

        Raises:
            RunError: if the run ends early.
        """
        started = time.perf_counter()
        frames = []
        for frame in catalog.load(request.slug).run(request.settings, request.engine, request.seed):
            frames.append(frame)
            if time.perf_counter() - started > OVERRUN * self._light_seconds:
                self._expected.measured(request, time.perf_counter() - started, finished=False)
                return None
        self._expected.measured(request, time.perf_counter() - started)
        return frames
