"""What a way of scanning costs, counted from the rounds that it went through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.state_space.scan_kernels.settings import CHUNKS, LOOP, TREE, ScanSettings
from mem_core.mechanisms.state_space.scan_kernels.three_ways import Round, Scan, chunks, doubling, loop, tree


@dataclass(frozen=True)
class Cost:
    """Multiplications of each round, in order."""

    rounds: tuple[int, ...]

    @classmethod
    def of(cls, scan: Iterable[Round]) -> Cost:
        """Run a way to its end and count."""
        return cls(tuple(round_.work for round_ in scan))

    @property
    def work(self) -> int:
        """All multiplications together: the steps on a machine that does one at a time."""
        return sum(self.rounds)

    @property
    def depth(self) -> int:
        """Rounds, one after another: the steps on a machine with lanes for everything."""
        return len(self.rounds)

    def steps(self, lanes: int) -> int:
        """Steps on a machine that does `lanes` multiplications at a time, and one round after another.

        Σ ⌈work of a round / lanes⌉, between work / lanes and work / lanes + depth (Brent 1974).
        """
        return sum(-(-work // lanes) for work in self.rounds)


def scan(way: str, settings: ScanSettings, engine: Engine, a: object, b: object, size: int) -> Scan:
    """Start one of the three ways, with the tree that is chosen in the settings and chunks of `size` tokens."""
    if way == LOOP:
        return loop(engine, a, b)
    if way == TREE:
        return doubling(engine, a, b) if settings.doubles else tree(engine, a, b)
    assert way == CHUNKS, f"there is no way called {way}"
    return chunks(engine, a, b, size)


def cost_of(way: str, settings: ScanSettings, engine: Engine, length: int, size: int) -> Cost:
    """Count what a way costs on one channel of so many tokens; no number changes it."""
    ones = engine.xp.ones((1, length, 1))
    return Cost.of(scan(way, settings, engine, ones, ones, size))
