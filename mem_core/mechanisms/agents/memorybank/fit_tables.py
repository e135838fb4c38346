"""Tables of the fitted curves: points, curves, residuals, scores, and the shared table of retention."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mem_core.engine import Engine
from mem_core.mechanisms.agents.memorybank.fitting import Fit, Measured, fit_all, measured
from mem_core.mechanisms.agents.memorybank.settings import ForgettingSettings
from mem_core.mechanisms.tables import Table

MEASURED, HELD_OUT = "measured", "held out"
MOST_CURVE_ROWS = 1_600
FEWEST_POINTS, MOST_POINTS = 24, 64
"""Points per drawn curve, equally spaced in the logarithm of the delay."""
CLAMPED_MINUTES = {"Ebbinghaus 1885": 1.0, "Ebbinghaus 1880": 2.0}
"""Below this many minutes the formula has no value; such delays count as this many."""
FLAT_START = 100.0
"""β·t of the first delay above which (1 + β·t) is β·t for all delays, and λ cannot be told from β."""


def fit_tables(settings: ForgettingSettings, engine: Engine) -> dict[str, Table]:
    """Fit the chosen curves and lay out everything the charts and claims of the fit need."""
    learners = measured(settings)
    grid = _grid(learners[0].days, len(learners) * len(settings.families))
    fits = fit_all(settings, grid, engine)
    best = {item.subject: min((f for f in fits if f.subject == item.subject), key=_aic) for item in learners}
    return {
        "measurements": _points(learners, settings.hold_out),
        "held_out": _points(learners, settings.hold_out).where(series=HELD_OUT),
        "curves": _curves(fits, grid),
        "residuals": _residuals(fits, learners),
        "fits": _scores(fits, learners),
        "best_curves": _curves(list(best.values()), grid),
        "retention": _retention(best[learners[0].subject], grid),
    }


def _aic(fit: Fit) -> float:
    return fit.aic


def _grid(days: Sequence[float], curves: int) -> list[float]:
    count = min(max(MOST_CURVE_ROWS // curves, FEWEST_POINTS), MOST_POINTS)
    first, last = math.log(days[0]), math.log(days[-1])
    return [math.exp(first + (last - first) * index / (count - 1)) for index in range(count)]


def _points(learners: Sequence[Measured], hold_out: bool) -> Table:
    rows = [
        (item.subject, day, kept, max(0.0, kept - error), kept + error, _role(place, len(item.days), hold_out))
        for item in learners
        for place, (day, kept, error) in enumerate(zip(item.days, item.retained, item.standard_errors, strict=True))
    ]
    subject, days, savings, low, high, series = zip(*rows, strict=True)
    units = {"days": "days"}
    return Table.of(units, subject=subject, days=days, savings=savings, low=low, high=high, series=series)


def _role(place: int, count: int, hold_out: bool) -> str:
    return HELD_OUT if hold_out and place == count - 1 else MEASURED


def _curves(fits: Sequence[Fit], grid: Sequence[float]) -> Table:
    rows = [
        (fit.subject, fit.family.name, day, value) for fit in fits for day, value in zip(grid, fit.at_grid, strict=True)
    ]
    subject, series, days, savings = zip(*rows, strict=True)
    return Table.of({"days": "days"}, subject=subject, series=series, days=days, savings=savings)


def _residuals(fits: Sequence[Fit], learners: Sequence[Measured]) -> Table:
    points = {item.subject: item for item in learners}
    rows = [
        (fit.subject, fit.family.name, day, kept - value)
        for fit in fits
        for day, kept, value in zip(points[fit.subject].days, points[fit.subject].retained, fit.at_points, strict=True)
    ]
    subject, series, days, residual = zip(*rows, strict=True)
    return Table.of({"days": "days"}, subject=subject, series=series, days=days, residual=residual)


def _scores(fits: Sequence[Fit], learners: Sequence[Measured]) -> Table:
    last = {item.subject: item.retained[-1] for item in learners}
    first_day = learners[0].days[0]
    return Table.of(
        {"last_days": "days"},
        subject=[fit.subject for fit in fits],
        curve=[fit.family.name for fit in fits],
        formula=[fit.family.formula for fit in fits],
        parameters=[_named(fit) for fit in fits],
        free_parameters=[len(fit.parameters) for fit in fits],
        exponent=[_exponent(fit) for fit in fits],
        ssd=[fit.ssd for fit in fits],
        r2=[fit.r2 for fit in fits],
        aic=[fit.aic for fit in fits],
        last_days=[learners[0].days[-1]] * len(fits),
        last_measured=[last[fit.subject] for fit in fits],
        last_predicted=[fit.at_points[-1] for fit in fits],
        note=[_note(fit, first_day) for fit in fits],
    )


def _named(fit: Fit) -> str:
    return ", ".join(f"{name} = {value:.4g}" for name, value in zip(fit.family.parameters, fit.parameters, strict=True))


def _exponent(fit: Fit) -> float:
    """The exponent by which a power law falls; NaN for the other curves."""
    for name in ("b", "ψ"):
        if name in fit.family.parameters and fit.family.name != "logarithmic":
            return fit.parameters[fit.family.parameters.index(name)]
    return math.nan


def _note(fit: Fit, first_day: float) -> str:
    """Say what a reader of the parameters must know."""
    name, values = fit.family.name, fit.parameters
    if name == "scaled Wickelgren" and values[1] * first_day > FLAT_START:
        return "λ and β cannot be told apart here: only λ·β^(−ψ) matters, and the curve is a power law."
    if name == "two exponentials":
        return _chain(values)
    minutes = CLAMPED_MINUTES.get(name)
    if minutes and first_day * 24 * 60 <= minutes:
        return f"Delays of {minutes:g} min or less count as {minutes:g} min: the formula has no value below."
    return ""


def _chain(values: Sequence[float]) -> str:
    """Read two exponentials as two stores in a chain: c₂ = μ₁μ₂/(a₁ − a₂) and c₁ = μ₁ − c₂, with a = 1/S."""
    (fast, fast_days), (slow, slow_days) = sorted((values[:2], values[2:]), key=lambda pair: pair[1])
    first = fast + slow
    second = slow * (1 / fast_days - 1 / slow_days) / first
    return f"As a chain of two stores (memory chain model): μ₁ = {first:.3g}, μ₂ = {second:.3g} per day."


def _retention(best: Fit, grid: Sequence[float]) -> Table:
    """The human forgetting curve, to lay over those of the machines."""
    retained = [min(max(value, 0.0), 1.0) for value in best.at_grid]
    return Table.of(
        {"lag": "days"},
        lag=list(grid),
        retention=retained,
        series=[f"savings, {best.subject}, {best.family.name} curve"] * len(grid),
    )
