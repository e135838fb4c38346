"""The views of a run, each with the sentence that says what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.learning.river_valley.results import (
    DECAYED_PAIR,
    HILL,
    LOSS,
    PICTURE_HEIGHT,
    RIVER,
    STABLE_PAIR,
)
from mem_core.mechanisms.learning.river_valley.settings import CONSTANT, COSINE, SCHEDULES, WSD, WSD_CHARGED, WSD_S
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
Row = dict[str, Any]
NOTHING_YET = "Nothing has been measured yet."


def describe_rates(tables: Tables) -> str:
    """Say where each schedule starts, peaks and ends."""
    words = []
    for schedule, rows in _by_schedule(tables["rates"]).items():
        peak = max(row["rate"] for row in rows)
        words.append(f"{schedule} {peak:.3g} at most and {rows[-1]['rate']:.3g} in step {rows[-1]['step']}")
    return f"Learning rates: {'; '.join(words)}. Their sum drives the river, the rate of the moment the bounce."


def describe_loss(tables: Tables) -> str:
    """Say where each schedule stands, and what the decay of WSD did."""
    latest = {schedule: rows[-1] for schedule, rows in _by_schedule(tables["loss"]).items() if rows}
    if not latest:
        return NOTHING_YET
    step = max(row["step"] for row in latest.values())
    lowest = min(latest, key=lambda schedule: latest[schedule]["loss"])
    values = ", ".join(f"{schedule} {row['loss']:.3g}" for schedule, row in latest.items())
    return f"Loss after step {step}: {values}; {lowest} is lowest.{_what_decay_did(tables)}"


def _what_decay_did(tables: Tables) -> str:
    rows = _by_schedule(tables["loss"]).get(WSD, [])
    rates = _by_schedule(tables["rates"]).get(WSD, [])
    peak = max((row["rate"] for row in rates), default=0.0)
    decay_begins = max((row["step"] for row in rates if row["rate"] == peak), default=0) + 1
    before = [row for row in rows if row["step"] <= decay_begins]
    if not before or rows[-1]["step"] <= decay_begins:
        return ""
    return f" In the decay of WSD the loss went from {before[-1]['loss']:.3g} to {rows[-1]['loss']:.3g}."


def describe_parts(tables: Tables) -> str:
    """Say how much of the loss of the schedule shown is river and how much hill."""
    table = tables["parts"]
    if len(table) == 0:
        return NOTHING_YET
    river, hill = (table.where(part=part).rows()[-1] for part in (RIVER, HILL))
    total = river["loss"] + hill["loss"]
    return (
        f"{river['schedule']} after step {river['step']}: river {river['loss']:.3g} (what is not yet learned) and "
        f"hill {hill['loss']:.3g} (bounce), which is {_share(hill['loss'], total)} of the loss."
    )


def describe_budgets(tables: Tables) -> str:
    """Say which schedule is lowest at each budget, and what was paid."""
    rows = tables["budgets"].rows()
    if not rows:
        return "No budget has been reached yet."
    best = []
    for budget in dict.fromkeys(row["budget"] for row in rows):
        lowest = min((row for row in rows if row["budget"] == budget), key=lambda row: row["loss"])
        best.append(f"{budget} steps: {lowest['schedule']} with {lowest['loss']:.3g}")
    charged = {row["schedule"]: row["charged"] for row in rows if row["budget"] == rows[-1]["budget"]}
    paid = ", ".join(f"{schedule} {steps}" for schedule, steps in charged.items())
    return f"Lowest loss at {'; '.join(best)}. Steps paid for by then, thrown-away ones included: {paid}."


def describe_line(tables: Tables) -> str:
    """Say whether the middle of each line is lower than its ends."""
    words = []
    for pair in (STABLE_PAIR, DECAYED_PAIR):
        rows = tables["line"].where(pair=pair).rows()
        if rows:
            lowest = min(rows, key=lambda row: row["loss"])
            words.append(
                f"Between {pair} the loss goes from {rows[0]['loss']:.3g} over {lowest['loss']:.3g} at share "
                f"{lowest['share']:.2g} to {rows[-1]['loss']:.3g}"
            )
    return f"{'. '.join(words)}." if words else "Needs WSD among the schedules, and its last two checkpoints."


def describe_path(tables: Tables) -> str:
    """Say where the drawn particle ended, and how far from the river."""
    path, ends = tables["valley_path"].rows(), tables["valley_ends"].rows()
    if not path or not ends:
        return f"The particle has left the picture: the hill is unstable at this rate.{_valley_note(tables)}"
    x, step = path[-1]["x"], path[-1]["step"]
    reached = ", ".join(f"{row['schedule']} x = {row['x']:.2f}, y = {row['y']:.2f}" for row in ends)
    return (
        f"{path[0]['schedule']} takes the particle from x = {path[0]['x']:.2g} to x = {x:.2f} in {step} steps. "
        f"Ends: {reached}.{_valley_note(tables)}"
    )


def describe_valley(tables: Tables) -> str:
    """Say how the mean loss in the valley ends under each schedule, river and hill apart."""
    words = [
        f"{schedule} {rows[-1]['loss']:.3g} (river {rows[-1]['river']:.3g}, hill {rows[-1]['hill']:.3g})"
        for schedule, rows in _by_schedule(tables["valley"]).items()
    ]
    step = tables["valley"].rows()[-1]["step"]
    return f"Mean loss in the valley after step {step}: {', '.join(words)}.{_valley_note(tables)}"


def _valley_note(tables: Tables) -> str:
    notes = [row["note"] for row in tables["notes"].rows() if row["about"] == "valley"]
    return f" {notes[0]}" if notes else ""


def _by_schedule(table: Table) -> dict[str, list[Row]]:
    """Return the rows of each schedule's longest run, in order of steps."""
    found: dict[str, dict[str, list[Row]]] = {}
    for row in table.rows():
        found.setdefault(row["schedule"], {}).setdefault(row.get("branch", ""), []).append(row)
    return {schedule: list(branches.values())[-1] for schedule, branches in found.items()}


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole > 0 else "none"


STEP = Axis(title="Training step")
LOG_LOSS = Axis(title="Loss", unit=LOSS, scale="log")
LOSS_AXIS = Axis(title="Loss", unit=LOSS, zero=True)

CHARTS = (
    Chart(
        key="rates",
        title="The learning rate of every schedule",
        x=STEP,
        y=Axis(title="Learning rate", zero=True),
        layers=(Layer(mark="line", table="rates", x="step", y="rate", color="schedule", detail="branch"),),
        describe=describe_rates,
        look_for="the decay at the end of WSD, and its copies for the earlier budgets, which are thrown away.",
        series=SCHEDULES,
        legend="Schedule",
    ),
    Chart(
        key="loss",
        title="The loss on the way",
        x=STEP,
        y=LOG_LOSS,
        layers=(Layer(mark="line", table="loss", x="step", y="loss", color="schedule", detail="branch"),),
        describe=describe_loss,
        look_for="the sudden drop when the rate decays, although nothing new is learned there.",
        series=SCHEDULES,
        legend="Schedule",
        height=300,
    ),
    Chart(
        key="parts",
        title="River and hill under the schedule looked into, after the first tenth",
        x=STEP,
        y=LOSS_AXIS,
        layers=(Layer(mark="area", table="parts", x="step", y="loss", color="part"),),
        describe=describe_parts,
        look_for="which part the decay removes: the hill goes, the river stays where it was.",
        series=(RIVER, HILL),
        legend="Part of the loss",
    ),
    Chart(
        key="budgets",
        title="The checkpoint for each budget",
        x=Axis(title="Budget", unit="steps", scale="ordinal"),
        y=LOSS_AXIS,
        layers=(Layer(mark="bar", table="budgets", x="budget", y="loss", color="schedule"),),
        describe=describe_budgets,
        look_for="WSD-S beside WSD at the same compute, and beside cyclic cosine.",
        series=(CONSTANT, WSD, WSD_S, COSINE, SCHEDULES[-1], WSD_CHARGED),
        legend="Schedule",
    ),
    Chart(
        key="line",
        title="The loss on the straight line between two checkpoints",
        x=Axis(title="Share of the later checkpoint", domain=(0.0, 1.0)),
        y=LOSS_AXIS,
        layers=(Layer(mark="line", table="line", x="share", y="loss", color="pair", label_ends=True),),
        describe=describe_line,
        look_for="the dip between stable checkpoints: the river lies between them, and both sit up on its walls.",
        series=(STABLE_PAIR, DECAYED_PAIR),
    ),
    Chart(
        key="path",
        title="One particle in a valley of two dimensions",
        x=Axis(title="Along the river, x"),
        y=Axis(title="Across the valley, y", domain=(-PICTURE_HEIGHT, PICTURE_HEIGHT)),
        layers=(
            Layer(mark="line", table="contours", x="x", y="y", detail="line", size=0.6),
            Layer(mark="line", table="river_bed", x="x", y="y", size=3.0),
            Layer(mark="text", table="contour_labels", x="x", y="y", text="level"),
            Layer(mark="line", table="valley_path", x="x", y="y", color="schedule", dash="name", size=1.0),
            Layer(mark="point", table="valley_ends", x="x", y="y", color="schedule", size=90.0),
        ),
        describe=describe_path,
        look_for="how the bounce across the valley ends when the rate falls, and how far along the river it got.",
        series=SCHEDULES,
        legend="Schedule",
        height=320,
    ),
    Chart(
        key="valley",
        title="The mean loss in that valley",
        x=STEP,
        y=Axis(title="Loss", scale="log"),
        layers=(Layer(mark="line", table="valley", x="step", y="loss", color="schedule"),),
        describe=describe_valley,
        look_for="the same drop as in the language model; make the rate small and it is gone.",
        series=SCHEDULES,
        legend="Schedule",
    ),
)
