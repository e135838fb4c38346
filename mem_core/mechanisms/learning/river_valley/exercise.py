"""The exercise: which peak rate suits WSD, and how it compares with a constant rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from mem_core.engine import Engine, philox
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Choice, Number, setting
from mem_core.mechanisms.learning.river_valley.experiment import frame_steps, language_of
from mem_core.mechanisms.learning.river_valley.lanes import Lane, Plan, plan_training
from mem_core.mechanisms.learning.river_valley.settings import CONSTANT, WSD, RiverValleySettings
from mem_core.mechanisms.learning.river_valley.training import History, train
from mem_core.mechanisms.settings import Settings

SWEPT_RATES = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
FRESH_RUNS = 2
TOLERATED_FACTOR = 2.0  # the spacing of the rates that are tried
ROUNDING = 1e-9

LOWER, SAME, HIGHER = "lower", "the same", "higher"


@dataclass(frozen=True)
class RateAnswer(Settings):
    """What the learner answers."""

    peak_rate: float = setting(
        1.0,
        Number(
            label="Best peak rate for WSD",
            help="The peak learning rate at which WSD ends lowest; right within a factor of two.",
            low=1,
            high=64,
            scale="log",
        ),
    )
    compared: str = setting(
        SAME,
        Choice(
            label="Compared with the best constant rate it is",
            help="Try the same rates with the constant schedule and see where that ends lowest.",
            options=(LOWER, SAME, HIGHER),
        ),
    )
    factor: float = setting(
        1.0,
        Number(
            label="By about what factor",
            help="The larger of the two rates over the smaller. You learn how close you were; it does not decide.",
            low=1,
            high=64,
            scale="log",
        ),
    )


Sweep = Mapping[str, Mapping[float, float]]
"""Mean final loss by schedule and peak rate."""


def sweep(settings: RiverValleySettings, seeds: Sequence[int], engine: Engine) -> Sweep:
    """Train WSD and constant at every rate, all rates side by side, once for each seed."""
    plans = {rate: plan_training(settings, (CONSTANT, WSD), rate) for rate in SWEPT_RATES}
    lanes = [lane for plan in plans.values() for lane in plan.lanes]
    found = [
        {
            schedule: {rate: _final_loss(history, plan, schedule) for rate, plan in plans.items()}
            for schedule in (CONSTANT, WSD)
        }
        for history in (_trained(settings, lanes, seed, engine) for seed in seeds)
    ]
    return {
        schedule: {rate: fmean(one[schedule][rate] for one in found) for rate in SWEPT_RATES}
        for schedule in (CONSTANT, WSD)
    }


def grade(answer: RateAnswer, settings: RiverValleySettings, seed: int, engine: Engine) -> Grade:
    """Compare the answer with a fresh sweep over the peak rate."""
    found = sweep(settings, range(seed, seed + FRESH_RUNS), engine)
    wsd, constant = (min(found[schedule], key=lambda rate: found[schedule][rate]) for schedule in (WSD, CONSTANT))
    near = max(answer.peak_rate / wsd, wsd / answer.peak_rate) <= TOLERATED_FACTOR * (1 + ROUNDING)
    truth = HIGHER if wsd > constant else LOWER if wsd < constant else SAME
    words = (
        f"In {FRESH_RUNS} fresh runs WSD ended lowest at a peak rate of {wsd:g} (loss {found[WSD][wsd]:.3g}) and the "
        f"constant rate at {constant:g} (loss {found[CONSTANT][constant]:.3g}): {truth}"
    )
    words += f", by a factor of {max(wsd / constant, constant / wsd):g}; you said {answer.factor:.3g}."
    if not near:
        words += f" Your rate of {answer.peak_rate:g} is more than a factor of two away."
    if answer.compared != truth:
        words += " Think of which part of the loss a constant rate can never get rid of."
    return Grade(near and answer.compared == truth, words)


def _trained(settings: RiverValleySettings, lanes: Sequence[Lane], seed: int, engine: Engine) -> History:
    *_, (_, history) = train(
        engine,
        language_of(settings, seed),
        lanes,
        philox(seed, "batches"),
        batch_size=settings.batch_size,
        log_steps=(),
        frame_steps=frame_steps(settings.budgets[-1]),
    )
    return history


def _final_loss(history: History, plan: Plan, schedule: str) -> float:
    end = plan.of(schedule)[-1]
    measured = history.at(end.lane, end.step)
    assert measured is not None, "training has reached its end"
    return measured.loss


EXERCISE = Exercise(
    question=(
        "Find the peak rate at which WSD ends lowest. Is it lower or higher than the best constant rate, and by about "
        "what factor?"
    ),
    answer=RateAnswer,
    grade=grade,
    follow_up=(
        "A constant rate has to pay for its speed along the river with the bounce that it leaves at the end. WSD pays "
        "too, but the decay gives it back, so it can afford a higher rate."
    ),
)
