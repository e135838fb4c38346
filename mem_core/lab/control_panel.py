"""Controls on the page, built from the controls of a `Settings` class.

The element's value is text by name, in the form of links and of the command line, so that there is one way to read a
setting, whoever sends it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from marimo._plugins.ui._core.ui_element import UIElement

from mem_core.mechanisms.controls import Choice, Choices, Control, Number, Pairs, Switch, Whole, Wholes

Texts = dict[str, str]


class ControlPanel(UIElement[Texts, Texts]):
    """Sliders, lists and switches for a set of controls.

    Args:
        controls: control by name.
        values: the text each starts from.
        presets: for each button its name, its help and the values that it sets.
        submit: words of a button that sends all values; without it every change is sent at once.
        on_release: whether a slider reports when let go, rather than while it moves.
    """

    _name: Final[str] = "marimo-lab-controls"

    def __init__(
        self,
        controls: Mapping[str, Control],
        values: Mapping[str, str],
        *,
        presets: list[tuple[str, str, Texts]] | None = None,
        submit: str | None = None,
        on_release: bool = False,
    ) -> None:
        super().__init__(
            component_name=self._name,
            initial_value=dict(values),
            label=None,
            args={
                "controls": [described(name, control) for name, control in controls.items()],
                "presets": [{"name": name, "help": help_, "values": texts} for name, help_, texts in presets or []],
                "submit": submit,
                "on-release": on_release,
            },
            on_change=None,
        )

    def _convert_value(self, value: Texts) -> Texts:
        return {str(name): str(text) for name, text in value.items()}


def described(name: str, control: Control) -> dict[str, Any]:
    """Describe a control to the page: which kind it is, its words, and its bounds."""
    words = {"name": name, "label": control.label, "unit": control.unit, "help": control.help}
    words |= {"allowed": control.allowed, "group": control.group, "title": control.label}
    if control.unit and control.unit not in control.label.lower():  # not "Training steps (steps)"
        words["title"] = f"{control.label} ({control.unit})"
    match control:
        case Number():
            return words | {
                "kind": "number",
                "low": control.low,
                "high": control.high,
                "step": control.step,
                "scale": control.scale,
                "also": control.also,
            }
        case Whole():
            bounds = {"low": control.low, "high": control.high, "step": control.step, "scale": control.scale}
            return words | {"kind": "whole"} | bounds
        case Choice():
            return words | {"kind": "choice", "options": [control.format(option) for option in control.options]}
        case Choices():
            return words | {"kind": "choices", "options": control.options, "least": control.least}
        case Switch():
            return words | {"kind": "switch"}
        case Wholes():
            return words | {"kind": "text"}
        case Pairs():
            return words | {"kind": "pairs"}
    raise TypeError(f"There is no widget for {type(control).__name__}.")


@cache
def script() -> str:
    """Return the tag that defines the element in the page, which marimo loads once.

    The source travels in the address itself: a page has it whether it is served, exported or opened in the editor.
    """
    source = Path(__file__).with_name("controls.js").read_bytes()
    return f"<script src='data:text/javascript;base64,{base64.b64encode(source).decode()}'></script>"
