"""Frames as bytes and back: what workers send and what the cache keeps.

MessagePack with every field's type checked on reading. Columns are raw numbers or text and nothing is ever unpickled,
so that bytes from a file or a worker can be wrong but cannot run code.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.tables import Table

PLAIN = re.compile(r"[<>|=]?[biufU][0-9]+")
"""The types of columns whose bytes are the array: booleans, whole numbers, real numbers and text."""
MIXED = "O"
"""The type of a column of plain Python values, such as numbers with a gap."""

FRAME_OVERHEAD = 2048
"""Bytes that a frame takes in memory beyond what is written of it, about."""


class FrameBytesError(ValueError):
    """Bytes that are no frame, or a frame with a column that cannot be written."""


class _Column(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    type: str
    data: bytes


class _Table(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    columns: dict[str, _Column]
    units: dict[str, str]


class _Frame(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    progress: float
    message: str
    tables: dict[str, _Table]


_WRITER = msgspec.msgpack.Encoder()
_READER = msgspec.msgpack.Decoder(_Frame)
_VALUES = msgspec.msgpack.Decoder(list[bool | int | float | str | None])


def write_frame(frame: Frame) -> bytes:
    """Write a frame so that `read_frame` gives it back bit for bit.

    Raises:
        FrameBytesError: if a column is of a type that is not kept.
    """
    tables = {
        name: _Table(
            {title: _write(name, title, column) for title, column in table.columns.items()},
            {title: str(unit) for title, unit in table.units.items()},
        )
        for name, table in frame.tables.items()
    }
    return _WRITER.encode(_Frame(float(frame.progress), str(frame.message), tables))


def read_frame(data: bytes) -> Frame:
    """Read a frame; its columns cannot be written to, because readers share them.

    Raises:
        FrameBytesError: if the bytes are no frame.
    """
    try:
        found = _READER.decode(data)
        tables = {
            name: Table({title: _read(column) for title, column in table.columns.items()}, table.units)
            for name, table in found.tables.items()
        }
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise FrameBytesError(f"These bytes are no frame: {error}") from error
    return Frame(found.progress, tables, found.message)


def _write(table: str, title: str, column: NDArray[Any]) -> _Column:
    column = np.asarray(column)
    if column.ndim == 1 and PLAIN.fullmatch(column.dtype.str):
        return _Column(column.dtype.str, np.ascontiguousarray(column).tobytes())
    try:
        if column.ndim == 1 and column.dtype.kind == "O":
            values = [value.item() if isinstance(value, np.generic) else value for value in column]
            data = _WRITER.encode(values)
            _VALUES.decode(data)
            return _Column(MIXED, data)
    except (msgspec.MsgspecError, TypeError, OverflowError) as error:
        raise FrameBytesError(f"Column {title!r} of table {table!r} cannot be kept: {error}") from error
    raise FrameBytesError(
        f"Column {title!r} of table {table!r} has type {column.dtype} and shape {column.shape}; only a column of "
        "numbers, booleans or text can be kept."
    )


def _read(column: _Column) -> NDArray[Any]:
    if column.type == MIXED:
        values = _VALUES.decode(column.data)
        made: NDArray[Any] = np.empty(len(values), dtype=object)
        made[:] = values
        made.flags.writeable = False
        return made
    if not PLAIN.fullmatch(column.type):
        raise ValueError(f"a column has type {column.type!r}")
    return np.frombuffer(column.data, dtype=np.dtype(column.type))
