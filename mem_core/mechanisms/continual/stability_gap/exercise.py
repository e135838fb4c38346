"""The exercise: raise the worst case without giving up the end, and without a larger memory."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.continual.stability_gap.results import ACC, MIN_ACC
from mem_core.mechanisms.continual.stability_gap.run import run
from mem_core.mechanisms.continual.stability_gap.settings import EVERYTHING, GapSettings
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Choice, Number, Whole, setting
from mem_core.mechanisms.settings import Settings

NETWORKS = 3
"""Whose mean decides."""
LARGEST_COST = 0.03
"""By which the final accuracy may be below that of the default."""
LEAST_WORST = 0.30


@dataclass(frozen=True)
class RecipeAnswer(Settings):
    """What the learner answers."""

    new_weight: float = setting(
        0.5,
        Number(
            label="Weight of the new task", help="Of the new batch in the loss of ER.", low=0.1, high=0.9, step=0.05
        ),
    )
    learning_rate: float = setting(
        0.05, Choice(label="Learning rate", help="Of gradient descent.", options=(0.01, 0.05, 0.1))
    )
    memory: int = setting(
        200, Whole(label="Memory", unit="pictures", help="Kept by ER.", low=20, high=EVERYTHING, scale="log")
    )


def grade(answer: RecipeAnswer, settings: GapSettings, seed: int, engine: Engine) -> Grade:
    """Train three networks with the default and three with the answer, from the same first weights."""
    default = GapSettings(networks=NETWORKS, hidden=settings.hidden, epochs=settings.epochs)
    if answer.memory > default.memory:
        return Grade(
            False, f"The memory may not grow beyond {default.memory} pictures, and a larger one would hardly help."
        )
    recipe = default.changed(new_weight=answer.new_weight, learning_rate=answer.learning_rate, memory=answer.memory)
    (acc, worst), (acc_before, worst_before) = (_measured(each, seed, engine) for each in (recipe, default))
    feedback = (
        f"In fresh runs of {NETWORKS} networks the final accuracy is {acc:.2f} against {acc_before:.2f} by default "
        f"(allowed {LARGEST_COST:g} less), and min-ACC {worst:.2f} against {worst_before:.2f} (wanted above "
        f"{LEAST_WORST:g})."
    )
    if worst <= LEAST_WORST:
        feedback += " Old tasks still fall too far: which of the two gradients should weigh more in the first steps?"
    elif acc < acc_before - LARGEST_COST:
        feedback += " Too little is left for the new tasks."
    return Grade(worst > LEAST_WORST and acc >= acc_before - LARGEST_COST, feedback)


def _measured(settings: GapSettings, seed: int, engine: Engine) -> tuple[float, float]:
    """Return ACC and min-ACC of a fresh run."""
    *_, last = run(settings, engine, seed)
    scores = last.tables["scores"]
    acc, worst = (float(scores.where(measure=measure)["value"][0]) for measure in (ACC, MIN_ACC))
    return acc, worst


EXERCISE = Exercise(
    question=(
        "Raise min-ACC of ER on the pairs of digits above 0.30, without enlarging the memory of 200 pictures. The "
        "final accuracy must stay within 0.03 of the default's."
    ),
    answer=RecipeAnswer,
    grade=grade,
    follow_up=(
        "A smaller weight of the new batch slows the first steps, in which nothing defends the old tasks, and gives "
        "the replayed batch more say once its gradient has grown. The gap is smaller; it is not closed."
    ),
)
