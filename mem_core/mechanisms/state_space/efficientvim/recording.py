"""The recorded sweep: test accuracy over states, channels and seeds, made once by the code of this very page.

`record.py` writes it; a browser would take some ten minutes for it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

FILE = "sweep.json"
STATES = (1, 2, 4, 9, 25)
CHANNELS = (8, 16, 24, 32)
SEEDS = (0, 1, 2)


class RecordingError(ValueError):
    """A recording that is missing or cannot be read; the message is one sentence."""


@dataclass(frozen=True)
class Measured:
    """One trained model: its sizes, its seed, and its share of right answers."""

    channels: int
    states: int
    seed: int
    accuracy: float


@dataclass(frozen=True)
class Recording:
    """A sweep, and how it was made.

    Attributes:
        date: year-month-day.
        engine: what it ran on, in words.
        command: what was typed.
        settings: those of the run as text, states and channels aside.
        measured: one entry per model.
    """

    date: str
    engine: str
    command: str
    settings: dict[str, str]
    measured: tuple[Measured, ...]

    def of(self, channels: int) -> tuple[Measured, ...]:
        """Keep the models with so many channels."""
        return tuple(one for one in self.measured if one.channels == channels)


def dump(recording: Recording) -> str:
    """Write a recording as JSON, one model a line."""
    header = {key: value for key, value in asdict(recording).items() if key != "measured"}
    lines = ",\n".join(f"  {json.dumps(asdict(one))}" for one in recording.measured)
    return f'{json.dumps(header)[:-1]}, "measured": [\n{lines}\n]}}\n'


def parse(text: str) -> Recording:
    """Read what `dump` wrote.

    Raises:
        RecordingError: if it is not a recording, or holds an accuracy that cannot be one.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        measured = tuple(Measured(**one) for one in found.pop("measured"))
        recording = Recording(**found, measured=measured)
        possible = all(_possible(one) for one in measured)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordingError(f"The recorded sweep ({FILE}) is damaged: it is not a recording of this page.") from error
    if not measured or not possible:
        raise RecordingError(f"The recorded sweep ({FILE}) is damaged: it lacks accuracies, or some are impossible.")
    return recording


def shipped() -> Recording:
    """Read the recording that comes with the package.

    Raises:
        RecordingError: if it is missing or damaged.
    """
    try:
        text = (files(__package__) / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"The recorded sweep ({FILE}) is missing or cannot be read.") from error
    return parse(text)


def by_states(measured: Iterable[Measured]) -> dict[int, Sequence[float]]:
    """Gather the accuracies of all seeds for each number of states, in ascending order."""
    found: dict[int, list[float]] = {}
    for one in sorted(measured, key=lambda one: one.states):
        found.setdefault(one.states, []).append(one.accuracy)
    return dict(found)


def _possible(one: Measured) -> bool:
    whole = all(isinstance(value, int) and value >= 0 for value in (one.channels, one.states, one.seed))
    return whole and isinstance(one.accuracy, float) and math.isfinite(one.accuracy) and 0 <= one.accuracy <= 1
