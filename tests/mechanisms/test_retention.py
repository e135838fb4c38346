from __future__ import annotations

import math

import numpy as np
import pytest

from mem_core.engine import select
from mem_core.mechanisms import catalog, retention
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.retention import Curve
from mem_core.mechanisms.tables import Table


def curve(lag: list[float], left: list[float], unit: str = "steps") -> Curve:
    return Curve.of("Fading", Table.of({"lag": unit}, lag=lag, retention=left))


def exponential(half_life: float, end: float) -> Curve:
    lag = np.linspace(0, end, 400)
    return curve(lag.tolist(), (0.5 ** (lag / half_life)).tolist())


def test_the_half_life_of_an_exponential_is_its_half_life_and_its_shape_the_thin_line() -> None:
    fading = exponential(7.0, 70.0)
    assert fading.half_life == pytest.approx(7.0, rel=1e-4)
    assert fading.left_after(3.0) == pytest.approx(1 / 8, rel=1e-4)
    lag, left = fading.shape()
    assert lag[-1] == retention.HALF_LIVES
    np.testing.assert_allclose(left, 0.5**lag, atol=1e-4)


def test_a_curve_is_measured_from_its_own_peak() -> None:
    assert curve([0, 10, 20], [0.8, 0.6, 0.2]).half_life == 15.0
    late = curve([0, 10, 20, 30], [0.1, 0.8, 0.6, 0.2])
    assert late.half_life == 15.0
    assert late.shape()[1].max() == 1.0


def test_a_curve_that_never_falls_to_half_has_no_half_life_and_no_shape() -> None:
    lasting = curve([0, 10], [1.0, 0.9])
    assert math.isnan(lasting.half_life)
    assert math.isnan(lasting.left_after(3.0))
    tables = retention.tables([lasting])
    # At a lag of zero there is nothing to draw on a log axis.
    assert (len(tables["shape"]), len(tables["own_clock"])) == (0, 1)


def test_a_curve_that_ends_early_says_nothing_of_what_comes_after() -> None:
    assert math.isnan(exponential(7.0, 14.0).left_after(3.0))


def test_rows_in_any_order_and_gaps_are_read() -> None:
    found = curve([20, 0, 10, 15], [0.0, 1.0, 0.5, math.nan])
    assert found.lag.tolist() == [0, 10, 20]
    assert found.half_life == 10.0


@pytest.mark.parametrize("left", [[], [0.0], [0.0, 0.0]])
def test_where_nothing_is_left_from_the_start_there_is_no_half_life(left: list[float]) -> None:
    assert math.isnan(curve(list(range(len(left))), left).half_life)


def test_the_charts_say_what_they_show_of_every_kind_of_curve() -> None:
    curves = [exponential(7.0, 70.0), Curve.of("Lasting", Table.of({"lag": "days"}, lag=[0, 1], retention=[1.0, 0.9]))]
    curves.append(Curve.of("Empty", Table.of({"lag": "days"}, lag=[], retention=[])))
    tables = retention.tables(curves)
    shape, own = retention.charts([found.label for found in curves])
    assert "Fading (steps) keeps 12 % after three half-lives" in shape.describe(tables)
    assert "Lasting (days) never falls to half in this run and is not drawn here" in shape.describe(tables)
    assert "alf of Fading is gone after 7 steps" in own.describe(tables)
    assert "Lasting still holds 90 % at the end" in own.describe(tables)
    assert "Empty (days) has not come to its curve yet" in own.describe(tables)


@pytest.mark.slow
@pytest.mark.parametrize("slug", catalog.slugs())
def test_a_mechanism_has_a_retention_curve_if_and_only_if_it_says_what_it_shows(slug: str) -> None:
    mechanism = catalog.load(slug)
    engine = select(mechanism.faster_on_cpu)
    tables = run_to_end(mechanism, mechanism.presets["browser"], engine, 0).tables
    assert ("retention" in tables) == bool(mechanism.retention)
    if mechanism.retention:
        table = tables["retention"]
        assert table.units["lag"]
        assert len(table) > 2
        assert ((table["retention"] >= 0) & (table["retention"] <= 1)).all()
        assert (table["lag"] >= 0).all()
