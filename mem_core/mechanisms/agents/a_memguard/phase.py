"""The phase diagram: attack success over the number of poisoned records and one more setting.

Every cell has lives of its own, all lives at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mem_core.engine import Engine
from mem_core.mechanisms.agents.a_memguard.drawing import draw
from mem_core.mechanisms.agents.a_memguard.lives import Lives
from mem_core.mechanisms.agents.a_memguard.measures import Counts, mean_and_error
from mem_core.mechanisms.agents.a_memguard.settings import (
    BY_TRIGGER,
    CONSENSUS,
    LESSONS,
    NO_DEFENCE,
    OFF,
    QUERIES,
    MemGuardSettings,
)
from mem_core.mechanisms.agents.a_memguard.world import Case
from mem_core.mechanisms.tables import Table

PLANTED = (1, 2, 4, 8, 16)
TRIGGER_WEIGHTS = (0.0, 0.6, 1.2, 1.8, 2.4, 3.0)
RETRIEVED = (1, 3, 5, 7, 9, 11)
MOST_ROUNDS = 16
"""Of a cell; the diagram shows where an attack takes hold, and that is decided early."""
LIVES_AT_ONCE = 60
PHASE_DEFENCES = {"phase_none": NO_DEFENCE, "phase_consensus": CONSENSUS, "phase_lessons": LESSONS}


@dataclass
class Diagram:
    """Cells so far.

    Attributes:
        other: name of the second setting, as an axis shows it.
        cells: per table name, rows (planted, other, attack).
    """

    other: str = ""
    cells: dict[str, list[tuple[str, str, float]]] = field(
        default_factory=lambda: {name: [] for name in PHASE_DEFENCES}
    )

    def tables(self) -> dict[str, Table]:
        """Return one table per defence."""
        tables = {}
        for name, rows in self.cells.items():
            planted, other, attack = zip(*rows, strict=True) if rows else ((), (), ())
            tables[name] = Table.of(planted=list(planted), other=list(other), attack=list(attack))
        return tables


def phase_diagram(settings: MemGuardSettings, engine: Engine, seed: int) -> Iterator[tuple[float, Diagram]]:
    """Fill the diagram row by row; give the share that is done and the cells so far."""
    if settings.phase == OFF:
        return
    by_trigger = settings.phase == BY_TRIGGER
    seconds = TRIGGER_WEIGHTS if by_trigger else RETRIEVED
    diagram = Diagram("w" if by_trigger else "k")
    cells = [(planted, second) for second in seconds for planted in PLANTED]
    short = settings.changed(rounds=min(settings.rounds, MOST_ROUNDS))
    at_once = max(1, LIVES_AT_ONCE // settings.phase_lives)
    for start in range(0, len(cells), at_once):
        some = cells[start : start + at_once]
        for name, values in attack_success(short, some, engine, seed).items():
            rows = [(str(p), f"{diagram.other} {s:g}", v) for (p, s), v in zip(some, values, strict=True)]
            diagram.cells[name] += rows
        yield min(1.0, (start + at_once) / len(cells)), diagram


def attack_success(
    settings: MemGuardSettings, cells: list[tuple[int, float]], engine: Engine, seed: int
) -> dict[str, list[float]]:
    """Return the mean attack success of each cell, by table name."""
    each = settings.phase_lives
    cases = [
        Case(life, planted, second, settings.k)
        if settings.phase == BY_TRIGGER
        else Case(life, planted, settings.trigger_weight, int(second))
        for planted, second in cells
        for life in range(each)
    ]
    lives = Lives(settings, cases, draw(settings, cases, engine, seed), engine, tuple(PHASE_DEFENCES.values()))
    for _ in range(settings.rounds * QUERIES):
        lives.advance()
    attack = Counts.of(lives).attack_success
    return {
        name: [mean_and_error(attack[cell * each : (cell + 1) * each, place])[0] for cell in range(len(cells))]
        for place, name in enumerate(PHASE_DEFENCES)
    }
