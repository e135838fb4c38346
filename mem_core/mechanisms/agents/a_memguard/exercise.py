"""The exercise: how many planted records make consensus alone fail more often than it works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.agents.a_memguard.drawing import draw
from mem_core.mechanisms.agents.a_memguard.lives import Lives
from mem_core.mechanisms.agents.a_memguard.measures import Counts
from mem_core.mechanisms.agents.a_memguard.settings import (
    CONSENSUS,
    LESSONS,
    MOST_POISON,
    QUERIES,
    MemGuardSettings,
)
from mem_core.mechanisms.agents.a_memguard.world import Case
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Whole, setting
from mem_core.mechanisms.settings import Settings

WORLDS = 20
FAILS = 0.5
SCATTER = 0.05
"""About one standard error of the mean over 20 worlds."""
FEWER = 3
"""So many records fewer, and consensus must still work: a smaller step is within the scatter of 20 worlds."""
RESCUED = 0.1


@dataclass(frozen=True)
class PlantedAnswer(Settings):
    """What the learner answers."""

    planted: int = setting(
        1,
        Whole(
            label="Planted records",
            unit="records",
            help="The smallest number with which consensus alone fails more often than it works.",
            low=1,
            high=MOST_POISON,
        ),
    )


def mean_attack(
    planted: Sequence[int], engine: Engine, seed: int, settings: MemGuardSettings | None = None
) -> list[dict[str, float]]:
    """Return mean attack success over fresh worlds by defence, for each number of planted records."""
    chosen = settings or MemGuardSettings()
    cases = [Case(life, count, chosen.trigger_weight, chosen.k) for count in planted for life in range(WORLDS)]
    defences = (CONSENSUS, LESSONS)
    lives = Lives(chosen, cases, draw(chosen, cases, engine, seed), engine, defences)
    for _ in range(chosen.rounds * QUERIES):
        lives.advance()
    attack = Counts.of(lives).attack_success
    return [
        dict(zip(defences, attack[start : start + WORLDS].mean(axis=0).tolist(), strict=True))
        for start in range(0, len(cases), WORLDS)
    ]


def grade(answer: PlantedAnswer, settings: MemGuardSettings, seed: int, engine: Engine) -> Grade:
    """Run fresh worlds at the default settings, with the answer and with a few records fewer."""
    fewer = max(0, answer.planted - FEWER)
    here, before = mean_attack((answer.planted, fewer), engine, seed)
    words = (
        f"In {WORLDS} fresh worlds, attack success under consensus is {here[CONSENSUS]:.2f} with {answer.planted} "
        f"planted and {before[CONSENSUS]:.2f} with {fewer}; with lessons it is {here[LESSONS]:.2f}."
    )
    if here[CONSENSUS] <= FAILS - SCATTER:
        return Grade(False, f"{words} Consensus still works: the poison needs the majority of what is retrieved.")
    if before[CONSENSUS] >= FAILS:
        return Grade(False, f"{words} It fails with fewer already.")
    if here[LESSONS] >= RESCUED:
        return Grade(False, f"{words} Here lessons do not help enough.")
    return Grade(True, words)


EXERCISE = Exercise(
    question=(
        f"Find the smallest number of planted records, up to {MOST_POISON} and with all other settings at their "
        f"defaults, for which consensus alone fails more often than it works (attack success above {FAILS}), and check "
        f"that lessons bring it below {RESCUED}."
    ),
    answer=PlantedAnswer,
    grade=grade,
    follow_up=(
        "Each planted record makes it likelier that poison has the majority among the five retrieved, and every "
        "success is written back and votes the next time. Lessons break the loop while the poison is still in the "
        "minority."
    ),
)
