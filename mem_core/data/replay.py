"""A memory of earlier tasks' examples, from which later batches are filled up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class ShareMemory:
    """Keeps the same share of the examples of every task, chosen at random without regard to what they are.

    Args:
        share: of each task's examples, from 0, which keeps nothing, to 1.

    Raises:
        ValueError: if `share` is not between 0 and 1.

    >>> memory = ShareMemory(0.5)
    >>> memory.keep(np.arange(10), np.random.default_rng(0))
    >>> len(memory), memory.draw(np.random.default_rng(0), (3, 2)).shape
    (5, (3, 2))
    """

    def __init__(self, share: float) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"share must be from 0 to 1, got {share}.")
        self.share = share
        self._kept: list[NDArray[Any]] = []

    def __len__(self) -> int:
        return sum(map(len, self._kept))

    def keep(self, examples: NDArray[Any], generator: np.random.Generator) -> None:
        """Store round(share * n) of the n examples of a task, of shape (n, ...)."""
        chosen = generator.permutation(len(examples))[: round(self.share * len(examples))]
        self._kept.append(examples[chosen])

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        """Draw from everything stored, with replacement: shape (*shape, ...).

        Raises:
            ValueError: if nothing is stored.
        """
        if len(self) == 0:
            raise ValueError("The memory is empty: store examples, and more than none of them, before drawing.")
        stored = np.concatenate(self._kept)
        return np.asarray(stored[generator.integers(len(stored), size=shape)])
