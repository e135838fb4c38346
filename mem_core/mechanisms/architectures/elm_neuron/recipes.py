"""The bursts to be remembered, and how a neuron is trained to add two of them, in three sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mem_core.data.spike_patterns import BurstPatterns, draw_patterns
from mem_core.engine import philox

SMALL, STANDARD, LARGE = "small", "standard", "large"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A task of adding two bursts, and the training on it.

    Attributes:
        channels: input channels.
        burst: steps in a burst.
        density, probability, noise: share of a pattern's cells that take part, how often those fire, and how often a
            stray spike comes in any other.
        patterns: different bursts; the sums of two run from 0 to twice the last.
        after: steps between the second burst and the answer.
        step: length of a time step in ms.
        batch: sequences in one step of training.
        steps: of training.
        rate: learning rate of Adam.
        largest_gradient: longer gradients are shortened to this norm; None leaves them.
        tested: sequences that the accuracy is measured on.
    """

    channels: int
    burst: int
    density: float
    probability: float
    noise: float = 0.02
    patterns: int = 3
    after: int
    step: float = 1.0
    batch: int
    steps: int
    rate: float
    largest_gradient: float | None
    tested: int

    @property
    def sums(self) -> int:
        """Number of different sums of two patterns."""
        return 2 * self.patterns - 1

    @property
    def chance(self) -> float:
        """Accuracy of an answer that knows the second burst and must guess the first."""
        return 1 / self.patterns

    def draw_patterns(self, seed: int) -> BurstPatterns:
        """Draw the patterns of a seed."""
        return draw_patterns(
            philox(seed, "patterns"),
            patterns=self.patterns,
            steps=self.burst,
            channels=self.channels,
            density=self.density,
            probability=self.probability,
            noise=self.noise,
        )


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        SMALL: Recipe(
            channels=12,
            burst=4,
            density=0.4,
            probability=0.9,
            after=0,
            batch=32,
            steps=150,
            rate=1e-2,
            largest_gradient=1.0,
            tested=256,
        ),
        STANDARD: Recipe(
            channels=20,
            burst=8,
            density=0.3,
            probability=0.5,
            after=6,
            batch=64,
            steps=300,
            rate=3e-3,
            largest_gradient=None,
            tested=512,
        ),
        # As long and as wide as two spoken digits of the Spiking Heidelberg Digits: 700 channels, 1000 steps of 2 ms.
        LARGE: Recipe(
            channels=700,
            burst=490,
            density=0.3,
            probability=0.5,
            patterns=10,
            after=0,
            step=2.0,
            batch=64,
            steps=1000,
            rate=1e-3,
            largest_gradient=1.0,
            tested=64,
        ),
    }
)

DECODED = RECIPES[SMALL]
"""The bursts of the first experiment, which needs no training of the neuron."""
