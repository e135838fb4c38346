"""The sentence of every chart, computed from the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mem_core.mechanisms.learning.infinite_lr.results import AVERAGE, FORGETTING, LEARNING, MEASURES, TASK_NAMES
from mem_core.mechanisms.learning.infinite_lr.settings import COSINE, INFINITE, SCHEDULES
from mem_core.mechanisms.learning.infinite_lr.training import COPY, MAIN
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
Row = dict[str, Any]
NOT_YET = "The first task is not learned yet."


def rates(tables: Tables) -> str:
    """Say how each schedule behaves where a new task begins."""
    begins = tables["tasks"]["step"].tolist()
    infinite = tables["rates"].where(schedule=INFINITE, part=MAIN).rows()
    cosine = tables["rates"].where(schedule=COSINE).rows()
    lowest = tables["rates"].where(schedule=INFINITE, part=COPY)["rate"].min()
    again = max(row["rate"] for row in cosine if row["step"] > begins[0])
    return (
        f"Both rise to {max(row['rate'] for row in infinite):.3g} in task 1. The infinite schedule then stays at "
        f"{infinite[-1]['rate']:.3g}, and only copies are annealed to {lowest:.3g}; the cosine falls to "
        f"{cosine[-1]['rate']:.3g} in every task and rises to {again:.3g} in each later one."
    )


def first_task(tables: Tables) -> str:
    """Say what happens to the loss on the first task once the second begins."""
    ends = tables["tasks"]["step"].tolist()
    words = []
    for schedule in SCHEDULES:
        losses = {row["step"]: row["loss"] for row in tables["first_task"].where(schedule=schedule, part=MAIN).rows()}
        reached = [
            f"{losses[end]:.3g} when {name} ended" for end, name in zip(ends, TASK_NAMES, strict=False) if end in losses
        ]
        last = max(losses)
        now = [] if last in ends else [f"{losses[last]:.3g} after step {last}"]
        words.append(f"{schedule} {', '.join(reached + now)}")
    return f"Loss on task 1: {'; '.join(words)}."


def every_task(table: str, schedule: str) -> Callable[[Tables], str]:
    """Return a function that says where the loss on every task stands under a schedule."""

    def describe(tables: Tables) -> str:
        rows = tables[table].where(part=MAIN).rows()
        last = max(row["step"] for row in rows)
        losses = {row["task"]: row["loss"] for row in rows if row["step"] == last}
        words = ", ".join(f"{loss:.3g} on {task}" for task, loss in losses.items())
        return f"Under the {schedule} schedule the loss after step {last} is {words}.{_copies(tables[table])}"

    return describe


def _copies(table: Table) -> str:
    """Say where the last annealed copy ended, if there is one."""
    rows = table.where(part=COPY).rows()
    if not rows:
        return ""
    branch = rows[-1]["branch"]
    ended = [f"{row['loss']:.3g} on {row['task']}" for row in rows[-len(TASK_NAMES) :]]
    return f" The copy annealed in {branch} is at {', '.join(ended)}."


def matrix(tables: Tables) -> str:
    """Say how the loss on the first task rises from checkpoint to checkpoint."""
    rows = tables["matrix"].rows()
    if not rows:
        return NOT_YET
    words = []
    for schedule in SCHEDULES:
        losses = [f"{row['loss']:.3g}" for row in rows if row["schedule"] == schedule and row["task"] == 1]
        newest = max(row["after"] for row in rows)
        own = next(
            row["loss"] for row in rows if (row["schedule"], row["after"], row["task"]) == (schedule, newest, newest)
        )
        words.append(f"{schedule} {', '.join(losses)} on task 1 and {own:.3g} on the newest")
    return f"Checkpoint by checkpoint: {'; '.join(words)}."


def scores(tables: Tables) -> str:
    """Say which schedule ends lower on average, and why."""
    found = _by_measure(tables["scores"].rows())
    if not found:
        return NOT_YET
    lowest = min(found[AVERAGE], key=lambda schedule: found[AVERAGE][schedule])
    words = "; ".join(
        f"{measure} {', '.join(f'{schedule} {loss:.3g}' for schedule, loss in found[measure].items())}"
        for measure in MEASURES
        if measure in found
    )
    return f"{words[0].upper()}{words[1:]}. {lowest[0].upper()}{lowest[1:]} has the lower average."


def fading(tables: Tables) -> str:
    """Say how much of the first task is left under each schedule."""
    rows = tables["fading"].rows()
    if not rows:
        return NOT_YET
    last = {row["schedule"]: row for row in rows}
    words = " and ".join(f"{schedule} keeps {row['retention']:.0%}" for schedule, row in last.items())
    lag = max(row["lag"] for row in rows)
    return f"Of what was learned of task 1, {words}, {lag} steps after it ended."


def sweep(tables: Tables) -> str:
    """Say where the average is lowest, and what happens to learning and forgetting from end to end."""
    rows = tables["sweep"].rows()
    if not rows:
        return NOT_YET
    infinite = [row for row in rows if row["schedule"] == INFINITE]
    averages = {row["value"]: row["loss"] for row in infinite if row["measure"] == AVERAGE}
    if len(averages) == 1:
        value, average = next(iter(averages.items()))
        return f"One value only, {value:.3g}, with an average of {average:.3g}: choose a sweep to see more."
    best = min(averages, key=lambda value: averages[value])
    ends = "; ".join(
        f"{measure} from {losses[0]:.3g} to {losses[-1]:.3g}"
        for measure in (FORGETTING, LEARNING)
        if (losses := [row["loss"] for row in infinite if row["measure"] == measure])
    )
    return (
        f"The infinite schedule's average is lowest, {averages[best]:.3g}, at {best:.3g}. From {min(averages):.3g} to "
        f"{max(averages):.3g}: {ends}.{_best_cosine(rows)}"
    )


def _best_cosine(rows: Sequence[Row]) -> str:
    averages = [row["loss"] for row in rows if row["schedule"] == COSINE]
    best = " at its best peak" if len(set(averages)) > 1 else ""
    return f" The cosine's average: {min(averages):.3g}{best}."


def _by_measure(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["measure"], {})[row["schedule"]] = row["loss"]
    return found
