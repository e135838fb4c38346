"""Named columns with units: the only form in which a run's numbers leave a mechanism."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Table:
    """Columns of equal length, each with a unit ("" for a pure number or a name).

    Attributes:
        columns: column name to a one-dimensional array of numbers, strings or booleans.
        units: column name to its unit.
    """

    columns: Mapping[str, NDArray[Any]]
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"The columns of a table must have one length, got {lengths}.")

    @classmethod
    def of(cls, units: Mapping[str, str] | None = None, /, **columns: Sequence[Any] | NDArray[Any]) -> Table:
        """Build a table from sequences: `Table.of({"day": "days"}, day=[0, 1], recalled=[1.0, 0.4])`."""
        return cls({name: np.asarray(column) for name, column in columns.items()}, dict(units or {}))

    @classmethod
    def of_rows(cls, names: Sequence[str], rows: Iterable[Sequence[Any]], /, **units: str) -> Table:
        """Build a table from rows: `Table.of_rows(("day", "recalled"), [(0, 1.0), (1, 0.4)], day="days")`.

        Without rows it keeps its columns.
        """
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        return cls.of(units, **dict(zip(names, columns, strict=True)))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def where(self, **values: Any) -> Table:
        """Keep the rows in which every named column equals the value given."""
        keep = np.ones(len(self), dtype=bool)
        for name, value in values.items():
            keep &= self.columns[name] == value
        return Table({name: column[keep] for name, column in self.columns.items()}, self.units)

    def joined(self, others: Iterable[Table]) -> Table:
        """Return this table's rows and then those of tables with the same columns, each row once."""
        seen: set[tuple[Any, ...]] = set()
        kept: dict[str, list[Any]] = {name: [] for name in self.columns}
        for table in (self, *others):
            lists = [column.tolist() for column in table.columns.values()]
            for row, plain in zip(zip(*lists, strict=True), table.rows(), strict=True):
                key = tuple(plain.values())  # in which NaN is None, equal to itself
                if key not in seen:
                    seen.add(key)
                    for name, value in zip(self.columns, row, strict=True):
                        kept[name].append(value)
        return Table.of(self.units, **kept)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as plain Python values, numbers that are not finite as None, as JSON needs."""
        lists = [_plain(column) for column in self.columns.values()]
        return [dict(zip(self.columns, values, strict=True)) for values in zip(*lists, strict=True)]


def _plain(column: NDArray[Any]) -> list[Any]:
    if column.dtype.kind == "f":
        finite = np.isfinite(column)
        if not finite.all():
            return [value if ok else None for value, ok in zip(column.tolist(), finite.tolist(), strict=True)]
    return list(column.tolist())
