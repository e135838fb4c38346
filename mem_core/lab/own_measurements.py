"""A learner's own measurements: pasted or uploaded CSV becomes the pairs that a run takes."""

from __future__ import annotations

from collections.abc import Mapping

from mem_core.mechanisms.controls import Pairs, SettingsError
from mem_core.mechanisms.settings import Settings


def as_pairs(settings: Settings, texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts with every CSV turned into the short form `x:y,x:y`; other texts stay as they are.

    Raises:
        SettingsError: if a CSV cannot be read; the sentence names the line and what is allowed.
    """
    controls = settings.controls()
    return {
        name: _short_form(control, text) if isinstance(control := controls.get(name), Pairs) else text
        for name, text in texts.items()
    }


def _short_form(control: Pairs, text: str) -> str:
    if "\n" not in text and not any(letter.isalpha() and letter != "e" for letter in text):
        return text
    from mem_core.data.measurement_csv import MeasurementError, read_measurements

    try:
        return control.format(read_measurements(text))
    except MeasurementError as error:
        raise SettingsError(str(error)) from error
