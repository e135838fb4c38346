"""The exercise: choose a constant rate that beats repeated cosine and still learns the newest task."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.learning.infinite_lr.results import AVERAGE
from mem_core.mechanisms.learning.infinite_lr.run import run
from mem_core.mechanisms.learning.infinite_lr.settings import (
    COSINE,
    INFINITE,
    NO_SWEEP,
    PRESETS,
    SCHEDULES,
    TASKS,
    WORD_PAIRS,
    InfiniteSettings,
)
from mem_core.mechanisms.settings import Settings

LEAST_GAIN = 0.05
"""By which the average must be below the cosine's, nats."""
LARGEST_LOSS_OF_NEWEST = 0.25
"""By which the loss on the newest task may be above the cosine's, nats."""


@dataclass(frozen=True)
class RatioAnswer(Settings):
    """What the learner answers."""

    constant_ratio: float = setting(
        1.0,
        Number(
            label="Constant rate over peak",
            help="The constant rate of the infinite schedule, as a share of its peak.",
            low=0.05,
            high=1,
            step=0.05,
        ),
    )


def grade(answer: RatioAnswer, settings: InfiniteSettings, seed: int, engine: Engine) -> Grade:
    """Train both schedules afresh on word pairs, with the answer's constant rate."""
    words = settings if settings.task == WORD_PAIRS else PRESETS["browser"]
    *_, last = run(words.changed(constant_ratio=answer.constant_ratio, sweep=NO_SWEEP), engine, seed)
    scores, matrix = last.tables["scores"].where(measure=AVERAGE), last.tables["matrix"].where(after=TASKS, task=TASKS)
    average, newest = (
        {schedule: float(table.where(schedule=schedule)["loss"][0]) for schedule in SCHEDULES}
        for table in (scores, matrix)
    )
    gain, cost = average[COSINE] - average[INFINITE], newest[INFINITE] - newest[COSINE]
    feedback = (
        f"In a fresh run at {answer.constant_ratio:g} the average is {average[INFINITE]:.3f} against the cosine's "
        f"{average[COSINE]:.3f}, better by {gain:.3f} (wanted {LEAST_GAIN:g}), and the newest task is at "
        f"{newest[INFINITE]:.3f} against {newest[COSINE]:.3f}, {cost:+.3f} (allowed {LARGEST_LOSS_OF_NEWEST:g})."
    )
    if gain < LEAST_GAIN:
        feedback += " Too much is forgotten, or too little learned: look at forgetting and learning in the bars."
    elif cost > LARGEST_LOSS_OF_NEWEST:
        feedback += " It forgets little because it learns little: the rate is too low for the newest task."
    return Grade(gain >= LEAST_GAIN and cost <= LARGEST_LOSS_OF_NEWEST, feedback)


EXERCISE = Exercise(
    question=(
        "Choose the constant rate so that the average loss on word pairs after three tasks is at least 0.05 below that "
        "of repeated cosine, while the loss on the newest task is at most 0.25 above the cosine's."
    ),
    answer=RatioAnswer,
    grade=grade,
    follow_up=(
        "A high constant rate forgets like the cosine, a very low one keeps the old by hardly learning the new. The "
        "best of both lies in between, and it moves with the peak rate: try the sweep."
    ),
)
