from __future__ import annotations

import math
from typing import Any

import pytest

from mem_core.mechanisms.contract import Claim, Evidence
from mem_core.mechanisms.scoreboard import summarise


def claim(**keywords: Any) -> Claim:
    return Claim(key="k", statement="s", source="§1", check=lambda results: results[0], **keywords)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("evidence", "holds"),
    [
        (Evidence(3.0, 3.0, ">="), True),
        (Evidence(2.9, 3.0, ">="), False),
        (Evidence(0.1, 0.2, "<="), True),
        (Evidence(0.3, 0.2, "<="), False),
        (Evidence(0.5, (0.4, 0.6), "within"), True),
        (Evidence(0.7, (0.4, 0.6), "within"), False),
        (Evidence(math.nan, 3.0, ">="), False),
        (Evidence(math.nan, (0.0, 1.0), "within"), False),
        (Evidence.missing("not selected"), False),
    ],
)
def test_evidence_holds_only_in_the_stated_relation(evidence: Evidence, holds: bool) -> None:
    assert evidence.holds is holds


def test_one_seed_that_fails_decides_a_claim_about_each_seed() -> None:
    evidence = [Evidence(value, 3.0, ">=") for value in (5.0, 2.0, 9.0)]
    assert summarise(claim(), evidence).value == 2.0
    assert not summarise(claim(), evidence).holds


def test_a_missing_measurement_is_never_outvoted() -> None:
    evidence = [Evidence(5.0, 3.0, ">="), Evidence.missing("no run")]
    assert not summarise(claim(), evidence).holds
    assert not summarise(claim(across_seeds="mean"), evidence).holds


def test_the_seed_nearest_to_the_threshold_is_shown_when_all_hold() -> None:
    assert summarise(claim(), [Evidence(value, 0.5, "<=") for value in (0.1, 0.4, 0.2)]).value == 0.4
    assert summarise(claim(), [Evidence(value, (0.0, 1.0), "within") for value in (0.5, 0.9)]).value == 0.9


def test_a_claim_about_the_mean_is_decided_by_the_mean() -> None:
    evidence = [Evidence(value, 3.0, ">=") for value in (1.0, 6.0)]
    assert summarise(claim(across_seeds="mean"), evidence).value == 3.5
    assert summarise(claim(across_seeds="mean"), evidence).holds
