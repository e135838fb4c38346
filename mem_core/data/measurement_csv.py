"""A learner's own forgetting measurements, read from CSV text or an uploaded file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from mem_core.data.forgetting_measurements import EBBINGHAUS, MINUTES_PER_DAY, SECONDS_PER_DAY

UNITS_PER_DAY = {
    "delay_days": 1,
    "delay_hours": 24,
    "delay_minutes": MINUTES_PER_DAY,
    "delay_seconds": SECONDS_PER_DAY,
}
"""The columns a delay may stand in, and how many of its unit make a day."""
RETENTION = "retention"
SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma"}

MOST_CHARACTERS = 100_000
"""Longer input is refused before it is read: sixty rows are a few kilobytes."""
FEWEST_ROWS, MOST_ROWS = 6, 60
"""The curve with most parameters has four, and one row may be held out."""
SHORTEST_DELAY_DAYS, LONGEST_DELAY_DAYS = 1e-5, 36_500.0
"""About one second, and a hundred years."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ALLOWED_COLUMNS = f"one of {', '.join(UNITS_PER_DAY)}, and {RETENTION}"


class MeasurementError(ValueError):
    """Measurements that cannot be used; the message names the line and column and says what is allowed."""


def example_csv() -> str:
    """Return Ebbinghaus's measurements in the form that `read_measurements` reads.

    >>> example_csv().splitlines()[:2]
    ['delay_minutes,retention', '20,0.582']
    """
    rows = zip(EBBINGHAUS.days, EBBINGHAUS.savings, strict=True)
    lines = [f"{round(day * MINUTES_PER_DAY)},{value:g}" for day, value in rows]
    return "\n".join([f"delay_minutes,{RETENTION}", *lines]) + "\n"


def read_measurements(source: str | bytes) -> tuple[tuple[float, float], ...]:
    """Read pairs (delay in days, retention), in order of delay.

    The first line names the columns: `delay_days`, `delay_hours`, `delay_minutes` or `delay_seconds`, and
    `retention`, in [0, 1]; other columns are passed over. Cells are separated by commas, semicolons or tabs; with
    semicolons or tabs a decimal comma is understood, as spreadsheets write it in much of Europe.

    Args:
        source: text, or the bytes of a file in UTF-8.

    Raises:
        MeasurementError: if anything is missing, not a number, out of range, too long or too short.
    """
    text = _text(source)
    lines = _lines(text)
    if not lines:
        raise MeasurementError(f"The CSV is empty; its first line must name the columns: {_ALLOWED_COLUMNS}.")
    (_, header), rows = lines[0], lines[1:]
    delay, retention = _columns(header)
    if len(rows) > MOST_ROWS:
        raise MeasurementError(f"The CSV has {len(rows)} rows, but at most {MOST_ROWS} are allowed.")
    decimal_comma = _separator(text) != ","
    pairs = [_pair(number, cells, header, delay, retention, decimal_comma) for number, cells in rows]
    if len(pairs) < FEWEST_ROWS:
        raise MeasurementError(
            f"The CSV has {len(pairs)} {'row' if len(pairs) == 1 else 'rows'} of measurements, but a fit needs at "
            f"least {FEWEST_ROWS}."
        )
    return tuple(sorted(pairs))


def _text(source: str | bytes) -> str:
    if len(source) > MOST_CHARACTERS:
        unit = "bytes" if isinstance(source, bytes) else "characters"
        raise MeasurementError(
            f"The CSV has {len(source)} {unit}, but at most {MOST_CHARACTERS} are allowed: {MOST_ROWS} rows of "
            "measurements are far shorter."
        )
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MeasurementError(
            f"The file is not UTF-8 text (byte {error.start + 1} cannot be read); save it as CSV UTF-8."
        ) from error


def _separator(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return next((mark for mark in SEPARATORS if mark in first), ",")


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Split into cells, with the number of each line; blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        return [
            (reader.line_num, [cell.strip() for cell in cells])
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise MeasurementError(
            f"Line {reader.line_num} is not CSV ({error}); write one number per cell, with commas, semicolons or "
            "tabs between them."
        ) from error


def _columns(header: Sequence[str]) -> tuple[int, int]:
    """Find the places of the delay and the retention."""
    names = [name.lower() for name in header]
    shown = ", ".join(repr(_short(name)) for name in header[:6])
    delays = [place for place, name in enumerate(names) if name in UNITS_PER_DAY]
    retentions = [place for place, name in enumerate(names) if name == RETENTION]
    for places, wanted in ((delays, f"a delay: {', '.join(UNITS_PER_DAY)}"), (retentions, RETENTION)):
        if len(places) != 1:
            found = "no column" if not places else f"{len(places)} columns"
            raise MeasurementError(
                f"The first line has {found} for {wanted}; it must have {_ALLOWED_COLUMNS}, once each, but it has "
                f"{shown}."
            )
    return delays[0], retentions[0]


def _pair(
    number: int, cells: Sequence[str], header: Sequence[str], delay: int, retention: int, decimal_comma: bool
) -> tuple[float, float]:
    if len(cells) != len(header):
        hint = "" if decimal_comma else "; with decimal commas, separate the cells by semicolons"
        raise MeasurementError(f"Line {number} has {len(cells)} cells, but the first line has {len(header)}{hint}.")
    unit = header[delay].lower()
    days = _number(number, header[delay], cells[delay], decimal_comma) / UNITS_PER_DAY[unit]
    if not SHORTEST_DELAY_DAYS <= days <= LONGEST_DELAY_DAYS:
        raise MeasurementError(
            f"Line {number}, column {unit}: {_short(cells[delay])} is not allowed; a delay must be a positive time of "
            f"about a second to {LONGEST_DELAY_DAYS:g} days (leave out the moment of learning itself)."
        )
    kept = _number(number, RETENTION, cells[retention], decimal_comma)
    if not 0 <= kept <= 1:
        raise MeasurementError(
            f"Line {number}, column {RETENTION}: {_short(cells[retention])} is not allowed; it must be a share from 0 "
            "to 1 (58 % is 0.58)."
        )
    return days, kept


def _number(line: int, column: str, cell: str, decimal_comma: bool) -> float:
    written = cell.replace(",", ".") if decimal_comma else cell
    if not _NUMBER.fullmatch(written):
        raise MeasurementError(
            f"Line {line}, column {_short(column)}: {_short(cell)!r} is not a number; write digits, such as 0.58."
        )
    return float(written)


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:27] + "..."
