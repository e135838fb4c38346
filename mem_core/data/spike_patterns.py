"""Spike trains to be remembered: fixed patterns fired in bursts, on a background of stray spikes.

A pattern says for every step of a burst which channels take part. In a burst those fire with one probability; all
else, the silence before and after included, fires with a small one. The stray spikes are what makes it hard to read
an old burst out of a fading trace: without them any trace, however small, could be amplified.

Axes: P patterns, b trials, T time steps, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Spikes = NDArray[np.bool_]


@dataclass(frozen=True)
class BurstPatterns:
    """A few patterns and how reliably they fire.

    Attributes:
        cells: which channel takes part in which step, (P, burst steps, C).
        probability: that a cell which takes part fires.
        noise: probability of a stray spike, anywhere else.
    """

    cells: NDArray[np.bool_]
    probability: float
    noise: float

    @property
    def count(self) -> int:
        """P, the number of patterns."""
        return len(self.cells)

    @property
    def steps(self) -> int:
        """Length of a burst."""
        return int(self.cells.shape[1])

    def one_burst(self, generator: np.random.Generator, trials: int, after: int) -> tuple[Spikes, NDArray[np.int64]]:
        """Draw trials of one burst and `after` steps without one: spikes (b,T,C) and which pattern it was (b,)."""
        labels = generator.integers(self.count, size=trials)
        spikes = self._silence(generator, trials, self.steps + after)
        self._write(generator, spikes, labels, 0)
        return spikes, labels

    def two_bursts(
        self, generator: np.random.Generator, trials: int, between: int, after: int
    ) -> tuple[Spikes, NDArray[np.int64]]:
        """Draw trials of two bursts with `between` steps from the end of one to the start of the next.

        Returns:
            spikes (b,T,C) with T = 2·burst + between + after, and the sum of the two patterns' numbers (b,), from
            0 to 2P − 2.

        Source: the toy form of SHD-Adding in Spieler et al. 2023 (arXiv 2306.16922), where the bursts are spoken
            digits.
        """
        labels = generator.integers(self.count, size=(2, trials))
        second = self.steps + between
        spikes = self._silence(generator, trials, second + self.steps + after)
        self._write(generator, spikes, labels[0], 0)
        self._write(generator, spikes, labels[1], second)
        return spikes, labels.sum(axis=0)

    def _silence(self, generator: np.random.Generator, trials: int, steps: int) -> Spikes:
        return generator.random((trials, steps, self.cells.shape[2]), dtype=np.float32) < self.noise

    def _write(self, generator: np.random.Generator, spikes: Spikes, labels: NDArray[np.int64], start: int) -> None:
        taking_part = self.cells[labels]
        fired = generator.random(taking_part.shape, dtype=np.float32) < self.probability
        burst = spikes[:, start : start + self.steps]
        burst[...] = np.where(taking_part, fired, burst)


def draw_patterns(
    generator: np.random.Generator,
    *,
    patterns: int,
    steps: int,
    channels: int,
    density: float,
    probability: float,
    noise: float,
) -> BurstPatterns:
    """Draw patterns in which every cell takes part with probability `density`.

    Args:
        generator: draws the cells.
        patterns, steps, channels: P, burst steps and C.
        density: share of the cells that take part, on average.
        probability, noise: as in `BurstPatterns`.

    Raises:
        ValueError: if a size is below 1 or a probability outside [0, 1].
    """
    for name, size in (("patterns", patterns), ("steps", steps), ("channels", channels)):
        if size < 1:
            raise ValueError(f"{name} is {size}, but it must be at least 1.")
    for name, share in (("density", density), ("probability", probability), ("noise", noise)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} is {share!r}, but it must be from 0 to 1.")
    return BurstPatterns(generator.random((patterns, steps, channels)) < density, probability, noise)
