from __future__ import annotations

import csv
import io
import json
from itertools import pairwise

import pytest

from mem_core.lab import chart_templates
from mem_core.lab.chart_binding import as_csv, bind
from mem_core.lab.line_ends import spread
from mem_core.lab.palette import CONFIG, SERIES_COLORS, TEXT
from mem_core.mechanisms.charts import Axis, Chart, Layer, Mark
from mem_core.mechanisms.tables import Table

MARKS: tuple[Mark, ...] = (
    "line",
    "point",
    "bar",
    "area",
    "band",
    "errorbar",
    "rule_x",
    "rule_y",
    "heatmap",
    "text",
)


def chart(mark: Mark = "line", **layer: object) -> Chart:
    columns = {"x": "step", "y": "loss", "y2": "top", "color": "name", "text": "name"} | layer
    if mark == "heatmap":
        columns["color"] = "loss"
    if mark not in ("band", "errorbar"):
        del columns["y2"]
    return Chart(
        key="loss",
        title="Loss",
        x=Axis(title="step", unit="updates"),
        y=Axis(title="loss", unit="nats"),
        series=("train", "test"),
        layers=(Layer(mark=mark, table="losses", **columns),),  # type: ignore[arg-type]
        describe=lambda tables: f"It ends at {tables['losses']['loss'][-1]:.2f}.",
    )


def tables(last: float = 0.25) -> dict[str, Table]:
    return {
        "losses": Table.of(
            step=[0, 1, 0, 1], loss=[1.0, 0.5, 1.0, last], top=[2, 2, 2, 2], name=["train"] * 2 + ["test"] * 2
        )
    }


@pytest.mark.parametrize("mark", MARKS)
def test_every_mark_becomes_a_valid_specification(mark: Mark) -> None:
    import altair

    spec = bind(chart(mark), tables())
    altair.LayerChart.from_dict(spec)  # raises where Vega-Lite's schema is broken
    json.dumps(spec, allow_nan=False)


def test_a_chart_is_built_once_and_a_new_run_only_swaps_data(monkeypatch: pytest.MonkeyPatch) -> None:
    once = chart()
    first = bind(once, tables(0.25))

    def never(*args: object, **keywords: object) -> None:
        raise AssertionError("the chart was built again")

    monkeypatch.setattr(chart_templates.alt, "layer", never)
    second = bind(once, tables(0.75))
    assert first["layer"] is second["layer"]
    assert first["datasets"]["losses"].splitlines()[-1] == "1,0.25,test,this run"
    assert second["datasets"]["losses"].splitlines()[-1] == "1,0.75,test,this run"


def test_the_description_is_computed_from_the_data() -> None:
    assert bind(chart(), tables(0.75))["description"] == "It ends at 0.75."


def test_pinned_runs_are_drawn_under_their_names() -> None:
    rows = bind(chart(), tables(0.25), [("pinned 1", tables(0.9))])["datasets"]["losses"].splitlines()
    assert [row for row in rows if row.endswith("pinned 1")][-1] == "1,0.9,test,pinned 1"
    assert [row for row in rows if row.endswith("this run")][-1] == "1,0.25,test,this run"


def test_axis_titles_carry_their_units() -> None:
    drawn = json.dumps(chart_templates.specification(chart()))
    assert "step (updates)" in drawn
    assert "loss (nats)" in drawn


def test_names_of_lines_that_end_together_are_pushed_apart() -> None:
    ends = bind(chart(label_ends=True), tables(0.5))["datasets"]["losses name ends"].splitlines()
    assert ends[0] == "step,loss,name,label y,run"
    (_, first_loss, first, first_height, _), (_, second_loss, second, second_height, _) = (
        line.split(",") for line in ends[1:]
    )
    assert (first, second) == ("train", "test")
    assert first_loss == second_loss == "0.5"
    assert float(second_height) > float(first_height)


def test_a_number_that_is_none_is_a_gap_and_text_with_commas_stays_whole() -> None:
    table = Table.of(step=[0.0, float("nan")], name=["a, b", 'say "c"'], kept=[True, False])
    text = as_csv(["step", "name", "kept"], [("this run", table)])
    assert list(csv.reader(io.StringIO(text))) == [
        ["step", "name", "kept", "run"],
        ["0", "a, b", "true", "this run"],
        ["", 'say "c"', "", "this run"],
    ]


@pytest.mark.parametrize("places", [[0.0], [0.0, 100.0], [5.0, 5.0, 5.0], [0.0, 12.0, 24.0, 25.0], []])
def test_spread_keeps_the_order_the_distance_and_the_centre(places: list[float]) -> None:
    moved = spread(places, 15.0)
    assert all(later - earlier >= 15.0 - 1e-9 for earlier, later in pairwise(moved))
    assert sum(moved) == pytest.approx(sum(places))


def test_text_and_axes_follow_the_page_into_dark_mode() -> None:
    assert CONFIG["axis"]["labelColor"] == TEXT == "currentColor"
    assert CONFIG["background"] == "transparent"


@pytest.mark.parametrize("background", ["#ffffff", "#181c1a"])
@pytest.mark.parametrize("color", SERIES_COLORS[:4])
def test_the_first_four_colours_stand_out_on_both_backgrounds(color: str, background: str) -> None:
    brighter, darker = sorted((luminance(color), luminance(background)), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 3.0


def luminance(color: str) -> float:
    """WCAG 2's relative luminance of a colour."""
    parts = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
