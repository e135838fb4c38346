"""Accuracy by the place of a passage in the context, from a learner's own measurements or simulated.

The simulated curve has its shape put in by hand, so that it shows how such a curve is scored and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings

SIMULATED, OWN = "simulated bias, not emergent", "your own curve"
AT_ENDS = 0.95
"""Accuracy of the simulated curve at both ends."""
PLACES = tuple(number / 20 for number in range(21))
POSITION_COLUMNS = ("position", "depth")
ACCURACY_COLUMNS = ("accuracy", "correct", "recall")

Curve = tuple[tuple[float, float], ...]


def simulated(bias: float) -> Curve:
    """Return accuracy(x) = 0.95·(1 − bias·4x(1 − x)) at 21 places x, lowest in the middle.

    Raises:
        ValueError: if the bias is not in [0, 1].
    """
    if not 0 <= bias <= 1:
        raise ValueError(f"bias is {bias!r}, but it must lie between 0 and 1.")
    return tuple((place, AT_ENDS * (1 - bias * 4 * place * (1 - place))) for place in PLACES)


def curve_of(settings: MapSettings) -> tuple[str, Curve]:
    """Return the curve to score and where it comes from: the learner's own, if there is one."""
    if settings.position_curve:
        return OWN, tuple(sorted(settings.position_curve))
    return SIMULATED, simulated(settings.position_bias)


def saved_curve(text: str) -> Curve:
    """Read a position curve from a run that `python -m mem_core run SLUG --json` printed; the last frame counts.

    The first table with a column `position` or `depth` and one called `accuracy`, `correct` or `recall` is taken;
    places are scaled to 0 … 1, and places that occur more than once are averaged.

    Raises:
        ValueError: if the text is no such run, or has no such table.
    """
    try:
        tables = json.loads(text.strip().splitlines()[-1])["tables"]
        rows_by_table = [table["rows"] for table in tables.values()]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError("A saved run must be what `python -m mem_core run SLUG --json` prints.") from error
    for rows in rows_by_table:
        found = _curve(rows)
        if len(found) > 1:
            return found
    raise ValueError(
        f"No table of this run has a column {' or '.join(POSITION_COLUMNS)} and one called "
        f"{' or '.join(ACCURACY_COLUMNS)}."
    )


def _curve(rows: Sequence[dict[str, Any]]) -> Curve:
    first = rows[0] if rows else {}
    place = next((name for name in POSITION_COLUMNS if name in first), None)
    accuracy = next((name for name in ACCURACY_COLUMNS if name in first), None)
    if place is None or accuracy is None:
        return ()
    at: dict[float, list[float]] = {}
    for row in rows:
        if isinstance(row[place], int | float) and isinstance(row[accuracy], int | float):
            at.setdefault(float(row[place]), []).append(float(row[accuracy]))
    if not at:
        return ()
    furthest = max(at) or 1.0
    scale = furthest if furthest > 1 else 1.0
    return tuple((place / scale, sum(values) / len(values)) for place, values in sorted(at.items()))
