"""The exercise: choose τ so that what is recalled daily lives and what is never recalled goes."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine, philox
from mem_core.mechanisms.agents.memorybank.forgetting import HAZARD, PER_LOAD, SURVIVAL
from mem_core.mechanisms.agents.memorybank.settings import ForgettingSettings
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.settings import Settings

LIVES = 4_000
LAST_DAY, LAST_RECALL = 14, 7
"""In days after storing; recalls come once a day from day 1."""
ENOUGH, TOO_MUCH = 0.40, 0.05
"""Share alive that a recalled memory must reach, and that a never recalled one must stay below."""


@dataclass(frozen=True)
class Tau(Settings):
    """The learner's answer."""

    tau: float = setting(
        1.0,
        Number(
            label="Your τ",
            unit="days",
            help="Days per unit of strength: R = exp(−t/(τ·S)).",
            low=0.5,
            high=10.0,
            step=0.01,
        ),
    )


def share_alive(policy: str, tau: float, recalls: int, seed: int, engine: Engine) -> float:
    """Let memories live for two weeks and count those left.

    Every night the rule decides with t in days since the last recall. A memory alive on days 1 to `recalls` is
    recalled once on each of them, after the night's check: S grows by one and t returns to 0.

    Args:
        policy: `hazard` or `per load`.
        tau: days per unit of strength.
        recalls: number of days with a recall, 0 for none.
        seed: of the lots.
        engine: computes.
    """
    xp = engine.xp
    nights = range(1, LAST_DAY + 1)
    strength = [1.0 + min(night - 1, recalls) for night in nights]
    elapsed = [float(1 if night <= recalls else night - recalls) for night in nights]
    chance = SURVIVAL[policy](xp, xp.asarray(elapsed, dtype=xp.float64), xp.asarray(strength, dtype=xp.float64), tau, 1)
    lots = xp.asarray(philox(seed, "exercise", policy, recalls).random((LIVES, LAST_DAY)), dtype=xp.float64)
    return engine.item(xp.mean(xp.astype(xp.all(lots < chance, axis=-1), xp.float64)))


def grade(answer: Tau, settings: ForgettingSettings, seed: int, engine: Engine) -> Grade:
    """Let 4000 memories of each kind live with the learner's τ."""
    del settings
    recalled = share_alive(HAZARD, answer.tau, LAST_RECALL, seed, engine)
    never = share_alive(HAZARD, answer.tau, 0, seed, engine)
    found = (
        f"With τ = {answer.tau:g} days, {recalled:.1%} of {LIVES} recalled memories are alive on day {LAST_DAY}, and "
        f"{never:.1%} of those never recalled."
    )
    if recalled < ENOUGH:
        return Grade(False, f"{found} The recalled ones fade too fast: a larger τ slows every memory down.")
    if never >= TOO_MUCH:
        return Grade(False, f"{found} Too many live on without a recall: a smaller τ lets them go.")
    loaded = share_alive(PER_LOAD, answer.tau, LAST_RECALL, seed, engine)
    return Grade(True, f"{found} Under per load the same τ would leave {loaded:.1%} of the recalled ones.")


EXERCISE = Exercise(
    question=(
        f"Under hazard, find a τ such that a memory recalled once a day on days 1 to {LAST_RECALL} is still alive on "
        f"day {LAST_DAY} with probability at least {ENOUGH:.2f}, while one that is never recalled is alive then with "
        f"probability below {TOO_MUCH:.2f}."
    ),
    answer=Tau,
    grade=grade,
    follow_up=(
        "Now do it again with per load in mind: each night the piece has to survive R(t) itself, not only the part "
        "that the last day took from it. In the week without recalls the exponents 1/8, 2/8, …, 7/8 add up to 3.5 in "
        "place of 7/8. Which τ does the recalled memory need now, and does the other condition still bind?"
    ),
)
