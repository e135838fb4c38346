"""A memory of earlier tasks' examples, from which later batches are filled up."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Group = TypeVar("Group", bound=Hashable)
"""What names a group of examples: a class, or a class of one task."""


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


class BalancedMemory(Generic[Group]):
    """Shares a number of places equally among all groups of examples seen so far, classes for example.

    A group keeps a random part of its examples; when new groups come, every group gives up places at random.

    Args:
        capacity: places in all; what does not divide evenly stays empty.

    Raises:
        ValueError: if `capacity` is below 1.

    >>> memory = BalancedMemory(6)
    >>> memory.keep({"cat": np.arange(10), "dog": np.arange(10, 12)}, np.random.default_rng(0))
    >>> {name: len(kept) for name, kept in memory.kept.items()}
    {'cat': 3, 'dog': 2}
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be 1 or more, got {capacity}.")
        self.capacity = capacity
        self._shuffled: dict[Group, NDArray[Any]] = {}

    def __len__(self) -> int:
        return sum(map(len, self.kept.values()))

    @property
    def kept(self) -> Mapping[Group, NDArray[Any]]:
        """The stored examples of each group, in the order in which the groups came."""
        return self._shuffled

    def keep(self, groups: Mapping[Group, NDArray[Any]], generator: np.random.Generator) -> None:
        """Store examples of shape (n, ...) of new groups, and make room for them.

        Raises:
            ValueError: if a group is stored already, or if there are more groups than places.
        """
        together = len(self._shuffled) + len(groups)
        if together > self.capacity:
            raise ValueError(f"capacity must be at least the {together} groups to share it, got {self.capacity}.")
        for name, examples in groups.items():
            if name in self._shuffled:
                raise ValueError(f"groups must be new, but {name!r} is stored already.")
            self._shuffled[name] = generator.permutation(examples)
        # The beginning of a random order is a random part, and stays one when it is shortened.
        places = self.capacity // together
        self._shuffled = {name: examples[:places] for name, examples in self._shuffled.items()}

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[Any]:
        """Draw `size` of the stored examples without replacement, or all in random order if there are fewer.

        Raises:
            ValueError: if nothing is stored.
        """
        if len(self) == 0:
            raise ValueError("The memory is empty: store examples before drawing.")
        stored = np.concatenate(list(self._shuffled.values()))
        return np.asarray(stored[generator.permutation(len(stored))[:size]])
