"""Curve families and fits, against scipy, published figures and closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from scipy.optimize import curve_fit

from mem_core.data.forgetting_measurements import DELAYS_DAYS, DROS, EBBINGHAUS, SUBJECTS
from mem_core.engine import Engine, select
from mem_core.mechanisms.agents.memorybank import fsrs
from mem_core.mechanisms.agents.memorybank.curves import BY_NAME, FAMILIES
from mem_core.mechanisms.agents.memorybank.fit_tables import fit_tables
from mem_core.mechanisms.agents.memorybank.fitting import Measured, akaike, fit_curve, measured
from mem_core.mechanisms.agents.memorybank.settings import ForgettingSettings

DAYS = np.array(DELAYS_DAYS)
MINUTES = DAYS * 1440
NUMPY = select("numpy")
ALL = [Measured(item.subject, item.days, item.savings, item.standard_errors) for item in SUBJECTS.values()]


def curve(name: str, days: Any, *parameters: float, engine: Engine = NUMPY) -> Any:
    xp = engine.xp
    log_days = xp.log(xp.asarray(list(np.atleast_1d(days)), dtype=xp.float64))
    logs = [xp.log(xp.asarray([value], dtype=xp.float64)) for value in parameters]
    return engine.to_numpy(BY_NAME[name].value(xp, log_days, logs))


def fit(name: str, engine: Engine, subject: int = 0, *, hold_out: bool = False) -> Any:
    return fit_curve(BY_NAME[name], [ALL[subject]], [40.0], engine, hold_out=hold_out)[0]


def plain_1885(days: Any, k: float, c: float) -> Any:
    return k / (np.log10(days * 1440) ** c + k)


# Each family written as a newcomer would, with a starting point for scipy.
PLAIN: dict[str, tuple[Callable[..., Any], list[float]]] = {
    "exponential": (lambda t, s: np.exp(-t / s), [20.0]),
    "scaled exponential": (lambda t, a, s: a * np.exp(-t / s), [0.4, 30.0]),
    "exponential to a floor": (lambda t, a, s, c: a * np.exp(-t / s) + c, [0.3, 0.5, 0.25]),
    "power": (lambda t, a, b: a * t**-b, [0.3, 0.1]),
    "Wickelgren": (lambda t, beta, psi: (1 + beta * t) ** -psi, [6000.0, 0.13]),
    "Ebbinghaus 1885": (plain_1885, [1.84, 1.25]),
    "Ebbinghaus 1880": (lambda t, p, q: 1 - (1 - (2 / (t * 1440)) ** p) ** q, [0.099, 0.51]),
    "logarithmic": (lambda t, a, b: a - b * np.log(t), [0.3, 0.05]),
    "two exponentials": (lambda t, a, s, b, r: a * np.exp(-t / s) + b * np.exp(-t / r), [0.4, 0.04, 0.3, 60.0]),
    "power with a boost": (lambda t, a, b, d: a * t**-b + d * (t > 0.999), [0.3, 0.15, 0.03]),
    "FSRS-6": (lambda t, s: (1 + fsrs.FACTOR * t / s) ** -fsrs.DECAY, [4e-4]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_family_is_its_formula(name: str, engine: Engine) -> None:
    formula, parameters = PLAIN[name]
    np.testing.assert_allclose(curve(name, DAYS, *parameters, engine=engine), formula(DAYS, *parameters), rtol=1e-10)


def test_scaled_wickelgren_is_wickelgren_times_a_constant() -> None:
    np.testing.assert_allclose(
        curve("scaled Wickelgren", DAYS, 0.7, 50.0, 0.2), 0.7 * curve("Wickelgren", DAYS, 50.0, 0.2)
    )


@pytest.mark.parametrize("name", PLAIN)
def test_a_fit_agrees_with_scipy(name: str, engine: Engine) -> None:
    formula, start = PLAIN[name]
    found = fit(name, engine)
    savings = np.array(EBBINGHAUS.savings)
    expected, _ = curve_fit(formula, DAYS, savings, p0=start, maxfev=20_000)
    if name == "two exponentials" and found.parameters[1] > found.parameters[3]:
        expected = expected[[2, 3, 0, 1]]
    np.testing.assert_allclose(found.parameters, expected, rtol=1e-3)
    assert found.ssd == pytest.approx(float(np.sum((formula(DAYS, *expected) - savings) ** 2)), abs=1e-5)
    assert found.ssd == pytest.approx(float(np.sum((np.array(found.at_points) - savings) ** 2)), rel=1e-9)


def test_published_parameters_are_found(engine: Engine) -> None:
    assert fit("power", engine).parameters == pytest.approx((0.31779, 0.13030), abs=1e-5)
    assert fit("Ebbinghaus 1885", engine).parameters == pytest.approx((1.797, 1.205), abs=1e-3)
    dros = list(SUBJECTS.values()).index(DROS)
    assert fit("logarithmic", engine, dros).parameters == pytest.approx((0.25016, 0.05001), abs=1e-5)
    psi = [fit("Wickelgren", engine, subject).parameters[1] for subject in range(4)]
    assert psi == pytest.approx([0.130, 0.093, 0.099, 0.167], abs=6e-4)


@pytest.mark.parametrize(
    ("name", "aic"),
    [
        ("Ebbinghaus 1885", -30.65),
        ("Ebbinghaus 1880", -30.47),
        ("power", -28.79),
        ("logarithmic", -23.21),
        ("two exponentials", -21.30),
        ("exponential to a floor", -16.3),
        ("scaled exponential", -7.7),
        ("exponential", 4.7),
    ],
)
def test_aic_of_ebbinghaus(name: str, aic: float, engine: Engine) -> None:
    assert fit(name, engine).aic == pytest.approx(aic, abs=0.05)


@pytest.mark.parametrize(
    ("name", "aic"),
    [
        ("power", -22.0),
        ("Ebbinghaus 1880", -23.0),
        ("Ebbinghaus 1885", -23.0),
        ("power with a boost", -23.6),
        ("two exponentials", -23.5),
    ],
)
def test_mean_aic_of_the_four_learners_is_murre_and_dros_(name: str, aic: float, engine: Engine) -> None:
    assert fmean(item.aic for item in fit_curve(BY_NAME[name], ALL, [1.0], engine)) == pytest.approx(aic, abs=0.05)


def test_learners_fitted_together_or_alone_come_out_the_same(engine: Engine) -> None:
    for family in FAMILIES:
        together = fit_curve(family, ALL, [1.0], engine)
        alone = [fit_curve(family, [item], [1.0], engine)[0] for item in ALL]
        assert [item.ssd for item in together] == pytest.approx([item.ssd for item in alone], abs=1e-8)


def test_ebbinghaus_own_calculated_values_are_printed_ones() -> None:
    minutes = np.array([20, 64, 526, 1440, 2 * 1440, 6 * 1440, 31 * 1440])
    calculated = curve("Ebbinghaus 1885", minutes / 1440, 1.84, 1.25)
    # He cut 46.77 to 46.7; the others are rounded.
    np.testing.assert_allclose(100 * calculated, [57.0, 46.7, 34.5, 30.4, 28.1, 24.9, 21.2], atol=0.08)


def test_formulas_without_a_value_near_zero_are_held_at_their_limit() -> None:
    minutes = np.array([0.01, 1.0, 1.001])
    assert curve("Ebbinghaus 1885", minutes / 1440, 1.84, 1.25) == pytest.approx([1, 1, 1], abs=1e-3)
    minutes = np.array([0.01, 2.0])
    assert curve("Ebbinghaus 1880", minutes / 1440, 0.099, 0.51) == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in ("power with a boost",)])
def test_every_curve_falls(name: str) -> None:
    parameters = [math.exp(value) for value in BY_NAME[name].starts[len(BY_NAME[name].starts) // 2]]
    values = curve(name, np.logspace(-3, 3, 200), *parameters)
    assert (np.diff(values) <= 1e-12).all()


def test_the_exponential_is_one_over_e_at_s() -> None:
    assert curve("exponential", [1e-9, 7.0], 7.0) == pytest.approx([1, math.exp(-1)], abs=1e-8)


def test_a_pool_of_exponential_forgetters_forgets_by_a_power_law() -> None:
    """Mean of e^(−λt) over λ ~ Gamma(ψ, β) is (1 + βt)^(−ψ)."""
    rates = np.random.default_rng(0).gamma(0.4, 2.0, 100_000)
    days = np.array([0.1, 1.0, 10.0, 100.0])
    pooled = np.exp(-rates[:, None] * days).mean(axis=0)
    np.testing.assert_allclose(pooled, curve("Wickelgren", days, 2.0, 0.4), atol=0.005)


def test_jost_only_the_exponential_loses_the_same_share_every_day() -> None:
    days = np.linspace(1, 30, 200)

    def loss(name: str, *parameters: float) -> Any:
        return -np.gradient(np.log(curve(name, days, *parameters)), days)[1:-1]

    np.testing.assert_allclose(loss("exponential", 5.0), 0.2, rtol=1e-9)
    for falling in (loss("power", 0.3, 0.2), loss("Wickelgren", 2.0, 0.3)):
        assert (np.diff(falling) < 0).all()


def test_the_memory_chain_model_is_two_exponentials() -> None:
    mu1, mu2, a1, a2 = 0.9, 0.4, 2.0, 0.05
    chain = mu1 * np.exp(-a1 * DAYS) + mu1 * mu2 / (a1 - a2) * (np.exp(-a2 * DAYS) - np.exp(-a1 * DAYS))
    c2 = mu1 * mu2 / (a1 - a2)
    np.testing.assert_allclose(curve("two exponentials", DAYS, mu1 - c2, 1 / a1, c2, 1 / a2), chain)


def test_notes_give_the_chain_and_warn_of_what_cannot_be_told_apart() -> None:
    settings = ForgettingSettings(families=("scaled Wickelgren", "two exponentials"))
    fits = fit_tables(settings, NUMPY)["fits"]
    notes = dict(zip(fits["curve"].tolist(), fits["note"].tolist(), strict=True))
    assert "cannot be told apart" in notes["scaled Wickelgren"]
    fast, fast_days, slow, slow_days = sorted_chain(fit("two exponentials", NUMPY).parameters)
    mu1, mu2 = fast + slow, slow * (1 / fast_days - 1 / slow_days) / (fast + slow)
    assert f"μ₁ = {mu1:.3g}, μ₂ = {mu2:.3g}" in notes["two exponentials"]


def sorted_chain(parameters: tuple[float, ...]) -> tuple[float, ...]:
    first, second = sorted((parameters[:2], parameters[2:]), key=lambda pair: pair[1])
    return first + second


def test_short_delays_are_noted_where_a_formula_has_no_value() -> None:
    own = tuple((day, 0.5) for day in (1e-4, 1e-3, 0.1, 1.0, 2.0, 3.0))
    fits = fit_tables(ForgettingSettings(measurements=own, families=("Ebbinghaus 1885",)), NUMPY)["fits"]
    assert "1 min" in fits["note"][0]


def test_the_held_out_point_has_no_say(engine: Engine) -> None:
    predicted = {name: fit(name, engine, hold_out=True).at_points[-1] for name in ("power", "Ebbinghaus 1885")}
    assert predicted == {"power": pytest.approx(0.200, abs=5e-4), "Ebbinghaus 1885": pytest.approx(0.223, abs=5e-4)}
    assert fit("scaled exponential", engine, hold_out=True).at_points[-1] == pytest.approx(0.006, abs=5e-4)
    changed = Measured("x", ALL[0].days, (*ALL[0].retained[:-1], 0.9), ALL[0].standard_errors)
    again = fit_curve(BY_NAME["power"], [changed], [1.0], engine, hold_out=True)[0]
    assert again.parameters == pytest.approx(fit("power", engine, hold_out=True).parameters)


def test_r2_is_centred_and_aic_is_the_stated_form() -> None:
    found = fit("power", NUMPY)
    savings = np.array(EBBINGHAUS.savings)
    assert found.r2 == pytest.approx(1 - found.ssd / float(np.sum((savings - savings.mean()) ** 2)))
    assert found.aic == pytest.approx(7 * math.log(2 * math.pi * found.ssd / 7) + 7 + 2 * 3)
    assert math.isfinite(akaike(0.0, 7, 2))


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("kept", [0.0, 0.5, 1.0])
def test_points_all_alike_give_finite_fits(name: str, kept: float) -> None:
    points = Measured("x", (0.1, 0.2, 1.0, 2.0, 3.0, 400.0), (kept,) * 6, (0.0,) * 6)
    found = fit_curve(BY_NAME[name], [points], [1.0], NUMPY)[0]
    assert math.isfinite(found.ssd)
    assert math.isfinite(found.aic)
    assert math.isnan(found.r2)


@pytest.mark.parametrize("name", BY_NAME)
def test_extreme_delays_give_finite_fits(name: str) -> None:
    points = Measured("x", (1e-5, 1e-4, 1.0, 1.0, 3e4, 36_500.0), (1.0, 0.0, 1.0, 0.3, 0.0, 1.0), (0.0,) * 6)
    found = fit_curve(BY_NAME[name], [points], [1.0], NUMPY)[0]
    assert math.isfinite(found.ssd)
    assert found.ssd <= sum(value**2 for value in points.retained) + 1e-9


def test_too_few_points_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least 5 measurements, got 4"):
        fit_curve(BY_NAME["two exponentials"], [Measured("x", (1, 2, 3, 4), (1, 1, 1, 1), ())], [1.0], NUMPY)
    with pytest.raises(ValueError, match="no measurements"):
        fit_curve(BY_NAME["power"], [], [1.0], NUMPY)


def test_own_measurements_take_the_place_of_the_published_ones() -> None:
    own = ((3.0, 0.3), (1.0, 0.5), (2.0, 0.4), (4.0, 0.2), (5.0, 0.1), (6.0, 0.1))
    (points,) = measured(ForgettingSettings(measurements=own, subject="all"))
    assert points.days == (1, 2, 3, 4, 5, 6)
    assert points.retained == (0.5, 0.4, 0.3, 0.2, 0.1, 0.1)
