"""Modular addition: every pair (a, b) of residues, labelled (a + b) mod M, split into training and test pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMALLEST_MODULUS = 3
"""With M = 2 there are four pairs: too few for anything to be left to find out."""


@dataclass(frozen=True)
class Pairs:
    """Some of the M² pairs of residues, and their sums.

    Attributes:
        modulus: M.
        first, second: the residues a and b, whole numbers of shape (..., n).

    >>> Pairs(5, np.array([1, 4]), np.array([2, 3])).labels.tolist()
    [3, 2]
    """

    modulus: int
    first: NDArray[np.int64]
    second: NDArray[np.int64]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The sums (a + b) mod M, shape (..., n)."""
        return (self.first + self.second) % self.modulus

    @property
    def count(self) -> int:
        """How many pairs there are, n."""
        return int(self.first.shape[-1])

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which of all pairs are among these, shape (..., M, M) with a along the rows."""
        found = np.zeros((*self.first.shape[:-1], self.modulus**2), dtype=bool)
        np.put_along_axis(found, self.first * self.modulus + self.second, True, axis=-1)
        return found.reshape(*self.first.shape[:-1], self.modulus, self.modulus)


def all_pairs(modulus: int) -> Pairs:
    """Return all M² pairs, ordered by a and then by b.

    Raises:
        ValueError: if the modulus is not a whole number of at least 3.
    """
    _check_modulus(modulus)
    first, second = np.divmod(np.arange(modulus**2), modulus)
    return Pairs(modulus, first, second)


def split(modulus: int, train_share: float, generator: np.random.Generator) -> tuple[Pairs, Pairs]:
    """Draw round(train_share · M²) of the M² pairs for training; the rest are the test pairs.

    No pair is in both, and every pair is in one. Both are ordered by a and then by b, so that rows which share a
    residue lie together.

    Args:
        modulus: M, a whole number of at least 3; it need not be prime.
        train_share: share of all pairs to train on.
        generator: where the draw comes from.

    Raises:
        ValueError: if the modulus is too small, or if there would be no training pair or no test pair.
    """
    everything = all_pairs(modulus)
    count = training_count(modulus, train_share)
    order = generator.permutation(everything.count)
    return tuple(  # type: ignore[return-value]
        Pairs(modulus, everything.first[chosen], everything.second[chosen])
        for chosen in (np.sort(order[:count]), np.sort(order[count:]))
    )


def training_count(modulus: int, train_share: float) -> int:
    """Return how many pairs `split` trains on.

    Raises:
        ValueError: if that would leave no training pair or no test pair.
    """
    _check_modulus(modulus)
    total = modulus**2
    count = round(train_share * total) if 0 < train_share < 1 else 0
    if not 0 < count < total:
        raise ValueError(
            f"train_share is {train_share!r}, but of the {total} pairs at least one must be trained on "
            "and at least one kept for the test."
        )
    return count


def stacked(splits: list[Pairs]) -> Pairs:
    """Put the pairs of several networks on a leading axis; each must have as many pairs of the same modulus."""
    return Pairs(
        splits[0].modulus, np.stack([pairs.first for pairs in splits]), np.stack([pairs.second for pairs in splits])
    )


def _check_modulus(modulus: int) -> None:
    if isinstance(modulus, bool) or not isinstance(modulus, int | np.integer) or modulus < SMALLEST_MODULUS:
        raise ValueError(f"modulus is {modulus!r}, but it must be a whole number of at least {SMALLEST_MODULUS}.")
