"""What happens to runs, told to whoever counts: metrics, a dashboard, a log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Happening = Literal["started", "finished", "cancelled", "failed", "refused", "retried", "kept"]
Reason = Literal["", "run", "time", "memory", "crash", "program", "device", "closing", "queue", "learner"]
Where = Literal["server", "cpu", "gpu", "cache"]


@dataclass(frozen=True, kw_only=True)
class RunEvent:
    """One thing that happened to a run. It names no learner: what is counted is not who.

    Attributes:
        happening: `kept` means that the result was at hand, `retried` that the run starts again after a crash or on
            the CPU after the GPU failed.
        slug: the mechanism.
        where: the server process, a worker on the CPU or the GPU, or the cache.
        waited: seconds in the queue before it started, as far as it has come.
        seconds: seconds of computing, as far as it has come.
        reason: why it failed, was refused or was retried: the run itself said so, a limit, a crash, an error in the
            program, the GPU, the server closing, a full queue, or too many runs of one learner.
    """

    happening: Happening
    slug: str
    where: Where
    waited: float = 0.0
    seconds: float = 0.0
    reason: Reason = ""


Listener = Callable[[RunEvent], None]


def ignore(event: RunEvent) -> None:
    """Let an event pass."""


def guarded(listener: Listener) -> Listener:
    """Return a listener whose errors are logged: whoever counts must not break what is counted."""

    def listen(event: RunEvent) -> None:
        try:
            listener(event)
        except Exception:
            logging.getLogger(__name__).exception("A listener to runs failed at %s.", event)

    return listen
