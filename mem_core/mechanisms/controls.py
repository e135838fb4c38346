"""The controls a mechanism's settings carry: what a value may be, and how it reads as text.

One `Control` per field of a `Settings` class serves the notebook's widget, the link, the command line's
`--set` and every check of what a client sends, so the four can never disagree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, cast

Scale = Literal["linear", "log"]


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the field, the value and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """What every control has: words for a learner, and `check`, which returns the value or raises `SettingsError`.

    Attributes:
        label: what the learner sets.
        help: what it does and what to look for, in a sentence or two.
        unit: of the value; empty for a pure number or a name.
        group: heading under which the page gathers controls that belong together; empty for none.
    """

    label: str
    help: str
    unit: str = ""
    group: str = ""

    @property
    def allowed(self) -> str:
        """Say in words which values are allowed."""
        raise NotImplementedError

    def check(self, name: str, value: Any) -> Any:
        """Return `value` in its canonical type.

        Raises:
            SettingsError: if the value is not allowed.
        """
        raise NotImplementedError

    def parse(self, name: str, text: str) -> Any:
        """Read a value from a link or a command line; the inverse of `format`."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """Write a value so that `parse` gives it back exactly."""
        return str(value)

    def refuse(self, name: str, value: Any) -> SettingsError:
        """Build the one sentence that says what was wrong and what is allowed."""
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return SettingsError(f"{name} is {shown}, but it must be {self.allowed}.")


@dataclass(frozen=True, kw_only=True)
class Number(Control):
    """A real number in [low, high], or one of the values in `also` (for example a zero beside a log range)."""

    low: float
    high: float
    step: float | None = None
    scale: Scale = "linear"
    also: tuple[float, ...] = ()

    @property
    def allowed(self) -> str:
        extra = "".join(f", or {value:g}" for value in self.also)
        return f"a number from {self.low:g} to {self.high:g}{extra}"

    def check(self, name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(name, value)
        if not (math.isfinite(value) and (self.low <= value <= self.high or value in self.also)):
            raise self.refuse(name, value)
        return float(value)

    def parse(self, name: str, text: str) -> float:
        try:
            return self.check(name, float(text))
        except ValueError as error:
            raise self.refuse(name, text) from error

    def format(self, value: float) -> str:
        return repr(float(value)).removesuffix(".0")


@dataclass(frozen=True, kw_only=True)
class Whole(Control):
    """A whole number in [low, high]."""

    low: int
    high: int
    step: int = 1
    scale: Scale = "linear"

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def check(self, name: str, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():  # a slider in the page may send 3.0
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise self.refuse(name, value)
        return value

    def parse(self, name: str, text: str) -> int:
        try:
            return self.check(name, int(text))
        except ValueError as error:
            raise self.refuse(name, text) from error


@dataclass(frozen=True, kw_only=True)
class Choice(Control):
    """One of a few options: all strings, or all numbers."""

    options: tuple[str | int | float, ...]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(map(self.format, self.options))

    def check(self, name: str, value: Any) -> Any:
        if not isinstance(value, bool) and isinstance(value, str | int | float):
            for option in self.options:
                if option == value:
                    return option
        raise self.refuse(name, value)

    def parse(self, name: str, text: str) -> Any:
        for option in self.options:
            if self.format(option) == text:
                return option
        try:
            return self.check(name, float(text))
        except ValueError as error:
            raise self.refuse(name, text) from error

    def format(self, value: Any) -> str:
        return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, kw_only=True)
class Choices(Control):
    """At least `least` of a few named options, kept in the order of `options`; commas stand between names."""

    options: tuple[str, ...]
    least: int = 1

    def __post_init__(self) -> None:
        for option in self.options:
            if "," in option:
                raise ValueError(f"An option must have no comma in its name, got {option!r}.")

    @property
    def allowed(self) -> str:
        return f"at least {self.least} of " + ", ".join(self.options)

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or any(item not in self.options for item in value):
            raise self.refuse(name, value)
        kept = tuple(option for option in self.options if option in value)
        if len(kept) < self.least:
            raise self.refuse(name, value)
        return kept

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        return self.check(name, text.split(",") if text else [])

    def format(self, value: Sequence[str]) -> str:
        return ",".join(value)


@dataclass(frozen=True, kw_only=True)
class Wholes(Control):
    """A list of `shortest` to `longest` whole numbers in [low, high], strictly increasing where `increasing`."""

    low: int
    high: int
    shortest: int = 1
    longest: int = 12
    increasing: bool = True

    @property
    def allowed(self) -> str:
        count = f"{self.shortest}" if self.shortest == self.longest else f"{self.shortest} to {self.longest}"
        order = "increasing " if self.increasing else ""
        return f"{count} {order}whole numbers from {self.low} to {self.high}, with commas between them"

    def check(self, name: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list | tuple) or not self.shortest <= len(value) <= self.longest:
            raise self.refuse(name, value)
        for item in value:
            if isinstance(item, bool) or not isinstance(item, int) or not self.low <= item <= self.high:
                raise self.refuse(name, value)
        if self.increasing and any(later <= earlier for earlier, later in pairwise(value)):
            raise self.refuse(name, value)
        return tuple(value)

    def parse(self, name: str, text: str) -> tuple[int, ...]:
        try:
            return self.check(name, [int(part) for part in text.split(",")])
        except ValueError as error:
            raise self.refuse(name, text) from error

    def format(self, value: Sequence[int]) -> str:
        return ",".join(map(str, value))


@dataclass(frozen=True, kw_only=True)
class Pairs(Control):
    """A list of at most `longest` measured pairs (x, y), x in [x_low, x_high], y in [y_low, y_high]; () is "none".

    As text: `x:y` pairs with commas between them.
    """

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    shortest: int = 1
    longest: int = 60

    @property
    def allowed(self) -> str:
        return (
            f"empty, or {self.shortest} to {self.longest} pairs x:y with commas between them, "
            f"x from {self.x_low:g} to {self.x_high:g} and y from {self.y_low:g} to {self.y_high:g}"
        )

    def check(self, name: str, value: Any) -> tuple[tuple[float, float], ...]:
        if not isinstance(value, list | tuple):
            raise self.refuse(name, value)
        if len(value) == 0:
            return ()
        if not self.shortest <= len(value) <= self.longest:
            raise self.refuse(name, value)
        x_range = Number(label="", help="", low=self.x_low, high=self.x_high)
        y_range = Number(label="", help="", low=self.y_low, high=self.y_high)
        try:
            return tuple((x_range.check(name, x), y_range.check(name, y)) for x, y in value)
        except (SettingsError, TypeError, ValueError) as error:
            raise self.refuse(name, value) from error

    def parse(self, name: str, text: str) -> tuple[tuple[float, float], ...]:
        pairs = [part.split(":") for part in text.split(",")] if text else []
        try:
            return self.check(name, [tuple(map(float, pair)) for pair in pairs])
        except ValueError as error:
            raise self.refuse(name, text) from error

    def format(self, value: Sequence[tuple[float, float]]) -> str:
        return ",".join(f"{x!r}:{y!r}" for x, y in value)


@dataclass(frozen=True, kw_only=True)
class Switch(Control):
    """On or off."""

    @property
    def allowed(self) -> str:
        return "true or false"

    def check(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.refuse(name, value)
        return value

    def parse(self, name: str, text: str) -> bool:
        if text.lower() not in ("true", "false"):
            raise self.refuse(name, text)
        return text.lower() == "true"

    def format(self, value: bool) -> str:
        return "true" if value else "false"


def setting(default: Any, control: Control) -> Any:
    """Declare a field of a `Settings` class: its default value and its control."""
    return field(default=default, metadata={"control": control})


def control_of(metadata: Any) -> Control:
    """Read the control back from a dataclass field's metadata."""
    return cast(Control, metadata["control"])
