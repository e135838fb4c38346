"""The run: the small input at once, then rounding, counts, and times one length after the other."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.state_space.scan_kernels.long_input import counted, lengths, measured, nothing_measured
from mem_core.mechanisms.state_space.scan_kernels.pictures import tables_of
from mem_core.mechanisms.state_space.scan_kernels.rounding import cuts, no_rounding, rounding
from mem_core.mechanisms.state_space.scan_kernels.settings import ScanSettings
from mem_core.mechanisms.state_space.scan_kernels.small_input import small_input
from mem_core.mechanisms.tables import Table


def run(settings: ScanSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Look into the small input, then measure the long one."""
    small = small_input(settings, engine, seed)
    tables: dict[str, Table] = {
        **tables_of(settings, engine, small),
        "cuts": cuts(engine, small),
        "rounding": no_rounding(),
        "lanes": Table.of({"lanes": "lanes"}, lanes=[settings.lanes], text=[f"P = {settings.lanes}"]),
        **nothing_measured(),
    }
    frames = 3 + len(lengths(settings.longest))
    yield Frame(1 / frames, dict(tables), f"{settings.length} tokens, three ways.")
    tables["rounding"] = rounding(settings, engine, seed)
    yield Frame(2 / frames, dict(tables), "How far the ways are apart.")
    tables |= counted(settings, engine)
    yield Frame(3 / frames, dict(tables), f"Rounds counted up to {settings.longest} tokens.")
    for number, (length, times) in enumerate(measured(settings, engine, seed), start=4):
        tables["times"] = times
        yield Frame(number / frames, dict(tables), f"Measured at {length} tokens.")
