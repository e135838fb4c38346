"""What a run is expected to take, from what was measured."""

from __future__ import annotations

from typing import Any

import pytest

from mem_core.engine import select
from mem_core.lab.runner import Request
from mem_core.mechanisms import catalog
from server.runs.expected_seconds import UNKNOWN_SECONDS, ExpectedSeconds, size_class


def asked(lab: Any, slug: str = "steady", **settings: Any) -> Request:
    request: Request = lab.request(slug, **settings)
    return request


@pytest.fixture
def expected() -> ExpectedSeconds:
    return ExpectedSeconds()


def test_what_was_never_measured_is_unknown(lab: Any, expected: ExpectedSeconds) -> None:
    assert expected.known(asked(lab)) is None
    assert expected.of(asked(lab)) == UNKNOWN_SECONDS


def test_a_default_run_is_expected_to_keep_its_budget_until_it_was_measured(expected: ExpectedSeconds) -> None:
    mechanism = catalog.load("memorybank")
    request = Request("memorybank", mechanism.presets["browser"], 0, select("numpy"))
    assert expected.known(request) == mechanism.budget_seconds["numpy"]
    expected.measured(request, 3.0)
    assert expected.known(request) == 3.0
    larger = Request("memorybank", mechanism.presets["gpu"], 0, select("numpy"))
    assert expected.known(larger) is None


def test_settings_of_about_the_same_size_cost_about_the_same(lab: Any, expected: ExpectedSeconds) -> None:
    expected.measured(asked(lab, steps=16), 2.0)
    assert expected.known(asked(lab, steps=31, seed=4)) == 2.0
    assert expected.known(asked(lab, steps=32)) is None
    assert expected.of(asked(lab, steps=32)) == 2.0  # better than nothing
    assert expected.of(asked(lab, "other", steps=16)) == UNKNOWN_SECONDS
    assert expected.of(asked(lab, steps=16, engine=select("numpy", "float64"))) == 2.0


def test_newer_runs_weigh_more(lab: Any, expected: ExpectedSeconds) -> None:
    for seconds in (10.0, 20.0):
        expected.measured(asked(lab), seconds)
    assert expected.known(asked(lab)) == pytest.approx(13.0)


def test_a_run_that_was_cut_short_takes_at_least_as_long(lab: Any, expected: ExpectedSeconds) -> None:
    expected.measured(asked(lab), 10.0)
    expected.measured(asked(lab), 4.0, finished=False)
    assert expected.known(asked(lab)) == 10.0
    expected.measured(asked(lab), 15.0, finished=False)
    assert expected.known(asked(lab)) == 15.0


def test_the_size_of_settings_is_that_of_every_field() -> None:
    for mechanism in (catalog.load("memorybank"), catalog.load("river-valley")):
        sizes = {size_class(preset) for preset in mechanism.presets.values()}
        assert hash(size_class(mechanism.presets["browser"]))
        assert len(sizes) == len({repr(preset) for preset in mechanism.presets.values()})
