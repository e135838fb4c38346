from __future__ import annotations

import numpy as np
import pytest

from mem_core.engine import select
from mem_core.lab.control_panel import described
from mem_core.lab.engine_board import largest_difference
from mem_core.lab.own_measurements import as_pairs
from mem_core.mechanisms import catalog
from mem_core.mechanisms.controls import Control, SettingsError
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.tables import Table

CSV = "delay_hours,retention\n" + "".join(f"{24 * day},{1 / day}\n" for day in range(1, 8))


@pytest.mark.parametrize("slug", catalog.slugs())
def test_every_control_can_be_shown_with_its_words_and_bounds(slug: str) -> None:
    mechanism = catalog.load(slug)
    for settings in (mechanism.settings, mechanism.exercise.answer):
        for name, control in settings.controls().items():
            shown = described(name, control)
            assert shown["title"].startswith(control.label)
            assert shown["allowed"] == control.allowed


def test_a_control_that_the_page_cannot_show_is_an_error_and_not_a_gap() -> None:
    class Odd(Control):
        allowed = "anything odd"

    with pytest.raises(TypeError, match="no widget for Odd"):
        described("name", Odd(label="Odd", help="An odd one."))


def test_a_pasted_csv_becomes_pairs_and_pairs_stay_as_they_are() -> None:
    settings = catalog.load("memorybank").presets["browser"]
    texts = as_pairs(settings, {"measurements": CSV, "tau": "2"})
    assert texts["tau"] == "2"
    read = settings.parsed(texts)
    assert read.measurements[:2] == ((1.0, 1.0), (2.0, 0.5))
    assert (
        as_pairs(settings, settings.changed(measurements=read.measurements).formatted())
        == read.changed(tau=1.0).formatted()
    )


@pytest.mark.parametrize(
    "text", ["a,b\n1,2", "retention\n0.5", CSV + "24,lots\n", CSV + "1,0.5\n" * 2_000_000, "hello"]
)
def test_a_csv_that_cannot_be_read_is_one_sentence(text: str) -> None:
    settings = catalog.load("memorybank").presets["browser"]
    with pytest.raises(SettingsError) as refused:
        settings.parsed(as_pairs(settings, {"measurements": text}))
    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 400


def test_the_largest_difference_is_found_and_named() -> None:
    ours = {"loss": Table.of(step=[0, 1], loss=[2.0, 4.0], name=["a", "b"])}
    theirs = {"loss": Table.of(step=[0, 1], loss=[2.0, 5.0], name=["a", "c"])}
    found = largest_difference(ours, theirs)
    assert (found.share, found.where) == (0.25, "loss: loss")
    assert largest_difference(ours, ours).share == 0.0
    assert largest_difference(ours, {"loss": Table.of(step=[0], loss=[2.0], name=["a"])}).share == 1.0
    assert largest_difference(ours, theirs, without=["loss"]).share == 0.0


def test_gaps_in_both_runs_are_no_difference() -> None:
    ours = {"loss": Table.of(loss=[1.0, np.nan])}
    assert largest_difference(ours, ours).share == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("slug", catalog.slugs())
def test_the_default_run_is_the_same_experiment_on_both_engines(slug: str) -> None:
    """In float64 they differ by rounding alone, which a few hundred steps of training make 1e-6 at the most."""
    mechanism = catalog.load(slug)
    runs = [
        run_to_end(mechanism, mechanism.presets["browser"], select(name, precision="float64"), 0).tables
        for name in ("numpy", "torch")
    ]
    found = largest_difference(*runs, without=mechanism.machine_tables)
    assert found.share < 1e-6, found
