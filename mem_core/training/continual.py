"""What learning one task after another leaves behind: the matrix of losses or accuracies, and its three summaries.

Axes: K tasks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class TaskMatrix:
    """How well every task is done after each task was learned: R[k, j] is task j measured after learning task k.

    Attributes:
        values: R, shape (tasks learned so far, K); what was not measured is NaN.
        lower_is_better: True for a loss, False for an accuracy.

    Raises:
        ValueError: if there are more rows than columns, or none.

    >>> losses = TaskMatrix.of([[0.5, 2.0], [0.75, 0.25]])
    >>> losses.average(), losses.forgetting(), losses.learning()
    (0.5, 0.25, 0.375)
    """

    values: NDArray[np.float64]
    lower_is_better: bool = True

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or not 1 <= self.values.shape[0] <= self.values.shape[1]:
            raise ValueError(
                f"values must have shape (tasks learned, tasks) with 1 or more rows and no more rows than columns, "
                f"got {self.values.shape}."
            )

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]], *, lower_is_better: bool = True) -> TaskMatrix:
        """Build a matrix from its rows."""
        return cls(np.asarray(rows, dtype=np.float64), lower_is_better)

    @property
    def learned(self) -> int:
        """How many tasks have been learned so far, k."""
        return int(self.values.shape[0])

    def average(self) -> float:
        """Return the mean over the tasks learned so far, after the last of them: mean over j <= k of R[k, j]."""
        return float(self.values[-1, : self.learned].mean())

    def forgetting(self) -> float:
        """Return how much worse earlier tasks are than just after they were learned; NaN with one task.

        F = mean over j < k of R[k, j] - R[j, j] for a loss, with the opposite sign for an accuracy. It is the negative
        of what is called backward transfer (Lopez-Paz and Ranzato 2017), and negative where later tasks help.
        """
        earlier = self.learned - 1
        if earlier == 0:
            return math.nan
        worse = self.values[-1, :earlier] - np.diagonal(self.values)[:earlier]
        return float(worse.mean() if self.lower_is_better else -worse.mean())

    def learning(self) -> float:
        """Return how well each task was done just after it was learned: mean over k of R[k, k]."""
        return float(np.diagonal(self.values).mean())
