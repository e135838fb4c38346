"""The cosines of texts about the same slot and about different ones: what a merge threshold has to tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from mem_core.data.fact_world import FIRST_NAMES
from mem_core.data.user_timeline import SLOTS, statement
from mem_core.engine import Engine, philox
from mem_core.nn.merging_memory import Similarities
from mem_core.nn.text_embedding import TextEmbedding

PAIRS = 200
"""Of each sort."""


@dataclass(frozen=True)
class Calibration:
    """Cosines of pairs with the same slot and another value, and of pairs with different slots."""

    same: list[float]
    different: list[float]

    @property
    def midpoint(self) -> float:
        """The middle between the two means."""
        return (fmean(self.same) + fmean(self.different)) / 2


def calibrate(engine: Engine, embed: TextEmbedding, seed: int) -> Calibration:
    """Draw pairs of texts, each about one user, and compare them."""
    generator = philox(seed, "calibration")
    same, different = [], []
    for _ in range(PAIRS):
        name = FIRST_NAMES[int(generator.integers(len(FIRST_NAMES)))]
        first, second = (SLOTS[place] for place in generator.permutation(len(SLOTS))[:2].tolist())
        one, other = (first.values[place] for place in generator.permutation(len(first.values))[:2].tolist())
        third = second.values[int(generator.integers(len(second.values)))]
        same.append((statement(name, first.name, one), statement(name, first.name, other)))
        different.append((statement(name, first.name, one), statement(name, second.name, third)))
    cosine = Similarities(engine, embed, [text for pair in same + different for text in pair])
    return Calibration([cosine(*pair) for pair in same], [cosine(*pair) for pair in different])
