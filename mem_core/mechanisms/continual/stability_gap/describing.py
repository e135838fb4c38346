"""The sentence of every chart, computed from the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mem_core.mechanisms.continual.stability_gap.results import (
    MEASURES,
    MIN_ACC,
    PLASTICITY,
    STABILITY,
    TASK_NAMES,
)
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
Row = dict[str, Any]
NO_SWITCH = "The second task has not begun yet."
NOT_BEGUN = "The new task has not begun yet."
NOT_MEASURED = "Nothing is measured yet."


def curves(tables: Tables) -> str:
    """Say how each earlier task stood at its end, how low it fell and where it is."""
    rows = tables["curves"].rows()
    if not rows:
        return NOT_MEASURED
    words = []
    for end in tables["ends"].rows():
        after = [row for row in rows if row["task"] == end["task"] and row["iteration"] > end["iteration"]]
        if after:
            low = min(row["accuracy"] for row in after)
            words.append(f"{end['task']} {end['accuracy']:.2f}, {low:.2f}, {after[-1]['accuracy']:.2f}")
    if not words:
        return f"{rows[-1]['task'].capitalize()} is at an accuracy of {rows[-1]['accuracy']:.2f}. {NO_SWITCH}"
    return f"At its end, at its lowest since, and now: {'; '.join(words)}.{_worst(tables)}"


def _worst(tables: Tables) -> str:
    found = tables["scores"].where(measure=MIN_ACC)["value"]
    return f" {MIN_ACC} is {found[0]:.2f}."


def gradients(tables: Tables) -> str:
    """Say how plasticity jumps at each switch, and where stability is then."""
    plasticity = tables["gradients"].where(gradient=PLASTICITY)
    by_iteration = dict(zip(plasticity["iteration"].tolist(), plasticity["norm"].tolist(), strict=True))
    words = []
    for row in tables["first_steps"].rows():
        rise = f"{row['task']} {by_iteration[row['iteration'] - 1]:.2g} to {row['plasticity']:.2g}"
        words.append(rise if row["stability"] is None else f"{rise}, stability {row['stability']:.2g}")
    if not words:
        latest = max(by_iteration)
        return f"In task 1 there is only plasticity, {by_iteration[latest]:.2g} at iteration {latest}."
    return f"Plasticity from the step before a switch to the first after it: {'; '.join(words)}."


def closeup(tables: Tables) -> str:
    """Say how far each earlier task falls after the chosen switch, how fast, and how far it is back."""
    rows = tables["closeup"].rows()
    if not rows:
        return NOT_BEGUN
    newest = rows[-1]["task"]
    words = []
    for task in TASK_NAMES[: TASK_NAMES.index(newest)]:
        own = [row for row in rows if row["task"] == task]
        low = min(own, key=lambda row: row["accuracy"])
        words.append(
            f"{task} from {own[0]['accuracy']:.2f} to {low['accuracy']:.2f} after {low['after']} "
            f"and {own[-1]['accuracy']:.2f} after {own[-1]['after']} iterations"
        )
    return f"As {newest} begins: {'; '.join(words)}."


def closeup_gradients(tables: Tables) -> str:
    """Say how small the stability gradient is at first, and when it is largest."""
    rows = tables["closeup_gradients"].rows()
    if not rows:
        return NOT_BEGUN
    first = tables["first_steps"].where(task=rows[0]["task"]).rows()[0]
    start = f"At the first step plasticity is {first['plasticity']:.2g}"
    if first["stability"] is None:
        return f"{start}; this method has no stability gradient."
    start = f"{start} and stability {first['stability']:.2g}"
    stability = [row for row in rows if row["gradient"] == STABILITY]
    if not stability:
        return f"{start}."
    top = max(stability, key=lambda row: float(row["norm"]))
    return f"{start}; stability is largest, {top['norm']:.2g}, at step {top['after']}."


def old_tasks(tables: Tables) -> str:
    """Say how far each method's earlier tasks fall at their worst, and how they end."""
    rows = tables["old_tasks"].rows()
    if not rows or rows[-1]["iteration"] <= tables["switches"]["iteration"][0]:
        return NO_SWITCH
    words = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        low = min(own, key=lambda row: row["accuracy"])
        words.append(
            f"{method} falls to {low['accuracy']:.2f} during {low['during']} and is at {own[-1]['accuracy']:.2f} "
            f"after iteration {own[-1]['iteration']}"
        )
    return f"Mean accuracy on the earlier tasks: {'; '.join(words)}."


def scores(tables: Tables) -> str:
    """List the summaries of every method."""
    rows = tables["scores"].rows()
    if not rows:
        return NOT_MEASURED
    by_method: dict[str, list[Row]] = {}
    for row in rows:
        by_method.setdefault(row["method"], []).append(row)
    return " ".join(f"{method}: {_listed(own)}." for method, own in by_method.items())


def _listed(rows: Sequence[Row]) -> str:
    values = {row["measure"]: row["value"] for row in rows}
    return ", ".join(f"{measure} {values[measure]:.2f}" for measure in MEASURES if measure in values)
