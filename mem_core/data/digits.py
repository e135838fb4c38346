"""Handwritten digits: 1797 pictures of 8 x 8 pixels that come with scikit-learn, in one fixed shuffled order.

Source: E. Alpaydin and C. Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository;
the copy inside the package scikit-learn, so nothing is downloaded.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 8
"""Pixels along each side of a picture."""
BRIGHTEST = 16
"""Value of a full pixel in the source; here it becomes 1."""
ORDER_SEED = 0
"""Of the fixed shuffle, `numpy.random.default_rng(0).permutation(1797)`: the same split in every experiment."""


class DigitsMissingError(ImportError):
    """The package that holds the pictures is not installed; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Some of the pictures.

    Attributes:
        images: brightness from 0 to 1, shape (n, 8, 8).
        labels: which digit it is, 0 to 9, shape (n,).

    >>> two = Digits(np.zeros((2, 8, 8)), np.array([3, 7]))
    >>> len(two.of([7])), [len(part) for part in two.split(1)]
    (1, [1, 1])
    """

    images: NDArray[np.float64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, classes: Collection[int]) -> Digits:
        """Keep the pictures of some digits, in the same order."""
        keep = np.isin(self.labels, list(classes))
        return Digits(self.images[keep], self.labels[keep])

    def split(self, count: int) -> tuple[Digits, Digits]:
        """Return the first `count` pictures and the rest.

        Raises:
            ValueError: if one of the two parts would be empty.
        """
        if not 0 < count < len(self):
            raise ValueError(f"count must be from 1 to {len(self) - 1}, so that no part is empty, got {count}.")
        return Digits(self.images[:count], self.labels[:count]), Digits(self.images[count:], self.labels[count:])


@cache
def load() -> Digits:
    """Return all 1797 pictures in the fixed shuffled order; they cannot be written to.

    Raises:
        DigitsMissingError: if scikit-learn is not installed.
    """
    source = _source()
    order = np.random.default_rng(ORDER_SEED).permutation(len(source.target))
    images = source.images[order] / BRIGHTEST
    labels = source.target[order].astype(np.int64)
    for array in (images, labels):
        array.setflags(write=False)
    return Digits(images, labels)


def _source() -> Any:
    try:
        datasets = importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise DigitsMissingError(
            "The handwritten digits come with scikit-learn; install it with: pip install scikit-learn."
        ) from error
    return datasets.load_digits()
