"""The rows a network is trained and tested on, and which of them are to be forgotten.

Axes: n rows, 64 pixels, 10 digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mem_core.data import digits
from mem_core.data.digit_tasks import inputs_and_targets
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.editing.synaptic_dampening.settings import DIGIT, DampeningSettings

TRAINING_ROWS = 1347
"""Three quarters of the 1797; the other 450 are for testing."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows on the engine.

    Attributes:
        engine: where they are.
        pictures: the same rows as they come.
    """

    engine: Engine
    pictures: digits.Digits

    @cached_property
    def _arrays(self) -> tuple[Array, Array]:
        x, y = inputs_and_targets(self.pictures)
        return self.engine.asarray(x), self.engine.asarray(y)

    @property
    def x(self) -> Array:
        """Pixels from 0 to 1, shape (n, 64)."""
        return self._arrays[0]

    @property
    def y(self) -> Array:
        """One-hot labels, shape (n, 10)."""
        return self._arrays[1]

    def __len__(self) -> int:
        return len(self.pictures)

    def at(self, numbers: Any) -> Rows:
        """Take the rows with these numbers, in that order."""
        return Rows(self.engine, digits.Digits(self.pictures.images[numbers], self.pictures.labels[numbers]))


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be forgotten and what is to be kept.

    Attributes:
        training: all rows the network was trained on, D, those to forget last, as in the paper's code.
        forget_rows, retain_rows: the two parts of D, D_f and D_r.
        test: all rows of the test set.
        forget_test, retain_test: its two parts; where random rows are forgotten, the first is empty.
    """

    training: Rows
    forget_rows: Rows
    retain_rows: Rows
    test: Rows
    forget_test: Rows
    retain_test: Rows

    @property
    def share(self) -> float:
        """Share of the training rows that is to be forgotten, f."""
        return len(self.forget_rows) / len(self.training)

    @property
    def ceiling(self) -> float:
        """Largest ratio of importances there can be, 1/f."""
        return len(self.training) / len(self.forget_rows)


def splits(engine: Engine, seed: int, networks: int) -> list[tuple[Rows, Rows]]:
    """Deal the digits into rows for training and rows for testing, differently for every network.

    Raises:
        RunError: if the package that holds the digits is not installed.
    """
    try:
        pictures = Rows(engine, digits.load())
    except digits.DigitsMissingError as error:
        raise RunError(str(error)) from error
    orders = [philox(seed, "split", network).permutation(len(pictures)) for network in range(networks)]
    return [(pictures.at(order[:TRAINING_ROWS]), pictures.at(order[TRAINING_ROWS:])) for order in orders]


def forgetting_digit(training: Rows, test: Rows, digit: int) -> Task:
    """Forget every row of a digit."""
    return _task(training, test, *(_numbers_of(rows, digit) for rows in (training, test)))


def forgetting_rows(training: Rows, test: Rows, numbers: Sequence[int]) -> Task:
    """Forget the training rows with these numbers; the whole test set is to be kept.

    Raises:
        ValueError: if there are none, or one is not the number of a training row.
    """
    if not numbers or not set(numbers) <= set(range(len(training))):
        raise ValueError(f"numbers must be one or more of 0 to {len(training) - 1}, the training rows, got {numbers}.")
    return _task(training, test, numbers, [])


def chosen_task(settings: DampeningSettings, split: tuple[Rows, Rows], seed: int) -> Task:
    """Return what the settings ask to forget."""
    if settings.forget == DIGIT:
        return forgetting_digit(*split, settings.digit)
    drawn = philox(seed, "rows to forget").choice(len(split[0]), settings.rows, replace=False)
    return forgetting_rows(*split, drawn.tolist())


def _numbers_of(rows: Rows, digit: int) -> list[int]:
    return [number for number, label in enumerate(rows.pictures.labels.tolist()) if label == digit]


def _task(training: Rows, test: Rows, forget: Sequence[int], forget_test: Sequence[int]) -> Task:
    retain, retain_test = _others(training, forget), _others(test, forget_test)
    return Task(
        training.at([*retain, *forget]),
        training.at(forget),
        training.at(retain),
        test,
        test.at(forget_test),
        test.at(retain_test),
    )


def _others(rows: Rows, numbers: Sequence[int]) -> list[int]:
    excluded = set(numbers)
    return [number for number in range(len(rows)) if number not in excluded]
