"""Statistics for comparing systems on the same questions: tests, intervals, agreement, calibration and time.

Axes: n pairs or questions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_EXACT = 16
"""Pairs up to which all 2ⁿ sign flips are tried; beyond, signs are drawn."""
TIE = 1e-12
"""Two means this close, relative to the values, count as equal: sums in another order differ by rounding."""


def permutation_test(
    a: ArrayLike, b: ArrayLike, *, draws: int = 0, generator: np.random.Generator | None = None
) -> float:
    """Return the two-sided p-value of a paired sign-flip test on the mean difference.

    If a and b are exchangeable within each pair, every difference dᵢ = aᵢ − bᵢ may as well have the other sign:

        p = share of sign vectors s ∈ {−1, 1}ⁿ with |mean(s·d)| ≥ |mean(d)|

    Args:
        a, b: measurements of two systems on the same n things, in the same order.
        draws: 0 for the exact test (n of at most 16); else how many sign vectors are drawn, and p = (1 + hits)/(1 +
            draws), which counts the vector at hand.
        generator: draws the signs.

    Raises:
        ValueError: if the lengths differ, there is nothing to compare, or an exact test would be too long.

    Source: Fisher 1935; Good 2005, "Permutation, Parametric and Bootstrap Tests of Hypotheses".

    >>> permutation_test([1, 1, 1], [0, 0, 0])
    0.25
    """
    first, second = _paired(a, b)
    differences = first - second
    observed = abs(differences.mean())
    least = observed - TIE * (1 + np.abs(differences).max())
    if not draws:
        if len(differences) > MOST_EXACT:
            raise ValueError(f"An exact test takes at most {MOST_EXACT} pairs, got {len(differences)}: set draws.")
        numbers = np.arange(2 ** len(differences))[:, None]
        signs = 1 - 2 * ((numbers >> np.arange(len(differences))) & 1)
        return float((np.abs((signs * differences).mean(axis=1)) >= least).mean())
    if draws < 0 or generator is None:
        raise ValueError(f"A drawn test takes a positive number of draws and a generator, got draws={draws}.")
    signs = 1 - 2 * generator.integers(2, size=(draws, len(differences)), dtype=np.int8)
    return float((1 + (np.abs(signs @ differences / len(differences)) >= least).sum()) / (1 + draws))


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values so that the chance of any false discovery stays below the level, by Holm's step-down.

    Of m p-values in increasing order, the i-th (from 0) becomes max over j ≤ i of min(1, (m − j)·p_j).

    Raises:
        ValueError: if a value is not in [0, 1].

    Source: Holm 1979.

    >>> holm([0.01, 0.02, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    values = _shares("p", p)
    order = np.argsort(values, kind="stable")
    steps = np.minimum(1.0, values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(steps)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def bootstrap_interval(
    values: ArrayLike, generator: np.random.Generator, *, level: float = 0.95, draws: int = 1000
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean.

    Args:
        values: n independent measurements.
        generator: draws the resamples.
        level: share of resampled means inside the interval.
        draws: how many resamples.

    Raises:
        ValueError: if there is no value, or the level is not between 0 and 1.

    Source: Efron 1979.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not len(sample):
        raise ValueError(f"values must be a list of at least one number, got shape {sample.shape}.")
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}, but it must lie between 0 and 1.")
    means = sample[generator.integers(len(sample), size=(draws, len(sample)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def cohen_kappa(a: Sequence[object], b: Sequence[object]) -> float:
    """Return the agreement of two judges beyond chance, κ = (p_o − p_e)/(1 − p_e).

    p_o is the share of things judged alike, p_e what two judges with these frequencies of labels share by chance. Two
    judges who give one and the same label throughout agree perfectly: κ = 1.

    Raises:
        ValueError: if the lengths differ or nothing was judged.

    Source: Cohen 1960.

    >>> cohen_kappa("yynn", "ynyn")
    0.0
    """
    if len(a) != len(b) or not len(a):
        raise ValueError(f"Two judges must judge the same things, at least one: got {len(a)} and {len(b)} labels.")
    first, second = list(a), list(b)
    observed = sum(x == y for x, y in zip(first, second, strict=True)) / len(first)
    by_chance = sum(first.count(label) * second.count(label) for label in set(first)) / len(first) ** 2
    return 1.0 if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


def risk_coverage(confidence: ArrayLike, correct: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coverage and risk when only the k most confident answers are given, for k = 1 … n.

    risk(k) = errors among the k most confident/k, coverage(k) = k/n. Answers of equal confidence are taken in no
    order: each carries the mean error of its group.

    Raises:
        ValueError: if the lengths differ or there is no answer.

    Source: Geifman and El-Yaniv 2017, arXiv 1705.08500.
    """
    sure, right = _paired(confidence, correct)
    _, group, sizes = np.unique(-sure, return_inverse=True, return_counts=True)
    errors = np.repeat(np.bincount(group, weights=1 - right) / sizes, sizes)
    count = np.arange(1, len(sure) + 1)
    return count / len(sure), np.cumsum(errors) / count


def aurc(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Return the area under the risk–coverage curve, the mean of risk(k); 0 is best.

    >>> aurc([0.9, 0.8, 0.1], [1, 1, 0])
    0.1111111111111111
    """
    return float(risk_coverage(confidence, correct)[1].mean())


def slope(times: ArrayLike, accuracy: ArrayLike) -> float:
    """Return dAcc/dT, the slope of the least-squares line of accuracy over time.

    Raises:
        ValueError: if the lengths differ or there are fewer than two different times.
    """
    t, values = _paired(times, accuracy)
    if len(np.unique(t)) < 2:
        raise ValueError("A slope needs at least two different times.")
    centred = t - t.mean()
    return float((centred @ values) / (centred @ centred))


def half_life(times: ArrayLike, accuracy: ArrayLike) -> float:
    """Return h½ of the exponential fitted to accuracy over time, by least squares on its logarithm.

    ln acc = a + b·t and h½ = −ln 2/b; acc = 2^(−t/τ) gives τ. Infinite where accuracy does not fall. Points at which
    nothing is left have no logarithm and are left out.

    Raises:
        ValueError: if the lengths differ, an accuracy is not in [0, 1], or fewer than two of them are above 0.

    >>> round(half_life([0, 1, 2], [1, 0.5, 0.25]), 9)
    1.0
    """
    t, values = _paired(times, _shares("accuracy", accuracy))
    left = values > 0
    if len(np.unique(t[left])) < 2:
        raise ValueError("A half-life needs at least two different times at which something is left.")
    rate = slope(t[left], np.log(values[left]))
    return math.inf if rate >= 0 else -math.log(2) / rate


def _paired(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise ValueError(
            f"Both lists must have the same length, at least one, got shapes {first.shape} and {second.shape}."
        )
    return first, second


def _shares(name: str, values: ArrayLike) -> NDArray[np.float64]:
    shares = np.asarray(values, dtype=np.float64)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"{name} must hold numbers from 0 to 1, got {shares.tolist()}.")
    return shares
