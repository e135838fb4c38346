"""The exercise: a λ that writes the new facts and keeps the old ones."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, Switch, setting
from mem_core.mechanisms.editing.pmet.bench import Bench, Recipe
from mem_core.mechanisms.editing.pmet.model import learn, make_world
from mem_core.mechanisms.editing.pmet.scoring import Scores
from mem_core.mechanisms.editing.pmet.settings import EDITABLE_LAYERS, PMET, SQUARE_ROOT, EditSettings
from mem_core.mechanisms.settings import Settings

EDITS = 16
ENOUGH = 0.9
"""Share that efficacy and specificity must reach."""
ASKED = {
    "edits": EDITS,
    "method": PMET,
    "spread": SQUARE_ROOT,
    "layers": EDITABLE_LAYERS,
    "clamp": 3.0,
    "kl_weight": 1.0,
    "steps": 30,
    "new_object": 1,
}
"""What the question fixes, whatever the page is set to; the model and its facts are the page's."""
SCAN = tuple(10 ** (3 * number / 11) for number in range(12))
"""Twelve λ from 1 to 1000, among which one is looked for if the answer is that there is none."""


@dataclass(frozen=True)
class PreservationAnswer(Settings):
    """What the learner answers."""

    preservation: float = setting(
        1.0,
        Number(
            label="Preservation λ",
            help="How much the answers to other keys count.",
            low=1,
            high=1000,
            scale="log",
        ),
    )
    none: bool = setting(
        False,
        Switch(label="There is none", help="Switch on if you think that no λ does it; λ is then not looked at."),
    )


def grade(answer: PreservationAnswer, settings: EditSettings, seed: int, engine: Engine) -> Grade:
    """Train the model of the page, edit it with the answer's λ, or with twelve to find out whether there is one."""
    asked = settings.changed(**ASKED)
    bench = _bench(asked, seed, engine)
    if not answer.none:
        return _judged(answer.preservation, _scores(bench, answer.preservation))
    good = [value for value in SCAN if _reached(_scores(bench, value))]
    if not good:
        return Grade(True, f"Right: none of {len(SCAN)} values from 1 to 1000 reaches both.")
    return Grade(False, f"There are some: of {len(SCAN)} values from 1 to 1000, {len(good)} reach both.")


def _bench(asked: EditSettings, seed: int, engine: Engine) -> Bench:
    *_, learned = learn(engine, asked, seed)
    return Bench(engine, asked, seed, make_world(asked, seed), learned.params)


def _scores(bench: Bench, preservation: float) -> Scores:
    return bench.scores(Recipe(PMET, SQUARE_ROOT, preservation), EDITS)


def _reached(scores: Scores) -> bool:
    return min(scores.efficacy, scores.specificity) >= ENOUGH


def _judged(preservation: float, scores: Scores) -> Grade:
    words = f"At λ = {preservation:g} efficacy is {scores.efficacy:.0%} and specificity {scores.specificity:.0%}."
    if _reached(scores):
        return Grade(True, f"{words} Generalisation, which was not asked for, is {scores.generalisation:.0%}.")
    if scores.efficacy < ENOUGH:
        return Grade(False, f"{words} Too little of the new facts is written: lower λ.")
    return Grade(False, f"{words} Too many other facts are damaged: raise λ.")


EXERCISE = Exercise(
    question=(
        f"PMET makes {EDITS} edits with the square-root spread over layers 1 to 3, with 30 optimisation steps and "
        "c = 3. Find a λ with which efficacy and specificity are both at least 90%, or say that there is none."
    ),
    answer=PreservationAnswer,
    grade=grade,
    follow_up=(
        "λ weighs the new keys against all others. The two pull in opposite directions, and the room between them "
        "gets smaller with every edit: try the same with 32."
    ),
)
