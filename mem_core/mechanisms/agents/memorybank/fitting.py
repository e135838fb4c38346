"""Curves fitted to measured forgetting: least squares on the retention itself, from many starts.

Axes: G learners, P parameters, N delays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mem_core.data.forgetting_measurements import SUBJECTS
from mem_core.engine import Array, Engine
from mem_core.mechanisms.agents.memorybank.curves import BY_NAME, Family
from mem_core.mechanisms.agents.memorybank.settings import ALL_SUBJECTS, ForgettingSettings
from mem_core.training.least_squares import fit_least_squares

OWN = "your measurements"
SMALLEST_SSD = 1e-30
"""Floor of the sum of squares in the AIC: a perfect fit has no logarithm."""


@dataclass(frozen=True)
class Measured:
    """One learner's points in order of delay; low and high are one standard error away, where it is known."""

    subject: str
    days: tuple[float, ...]
    retained: tuple[float, ...]
    standard_errors: tuple[float, ...]


@dataclass(frozen=True)
class Fit:
    """One curve fitted to one learner.

    Attributes:
        subject, family: whose points, which curve.
        parameters: fitted values, in the order of the family's names.
        ssd: sum of squared differences over the fitted points.
        r2: centred, 1 − SSD / Σ(Q − mean Q)²; NaN if all points are equal.
        aic: Akaike's criterion.
        at_points: the curve at all of the learner's delays, a held-out one included.
        at_grid: the curve at the delays asked for.
    """

    subject: str
    family: Family
    parameters: tuple[float, ...]
    ssd: float
    r2: float
    aic: float
    at_points: tuple[float, ...]
    at_grid: tuple[float, ...]


def measured(settings: ForgettingSettings) -> list[Measured]:
    """Choose the points to fit: the learner's own, or the published ones of one subject or all."""
    if settings.measurements:
        days, retained = zip(*sorted(settings.measurements), strict=True)
        return [Measured(OWN, days, retained, (0.0,) * len(days))]
    chosen = SUBJECTS.values() if settings.subject == ALL_SUBJECTS else [SUBJECTS[settings.subject]]
    return [Measured(item.subject, item.days, item.savings, item.standard_errors) for item in chosen]


def akaike(ssd: float, points: int, parameters: int) -> float:
    """AIC = n·ln(2π·SSD/n) + n + 2(p + 1), the form of Murre and Dros 2015; the noise is the extra parameter.

    >>> round(akaike(0.00285, 7, 2), 1)
    -28.8
    """
    return points * math.log(2 * math.pi * max(ssd, SMALLEST_SSD) / points) + points + 2 * (parameters + 1)


def fit_curve(
    family: Family, learners: Sequence[Measured], grid: Sequence[float], engine: Engine, *, hold_out: bool = False
) -> list[Fit]:
    """Fit one curve to learners who share their delays.

    Args:
        family: the curve.
        learners: points with the same delays, in days.
        grid: delays in days at which to give the curve.
        engine: computes, in double precision.
        hold_out: leave the longest delay out of the fit.

    Raises:
        ValueError: if there are no points, or no more of them than the curve has parameters.
    """
    if not learners or not learners[0].days:
        raise ValueError("There are no measurements to fit.")
    xp = engine.xp
    days = learners[0].days
    fitted = len(days) - 1 if hold_out else len(days)
    log_days = xp.log(xp.asarray([*days, *grid], dtype=xp.float64))

    def predict(logs: Array) -> Array:
        return _curve(family, log_days[:fitted], logs, engine)

    points = xp.asarray([item.retained[:fitted] for item in learners], dtype=xp.float64)
    best = fit_least_squares(predict, points, xp.asarray(family.starts, dtype=xp.float64), engine)
    curves = engine.to_numpy(_curve(family, log_days, best.parameters, engine)).tolist()
    parameters = engine.to_numpy(xp.exp(best.parameters)).tolist()
    costs = engine.to_numpy(best.cost).tolist()
    return [
        Fit(
            item.subject,
            family,
            tuple(values),
            ssd,
            _centred_r2(item.retained[:fitted], ssd),
            akaike(ssd, fitted, len(values)),
            tuple(curve[: len(days)]),
            tuple(curve[len(days) :]),
        )
        for item, values, ssd, curve in zip(learners, parameters, costs, curves, strict=True)
    ]


def fit_all(settings: ForgettingSettings, grid: Sequence[float], engine: Engine) -> list[Fit]:
    """Fit every chosen curve to every chosen learner, curve by curve."""
    learners = measured(settings)
    fits = [fit_curve(BY_NAME[name], learners, grid, engine, hold_out=settings.hold_out) for name in settings.families]
    return [fit for of_curve in fits for fit in of_curve]


def _curve(family: Family, log_days: Array, logs: Array, engine: Engine) -> Array:
    return family.value(engine.xp, log_days, [logs[..., index, None] for index in range(logs.shape[-1])])


def _centred_r2(points: Sequence[float], ssd: float) -> float:
    mean = math.fsum(points) / len(points)
    spread = math.fsum((point - mean) ** 2 for point in points)
    return 1 - ssd / spread if spread > 0 else math.nan
