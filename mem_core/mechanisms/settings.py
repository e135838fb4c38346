"""`Settings`: the frozen, validated choices behind one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from mem_core.mechanisms.controls import Control, SettingsError, control_of


@dataclass(frozen=True)
class Settings:
    """Base of every mechanism's settings, and of every exercise's answer.

    A subclass is a frozen dataclass whose fields are declared with `setting(default, control)`. Making one
    checks every value, so a `Settings` that exists is one that can run.

    Raises:
        SettingsError: naming the field, the value and what is allowed.
    """

    def __post_init__(self) -> None:
        for name, control in self.controls().items():
            object.__setattr__(self, name, control.check(name, getattr(self, name)))
        self.check_together()

    def check_together(self) -> None:
        """Check what no single field can see; override where fields depend on one another."""

    @classmethod
    def controls(cls) -> dict[str, Control]:
        """Map each field's name to its control, in the order declared."""
        return {item.name: control_of(item.metadata) for item in fields(cls)}

    def changed(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked again."""
        self.refuse_unknown(changes)
        return replace(self, **changes)

    def parsed(self, texts: Mapping[str, str]) -> Self:
        """Return a copy with some fields read from text, as a link or a command line gives them."""
        self.refuse_unknown(texts)
        controls = self.controls()
        return replace(self, **{name: controls[name].parse(name, text) for name, text in texts.items()})

    def formatted(self, *, against: Settings | None = None) -> dict[str, str]:
        """Write the fields as text; with `against`, only those that differ from it."""
        return {
            name: control.format(getattr(self, name))
            for name, control in self.controls().items()
            if against is None or getattr(self, name) != getattr(against, name)
        }

    @classmethod
    def refuse_unknown(cls, names: Mapping[str, Any]) -> None:
        """Raise `SettingsError` if a name is not a field."""
        for name in names:
            if name not in cls.controls():
                known = ", ".join(cls.controls())
                raise SettingsError(f"There is no setting called {name!r}; the settings are {known}.")
