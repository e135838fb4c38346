"""The tables of a run: what was measured, thinned to what a screen can show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mem_core.mechanisms.learning.infinite_lr.plans import Plan
from mem_core.mechanisms.learning.infinite_lr.settings import (
    AUTHORS,
    COSINE,
    INFINITE,
    PEAK_SWEEP,
    SCHEDULES,
    TASKS,
    InfiniteSettings,
)
from mem_core.mechanisms.learning.infinite_lr.training import COPY, MAIN, History, Measured
from mem_core.mechanisms.tables import Table
from mem_core.training.continual import TaskMatrix
from mem_core.training.schedules import Rates

AVERAGE, FORGETTING, LEARNING = "average", "forgetting", "learning"
MEASURES = (AVERAGE, FORGETTING, LEARNING)
COSINE_AVERAGE = "cosine's average"
TASK_NAMES = tuple(f"task {number + 1}" for number in range(TASKS))
HEADROOM = 1.05
POINTS_A_TASK = 50
"""Of a curve of learning rates."""


def tasks_table(settings: InfiniteSettings, plans: Sequence[Plan]) -> Table:
    """Lay out where each later task begins, and a height above all learning rates for its name."""
    above = HEADROOM * max(float(_first(plans, schedule)[1].rates.max()) for schedule in SCHEDULES)
    rows = [(task * settings.steps, name, above) for task, name in enumerate(TASK_NAMES) if task]
    return Table.of_rows(("step", "label", "above_rates"), rows, step="steps")


def rates_table(settings: InfiniteSettings, plans: Sequence[Plan]) -> Table:
    """Lay out the learning rates of the settings' own two runs, the main branches before the copies."""
    own = {schedule: _first(plans, schedule)[1] for schedule in SCHEDULES}
    rows: list[Sequence[Any]] = []
    for schedule, plan in own.items():
        waits = schedule == INFINITE and settings.branch == AUTHORS
        for branch, start, stop in _main_pieces(settings, waits):
            rows += [(schedule, MAIN, branch, step, rate) for step, rate in _thinned(settings, plan.rates, start, stop)]
    annealing = own[INFINITE].annealing
    assert annealing is not None, "the infinite schedule anneals copies"
    for task in range(TASKS):
        start = (task + 1) * settings.steps - settings.anneal_steps
        corner = (INFINITE, COPY, TASK_NAMES[task], start, float(own[INFINITE].rates[start - 1]))
        rows.append(corner)
        for step, rate in _thinned(settings, annealing, 0, settings.anneal_steps):
            rows.append((INFINITE, COPY, TASK_NAMES[task], start + step, rate))
    return Table.of_rows(("schedule", "part", "branch", "step", "rate"), rows, step="steps")


def first_task_table(history: History, unit: str) -> Table:
    """Lay out the loss on the first task under both schedules."""
    rows = [
        (schedule, part, branch, step, losses[0])
        for schedule in SCHEDULES
        for part, branch, step, losses in _branches(history, schedule)
    ]
    return Table.of_rows(("schedule", "part", "branch", "step", "loss"), rows, step="steps", loss=unit)


def losses_table(history: History, schedule: str, unit: str) -> Table:
    """Lay out the loss on every task under one schedule."""
    rows = [
        (name, part, branch, step, losses[task])
        for part, branch, step, losses in _branches(history, schedule)
        for task, name in enumerate(TASK_NAMES)
    ]
    rows.sort(key=lambda row: row[1] == COPY)  # main branches first, so that they are the ones drawn solid
    return Table.of_rows(("task", "part", "branch", "step", "loss"), rows, step="steps", loss=unit)


def matrix_table(plans: Sequence[Plan], history: History, unit: str) -> Table:
    """Lay out the loss of every checkpoint of the settings' own runs on every task."""
    rows = []
    for schedule in SCHEDULES:
        index, _ = _first(plans, schedule)
        for after, losses in enumerate(history.checkpoints):
            rows += [
                (f"{schedule} {after + 1}", schedule, after + 1, task + 1, float(loss), task == after)
                for task, loss in enumerate(losses[index])
            ]
    return Table.of_rows(("checkpoint", "schedule", "after", "task", "loss", "just_learned"), rows, loss=unit)


def scores_table(plans: Sequence[Plan], history: History, unit: str) -> Table:
    """Lay out average, forgetting and learning of the settings' own runs, after the tasks learned so far."""
    rows = [
        (schedule, measure, loss)
        for schedule in SCHEDULES
        for measure, loss in _scores(history, _first(plans, schedule)[0])
    ]
    rows.sort(key=lambda row: MEASURES.index(row[1]))
    return Table.of_rows(("schedule", "measure", "loss"), rows, loss=unit)


def sweep_table(settings: InfiniteSettings, plans: Sequence[Plan], history: History, unit: str) -> Table:
    """Lay out the same scores for every value that is swept, and the cosine's average beside them.

    Where nothing is swept, there is one value: the constant rate that is set.
    """
    by_peak = settings.sweep == PEAK_SWEEP
    values = sorted({plan.peak if by_peak else plan.ratio for plan in plans if plan.schedule == INFINITE})
    rows: list[Sequence[Any]] = []
    for index, plan in enumerate(plans):
        scores = _scores(history, index)
        if plan.schedule == INFINITE:
            rows += [(INFINITE, plan.peak if by_peak else plan.ratio, *score, score[0]) for score in scores]
        else:  # a cosine has no constant rate: its average is the same at every one of them
            found = [(*score, COSINE_AVERAGE) for score in scores if score[0] == AVERAGE]
            rows += [(COSINE, value, *score) for score in found for value in ([plan.peak] if by_peak else values)]
    rows.sort(key=lambda row: (SCHEDULES.index(row[0]), row[1]))
    return Table.of_rows(("schedule", "value", "measure", "loss", "line"), rows, loss=unit)


def fading_table(settings: InfiniteSettings, history: History) -> Table:
    """Lay out how much of the first task is left, by the steps since it ended.

    retention = (L(0) - L(T + lag)) / (L(0) - L(T)), kept within [0, 1], with L the main branch's loss on task 1.
    """
    rows: list[Sequence[Any]] = []
    for schedule in SCHEDULES:
        losses = {item.step: item.losses[0] for item in history.losses(schedule, MAIN)}
        learned = losses[0] - losses.get(settings.steps, losses[0])
        for step, loss in losses.items():
            if step >= settings.steps:
                left = (losses[0] - loss) / learned if learned > 0 else 0.0
                rows.append((schedule, step - settings.steps, min(max(left, 0.0), 1.0)))
    return Table.of_rows(("schedule", "lag", "retention"), rows, lag="steps")


def retention_table(fading: Table) -> Table:
    """Return the curve of the infinite schedule, the one that is laid beside those of other mechanisms."""
    own = fading.where(schedule=INFINITE)
    return Table.of({"lag": "steps"}, lag=own["lag"], retention=own["retention"])


def _first(plans: Sequence[Plan], schedule: str) -> tuple[int, Plan]:
    """Return the settings' own run under a schedule, and where it stands among the plans."""
    return next((index, plan) for index, plan in enumerate(plans) if plan.schedule == schedule)


def _scores(history: History, index: int) -> Iterator[tuple[str, float]]:
    """Give average, forgetting (from the second task on) and learning of one run."""
    if not history.checkpoints:
        return
    rows = [[float(loss) for loss in losses[index]] for losses in history.checkpoints]
    matrix = TaskMatrix.of(rows)
    yield AVERAGE, matrix.average()
    if matrix.learned > 1:
        yield FORGETTING, matrix.forgetting()
    yield LEARNING, matrix.learning()


def _branches(history: History, schedule: str) -> Iterator[tuple[str, str, int, Sequence[float]]]:
    """Give part, name, step and losses of everything measured under a schedule, the main branch first."""
    for part in (MAIN, COPY):
        for item in history.losses(schedule, part):
            yield part, _branch(item), item.step, item.losses


def _branch(item: Measured) -> str:
    return TASK_NAMES[item.task] if item.part == COPY else "all tasks"


def _main_pieces(settings: InfiniteSettings, waits: bool) -> Iterator[tuple[str, int, int]]:
    """Give the stretches of steps in which a main branch trains: all of them, or all but those of the annealings."""
    if not waits:
        yield "all tasks", 0, TASKS * settings.steps
        return
    for task, name in enumerate(TASK_NAMES):
        yield name, task * settings.steps, (task + 1) * settings.steps - settings.anneal_steps


def _thinned(settings: InfiniteSettings, rates: Rates, start: int, stop: int) -> Iterator[tuple[int, float]]:
    """Give (step, rate) of some steps, counted from 1, keeping both ends and every bend of a schedule."""
    stride = max(1, settings.steps // POINTS_A_TASK)
    bends = {task * settings.steps + extra for task in range(TASKS) for extra in (0, settings.warmup, settings.steps)}
    bends |= {settings.warmup + settings.cooldown_steps, start, stop - 1}
    shown = {*range(start, stop, stride), *(bend + side for bend in bends for side in (-1, 0))}
    for index in sorted(shown):
        if start <= index < stop:
            yield index + 1, float(rates[index])
