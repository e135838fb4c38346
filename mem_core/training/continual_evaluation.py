"""What accuracies measured all along a stream of tasks say: not only how it ends, but how far it fell on the way.

Source: De Lange, van de Ven and Tuytelaars 2023, "Continual evaluation for lifelong learning: Identifying the stability
gap", arXiv 2205.13452, Section 3.
Axes: n evaluations, K tasks seen so far.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class ContinualMetrics:
    """The summaries of accuracies measured all along.

    Attributes:
        acc: mean over the tasks seen so far, at the last evaluation.
        forg: mean over earlier tasks of the accuracy at the task's own end minus that now; NaN with one task.
        min_acc: mean over earlier tasks of the lowest accuracy after the task's end; NaN with one task.
        wc_acc: what can be relied on, (1/K)·(accuracy of the newest task) + (1 − 1/K)·min_acc.
        wf: for each window the windowed forgetting, mean over tasks of the largest drop within it.
        wp: for each window the windowed plasticity, mean over tasks of the largest rise within it.
    """

    acc: float
    forg: float
    min_acc: float
    wc_acc: float
    wf: Mapping[int, float]
    wp: Mapping[int, float]


def continual_metrics(accuracies: Curve, ends: Sequence[int], windows: Sequence[int] = (10, 100)) -> ContinualMetrics:
    """Summarise accuracies measured all along a stream of tasks.

    With A the accuracies, e_i the row of task i's last evaluation and t = e_K the last row::

        ACC = (1/K) Σ_i A[t, i]                 FORG = (1/(K−1)) Σ_(i<K) (A[e_i, i] − A[t, i])
        min-ACC = (1/(K−1)) Σ_(i<K) min over e_i < n ≤ t of A[n, i]
        WC-ACC = (1/K)·A[t, K] + (1 − 1/K)·min-ACC
        WF^w = (1/K) Σ_i max over m < n < m + w of (A[m, i] − A[n, i]), at least 0;   WP^w with the opposite sign

    Args:
        accuracies: A in [0, 1], shape (n, K), K the tasks seen so far; NaN before a task is seen, and only there.
        ends: e_1 < ... < e_K, each task's last evaluation; the newest task's is the last row, finished or not.
        windows: w, how many consecutive evaluations, each 2 or more.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> dips = np.array([[0.8, np.nan], [0.2, 0.5], [0.6, 1.0]])
    >>> metrics = continual_metrics(dips, ends=[0, 2], windows=[2])
    >>> metrics.acc, metrics.min_acc, metrics.wc_acc
    (0.8, 0.2, 0.6)
    """
    _require_curves(accuracies)
    _require_ends(ends, accuracies.shape)
    for window in windows:
        if window < 2:
            raise ValueError(f"windows must each be 2 evaluations or more, got {window}.")
    count, now = accuracies.shape[1], accuracies[-1]
    worst = [float(accuracies[end + 1 :, task].min()) for task, end in enumerate(ends[:-1])]
    fallen = [float(accuracies[end, task] - now[task]) for task, end in enumerate(ends[:-1])]
    min_acc = _mean(worst)
    return ContinualMetrics(
        acc=float(now.mean()),
        forg=_mean(fallen),
        min_acc=min_acc,
        wc_acc=float(now[-1]) / count + (1 - 1 / count) * min_acc if worst else float(now[-1]),
        wf={window: _mean([largest_drop(_seen(column), window) for column in accuracies.T]) for window in windows},
        wp={window: _mean([largest_drop(-_seen(column), window) for column in accuracies.T]) for window in windows},
    )


def stacked(evaluations: Sequence[Sequence[float]]) -> Curve:
    """Lay out evaluations of ever more tasks as the rows of one array, NaN where a task was not seen yet.

    Raises:
        ValueError: if there is none, or if a later one has fewer tasks.

    >>> stacked([[0.5], [0.25, 1.0]]).tolist()
    [[0.5, nan], [0.25, 1.0]]
    """
    counts = [len(row) for row in evaluations]
    if not counts or counts != sorted(counts):
        raise ValueError(f"evaluations must be one or more, each of as many tasks as the last or more, got {counts}.")
    return np.array([[*row, *[math.nan] * (counts[-1] - len(row))] for row in evaluations], dtype=np.float64)


def largest_drop(curve: Curve, window: int) -> float:
    """Return the largest drop from one value to a later one among any `window` neighbours; 0 if it never falls.

    >>> largest_drop(np.array([0.9, 0.5, 0.6, 0.1]), 2), largest_drop(np.array([0.9, 0.5, 0.6, 0.1]), 4)
    (0.5, 0.8)
    """
    reach = min(window, len(curve))
    if reach < 2:
        return 0.0
    padded = np.concatenate([np.full(reach - 1, -math.inf), curve])
    highest = np.lib.stride_tricks.sliding_window_view(padded, reach).max(axis=-1)
    return float((highest - curve).max())


def _seen(column: Curve) -> Curve:
    return column[~np.isnan(column)]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _require_curves(accuracies: Curve) -> None:
    if accuracies.ndim != 2 or 0 in accuracies.shape:
        raise ValueError(f"accuracies must have shape (evaluations, tasks), none of them 0, got {accuracies.shape}.")
    unseen = np.isnan(accuracies)
    if unseen.all(axis=0).any():
        raise ValueError(f"accuracies of task {int(unseen.all(axis=0).argmax()) + 1} are all NaN: it was never seen.")
    if (unseen[1:] & ~unseen[:-1]).any():
        raise ValueError("accuracies must not become NaN once a task is seen.")
    if not ((accuracies >= 0) & (accuracies <= 1) | unseen).all():
        raise ValueError("accuracies must be between 0 and 1.")


def _require_ends(ends: Sequence[int], shape: tuple[int, ...]) -> None:
    evaluations, tasks = shape
    if len(ends) != tasks:
        raise ValueError(f"ends must have one row for each of {tasks} tasks, got {len(ends)}.")
    if ends[0] < 0 or any(later <= earlier for earlier, later in pairwise(ends)):
        raise ValueError(f"ends must be increasing rows of 0 or more, got {list(ends)}.")
    if ends[-1] != evaluations - 1:
        raise ValueError(f"ends must reach the last row, {evaluations - 1}, got {ends[-1]}.")
