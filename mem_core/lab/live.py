"""A run that a page is looking at: its frames as they arrive, and what went wrong if something did.

A short run finishes inside the cell that started it, which saves a round trip. A longer one goes on in a thread, so
that the page stays alive: its stop button works, and a moved control replaces the run at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

import marimo as mo

from mem_core.lab.runner import Request, chosen
from mem_core.mechanisms.contract import Frame, Result, RunError
from mem_core.mechanisms.tables import Table

SECONDS_IN_CELL = 0.1
"""How long a run may keep its cell. A run that ends within it is drawn once and not in parts, which is sooner than a
first part and then the rest."""
SECONDS_BETWEEN_FRAMES = 0.15
"""The least time between two frames sent to the page: about what a slow laptop needs to draw a page of charts."""


class Live:
    """One run as a page sees it.

    Attributes:
        request: what is being run.
        frame: the newest frame, or None before the first.
        problem: one sentence if the run ended early.
        finished, stopped: how it ended.
        from_before: whether its result was there already, from a run with the same settings.
        seconds: time since the start, or until the end.
    """

    def __init__(self, request: Request, previous: Live | None, changed: Callable[[], None]) -> None:
        self.request = request
        self.frame: Frame | None = None
        self.problem = ""
        self.finished = self.stopped = False
        self._before = previous.tables if previous is not None else {}
        self._changed = changed
        self._started = time.perf_counter()
        self._ended: float | None = None
        self.from_before = chosen().holds(request)
        self._frames = chosen().frames(request)
        self._one_at_a_time = threading.Lock()

    @property
    def seconds(self) -> float:
        """Seconds from the start until now, or until the end."""
        return (self._ended or time.perf_counter()) - self._started

    @property
    def running(self) -> bool:
        """Whether frames are still to come."""
        return self._ended is None

    @property
    def tables(self) -> Mapping[str, Table]:
        """The newest tables; while the run goes on, those it has not come to yet are the earlier run's.

        So no chart goes blank while its table is still empty.
        """
        if self.frame is None:
            return self._before
        if not self.running:
            return self.frame.tables
        filled = {name: table for name, table in self.frame.tables.items() if len(table)}
        return {**self.frame.tables, **self._before, **filled}

    @property
    def result(self) -> Result | None:
        """The run as a result, once it is finished."""
        if not self.finished or self.frame is None:
            return None
        request = self.request
        return Result(request.settings, request.seed, request.engine.kind, self.frame.tables, self.seconds)

    def start(self) -> Live:
        """Run for a moment here, and go on in a thread if that is not enough."""
        if self._advance(until=time.perf_counter() + SECONDS_IN_CELL):
            self.go_on()
        return self

    def go_on(self) -> None:
        """Go on in a thread of the cell at hand; marimo ends a cell's threads when the cell runs again."""
        mo.Thread(target=self._continue, daemon=True).start()

    def stop(self) -> None:
        """End the run after the frame at hand; what has arrived stays on the page."""
        self.stopped = self.running

    def _continue(self) -> None:
        thread = mo.current_thread()
        while self._advance(until=time.perf_counter() + SECONDS_BETWEEN_FRAMES):
            if thread.should_exit:  # the page is gone, or another thread goes on with this run
                return
            self._changed()
        if not thread.should_exit:
            self._changed()

    def _advance(self, until: float) -> bool:
        """Take frames until a time, at least one; say whether more may come."""
        with self._one_at_a_time:
            try:
                while self.running and not self.stopped:
                    self.frame = next(self._frames)
                    if time.perf_counter() >= until:
                        return True
            except StopIteration:
                self.finished = True
            except RunError as error:
                self.problem = str(error)
            except Exception as error:
                # Ours, not the learner's: the page gets a sentence, the log gets the rest.
                logging.getLogger(__name__).exception("A run of %s failed.", self.request.slug)
                self.problem = f"This run ended at an error in the program ({type(error).__name__}); change a setting."
            self._ended = self._ended or time.perf_counter()
            self._leave()
            return False

    def _leave(self) -> None:
        """Let the runner know at once that a run that was stopped is not wanted any more."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()
