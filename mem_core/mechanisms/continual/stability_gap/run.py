"""The run: one task after another, measured after every iteration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mem_core.engine import Engine
from mem_core.mechanisms.continual.stability_gap.results import ACC, MIN_ACC, TASK_NAMES, Tables
from mem_core.mechanisms.continual.stability_gap.settings import GapSettings
from mem_core.mechanisms.continual.stability_gap.stream import Stream
from mem_core.mechanisms.continual.stability_gap.training import train
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.tables import Table

MOST_FRAMES = 38
SHORTEST_STRETCH = 10
"""Iterations between two frames, at least."""


def run(settings: GapSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Train every chosen method on the same stream and yield all tables after each stretch of iterations.

    Raises:
        RunError: if training diverges, or if the digits are not installed.
    """
    stream = Stream(settings, engine, seed)
    last = sum(stream.iterations)
    stretch = max(SHORTEST_STRETCH, -(-last // MOST_FRAMES))
    for done, histories in train(settings, engine, stream):
        if done % stretch == 0 or done == last:
            tables = Tables(settings, stream.iterations, histories).all()
            yield Frame(done / last, tables, _sentence(settings, done, last, tables))


def _sentence(settings: GapSettings, done: int, last: int, tables: Mapping[str, Table]) -> str:
    """Say where the run is, and at its end how it ended and how far it fell on the way."""
    if done < last:
        begun = sum(done > switch for switch in tables["switches"]["iteration"].tolist())
        return f"Iteration {done} of {last}: {TASK_NAMES[begun]} is being learned."
    own = tables["scores"].where(method=settings.method)
    acc, worst = (float(own.where(measure=measure)["value"][0]) for measure in (ACC, MIN_ACC))
    return f"{settings.method} ends at an accuracy of {acc:.2f}; on the way old tasks fell to {worst:.2f}."
