"""The exercise: when to make the index, so that it is right about three in four of the facts that changed."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.overview.memory_in_llms.dated_facts import QUESTION, SNAPSHOT, draw
from mem_core.mechanisms.overview.memory_in_llms.regimes import Search, passages
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings
from mem_core.mechanisms.settings import Settings

WANTED = 0.75
FRESH_WORLDS = 10
TOLERANCE = 0.02
"""How far q₁ + q₂ may lie from the total that is given."""
SCATTER = 0.015
"""Standard error of the mean over ten worlds with some 75 changed facts each: an answer this close is accepted."""
ROUNDING = 1e-9


@dataclass(frozen=True)
class RefreshAnswer(Settings):
    """What the learner answers."""

    before_snapshot: float = setting(
        0.2,
        Number(
            label="Changed before the index is made (q₁)",
            unit="share",
            help="The later the index is made, the more of the changes come before it.",
            low=0.0,
            high=0.6,
            step=0.01,
        ),
    )
    after_snapshot: float = setting(
        0.2,
        Number(
            label="Changed since (q₂)",
            unit="share",
            help="What is left for the time after it. Both together must stay what they are on this page.",
            low=0.0,
            high=0.6,
            step=0.01,
        ),
    )


def freshness(settings: MapSettings, engine: Engine, seed: int) -> float:
    """Return what a frozen index answers right of the facts that changed, in fresh worlds."""
    shares = []
    for world in range(FRESH_WORLDS):
        worlds = draw(engine, settings, seed, [world])
        found = Search(engine, worlds).look_up(settings.noise).place
        right = passages(engine, worlds, found, SNAPSHOT) == worlds.true(QUESTION)
        shares.append(float(right[worlds.changed].mean()))
    return fmean(shares)


def grade(answer: RefreshAnswer, settings: MapSettings, seed: int, engine: Engine) -> Grade:
    """Check the total, then measure freshness in ten fresh worlds."""
    total = settings.before_snapshot + settings.after_snapshot
    given = answer.before_snapshot + answer.after_snapshot
    if abs(given - total) > TOLERANCE + ROUNDING:
        return Grade(
            False,
            f"q₁ + q₂ is {given:.2f}, but the world changes by {total:.2f} in all, and only the day of the index is "
            f"yours to choose: keep the sum within {TOLERANCE:g} of that.",
        )
    asked = settings.changed(before_snapshot=answer.before_snapshot, after_snapshot=answer.after_snapshot)
    found = freshness(asked, engine, seed)
    words = f"In {FRESH_WORLDS} fresh worlds the index is right about {found:.2f} of the facts that changed."
    if found < WANTED - SCATTER:
        return Grade(False, f"{words} That is below {WANTED:g}: make the index later, so that more changes precede it.")
    if found < WANTED:
        words += f" That is {WANTED:g} as far as ten worlds can tell: their mean scatters by {SCATTER:g}."
    return Grade(True, words)


EXERCISE = Exercise(
    question=(
        "The world changes by q₁ + q₂ = 0.40 between training and question, whenever you make the index. Make it so "
        f"late that it is right about {WANTED:g} of the facts that changed: which q₁ and q₂ are that?"
    ),
    answer=RefreshAnswer,
    grade=grade,
    follow_up=(
        "For perfect reads freshness is q₁(1 − q₂) divided by the share that changed, 1 − (1 − q₁)(1 − q₂) − q₁q₂/11: "
        "about three quarters of the changes must come before the index."
    ),
)
