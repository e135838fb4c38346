"""The exercise: the smallest subspace that still protects."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from mem_core.engine import Engine
from mem_core.mechanisms.continual.hebbian_projection.results import AVERAGE, TRANSFER
from mem_core.mechanisms.continual.hebbian_projection.run import run
from mem_core.mechanisms.continual.hebbian_projection.settings import HEBBIAN, PRESETS, ProjectionSettings
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.settings import Settings

LEAST_TRANSFER = -0.10
"""Where the curve is steep: for −0.06 the smallest size is anything from 0.5 to 1, depending on the seeds."""
FRESH_RUNS = 5
SMALLER = 0.2
"""By this much a subspace must be too small for the answer to be near the smallest."""


@dataclass(frozen=True)
class SizeAnswer(Settings):
    """What the learner answers."""

    size_factor: float = setting(
        1.5,
        Number(
            label="Smallest subspace size",
            unit="times the usual",
            help="Two steps of 0.1 less must be too small.",
            low=0,
            high=1.5,
            step=0.1,
        ),
    )


def grade(answer: SizeAnswer, settings: ProjectionSettings, seed: int, engine: Engine) -> Grade:
    """Train afresh at the answer and a little below it, with all else as on the page at its first showing."""
    transfer, average = _mean_scores(answer.size_factor, seed, engine)
    feedback = (
        f"In {FRESH_RUNS} fresh runs at size {answer.size_factor:g}, backward transfer is {transfer:+.3f} (wanted at "
        f"least {LEAST_TRANSFER:g}) and the average accuracy {average:.3f}."
    )
    if transfer < LEAST_TRANSFER:
        return Grade(False, f"{feedback} Too much of the old activity lies outside: take more rows.")
    smaller = max(answer.size_factor - SMALLER, 0.0)
    transfer_below, average_below = _mean_scores(smaller, seed, engine)
    feedback += f" At size {smaller:.1f} they are {transfer_below:+.3f} and {average_below:.3f}."
    if transfer_below >= LEAST_TRANSFER:
        return Grade(False, f"{feedback} A smaller subspace protects well enough, and leaves more room to learn in.")
    return Grade(True, feedback)


def _mean_scores(size_factor: float, seed: int, engine: Engine) -> tuple[float, float]:
    """Return backward transfer and average accuracy, each the mean of fresh runs."""
    settings = PRESETS["browser"].changed(protections=(HEBBIAN,), size_factor=size_factor)
    scores = []
    for fresh in range(seed, seed + FRESH_RUNS):
        *_, last = run(settings, engine, fresh)
        scores.append(last.tables["scores"])
    transfer, average = (
        fmean(float(of_run.where(measure=measure)["accuracy"][0]) for of_run in scores)
        for measure in (TRANSFER, AVERAGE)
    )
    return transfer, average


EXERCISE = Exercise(
    question=(
        "Find the smallest subspace size, in steps of 0.1, at which the Hebbian network's backward transfer on three "
        "tasks is −0.1 or better: the mean of five fresh runs, with all other settings as they first were. Two steps "
        "less must be too small."
    ),
    answer=SizeAnswer,
    grade=grade,
    follow_up=(
        "A few rows already hold most of the energy and prevent most of the forgetting; each further row adds less. At "
        "size 1.5 little is forgotten, but there is little left to learn from, and new tasks suffer."
    ),
)
