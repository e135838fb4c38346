"""The run: three tasks one after another under both schedules, measured on all three all the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.learning.infinite_lr.plans import plan_training
from mem_core.mechanisms.learning.infinite_lr.problems import problem_of
from mem_core.mechanisms.learning.infinite_lr.results import (
    AVERAGE,
    TASK_NAMES,
    fading_table,
    first_task_table,
    losses_table,
    matrix_table,
    rates_table,
    retention_table,
    scores_table,
    sweep_table,
    tasks_table,
)
from mem_core.mechanisms.learning.infinite_lr.settings import (
    COSINE,
    INFINITE,
    SCHEDULES,
    TASKS,
    WORD_PAIRS,
    InfiniteSettings,
)
from mem_core.mechanisms.learning.infinite_lr.training import History, train
from mem_core.mechanisms.tables import Table

FRAMES_A_TASK = {True: 4, False: 12}  # of word pairs, of digits, whose steps take fifty times as long
LOGS_A_TASK = {True: 40, False: 12}
FIRST_STEPS = (1, 2, 5)  # of every task, measured too: forgetting begins at once


def run(settings: InfiniteSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Train under both schedules and yield all tables after each stretch of steps.

    Raises:
        RunError: if training diverges, or if the digits are not installed.
    """
    plans = plan_training(settings)
    problem = problem_of(settings, engine, seed)
    unit, last = problem.unit, TASKS * settings.steps
    still = {"rates": rates_table(settings, plans), "tasks": tasks_table(settings, plans)}
    for step, history in train(engine, problem, settings, plans, log_steps(settings), frame_steps(settings)):
        fading = fading_table(settings, history)
        tables = {
            **still,
            "first_task": first_task_table(history, unit),
            "infinite_losses": losses_table(history, INFINITE, unit),
            "cosine_losses": losses_table(history, COSINE, unit),
            "matrix": matrix_table(plans, history, unit),
            "scores": scores_table(plans, history, unit),
            "sweep": sweep_table(settings, plans, history, unit),
            "fading": fading,
            "retention": retention_table(fading),
        }
        yield Frame(step / last, tables, _sentence(step, last, history, tables["scores"]))


def log_steps(settings: InfiniteSettings) -> set[int]:
    """Choose the steps to measure: an even grid, and the first few of every task."""
    every = _share_of_a_task(settings, LOGS_A_TASK)
    begins = [task * settings.steps for task in range(TASKS)]
    grid = {begin + local for begin in begins for local in range(every, settings.steps, every)}
    return grid | {begin + first for begin in begins for first in FIRST_STEPS}


def frame_steps(settings: InfiniteSettings) -> Sequence[int]:
    """Choose the steps after which a frame is shown, among them the end of every task."""
    every = _share_of_a_task(settings, FRAMES_A_TASK)
    begins = [task * settings.steps for task in range(TASKS)]
    return sorted(
        {begin + local for begin in begins for local in [*range(every, settings.steps, every), settings.steps]}
    )


def _share_of_a_task(settings: InfiniteSettings, parts: dict[bool, int]) -> int:
    return -(-settings.steps // parts[settings.task == WORD_PAIRS])


def _sentence(step: int, last: int, history: History, scores: Table) -> str:
    """Say where the run is, and at its end which schedule did better."""
    if step < last:
        learned = len(history.checkpoints)
        return f"Step {step} of {last}: {TASK_NAMES[min(learned, TASKS - 1)]} is being learned."
    averages = {schedule: float(scores.where(schedule=schedule, measure=AVERAGE)["loss"][0]) for schedule in SCHEDULES}
    words = ", ".join(f"{schedule} {average:.3g}" for schedule, average in averages.items())
    return f"Average loss after {TASKS} tasks: {words}."
