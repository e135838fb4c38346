"""Handwritten digits with their pixels shuffled: one fixed shuffle for each task, the classes stay.

Domain-incremental: every task is as hard as the first for a network that does not know which pixels are neighbours,
and none helps with another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mem_core.data.digit_tasks import CLASSES, DigitTask
from mem_core.data.digits import Digits


def permuted_digits(training: Digits, test: Digits, tasks: int, generator: np.random.Generator) -> list[DigitTask]:
    """Make tasks of all digits: the first as they are, each later one with its own order of the pixels.

    Raises:
        ValueError: if `tasks` is below 1.

    Source: the permuted MNIST of Goodfellow et al. 2013, arXiv 1312.6211.
    """
    if tasks < 1:
        raise ValueError(f"tasks must be 1 or more, got {tasks}.")
    pixels = training.images[0].size
    orders = [np.arange(pixels), *(generator.permutation(pixels) for _ in range(tasks - 1))]
    classes = tuple(range(CLASSES))
    return [DigitTask(_permuted(training, order), _permuted(test, order), classes) for order in orders]


def _permuted(digits: Digits, order: NDArray[np.intp]) -> Digits:
    flat = digits.images.reshape(len(digits), -1)
    return Digits(flat[:, order].reshape(digits.images.shape), digits.labels)
