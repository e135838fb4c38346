"""The evaluation card: what was measured, on which slice, as of when and in which regime, with intervals.

Two numbers may be compared only if all of that is the same: otherwise the difference may be the slice's, the date's or
the regime's.

Source: arXiv 2509.18868, sections 4.1 and 6 (proposition B, which the paper leaves open).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

CORRECTNESS, FAITHFULNESS, POSITION, TIMELINESS, REFUSAL = (
    "correctness",
    "faithfulness",
    "position robustness",
    "timeliness",
    "refusal",
)
DIMENSIONS = (CORRECTNESS, FAITHFULNESS, POSITION, TIMELINESS, REFUSAL)
"""What a minimally sufficient card has, in each regime."""
SAME = {"subject": "subjects", "slice": "slices", "as_of": "dates", "regime": "regimes"}
"""What two runs must share to be compared, and its plural for the sentence that refuses."""
WORDS = ("subject", "slice", "as_of", "regime", "engine", "version")


@dataclass(frozen=True)
class Measure:
    """A number and its 95 % interval; the ends are NaN where there is none.

    Raises:
        ValueError: if the value lies outside its own interval.
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    def __post_init__(self) -> None:
        if self.low > self.value + 1e-9 or self.high < self.value - 1e-9:
            raise ValueError(f"{self.value!r} lies outside its interval {self.low!r} to {self.high!r}.")


@dataclass(frozen=True, kw_only=True)
class CardRun:
    """One column of a card: one regime of one subject.

    Attributes:
        subject: what was measured, a slug.
        slice: which questions: the settings and the seed that fix them.
        as_of: the date whose answers count as right.
        regime: which memories could be used.
        engine, version: what computed it, and the source that did.
        measures: measure by name.
    """

    subject: str
    slice: str
    as_of: str
    regime: str
    engine: str
    version: str
    measures: Mapping[str, Measure]


@dataclass(frozen=True)
class EvaluationCard:
    """Some runs, each in a column of its own."""

    runs: tuple[CardRun, ...]

    def to_json(self) -> str:
        """Write the card; a number that is none becomes null."""
        plain = [{**asdict(run), "measures": {k: _plain(m) for k, m in run.measures.items()}} for run in self.runs]
        return json.dumps({"card": plain}, indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> EvaluationCard:
        """Read a card; the inverse of `to_json`.

        Raises:
            ValueError: if the text is no card; the sentence says what is wrong.
        """
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ValueError("An evaluation card must be JSON, as the download gives it.") from error
        if not isinstance(found, dict) or not isinstance(found.get("card"), list):
            raise ValueError("An evaluation card must be an object whose entry 'card' is a list of runs.")
        return cls(tuple(_run(number, run) for number, run in enumerate(found["card"], start=1)))


@dataclass(frozen=True)
class Difference:
    """One measure of two runs, the second minus the first.

    Attributes:
        apart: whether the intervals do not overlap; None where a run has none.
    """

    measure: str
    first: float
    second: float
    apart: bool | None

    @property
    def value(self) -> float:
        """The second minus the first."""
        return self.second - self.first


def compare(first: CardRun, second: CardRun) -> tuple[Difference, ...]:
    """Return the differences of all measures that two runs share.

    Raises:
        ValueError: if subject, slice, date or regime differ, or no measure is shared.
    """
    for name, plural in SAME.items():
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            raise ValueError(f"These runs cannot be compared: their {plural} differ, {one!r} against {other!r}.")
    shared = [name for name in first.measures if name in second.measures]
    if not shared:
        raise ValueError("These runs cannot be compared: they share no measure.")
    return tuple(_difference(name, first.measures[name], second.measures[name]) for name in shared)


def _difference(name: str, first: Measure, second: Measure) -> Difference:
    if any(math.isnan(end) for end in (first.low, first.high, second.low, second.high)):
        return Difference(name, first.value, second.value, None)
    return Difference(name, first.value, second.value, first.high < second.low or second.high < first.low)


def _plain(measure: Measure) -> list[float | None]:
    return [number if math.isfinite(number) else None for number in (measure.value, measure.low, measure.high)]


def _run(number: int, found: Any) -> CardRun:
    if not isinstance(found, dict) or set(found) != {*WORDS, "measures"}:
        raise ValueError(f"Run {number} of the card must have exactly {', '.join((*WORDS, 'measures'))}.")
    for name in WORDS:
        if not isinstance(found[name], str):
            raise ValueError(f"{name} of run {number} of the card must be text, got {found[name]!r}.")
    if not isinstance(found["measures"], dict):
        raise ValueError(f"measures of run {number} of the card must be an object.")
    measures = {name: _measure(number, name, values) for name, values in found["measures"].items()}
    return CardRun(**{**found, "measures": measures})


def _measure(number: int, name: str, values: Any) -> Measure:
    numbers = isinstance(values, list) and all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values
    )
    if not numbers or len(values) != 3:
        raise ValueError(f"{name} of run {number} of the card must be value, low and high, got {values!r}.")
    return Measure(*(math.nan if value is None else float(value) for value in values))
