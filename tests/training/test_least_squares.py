"""Least squares against scipy's and against closed forms, on both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import curve_fit

from mem_core.engine import Engine
from mem_core.training.least_squares import fit_least_squares

X = np.linspace(0.0, 3.0, 12)


def straight(engine: Engine) -> Any:
    x = engine.asarray(X)
    return lambda p: p[..., 0:1] + p[..., 1:2] * x


def bump(engine: Engine) -> Any:
    x, xp = engine.asarray(X), engine.xp
    return lambda p: p[..., 0:1] * xp.exp(-(((x - p[..., 1:2]) / p[..., 2:3]) ** 2))


def test_a_straight_line_is_the_closed_form(engine: Engine) -> None:
    y = np.stack([1 + 2 * X, np.sin(X), -X])
    fit = fit_least_squares(straight(engine), engine.asarray(y), engine.asarray([[0.0, 0.0], [5.0, 5.0]]), engine)
    design = np.stack([np.ones_like(X), X], axis=1)
    expected, residuals = np.linalg.lstsq(design, y.T)[:2]
    np.testing.assert_allclose(engine.to_numpy(fit.parameters), expected.T, atol=1e-8)
    np.testing.assert_allclose(engine.to_numpy(fit.cost), residuals, atol=1e-12)
    assert engine.to_numpy(fit.converged).all()


def test_a_bump_agrees_with_scipy(engine: Engine) -> None:
    rng = np.random.default_rng(0)
    y = 0.8 * np.exp(-(((X - 1.2) / 0.7) ** 2)) + 0.02 * rng.standard_normal(X.size)
    starts = engine.asarray([[1.0, 1.0, 1.0], [1.0, 2.0, 0.5]])
    fit = fit_least_squares(bump(engine), engine.asarray(y[None]), starts, engine)
    expected, _ = curve_fit(lambda x, a, m, s: a * np.exp(-(((x - m) / s) ** 2)), X, y, p0=[1.0, 1.0, 1.0])
    np.testing.assert_allclose(engine.to_numpy(fit.parameters)[0], expected, rtol=1e-6)


def test_many_starts_find_the_deeper_of_two_valleys(engine: Engine) -> None:
    """sin(w·x) at w = 3 has a local minimum at every other frequency."""
    x, xp = engine.asarray(X), engine.xp

    def wave(p: Any) -> Any:
        return xp.sin(p * x)

    y = engine.asarray(np.sin(3 * X)[None])
    alone = fit_least_squares(wave, y, engine.asarray([[0.5]]), engine)
    many = fit_least_squares(wave, y, engine.asarray([[0.5], [1.5], [2.5], [6.0]]), engine)
    assert engine.to_numpy(alone.cost)[0] > 1
    assert engine.to_numpy(many.parameters)[0, 0] == pytest.approx(3, abs=1e-6)


def test_data_sets_do_not_disturb_one_another(engine: Engine) -> None:
    rng = np.random.default_rng(1)
    y = 0.5 + rng.random((5, X.size)) * np.exp(-(((X - 1.5) / 0.9) ** 2))
    starts = engine.asarray([[1.0, 1.0, 1.0], [0.5, 2.0, 2.0]])
    together = fit_least_squares(bump(engine), engine.asarray(y), starts, engine)
    for row in range(5):
        alone = fit_least_squares(bump(engine), engine.asarray(y[row : row + 1]), starts, engine)
        assert engine.to_numpy(together.cost)[row] == pytest.approx(float(engine.to_numpy(alone.cost)[0]), abs=1e-10)


def test_a_parameter_without_effect_is_no_obstacle(engine: Engine) -> None:
    x = engine.asarray(X)

    def idle(p: Any) -> Any:
        return p[..., 0:1] * x + 0 * p[..., 1:2]

    fit = fit_least_squares(idle, engine.asarray((2 * X)[None]), engine.asarray([[1.0, 1.0]]), engine)
    assert engine.to_numpy(fit.parameters)[0].tolist() == pytest.approx([2.0, 1.0])


def test_parameters_stay_within_their_bound(engine: Engine) -> None:
    fit = fit_least_squares(
        straight(engine), engine.asarray((100 + X)[None]), engine.asarray([[0.0, 0.0]]), engine, bound=5.0
    )
    assert np.abs(engine.to_numpy(fit.parameters)).max() <= 5


def test_a_descent_that_runs_out_of_steps_says_so(engine: Engine) -> None:
    y = engine.asarray(np.exp(-(((X - 1.2) / 0.7) ** 2))[None])
    fit = fit_least_squares(bump(engine), y, engine.asarray([[0.5, 0.0, 2.0]]), engine, scouting_steps=1, most_steps=2)
    assert not engine.to_numpy(fit.converged)[0]
    assert fit.steps == 2


@pytest.mark.parametrize("count", [0, 1, 2])
def test_no_more_points_than_parameters_is_an_error(engine: Engine, count: int) -> None:
    with pytest.raises(ValueError, match=f"at least 3 measurements, got {count}"):
        fit_least_squares(
            lambda p: p[..., :1], engine.asarray(np.ones((1, count))), engine.asarray([[0.0, 0.0]]), engine
        )
