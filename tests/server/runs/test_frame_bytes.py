"""Frames as bytes: the same frame back, bit for bit, and nothing that could run code."""

from __future__ import annotations

import pickle

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.tables import Table
from server.runs.frame_bytes import FrameBytesError, read_frame, write_frame

TYPES = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(),
    arrays.unsigned_integer_dtypes(),
    arrays.floating_dtypes(sizes=(16, 32, 64)),
    arrays.unicode_string_dtypes(min_len=1),
)
COLUMNS = TYPES.flatmap(lambda type_: arrays.arrays(type_, st.integers(0, 5)))


def through(column: object) -> np.ndarray:
    frame = Frame(1.0, {"table": Table({"column": column}, {})})  # type: ignore[dict-item]
    return read_frame(write_frame(frame)).tables["table"]["column"]


@given(COLUMNS)
@example(np.array([], dtype=float))
@example(np.array([], dtype=str))
@example(np.array(["", "ä", "\U0001f600"]))
@example(np.array([float("nan"), -0.0, float("inf"), 5e-324]))
@example(np.arange(10.0)[::-2])
def test_a_column_comes_back_bit_for_bit(column: np.ndarray) -> None:
    back = through(column)
    assert back.dtype == column.dtype
    assert back.tobytes() == column.tobytes()


def test_a_column_with_gaps_comes_back_with_the_same_values() -> None:
    column = np.array([1, 2.5, None, "text", True, np.float32(0.5), np.int64(7)], dtype=object)
    assert list(through(column)) == [1, 2.5, None, "text", True, 0.5, 7]
    assert through(column).dtype == object


def test_message_progress_units_and_the_order_of_tables_and_columns_come_back() -> None:
    tables = {
        "second": Table.of({"lag": "days"}, retention=[1.0, 0.5], lag=[0, 1]),
        "first": Table.of(),
    }
    back = read_frame(write_frame(Frame(1 / 3, tables, "half-way – almost")))
    assert (back.progress, back.message) == (1 / 3, "half-way – almost")
    assert list(back.tables) == ["second", "first"]
    assert list(back.tables["second"].columns) == ["retention", "lag"]
    assert back.tables["second"].units == {"lag": "days"}
    assert len(back.tables["first"]) == 0


@pytest.mark.parametrize(
    "column",
    [
        np.array([object()]),
        np.array([[1.0, 2.0]]),
        np.array([1 + 2j]),
        np.array(["2026-01-01"], dtype="datetime64[D]"),
        np.array([b"bytes"]),
        np.array([2**70], dtype=object),
    ],
    ids=["object", "two axes", "complex", "date", "bytes", "huge"],
)
def test_a_column_of_another_type_is_refused_by_name(column: np.ndarray) -> None:
    with pytest.raises(FrameBytesError, match="Column 'column' of table 'table'"):
        through(column)


@given(st.binary(max_size=200))
@example(pickle.dumps(print))
@example(msgspec.msgpack.encode([1.0, "", {"t": [{"c": ["|O", b"\x00" * 8]}, {}]}]))
@example(msgspec.msgpack.encode([1.0, "", {"t": [{"c": ["<f8", b"\x00" * 7]}, {}]}]))
@example(msgspec.msgpack.encode([1.0, "", {"t": [{"c": ["<f3", b"\x00" * 6]}, {}]}]))
@example(msgspec.msgpack.encode([1.0, "", {"t": [{"c": ["<U99999999999999999999", b""]}, {}]}]))
@example(msgspec.msgpack.encode([1.0, "", {"t": [{"c": ["<U0", b""]}, {}]}]))
@example(msgspec.msgpack.encode([1.0, "", {"t": [{"c": ["O", b"\x81"]}, {}]}]))
@example(msgspec.msgpack.encode([1.0, "", {"t": [{"c": ["<i8", b""], "d": ["<i8", b"\x00" * 8]}, {}]}]))
def test_bytes_that_are_no_frame_are_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(FrameBytesError, match="These bytes are no frame"):
        read_frame(data)
