"""Majority votes among the best-ranked of several candidate answers.

Axes: P problems, k candidates of each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def ranked(answers: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
    """Return every problem's answers in the order of their scores, the smallest first; ties keep their order.

    Args:
        answers, scores: shape (P, k).

    Raises:
        ValueError: if the shapes differ, there are no candidates, or a score is NaN.

    >>> ranked(np.array([[7, 8, 9]]), np.array([[0.5, 0.1, 0.3]])).tolist()
    [[8, 9, 7]]
    """
    if answers.ndim != 2 or answers.shape != scores.shape or not answers.shape[1]:
        raise ValueError(
            f"answers and scores must both have the shape (problems, candidates), with one candidate or more, "
            f"got {answers.shape} and {scores.shape}."
        )
    if np.isnan(scores).any():
        raise ValueError("A score must be a number, got NaN.")
    return np.asarray(np.take_along_axis(answers, np.argsort(scores, axis=1, kind="stable"), axis=1))


def majority(answers: NDArray[Any], voters: int) -> NDArray[Any]:
    """Return the commonest answer among the first `voters` candidates of every problem, shape (P,).

    Where several are equally common, the one wins whose first candidate is ranked best.

    Args:
        answers: in the order of rank, best first, shape (P, k).
        voters: m, from 1 to k.

    Raises:
        ValueError: if `voters` is out of its range.

    >>> majority(np.array([[4, 7, 7, 4, 1]]), 3).tolist(), majority(np.array([[4, 7, 7, 4, 1]]), 4).tolist()
    ([7], [4])
    """
    if not 1 <= voters <= answers.shape[1]:
        raise ValueError(f"voters must be from 1 to the {answers.shape[1]} candidates, got {voters}.")
    heard = answers[:, :voters]
    votes = (heard[:, :, None] == heard[:, None, :]).sum(axis=-1)  # (P, m), for each candidate's answer
    return np.asarray(np.take_along_axis(heard, votes.argmax(axis=1)[:, None], axis=1)[:, 0])
