"""Time of the default runs, per mechanism and engine, beside the budget that the mechanism states."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from mem_core.engine import available, select
from mem_core.mechanisms.contract import Mechanism


@dataclass(frozen=True)
class Timing:
    """Seconds of one default run, measured after a warm-up run up to its first frame."""

    mechanism: str
    engine: str
    first_frame_seconds: float
    seconds: float
    frames: int
    budget_seconds: float | None

    def as_row(self) -> dict[str, object]:
        """Return the timing as plain values for JSON."""
        return asdict(self)

    def as_line(self) -> str:
        """Return the timing as one line of a table."""
        budget = "-" if self.budget_seconds is None else f"{self.budget_seconds:.2f}"
        over = "  over budget" if self.budget_seconds is not None and self.seconds > self.budget_seconds else ""
        rate = self.frames / self.seconds
        return (
            f"{self.mechanism:<21}{self.engine:<8}{self.first_frame_seconds:>16.3f}{self.seconds:>15.2f}"
            f"{budget:>12}  {rate:.1f}{over}"
        )


def default_runs(mechanisms: Iterable[Mechanism]) -> Iterator[Timing]:
    """Time each mechanism's browser preset on every engine that works here, seed 0."""
    for mechanism in mechanisms:
        for name in available():
            yield _time(mechanism, name)


def _time(mechanism: Mechanism, name: str) -> Timing:
    engine = select(name)
    settings = mechanism.presets["browser"]
    next(iter(mechanism.run(settings, engine, 0)))  # imports and caches are warm afterwards
    started = time.perf_counter()
    first = 0.0
    frames = 0
    for _frame in mechanism.run(settings, engine, 0):
        frames += 1
        first = first or time.perf_counter() - started
    seconds = time.perf_counter() - started
    return Timing(mechanism.slug, name, first, seconds, frames, mechanism.budget_seconds.get(name))
