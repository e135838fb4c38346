"""The published tables, against the print."""

from __future__ import annotations

from itertools import pairwise

import pytest

from mem_core.data.forgetting_measurements import (
    DELAYS_DAYS,
    DROS,
    EBBINGHAUS,
    EBBINGHAUS_REPETITIONS_9_HOURS,
    MACK,
    SEITZ,
    SUBJECTS,
)


def test_the_delays_are_twenty_minutes_to_thirty_one_days() -> None:
    assert pytest.approx(DELAYS_DAYS) == (20 / 1440, 1 / 24, 9 / 24, 1, 2, 6, 31)


def test_every_learner_has_seven_savings_with_errors_and_a_source() -> None:
    assert list(SUBJECTS) == ["Ebbinghaus", "Mack", "Seitz", "Dros"]
    for item in SUBJECTS.values():
        assert len(item.savings) == len(item.standard_errors) == len(item.days) == 7
        assert all(0 < value < 1 for value in item.savings)
        assert item.source


def test_ends_of_each_row_are_as_printed() -> None:
    ends = {name: (item.savings[0], item.savings[-1]) for name, item in SUBJECTS.items()}
    assert ends == {
        "Ebbinghaus": (0.582, 0.211),
        "Mack": (0.54430, 0.25843),
        "Seitz": (0.44206, 0.20080),
        "Dros": (0.47168, 0.04097),
    }


def test_ebbinghaus_probable_errors_are_turned_into_standard_errors() -> None:
    # One point of probable error is 1/0.6745 = 1.4826 points of standard error.
    assert EBBINGHAUS.standard_errors[0] == pytest.approx(0.014826, abs=5e-5)
    assert EBBINGHAUS.standard_errors[4] == pytest.approx(0.014 / 0.67449, abs=5e-5)


def test_counting_repetitions_gives_another_number() -> None:
    assert EBBINGHAUS.savings[2] > EBBINGHAUS_REPETITIONS_9_HOURS


def test_only_two_rows_ever_rise() -> None:
    """Savings fall nearly everywhere; where they rise is in the data, not a typing error."""
    rises = {
        item.subject: sum(later > earlier for earlier, later in pairwise(item.savings))
        for item in (EBBINGHAUS, MACK, SEITZ, DROS)
    }
    assert rises == {"Ebbinghaus": 0, "Mack": 2, "Seitz": 2, "Dros": 1}
