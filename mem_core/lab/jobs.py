"""Work that a learner starts with a button and waits for: measuring a claim, grading an answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import marimo as mo

from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.controls import SettingsError


class Job:
    """One piece of work in a thread of its own, so that the page stays alive.

    Attributes:
        outcome: what the work returned, or None.
        problem: one sentence if it could not be done.
        running: whether it is under way.
        seconds: how long it has taken so far, or took.
    """

    def __init__(self, work: Callable[[], Any], changed: Callable[[], None]) -> None:
        self.outcome: Any = None
        self.problem = ""
        self.running = True
        self._started = time.perf_counter()
        self.seconds = 0.0
        self._work, self._changed = work, changed

    def start(self) -> Job:
        """Begin."""
        mo.Thread(target=self.run, daemon=True).start()
        return self

    def run(self) -> None:
        """Do the work in the thread at hand, and let the page know."""
        try:
            self.outcome = self._work()
        except (SettingsError, RunError) as error:
            self.problem = str(error)
        except Exception as error:
            logging.getLogger(__name__).exception("A piece of work for a page failed.")
            self.problem = f"This ended at an error in the program ({type(error).__name__})."
        self.seconds = time.perf_counter() - self._started
        self.running = False
        self._changed()
