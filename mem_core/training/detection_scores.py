"""How well something is detected: rates of a verdict, and how often a score puts a positive above a negative.

Axes: n examples.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class DetectionRates(NamedTuple):
    """Rates of yes-or-no verdicts, each from 0 to 1.

    Attributes:
        accuracy: share of all verdicts that are right; it depends on how many positives there are.
        true_positive, true_negative: share right among the positives and among the negatives.
    """

    accuracy: float
    true_positive: float
    true_negative: float

    @property
    def balanced(self) -> float:
        """Mean of the two rates: 0.5 for any verdict that does not look."""
        return (self.true_positive + self.true_negative) / 2


def detection_rates(verdicts: NDArray[Any], truth: NDArray[Any]) -> DetectionRates:
    """Compare verdicts with the truth.

    Args:
        verdicts, truth: true or 1 for positive, shape (n,).

    Raises:
        ValueError: if the shapes differ, or if there is no positive or no negative.

    >>> detection_rates(np.array([1, 1, 0, 1]), np.array([1, 1, 0, 0]))
    DetectionRates(accuracy=0.75, true_positive=1.0, true_negative=0.5)
    """
    said, so = np.asarray(verdicts, dtype=bool), _truth(truth, np.asarray(verdicts))
    return DetectionRates(float((said == so).mean()), float(said[so].mean()), float((~said[~so]).mean()))


def area_under_curve(scores: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return the area under the ROC curve: how often a positive has a higher score than a negative, a tie counting ½.

    Args:
        scores: higher for what is more likely positive, shape (n,).
        truth: true or 1 for positive, shape (n,).

    Raises:
        ValueError: if the shapes differ, a score is NaN, or if there is no positive or no negative.

    >>> area_under_curve(np.array([3.0, 1.0, 2.0]), np.array([True, False, True]))
    1.0

    Source: Hanley and McNeil 1982, "The meaning and use of the area under a ROC curve"; the Mann-Whitney U statistic.
    """
    so = _truth(truth, np.asarray(scores))
    if np.isnan(scores).any():
        raise ValueError("A score must be a number, got NaN.")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # the mean rank of those that tie
    positives = int(so.sum())
    above = ranks[so].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(so) - positives)))


def _truth(truth: NDArray[Any], judged: NDArray[Any]) -> NDArray[np.bool_]:
    so = np.asarray(truth, dtype=bool)
    if so.ndim != 1 or so.shape != judged.shape:
        raise ValueError(f"Verdicts and truth must be two rows of one length, got {judged.shape} and {so.shape}.")
    if so.all() or not so.any():
        raise ValueError(f"There must be positives and negatives, got {int(so.sum())} of {len(so)} positive.")
    return so
