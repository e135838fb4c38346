"""Retention curves of several mechanisms laid over one another: what is left of each, and after what time half is gone.

A state, a trained weight and a human memory fade on clocks of their own: tokens, steps, days. Measured in its own
half-lives each becomes a curve without a unit, and the shapes can be compared. An exponential loses half of what is
left in every half-life; a power law loses less and less, and a sharp drop says that something was crowded out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.tables import Table

HALF_LIVES = 6.0
"""How far the chart of shapes reaches."""
NAMED_AT = np.array([3.5])
"""Where on it the exponential has its name."""


@dataclass(frozen=True)
class Curve:
    """What is left of what a mechanism stored.

    Attributes:
        name: whose curve it is.
        lag: time since it was stored, increasing.
        retention: share that is left, in [0, 1].
        unit: of the lag.
    """

    name: str
    lag: NDArray[Any]
    retention: NDArray[Any]
    unit: str

    @classmethod
    def of(cls, name: str, table: Table) -> Curve:
        """Read the table `retention` of a run; entries that are not numbers are gaps and left out."""
        lag, retention = (table[column].astype(float) for column in ("lag", "retention"))
        order = np.argsort(lag, kind="stable")
        order = order[np.isfinite(lag[order]) & np.isfinite(retention[order])]
        return cls(name, lag[order], retention[order], table.units.get("lag", ""))

    @property
    def label(self) -> str:
        """The name with the unit of the lag."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def half_life(self) -> float:
        """Time from the peak until half of it is left, linear between points.

        NaN if it never falls so far, or if nothing was there.
        """
        since, share = self._fading
        below = np.flatnonzero(share <= 0.5)
        if not len(below):
            return math.nan
        end = below[0]
        (x0, x1), (y0, y1) = since[end - 1 : end + 1], share[end - 1 : end + 1]
        return float(x0 + (x1 - x0) * (y0 - 0.5) / (y0 - y1))

    def left_after(self, half_lives: float) -> float:
        """Share of the peak that is left after so many half-lives; NaN where the curve does not reach."""
        since, share = self._fading
        time = half_lives * self.half_life
        if math.isnan(time) or time > since[-1]:
            return math.nan
        return float(np.interp(time, since, share))

    @property
    def _fading(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Time since the peak and share of it; a memory that is written with momentum, say, peaks late."""
        if not len(self.lag) or self.retention.max() <= 0:
            return np.zeros(0), np.zeros(0)
        peak = int(np.argmax(self.retention))
        return self.lag[peak:] - self.lag[peak], self.retention[peak:] / self.retention[peak]

    def after_zero(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return lag and retention where the lag is above zero, as a log axis wants them."""
        return self.lag[self.lag > 0], self.retention[self.lag > 0]

    def shape(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the time since the peak in half-lives, up to `HALF_LIVES`, and the share of the peak that is left."""
        since, share = self._fading
        time = since / self.half_life
        if time[-1] <= HALF_LIVES:
            return time, share
        inside = time < HALF_LIVES
        return np.append(time[inside], HALF_LIVES), np.append(share[inside], np.interp(HALF_LIVES, time, share))


def tables(curves: Sequence[Curve]) -> dict[str, Table]:
    """Return the tables behind `charts`: every curve on its own clock, and on that of its half-life."""
    exponential = np.linspace(0, HALF_LIVES, 49)
    return {
        "own_clock": _table([(curve.label, *curve.after_zero()) for curve in curves]),
        "shape": _table([(curve.label, *curve.shape()) for curve in curves if curve.half_life > 0]),
        "exponential": _table([("exponential", exponential, 0.5**exponential)]),
        "exponential_name": _table([("exponential", NAMED_AT, 0.5**NAMED_AT)]),
        "half_lives": Table.of(
            {"half_life": "of each curve's own lag"},
            mechanism=[curve.label for curve in curves],
            half_life=[curve.half_life for curve in curves],
            left_after_3=[curve.left_after(3.0) for curve in curves],
            left_at_end=[curve.retention[-1] if len(curve.retention) else math.nan for curve in curves],
        ),
    }


def _table(curves: Sequence[tuple[str, NDArray[Any], NDArray[Any]]]) -> Table:
    names = [name for name, lag, _ in curves for _ in range(len(lag))]
    lag, retention = (np.concatenate([np.zeros(0), *(curve[axis] for curve in curves)]) for axis in (1, 2))
    return Table.of(mechanism=names, lag=lag, retention=retention)


def charts(labels: Sequence[str]) -> tuple[Chart, Chart]:
    """Return the two charts for curves with these labels."""
    shape = Chart(
        key="shape",
        title="The shape of forgetting",
        x=Axis(title="Time since the peak", unit="half-lives of each curve", domain=(0.0, HALF_LIVES)),
        y=Axis(title="Share of the peak that is left", domain=(0.0, 1.05)),
        layers=(
            Layer(mark="line", table="exponential", x="lag", y="retention", size=1.2),
            Layer(mark="text", table="exponential_name", x="lag", y="retention", text="mechanism"),
            Layer(mark="line", table="shape", x="lag", y="retention", color="mechanism", label_ends=True),
        ),
        describe=_describe_shape,
        look_for="Which curve stays above the thin exponential line? It holds on to its last half for longer.",
        series=tuple(labels),
        height=320,
    )
    own = Chart(
        key="own_clock",
        title="Each on its own clock",
        x=Axis(title="Time since it was stored, in the unit of each curve", scale="log"),
        y=Axis(title="Share that is left", domain=(0.0, 1.05)),
        layers=(Layer(mark="line", table="own_clock", x="lag", y="retention", color="mechanism", label_ends=True),),
        describe=_describe_own,
        look_for="The units differ, so only the shapes and the ends of the curves may be compared here.",
        series=tuple(labels),
        height=320,
    )
    return shape, own


def _describe_shape(tables: Mapping[str, Table]) -> str:
    parts = []
    for row in tables["half_lives"].rows():
        if row["half_life"] is None:
            parts.append(f"{row['mechanism']} never falls to half in this run and is not drawn here")
        elif row["left_after_3"] is not None:
            parts.append(f"{row['mechanism']} keeps {_percent(row['left_after_3'])} after three half-lives")
        else:
            parts.append(f"{row['mechanism']} ends before three half-lives are over")
    return f"An exponential keeps 12 % after three half-lives. {_sentence(parts)}"


def _describe_own(tables: Mapping[str, Table]) -> str:
    parts = []
    for row in tables["half_lives"].rows():
        name, _, unit = row["mechanism"].rpartition(" (")
        if row["left_at_end"] is None:
            parts.append(f"{row['mechanism']} has not come to its curve yet")
        elif row["half_life"] is None:
            parts.append(f"{name} still holds {_percent(row['left_at_end'])} at the end")
        else:
            parts.append(f"half of {name} is gone after {row['half_life']:.3g} {unit.rstrip(')')}")
    return _sentence(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _sentence(parts: Sequence[str]) -> str:
    joined = "; ".join(parts)
    return joined[:1].upper() + joined[1:] + "."
