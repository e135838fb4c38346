"""The exercise: how slow the slowest unit must be to bridge a delay."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from mem_core.engine import Engine
from mem_core.mechanisms.architectures.elm_neuron.decoding import Decoder
from mem_core.mechanisms.architectures.elm_neuron.settings import ElmSettings
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.settings import Settings

ASKED = ElmSettings(delay=80, units=16)
WANTED, TOLERANCE = 0.70, 0.03
SLOWEST_ALLOWED = 400.0
FRESH_RUNS = 10
"""Patterns differ in how easily they are told apart; the mean of ten sets is known to 2.5 points."""


@dataclass(frozen=True)
class TauAnswer(Settings):
    """What the learner fills in."""

    tau_max: float = setting(
        50.0,
        Number(
            label="Slowest unit τmax",
            unit="ms",
            help="Try it out: set the delay to 80 ms, read the forgetting chart, and change the seed as well.",
            low=2,
            high=500,
            scale="log",
        ),
    )


def grade(answer: TauAnswer, settings: ElmSettings, seed: int, engine: Engine) -> Grade:
    """Read bursts from fresh neurons, at the settings that the question names."""
    asked = ASKED.changed(tau_max=answer.tau_max)
    found = [
        Decoder(engine, asked, fresh, longest_delay=asked.delay).accuracies([asked.delay], asked.tau_max, asked.units)[
            0
        ]
        for fresh in range(seed + 1, seed + 1 + FRESH_RUNS)
    ]
    accuracy = fmean(found)
    words = (
        f"With τmax {answer.tau_max:g} ms, {FRESH_RUNS} fresh neurons were read right in {accuracy:.0%} after "
        f"{asked.delay} ms, single ones from {min(found):.0%} to {max(found):.0%}."
    )
    if answer.tau_max > SLOWEST_ALLOWED:
        return Grade(False, f"{words} But τmax is above {SLOWEST_ALLOWED:g} ms: look for one that is just slow enough.")
    if accuracy < WANTED - TOLERANCE:
        left = f"e^(−{asked.delay}/{answer.tau_max:g})"
        return Grade(False, f"{words} Even the slowest unit has only {left} of its trace left by then.")
    return Grade(True, words)


EXERCISE = Exercise(
    question=(
        "Delay 80 ms, 16 memory units, all else at its default. Which τmax, at most 400 ms, do you need to read at "
        "least 70 % of the bursts right? (The mean of ten fresh neurons decides, with 3 points of tolerance.)"
    ),
    answer=TauAnswer,
    grade=grade,
    follow_up="Now keep τmax at 100 ms and reach the same by adding units. Which is cheaper, slow units or many?",
)
