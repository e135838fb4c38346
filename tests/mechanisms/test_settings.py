from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mem_core.mechanisms import catalog
from mem_core.mechanisms.controls import (
    Choice,
    Choices,
    Control,
    Number,
    Pairs,
    SettingsError,
    Switch,
    Whole,
    Wholes,
    setting,
)
from mem_core.mechanisms.settings import Settings

WORDS = {"label": "A label", "help": "A help."}
NUMBER = Number(**WORDS, low=1e-3, high=2.0, scale="log", also=(0.0,))
WHOLE = Whole(**WORDS, low=2, high=40)
CHOICE = Choice(**WORDS, options=("red", "green"))
NUMBERS_CHOICE = Choice(**WORDS, options=(64, 128, 0.5))
CHOICES = Choices(**WORDS, options=("x", "y", "z"))
SWITCH = Switch(**WORDS)
WHOLES = Wholes(**WORDS, low=0, high=90, longest=5)
PAIRS = Pairs(**WORDS, x_low=0, x_high=1000, y_low=0, y_high=1, shortest=2)
CONTROLS: list[Control] = [NUMBER, WHOLE, CHOICE, NUMBERS_CHOICE, CHOICES, SWITCH, WHOLES, PAIRS]
KINDS = [type(control).__name__ + str(index) for index, control in enumerate(CONTROLS)]

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.one_of(st.integers(), st.text(), st.floats(), st.tuples(st.floats(), st.floats()))),
    st.dictionaries(st.text(), st.integers()),
)


@dataclass(frozen=True)
class Example(Settings):
    rate: float = setting(0.1, NUMBER)
    steps: int = setting(10, WHOLE)
    colour: str = setting("red", CHOICE)
    width: int = setting(64, NUMBERS_CHOICE)
    axes: tuple[str, ...] = setting(("x",), CHOICES)
    on: bool = setting(True, SWITCH)
    days: tuple[int, ...] = setting((0, 3), WHOLES)
    measured: tuple[tuple[float, float], ...] = setting((), PAIRS)

    def check_together(self) -> None:
        if self.steps == 13:
            raise SettingsError("steps may not be 13 here.")


@pytest.mark.parametrize("control", CONTROLS, ids=KINDS)
@given(value=anything)
def test_any_value_is_either_accepted_or_refused_with_a_sentence(control: Control, value: Any) -> None:
    try:
        accepted = control.check("name", value)
    except SettingsError as error:
        assert_is_a_sentence(str(error), control)
    else:
        assert control.check("name", accepted) == accepted
        assert control.parse("name", control.format(accepted)) == accepted


@pytest.mark.parametrize("control", CONTROLS, ids=KINDS)
@given(text=st.one_of(st.text(), st.from_regex(r"[-0-9.,:einfNa ]{0,12}", fullmatch=True)))
def test_any_text_is_either_read_or_refused_with_a_sentence(control: Control, text: str) -> None:
    try:
        value = control.parse("name", text)
    except SettingsError as error:
        assert_is_a_sentence(str(error), control)
    else:
        assert control.check("name", value) == value


def assert_is_a_sentence(message: str, control: Control) -> None:
    assert message.startswith("name is ")
    assert message.endswith(f"but it must be {control.allowed}.")
    assert len(message) < 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate", math.nan),
        ("rate", math.inf),
        ("rate", 2.1),
        ("rate", -0.001),
        ("rate", "0.1"),
        ("rate", True),
        ("steps", 1),
        ("steps", 2.5),
        ("colour", "blue"),
        ("width", 65),
        ("axes", ()),
        ("axes", ("w",)),
        ("on", 1),
        ("days", (3, 3)),
        ("days", (5, 1)),
        ("days", ()),
        ("measured", ((1.0, 2.0), (2.0, 0.5))),
        ("measured", ((1.0, 0.5),)),
    ],
)
def test_a_value_out_of_range_or_of_the_wrong_type_names_field_value_and_range(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is .* but it must be "):
        Example(**{name: value})


def test_numbers_from_a_slider_take_their_canonical_type() -> None:
    settings = Example(steps=12.0, rate=1, axes=["z", "x"])  # type: ignore[arg-type]
    assert (settings.steps, settings.rate, settings.axes) == (12, 1.0, ("x", "z"))
    assert type(settings.steps) is int
    assert type(settings.rate) is float


def test_fields_that_depend_on_one_another_are_checked_together() -> None:
    with pytest.raises(SettingsError, match="may not be 13"):
        Example().changed(steps=13)


def test_an_unknown_field_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(SettingsError, match="no setting called 'speed'; the settings are rate, steps"):
        Example().changed(speed=3)
    with pytest.raises(SettingsError, match="no setting called 'speed'"):
        Example().parsed({"speed": "3"})


def test_only_what_differs_is_written_against_the_defaults() -> None:
    settings = Example(rate=0.25, axes=("x", "z"))
    assert settings.formatted(against=Example()) == {"rate": "0.25", "axes": "x,z"}
    assert Example().parsed(settings.formatted(against=Example())) == settings


@given(
    rate=st.floats(1e-3, 2.0),
    steps=st.integers(2, 40).filter(lambda steps: steps != 13),
    axes=st.sets(st.sampled_from("xyz"), min_size=1),
    on=st.booleans(),
    days=st.sets(st.integers(0, 90), min_size=1, max_size=5),
    measured=st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1)), min_size=2, max_size=5),
)
def test_settings_survive_being_written_and_read(
    rate: float, steps: int, axes: set[str], on: bool, days: set[int], measured: list[tuple[float, float]]
) -> None:
    settings = Example(rate, steps, "green", 128, tuple(axes), on, tuple(sorted(days)), tuple(measured))
    assert Example().parsed(settings.formatted()) == settings


@pytest.mark.parametrize("slug", catalog.slugs())
def test_every_setting_of_every_mechanism_has_words_for_a_learner(slug: str) -> None:
    mechanism = catalog.load(slug)
    for name, control in mechanism.settings.controls().items():
        assert control.label[:1].isupper() or not control.label[:1].isalpha(), name
        assert control.help.endswith((".", "?")), name
        assert len(control.help) > 15, name


@pytest.mark.parametrize("slug", catalog.slugs())
def test_every_preset_is_within_its_own_ranges_and_can_be_written(slug: str) -> None:
    mechanism = catalog.load(slug)
    assert set(mechanism.presets) == {"browser", "cpu", "gpu"}
    for preset in mechanism.presets.values():
        assert isinstance(preset, mechanism.settings)
        assert mechanism.presets["browser"].parsed(preset.formatted()) == preset
