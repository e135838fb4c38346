"""The tables of a run: their names, columns and units, and the words that stand in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mem_core.mechanisms.editing.synaptic_dampening.settings import DampeningSettings
from mem_core.mechanisms.tables import Table

Tables = dict[str, Table]
Row = Sequence[Any]

KEEP_TEST, FORGET_TEST, FORGET_ROWS, SELECTED = "to keep, test", "to forget, test", "to forget, training", "selected"
SWEEP_LINES = (KEEP_TEST, FORGET_TEST, FORGET_ROWS, SELECTED)

UNTOUCHED, LITTLE, MUCH, MOST = "not selected", "β > 0.5", "β 0.1–0.5", "β < 0.1"
FATES = (UNTOUCHED, LITTLE, MUCH, MOST)

D_F, D_F_TEST, D_R, D_R_TEST, ATTACK = "D_f", "D_f test", "D_r", "D_r test", "attack"
MEASURES = (D_F, D_F_TEST, D_R, D_R_TEST, ATTACK)

AFTER, AFTER_SHUFFLE, LOST = "dampened", "shuffled", "others lose"
DIGIT_MEASURES = (AFTER, AFTER_SHUFFLE, LOST)


def empty(settings: DampeningSettings) -> Tables:
    """Return every table with its columns and no rows, but for what was asked."""
    return {
        "asked": Table.of(forget=[settings.forget], digit=[settings.digit]),
        "sweep": sweep_table([]),
        "own": sweep_table([]),
        "ceiling": ceiling_table([]),
        "weights": weights_table([]),
        "thresholds": thresholds_table([]),
        "threshold_names": thresholds_table([]),
        "summary": summary_table([]),
        "units": cells_table([]),
        "unit_names": names_table([]),
        "methods": methods_table([]),
        "seconds": seconds_table([]),
        "by_digit": by_digit_table([]),
        "every_digit": every_digit_table([]),
        "every_network": every_network_table([]),
    }


def value_of(tables: Mapping[str, Table], method: str, measure: str) -> float:
    """Read one number of the comparison of methods; NaN if it is not there."""
    found = tables["methods"].where(method=method, measure=measure)["value"]
    return float(found[0]) if len(found) else math.nan


def sweep_table(rows: Iterable[Row]) -> Table:
    """Return α, a share, and of what."""
    return _table(("alpha", "share", "line"), rows)


def ceiling_table(rows: Iterable[Row]) -> Table:
    """Return the α above which nothing can be selected."""
    return _table(("alpha", "text"), rows)


def weights_table(rows: Iterable[Row]) -> Table:
    """Return both importances of a weight, and what becomes of it."""
    return _table(("whole", "forget", "fate"), rows)


def thresholds_table(rows: Iterable[Row]) -> Table:
    """Return points of the lines on which the ratio of both importances is the same."""
    return _table(("whole", "forget", "name"), rows)


def summary_table(rows: Iterable[Row]) -> Table:
    """Return one row of numbers for the sentences below the charts."""
    counts = ("forget_rows", "rows", "hard_rows", "hard_forgotten")
    others = ("hard_share", "ceiling", "largest_ratio", "alpha", "dampening", "selected", "total", "beta_mean")
    return _table((*counts, *others), rows, **dict.fromkeys(counts, "rows"))


def cells_table(rows: Iterable[Row]) -> Table:
    """Return cells of the maps: where they are, and the weight over the largest of its unit."""
    return _table(("left", "right", "top", "bottom", "value"), rows)


def names_table(rows: Iterable[Row]) -> Table:
    """Return words above the maps, with the unit's number and how many of its weights were selected."""
    return _table(("left", "top", "name", "unit", "selected"), rows)


def methods_table(rows: Iterable[Row]) -> Table:
    """Return a share of right answers, or of rows taken for training rows, after every method."""
    return _table(("method", "measure", "value"), rows)


def seconds_table(rows: Iterable[Row]) -> Table:
    """Return how long every method took."""
    return _table(("what", "method", "seconds"), rows, seconds="s")


def by_digit_table(rows: Iterable[Row]) -> Table:
    """Return the share of right answers on every digit's test rows."""
    return _table(("digit", "accuracy", "method"), rows)


def every_digit_table(rows: Iterable[Row]) -> Table:
    """Return the mean over the networks of what forgetting a digit does."""
    return _table(("digit", "share", "measure"), rows)


def every_network_table(rows: Iterable[Row]) -> Table:
    """Return what forgetting a digit does to one network, and what the same multipliers do when they are shuffled."""
    chosen, shuffled = (
        tuple(prefix + name for name in ("forget_test", "forget_rows", "lost")) for prefix in ("", "shuffled_")
    )
    return _table(("network", "digit", *chosen, *shuffled), rows)


def _table(names: Sequence[str], rows: Iterable[Row], /, **units: str) -> Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return Table.of(units, **dict(zip(names, columns, strict=True)))
