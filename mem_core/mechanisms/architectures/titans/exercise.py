"""The exercise: the forget gate that serves a fixed momentum."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mem_core.engine import Engine
from mem_core.mechanisms.architectures.titans.overfull import draw, errors_at_the_end
from mem_core.mechanisms.architectures.titans.settings import AFTER, TitansSettings
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.settings import Settings

ASKED_ERROR = 0.45
ACCEPTED_ERROR = 0.46
"""A little above what is asked: fresh streams differ by about 0.01."""
ASKED = {
    "step_size": 0.1,
    "momentum": 0.8,
    "pairs": 120,
    "width": 16,
    "streams": 20,
    "depth": 1,
    "chunk": 1,
    "read": AFTER,
    "burst": False,
}
"""What the question fixes, whatever the page is set to."""
NEIGHBOUR = 2.0
"""How much smaller and larger the forget gates are that the feedback compares with."""


@dataclass(frozen=True)
class ForgetAnswer(Settings):
    """What the learner answers."""

    forget: float = setting(
        0.01,
        Number(
            label="Forget gate α",
            help="Share of the memory that every token takes away.",
            low=0.001,
            high=0.5,
            scale="log",
            also=(0.0,),
        ),
    )


def grade(answer: ForgetAnswer, settings: TitansSettings, seed: int, engine: Engine) -> Grade:
    """Let the memory read fresh streams with the answer, and with half and twice as much forgetting."""
    asked = settings.changed(**ASKED, forget=answer.forget)
    gates = [
        replace(asked.gates, forget=min(1.0, answer.forget * factor)) for factor in (1.0, 1 / NEIGHBOUR, NEIGHBOUR)
    ]
    error, less, more = errors_at_the_end(asked, engine, seed, draw(asked, engine, seed), gates)
    words = f"With α = {answer.forget:g} the error on the last 12 pairs of 20 fresh streams is {error:.3f}."
    if error <= ACCEPTED_ERROR:
        return Grade(True, f"{words} Half as much forgetting gives {less:.3f}, twice as much {more:.3f}.")
    if answer.forget == 0 or more < less:
        return Grade(False, f"{words} Old pairs still crowd the memory: it needs to forget more.")
    return Grade(False, f"{words} What was just stored fades before it is read: it should forget less.")


EXERCISE = Exercise(
    question=(
        "The step size θ is fixed at 0.1 and the surprise decay η at 0.8, the stream has 120 pairs of width 16. Find a "
        f"forget gate α with which the error on the last 12 pairs is at most {ASKED_ERROR:g}."
    ),
    answer=ForgetAnswer,
    grade=grade,
    follow_up=(
        "A matrix of width 16 has room for some 16 pairs. At α = 0.05 a pair is half gone after 14 tokens: the gate "
        "sets how many pairs share the memory, and the best one keeps about as many as fit."
    ),
)
