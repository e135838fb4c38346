"""The exercise: forget a digit that resists, without harm to the others."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.editing.synaptic_dampening.forgetting import BEFORE
from mem_core.mechanisms.editing.synaptic_dampening.run import run
from mem_core.mechanisms.editing.synaptic_dampening.settings import (
    ALL_LAYERS,
    DIGIT,
    LARGEST_ALPHA,
    PER_ROW,
    DampeningSettings,
)
from mem_core.mechanisms.editing.synaptic_dampening.tables import D_R_TEST, FORGET_TEST, KEEP_TEST, value_of
from mem_core.mechanisms.settings import Settings

TO_FORGET = 8
LARGEST_REST = 0.05
"""Of the digit's test rows that may still be right."""
LARGEST_LOSS = 0.03
"""By which the share of right answers on the other test rows may fall."""


@dataclass(frozen=True)
class DampeningAnswer(Settings):
    """What the learner answers."""

    alpha: float = setting(
        6.0,
        Number(
            label="Selection α",
            help="Weights that matter more than α times as much for the digit are selected.",
            low=0.1,
            high=LARGEST_ALPHA,
            scale="log",
        ),
    )
    dampening: float = setting(
        1.0,
        Number(
            label="Dampening λ",
            help="A selected weight is multiplied by λ over its ratio of importances.",
            low=0.05,
            high=2,
            scale="log",
        ),
    )


def grade(answer: DampeningAnswer, settings: DampeningSettings, seed: int, engine: Engine) -> Grade:
    """Train a network, dampen it with the answer's α and λ, and measure both."""
    asked = settings.changed(
        digit=TO_FORGET,
        forget=DIGIT,
        layers=ALL_LAYERS,
        importance=PER_ROW,
        networks=1,
        alpha=answer.alpha,
        dampening=answer.dampening,
    )
    tables = next(frame.tables for frame in run(asked, engine, seed) if len(frame.tables["methods"]))
    shares = {row["line"]: row["share"] for row in tables["own"].rows()}
    summary = tables["summary"].rows()[0]
    rest, lost = shares[FORGET_TEST], value_of(tables, BEFORE, D_R_TEST) - shares[KEEP_TEST]
    feedback = (
        f"With α = {answer.alpha:.3g} and λ = {answer.dampening:.3g}, {summary['selected']} weights are selected, "
        f"{rest:.0%} of the eights are still right (allowed {LARGEST_REST:.0%}), and the other digits lose "
        f"{100 * lost:.1f} points (allowed {100 * LARGEST_LOSS:.0f})."
    )
    if rest > LARGEST_REST:
        feedback += (
            f" Select more or shrink harder. The largest ratio here is {summary['largest_ratio']:.3g}; none can be "
            f"above 1/f = {summary['ceiling']:.3g}."
        )
    elif lost > LARGEST_LOSS:
        feedback += " Weights that serve the other digits too were hit: raise α."
    return Grade(rest <= LARGEST_REST and lost <= LARGEST_LOSS, feedback)


EXERCISE = Exercise(
    question=(
        "Choose α and λ so that digit 8 is forgotten, at most 5 % of its test rows right, while the share of right "
        "answers on the other digits falls by at most 3 points."
    ),
    answer=DampeningAnswer,
    grade=grade,
    follow_up=(
        "α decides which weights are hit, λ how hard. Which pairs work differs from network to network: try another "
        "seed, and see that no setting is safe for all."
    ),
)
