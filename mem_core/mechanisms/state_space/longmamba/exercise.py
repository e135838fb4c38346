"""The exercise: find where the plain model fails and a clamp with which the filtered one does not."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, Whole, setting
from mem_core.mechanisms.settings import Settings
from mem_core.mechanisms.state_space.longmamba.measurements import Laboratory
from mem_core.mechanisms.state_space.longmamba.models import TRAINED_LENGTH, shipped
from mem_core.mechanisms.state_space.longmamba.settings import LONGEST, ScanFilterSettings

FRESH_SEQUENCES = 256
FAILS_BELOW, HOLDS_ABOVE = 0.6, 0.9
SHORTER = 2 / 3
"""The plain model must still hold at this share of the answer's length: as near to "smallest" as 256 sequences tell."""


@dataclass(frozen=True)
class FilterAnswer(Settings):
    """What the learner fills in."""

    length: int = setting(
        64,
        Whole(
            label="Smallest S at which the plain model drops below 60 %",
            help="Read it off the accuracy chart, or move the test length.",
            unit="tokens",
            low=TRAINED_LENGTH,
            high=LONGEST,
            scale="log",
        ),
    )
    clamp: float = setting(
        0.5,
        Number(
            label="Clamp at which LongMamba is above 90 % there",
            help="The share of the largest step sizes that calibration cuts off.",
            low=0.03,
            high=0.5,
            step=0.01,
        ),
    )


def grade(answer: FilterAnswer, settings: ScanFilterSettings, seed: int, engine: Engine) -> Grade:
    """Measure both models on fresh sequences at the learner's length and clamp."""
    model = shipped(engine, "one needle", settings.model)
    laboratory = Laboratory(engine, "one needle", model, answer.clamp, settings.theta, seed)
    plain, filtered = laboratory.accuracies(("off", "LongMamba"), FRESH_SEQUENCES, answer.length, "exercise")
    if plain >= FAILS_BELOW:
        return Grade(False, f"At {answer.length} tokens the plain model still answers {plain:.0%}: look further right.")
    shorter = max(TRAINED_LENGTH, round(SHORTER * answer.length))
    (earlier,) = laboratory.accuracies(("off",), FRESH_SEQUENCES, shorter, "exercise")
    if earlier < FAILS_BELOW:
        there = f"The plain model fails there ({plain:.0%}), but already at {shorter} tokens ({earlier:.0%})"
        return Grade(False, f"{there}: look further left.")
    if filtered <= HOLDS_ABOVE:
        right = (
            f"The length is right (plain {plain:.0%}), but with clamp {answer.clamp:g} LongMamba answers {filtered:.0%}"
        )
        return Grade(False, f"{right}. A high clamp lets fillers through, a very low one skips needles.")
    return Grade(True, f"At {answer.length} tokens: plain {plain:.0%}, LongMamba {filtered:.0%}, on fresh sequences.")


EXERCISE = Exercise(
    question="One needle, with model 0 and θ = 0.05, the defaults: what is the smallest test length at which the plain "
    "model drops below 60 %, and with which clamp is LongMamba above 90 % there? (It counts as smallest if the plain "
    "model still holds at two thirds of it.)",
    answer=FilterAnswer,
    grade=grade,
    follow_up="Now choose the task 'marked value' and find a clamp that helps there. Why is it so hard?",
)
