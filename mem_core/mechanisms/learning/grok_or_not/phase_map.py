"""Many networks over weight decay and corruption, or over training share and corruption: the phase diagrams.

Source: arXiv 2310.13061, Fig. 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.learning.grok_or_not.accuracies import Accuracies, accuracies, phase
from mem_core.mechanisms.learning.grok_or_not.settings import DECAY, DECAY_MAP, CorruptionSettings
from mem_core.mechanisms.learning.grok_or_not.training import prepare, train

MAP_DECAYS = (0.0, 2.0, 5.0, 8.0, 12.0, 16.0, 20.0)
MAP_CORRUPTIONS = (0.1, 0.2, 0.3, 0.4)
PAPER_SHARES = tuple(round(0.05 * number, 2) for number in range(2, 19))
PAPER_CORRUPTIONS = tuple(round(0.05 * number, 2) for number in range(19))
"""17 training shares and 19 corruptions, as in the paper's Fig. 3."""
MEASUREMENTS = 10
"""Of each network on its way: forgetting can be told from never having understood only by looking in between."""
LARGEST_ACTIVATIONS = 30_000_000
"""Numbers in one layer of activations, networks · pairs · neurons: 120 MB in float32."""


@dataclass(frozen=True)
class Cell:
    """One network of a map after training."""

    settings: CorruptionSettings
    accuracies: Accuracies
    phase: str


def groups(settings: CorruptionSettings) -> list[list[CorruptionSettings]]:
    """List the networks of the map that the settings ask for, those that can train side by side in one group."""
    if settings.phase_map == DECAY_MAP:
        rows = [settings.changed(weight_decay=decay, regulariser=DECAY) for decay in MAP_DECAYS]
        return [[row.changed(corruption=corruption) for corruption in MAP_CORRUPTIONS] for row in rows]
    found: list[list[CorruptionSettings]] = []
    for share in PAPER_SHARES:
        cells = [settings.changed(data_share=share, corruption=corruption) for corruption in PAPER_CORRUPTIONS]
        numbers = share * settings.modulus**2 * settings.hidden
        together = max(1, int(LARGEST_ACTIVATIONS / numbers))
        found += [cells[start : start + together] for start in range(0, len(cells), together)]
    return found


def train_cells(engine: Engine, settings: CorruptionSettings, seed: int) -> Iterator[list[Cell]]:
    """Train the networks of a map, group by group; each is the network that a run with its settings would give."""
    for group in groups(settings):
        yield _train_group(engine, group, seed)


def _train_group(engine: Engine, group: Sequence[CorruptionSettings], seed: int) -> list[Cell]:
    classroom = prepare(engine, group, seed)
    steps = group[0].steps
    measured = {steps * part // MEASUREMENTS for part in range(1, MEASUREMENTS + 1)}
    best = [0.0] * len(group)
    found: list[Accuracies] = []
    for moment in train(engine, classroom, group[0], seed, measured):
        found = [accuracies(answers, labels) for answers, labels in zip(moment.answers, classroom.labels, strict=True)]
        best = [max(before, now.test) for before, now in zip(best, found, strict=True)]
    return [
        Cell(settings, now, phase(now, settings.corruption, highest))
        for settings, now, highest in zip(group, found, best, strict=True)
    ]
