"""A learner's own measurements: what is read, and what is refused with one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mem_core.data import measurement_csv
from mem_core.data.forgetting_measurements import EBBINGHAUS
from mem_core.data.measurement_csv import MOST_CHARACTERS, MeasurementError, example_csv, read_measurements

GOOD_ROWS = [(1, 0.9), (2, 0.8), (4, 0.7), (8, 0.6), (16, 0.5), (32, 0.4)]


def csv_of(rows: list[tuple[object, object]], header: str = "delay_days,retention", separator: str = ",") -> str:
    return "\n".join([header, *(f"{delay}{separator}{kept}" for delay, kept in rows)])


def with_row(row: str, separator: str = ",") -> str:
    """A good file with its third line replaced."""
    lines = csv_of(GOOD_ROWS).split("\n")
    lines[2] = row
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("unit", "per_day"),
    [("delay_days", 1), ("delay_hours", 24), ("delay_minutes", 1440), ("delay_seconds", 86400)],
)
def test_delays_are_read_in_their_unit(unit: str, per_day: int) -> None:
    pairs = read_measurements(csv_of(GOOD_ROWS, f"{unit},retention"))
    assert [day for day, _ in pairs] == pytest.approx([delay / per_day for delay, _ in GOOD_ROWS])
    assert [kept for _, kept in pairs] == [kept for _, kept in GOOD_ROWS]


def test_the_example_reads_back_as_ebbinghaus() -> None:
    pairs = read_measurements(example_csv())
    assert [day for day, _ in pairs] == pytest.approx(EBBINGHAUS.days)
    assert tuple(kept for _, kept in pairs) == EBBINGHAUS.savings


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_of_all_spreadsheets_are_read(separator: str, newline: str) -> None:
    text = csv_of(GOOD_ROWS, f"delay_days{separator}retention", separator).replace("\n", newline)
    assert read_measurements(text.encode()) == tuple((float(a), b) for a, b in GOOD_ROWS)


def test_decimal_commas_are_read_between_semicolons() -> None:
    text = csv_of([(a, str(b).replace(".", ",")) for a, b in GOOD_ROWS], "delay_days;retention", ";")
    assert read_measurements(text) == tuple((float(a), b) for a, b in GOOD_ROWS)


def test_a_byte_order_mark_blank_lines_quotes_capitals_and_other_columns_do_no_harm() -> None:
    rows = "\n\n".join(f'"{a}", mon , {b}' for a, b in GOOD_ROWS)
    text = "\ufeffDelay_Days, weekday ,Retention\n" + rows + "\n\n"
    assert read_measurements(text) == read_measurements(text.encode()) == tuple((float(a), b) for a, b in GOOD_ROWS)


def test_rows_come_back_in_order_of_delay() -> None:
    assert read_measurements(csv_of(GOOD_ROWS[::-1])) == read_measurements(csv_of(GOOD_ROWS))


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("", ["empty", "delay_hours", "retention"]),
        ("   \n\n", ["empty"]),
        ("retention\n0.5", ["no column", "delay_days"]),
        ("delay_days\n1", ["no column", "retention"]),
        ("delay,retention\n1,0.5", ["no column", "delay_minutes", "'delay'"]),
        ("delay_days,delay_hours,retention\n1,24,0.5", ["2 columns", "delay_days"]),
        ("1,0.5\n2,0.4", ["first line", "delay_days"]),
        (with_row("two,0.5"), ["Line 3", "delay_days", "'two'", "not a number"]),
        (with_row("2,half"), ["Line 3", "retention", "'half'"]),
        (with_row("2,"), ["Line 3", "retention", "not a number"]),
        (with_row("2,nan"), ["Line 3", "retention", "'nan'"]),
        (with_row("NaN,0.5"), ["Line 3", "delay_days", "'NaN'"]),
        (with_row("inf,0.5"), ["Line 3", "delay_days", "'inf'"]),
        (with_row("1_0,0.5"), ["Line 3", "not a number"]),
        (with_row("٢,0.5"), ["Line 3", "not a number"]),
        (with_row("-2,0.5"), ["Line 3", "delay_days", "-2", "positive"]),
        (with_row("0,0.5"), ["Line 3", "delay_days", "positive"]),
        (with_row("1e9,0.5"), ["Line 3", "delay_days", "36500"]),
        (with_row("1e999,0.5"), ["Line 3", "delay_days"]),
        (with_row("2,1.1"), ["Line 3", "retention", "0 to 1"]),
        (with_row("2,-0.1"), ["Line 3", "retention", "0 to 1"]),
        (with_row("2,58"), ["Line 3", "retention", "58 % is 0.58"]),
        (with_row("2,0,58"), ["Line 3", "3 cells", "semicolons"]),
        (with_row("2"), ["Line 3", "1 cells"]),
        (with_row('2,"0.5'), ["not CSV"]),
        (csv_of(GOOD_ROWS[:5]), ["5 rows", "at least 6"]),
        (csv_of(GOOD_ROWS[:1]), ["1 row of", "at least 6"]),
        ("delay_days,retention", ["0 rows", "at least 6"]),
        (csv_of([(day, 0.5) for day in range(1, 62)]), ["61 rows", "at most 60"]),
        (b"\xff\xfed\x00e\x00", ["UTF-8", "byte 1"]),
        (b"delay_days,retention\n1,0.\xe9", ["UTF-8", "byte 26"]),
        ("delay_days,retention\n1\x00,0.5", ["Line 2"]),
    ],
)
def test_bad_input_is_named_in_one_sentence(source: str | bytes, named: list[str]) -> None:
    with pytest.raises(MeasurementError) as caught:
        read_measurements(source)
    message = str(caught.value)
    for part in named:
        assert part in message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 330


@pytest.mark.parametrize("as_bytes", [False, True])
def test_ten_megabytes_are_refused_before_they_are_parsed(as_bytes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "delay_days,retention\n" + "1,0.5\n" * 1_700_000
    source = text.encode() if as_bytes else text
    monkeypatch.setattr(measurement_csv.csv, "reader", None)
    with pytest.raises(MeasurementError, match=f"at most {MOST_CHARACTERS}"):
        read_measurements(source)


cells = st.one_of(st.text(max_size=12), st.floats().map(str), st.sampled_from(["0,5", "0.5", "1e3", '"', "\x00", "\r"]))
tables = st.builds(
    lambda mark, header, rows: "\n".join([mark.join(header), *(mark.join(row) for row in rows)]),
    st.sampled_from(",;\t"),
    st.lists(st.sampled_from(["delay_days", "delay_hours", "retention", "x", ""]), min_size=1, max_size=4),
    st.lists(st.lists(cells, min_size=1, max_size=4), max_size=70),
)


@settings(deadline=None)
@given(st.one_of(st.text(), tables, st.binary(), st.binary().map(lambda tail: b"delay_days,retention\n" + tail)))
def test_whatever_comes_only_measurement_errors_go_out(source: str | bytes) -> None:
    try:
        pairs = read_measurements(source)
    except MeasurementError:
        return
    assert 6 <= len(pairs) <= 60
    assert all(day > 0 and 0 <= kept <= 1 for day, kept in pairs)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(1e-4, 36_500), st.floats(0, 1)), min_size=6, max_size=60))
def test_what_is_written_is_read_back(rows: list[tuple[float, float]]) -> None:
    assert read_measurements(csv_of([(repr(a), repr(b)) for a, b in rows])) == tuple(sorted(rows))
