"""Tables of the rows of a run, as text for a terminal and as Markdown for a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence

from mem_core.kernels.benchmark.contestants import OURS
from mem_core.kernels.benchmark.rows import Row
from mem_core.kernels.benchmark.run import Run, Start
from mem_core.kernels.benchmark.targets import outcomes, times_ours

Cells = tuple[str, ...]

_HEADS: Cells = ("kernel", "sizes", "type", "pass", "time", "GB/s", "GFLOP/s", "share of", "memory", "others take")
_WIDTHS = (23, 35, 9, 8, 9, 7, 8, 21, 7, 1)
_AIMS: Cells = ("aim", "found at the worst", "there", "met")
_AIM_WIDTHS = (72, 19, 52, 1)
_ROUNDING = 0.02  # in bfloat16; a larger difference between outputs is not one of rounding
_PASSES = {"forward": "forward", "forward and backward": "both"}


def as_text(run: Run) -> Iterator[str]:
    """Give the lines of a terminal's table while a run is measured."""
    yield f"{run.start.device}: {ceilings(run.start)}"
    yield from absent(run.start)
    yield _text(_HEADS, _WIDTHS)
    for measured in run:
        yield from (_text(cells, _WIDTHS) for cells in _cells(measured))
    aims = _aims(run.start, run.rows)
    yield from (_text(cells, _AIM_WIDTHS) for cells in ((_AIMS, *aims) if aims else ()))


def as_json(run: Run) -> Iterator[str]:
    """Give what is known at the start and then row after row, one JSON object a line, while a run is measured."""
    yield json.dumps(run.start.as_plain())
    for measured in run:
        yield from (json.dumps(row.as_plain()) for row in measured)


def markdown(start: Start, rows: Sequence[Row]) -> str:
    """Return a run as Markdown: ceilings, table, targets, and who was absent."""
    found = _aims(start, rows)
    return "\n\n".join(
        [
            ceilings(start),
            _markdown(_HEADS, _cells(rows)),
            *([_markdown(_AIMS, found)] if found else []),
            *([" ".join(absent(start))] if absent(start) else []),
        ]
    )


def ceilings(start: Start) -> str:
    """Say in a sentence how fast the device is at what kernels do."""
    if start.device == "interpreter":
        return "In Triton's interpreter everything is computed and no time, rate or share means anything."
    found = start.ceilings
    threads = f"On {start.threads} thread{'s' if start.threads > 1 else ''} a" if start.threads else "A"
    products = " and ".join(f"{rate / 1e9:,.4g} in {dtype}" for dtype, rate in found.products_per_second.items())
    return (
        f"{threads} copy moves {found.bytes_per_second / 1e9:,.4g} GB/s, read and written; matrix products do "
        f"{products} GFLOP/s; there are {found.exponentials_per_second / 1e9:,.3g} billion exponentials a second."
    )


def absent(start: Start) -> list[str]:
    """Name the libraries that take no part, one sentence each."""
    return [f"Without {name}: {reason}." for name, reason in start.absent.items()]


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> duration(0.00123), duration(12.3), duration(4.5e-6)
    ('1.23 ms', '12.3 s', '4.5 µs')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def _cells(rows: Sequence[Row]) -> list[Cells]:
    """Return every row of ours as the cells of a line, with those who did the same work beside it."""
    return [
        (
            row.kernel,
            row.sizes,
            row.dtype,
            _PASSES[row.direction],
            row.problem or _shown(row.seconds, duration),
            _shown(row.gigabytes_per_second),
            _shown(row.gigaflops_per_second),
            f"{_shown(row.share, '{:.0%}'.format)} {row.ceiling}" if row.ceiling else "",
            _shown(row.memory, "{:.2f} ×".format),
            ", ".join(_beside(row, other, rows) for other in rows if other.task == row.task and other.who != OURS),
        )
        for row in rows
        if row.who == OURS
    ]


def _shown(number: float | None, form: Callable[[float], str] = "{:,.3g}".format) -> str:
    return "" if number is None else form(number)


def _beside(row: Row, other: Row, rows: Sequence[Row]) -> str:
    times = _shown(times_ours(row, other.who, rows), "{:,.3g} ×".format)
    off = other.difference is not None and other.difference > _ROUNDING
    return f"{other.who} {other.problem or times}{f' (its output is off by {other.difference:.2g})' if off else ''}"


def _aims(start: Start, rows: Sequence[Row]) -> list[Cells]:
    return [
        (
            outcome.target.statement,
            f"{outcome.value:.3g}",
            f"{outcome.row.kernel}, {outcome.row.sizes}, {outcome.row.dtype}, {_PASSES[outcome.row.direction]}",
            "yes" if outcome.holds else "no",
        )
        for outcome in outcomes(start.device, rows)
    ]


def _text(cells: Cells, widths: Sequence[int]) -> str:
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _markdown(heads: Cells, body: Iterable[Cells]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, ("---",) * len(heads), *body))
