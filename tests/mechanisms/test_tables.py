from __future__ import annotations

import json
import math

import pytest

from mem_core.mechanisms.tables import Table


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        Table.of(a=[1, 2], b=[1])


def test_a_table_can_be_built_from_rows_and_keeps_its_columns_without_any() -> None:
    table = Table.of_rows(("day", "recalled"), [(0, 1.0), (1, 0.4)], day="days")
    assert table.rows() == [{"day": 0, "recalled": 1.0}, {"day": 1, "recalled": 0.4}]
    assert table.units == {"day": "days"}
    assert list(Table.of_rows(("day", "recalled"), []).columns) == ["day", "recalled"]
    with pytest.raises(ValueError, match="longer"):
        Table.of_rows(("day", "recalled"), [(0, 1.0, 2.0)])


def test_rows_are_plain_values_that_json_can_write() -> None:
    table = Table.of({"loss": "nats"}, step=[0, 1], loss=[0.5, math.nan], name=["a", "b"], done=[True, False])
    rows = table.rows()
    assert rows == [
        {"step": 0, "loss": 0.5, "name": "a", "done": True},
        {"step": 1, "loss": None, "name": "b", "done": False},
    ]
    json.dumps(rows, allow_nan=False)


def test_where_keeps_the_rows_that_match_all() -> None:
    table = Table.of(step=[0, 1, 2], name=["a", "b", "a"])
    assert table.where(name="a")["step"].tolist() == [0, 2]
    assert len(table.where(name="c")) == 0
