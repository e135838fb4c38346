"""Where grokking begins: many networks over moduli and training shares.

A sample law of n ≥ c·M·ln M pairs means a critical share p_c = c·ln(M)/M of the M² pairs.

Source: arXiv 2509.21519, Theorem 4 and Fig. 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mem_core.engine import Engine
from mem_core.mechanisms.learning.grokking_li2.milestones import Milestones
from mem_core.mechanisms.learning.grokking_li2.settings import GrokkingSettings
from mem_core.mechanisms.learning.grokking_li2.training import optimizer_of, prepare, train

EXPECTED_MULTIPLIER = 2.55
"""c in p_c = c·ln(M)/M: the mean over M = 11 to 41 at η = 1e-3, rate 0.01, K = 256, 600 steps."""
MEASURED_EVERY = 10  # steps


@dataclass(frozen=True)
class MapSize:
    """Which networks a boundary map trains: `networks` for every modulus and training share."""

    moduli: tuple[int, ...]
    networks: int
    shares: tuple[float, ...] = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)

    @property
    def cells(self) -> int:
        """How many pairs of modulus and share there are."""
        return len(self.moduli) * len(self.shares)


SIZES = {"small": MapSize((11, 17, 23), 2), "full": MapSize((11, 17, 23, 31), 3)}


@dataclass(frozen=True)
class Cell:
    """The networks of one modulus and training share, after training: one entry per network."""

    modulus: int
    share: float
    milestones: Milestones

    @property
    def test_accuracy(self) -> float:
        """Mean share of test pairs that are right."""
        return math.fsum(self.milestones.test_accuracy) / len(self.milestones.test_accuracy)


def expected_share(modulus: int) -> float:
    """Return 2.55·ln(M)/M."""
    return EXPECTED_MULTIPLIER * math.log(modulus) / modulus


def train_cells(engine: Engine, settings: GrokkingSettings, size: MapSize, seed: int) -> Iterator[Cell]:
    """Train the networks of a map, one cell after another, with the decay, rate, width and steps of the settings."""
    for modulus in size.moduli:
        for share in size.shares:
            yield train_cell(engine, settings, modulus, share, size.networks, seed)


def train_cell(
    engine: Engine, settings: GrokkingSettings, modulus: int, share: float, networks: int, seed: int
) -> Cell:
    """Train some networks at one modulus and share; they stop early once all have 99 % of the test pairs right."""
    cell = settings.changed(modulus=modulus, train_share=share, networks=networks)
    classroom = prepare(engine, cell, seed, stream=("map", modulus, f"{share:.2f}"))
    milestones = Milestones(networks)
    measured = {*range(0, cell.steps, MEASURED_EVERY), cell.steps}
    for moment in train(engine, classroom, optimizer_of(cell), cell.steps, measured):
        milestones.see(moment)
        if milestones.all_understood:
            break
    return Cell(modulus, share, milestones)


def critical_share(shares: Sequence[float], accuracies: Sequence[float], level: float = 0.5) -> float:
    """Return where the accuracy first reaches `level`, by straight lines between the shares; NaN if it does not.

    >>> critical_share([0.3, 0.4, 0.5], [0.0, 0.25, 0.75])
    0.45
    """
    pairs = list(zip(shares, accuracies, strict=True))
    for (low, below), (high, above) in pairwise(pairs):
        if below < level <= above:
            return low + (high - low) * (level - below) / (above - below)
    return math.nan


def boundary_rows(cells: Sequence[Cell]) -> list[tuple[Any, ...]]:
    """Return modulus, critical share and its multiple of ln(M)/M for every modulus whose boundary was found."""
    rows: list[tuple[Any, ...]] = []
    for modulus in dict.fromkeys(cell.modulus for cell in cells):
        mine = [cell for cell in cells if cell.modulus == modulus]
        share = critical_share([cell.share for cell in mine], [cell.test_accuracy for cell in mine])
        if math.isfinite(share):
            rows.append((modulus, share, share * modulus / math.log(modulus)))
    return rows
