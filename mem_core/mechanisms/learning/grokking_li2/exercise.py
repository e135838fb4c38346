"""Find the smallest training share that still groks."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.learning.grokking_li2.boundary import train_cell
from mem_core.mechanisms.learning.grokking_li2.settings import GrokkingSettings
from mem_core.mechanisms.settings import Settings

TASK = GrokkingSettings(modulus=23, weight_decay=1e-3, steps=600)
STEP = 0.05
ENOUGH = 0.9
"""Mean test accuracy from which on the networks count as having grokked."""
NETWORKS = 3


@dataclass(frozen=True)
class ShareAnswer(Settings):
    """The share that the learner thinks is just enough."""

    train_share: float = setting(
        0.6,
        Number(
            label="Smallest training share",
            help="In steps of 0.05: the smallest share of all pairs with which the network still understands the rule.",
            unit="of all pairs",
            low=0.2,
            high=0.95,
            step=STEP,
        ),
    )


def grade(answer: ShareAnswer, settings: GrokkingSettings, seed: int, engine: Engine) -> Grade:
    """Train three fresh networks at the answer and three one step below it.

    The page's own settings play no part: the task names all that matters.
    """
    share = round(round(answer.train_share / STEP) * STEP, 2)
    below = round(share - STEP, 2)
    here = _accuracy(engine, share, seed)
    if here < ENOUGH:
        return Grade(
            False,
            f"With a share of {share:.2f} fresh networks have {here:.0%} of the test pairs right after {TASK.steps} "
            f"steps, and {ENOUGH:.0%} is asked for: they need more pairs.",
        )
    # Below the smallest share that a run allows there is nothing to compare with.
    under = _accuracy(engine, below, seed) if below >= 0.2 else 0.0
    if under >= ENOUGH:
        return Grade(
            False,
            f"With a share of {share:.2f} fresh networks grok ({here:.0%} of the test pairs right), but they still do "
            f"at {below:.2f} ({under:.0%}): fewer pairs are enough.",
        )
    return Grade(
        True,
        f"At {share:.2f} fresh networks have {here:.0%} of the test pairs right, at {below:.2f} only {under:.0%}. That "
        f"is {share * 23**2:.0f} of 529 pairs, close to 2.55·M·ln(M).",
    )


def _accuracy(engine: Engine, share: float, seed: int) -> float:
    return train_cell(engine, TASK, TASK.modulus, share, NETWORKS, seed).test_accuracy


EXERCISE = Exercise(
    question="For M = 23 and weight decay 0.001, find the smallest training share, in steps of 0.05, with which the "
    "network still groks within 600 steps (at least 90 % of the test pairs right, mean of three networks).",
    answer=ShareAnswer,
    grade=grade,
    follow_up="Which share does the curve 2.55·ln(M)/M give for M = 11 and for M = 31? Try both sides of it.",
)
