"""One run: the same facts in three regimes, then an edit and its gate; each part streamed."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.overview.memory_in_llms import edit_tables, fact_tables, map_tables
from mem_core.mechanisms.overview.memory_in_llms.editing import Editing
from mem_core.mechanisms.overview.memory_in_llms.recording import Record
from mem_core.mechanisms.overview.memory_in_llms.regimes import REGIMES
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings

AT_ONCE = 10
"""Worlds that are drawn together, which bounds the memory that a run needs."""
MOST_FRAMES = 10
SHARE_OF_FACTS = 0.7


def run(settings: MapSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Yield all tables after each stretch of worlds and after the edit; the last frame is the result."""
    tables = {**edit_tables.empty(), **map_tables.tables(settings)}
    record = Record()
    starts = range(0, settings.repeats, AT_ONCE)
    every = -(-len(starts) // MOST_FRAMES)
    for number, start in enumerate(starts, start=1):
        record.add(engine, settings, seed, range(start, min(start + AT_ONCE, settings.repeats)))
        if number % every and number < len(starts):
            continue
        tables |= fact_tables.tables(record, settings, seed)
        yield Frame(SHARE_OF_FACTS * record.worlds / settings.repeats, dict(tables), _message(record))
    tables |= edit_tables.tables(Editing(engine, settings, seed))
    yield Frame(1.0, tables, f"{_message(record)} The gate {edit_tables.verdict(tables)}.")


def _message(record: Record) -> str:
    shares = ", ".join(f"{regime} {record.mean(regime, 'correct, all'):.2f}" for regime in REGIMES)
    return f"Right in {record.worlds} {'world' if record.worlds == 1 else 'worlds'}: {shares}."
