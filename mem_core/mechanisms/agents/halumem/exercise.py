"""The exercise: two systems that answer equally well, one with an ill extractor and one with an ill answerer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mem_core.data.user_timeline import all_texts
from mem_core.engine import Engine
from mem_core.mechanisms.agents.halumem.blame import ANSWERING, EXTRACTION
from mem_core.mechanisms.agents.halumem.life import Life, live
from mem_core.mechanisms.agents.halumem.settings import RATES, SIMULATOR, HallucinationSettings
from mem_core.mechanisms.agents.halumem.users import draw_user
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.settings import Settings
from mem_core.nn.merging_memory import Similarities
from mem_core.nn.text_embedding import HASHING, embedding

LOW, HIGH = 0.55, 0.65
MOST = 0.8
"""Share of the wrong answers that must have failed first in the stage asked for."""
WANTED_BLAME = f"{100 * MOST:.0f} %"
USERS, FRESH_RUNS = 20, 3
SCATTER = 0.007
"""Standard error of the share of right answers over three runs of 20 users; so close to an edge is accepted."""


def _rate(label: str) -> Any:
    return setting(0.0, Number(label=label, help="As above.", low=0.0, high=1.0, step=0.05))


def _threshold(label: str) -> Any:
    return setting(0.75, Number(label=label, unit="cosine", help="As above.", low=0.0, high=1.0, step=0.01))


@dataclass(frozen=True)
class TwoSystems(Settings):
    """The learner's two systems."""

    miss_1: float = _rate("First system: missed facts")
    merge_threshold_1: float = _threshold("First system: merge threshold θ")
    answer_error_1: float = _rate("First system: answer errors")
    miss_2: float = _rate("Second system: missed facts")
    merge_threshold_2: float = _threshold("Second system: merge threshold θ")
    answer_error_2: float = _rate("Second system: answer errors")

    def knobs(self, system: int) -> dict[str, float]:
        """Return the three knobs of system 1 or 2."""
        return {name: getattr(self, f"{name}_{system}") for name in ("miss", "merge_threshold", "answer_error")}


def ill(settings: HallucinationSettings, knobs: Mapping[str, float]) -> HallucinationSettings:
    """Return the settings of a system in which only the three knobs may fail."""
    return settings.changed(
        extractor=SIMULATOR, mode=RATES, corrupt=0.0, fabricate=0.0, accept_interference=0.0, guess=0.0,
        embedder=HASHING, calibrated=False,
        users=USERS, sessions=30, distractors=0, **knobs,
    )  # fmt: skip


def measure(settings: HallucinationSettings, seed: int, engine: Engine) -> tuple[float, dict[str, float]]:
    """Return the share of right answers in fresh runs, and of each stage in the blame for the others."""
    lives: list[Life] = []
    similarities: dict[str, Similarities] = {}
    for fresh in range(FRESH_RUNS):
        for number in range(settings.users):
            user = draw_user(settings, seed + fresh, number)
            if user.name not in similarities:
                similarities[user.name] = Similarities(engine, embedding(settings.embedder), all_texts(user.name))
            lives.append(live(settings, user, similarities[user.name], settings.merge_threshold))
    stages = [wrong.stage for life in lives for wrong in life.wrong]
    asked = sum(len(life.records.answers) for life in lives)
    blame = {stage: stages.count(stage) / len(stages) for stage in set(stages)}
    return 1 - len(stages) / asked, blame


def grade(answer: TwoSystems, settings: HallucinationSettings, seed: int, engine: Engine) -> Grade:
    """Run both systems on fresh users and look at their answers and at who is to blame."""
    found = [measure(ill(settings, answer.knobs(system)), seed, engine) for system in (1, 2)]
    words = " ".join(_words(system, *one) for system, one in enumerate(found, 1))
    for system, (right, blame), stage in zip((1, 2), found, (EXTRACTION, ANSWERING), strict=True):
        advice = _advice(right, blame, stage)
        if advice:
            return Grade(False, f"{words} System {system}: {advice}")
    return Grade(True, words)


def _words(system: int, right: float, blame: Mapping[str, float]) -> str:
    first = sorted(blame.items(), key=lambda item: -item[1])
    whom = ", ".join(f"{stage} {100 * share:.0f} %" for stage, share in first) or "nobody"
    return f"System {system} answers {100 * right:.1f} % right; blame: {whom}."


def _advice(right: float, blame: Mapping[str, float], stage: str) -> str:
    if right > HIGH + SCATTER:
        return "it answers too well, let it fail more."
    if right < LOW - SCATTER:
        return "it answers too badly, let it fail less."
    if blame.get(stage, 0.0) <= MOST:
        return f"{stage} is not to blame for more than {WANTED_BLAME}: which knob makes it fail, and which do not?"
    return ""


EXERCISE = Exercise(
    question=(
        "A system answers 60 % of the questions right. What is wrong with it? Build two systems whose right answers "
        f"both lie between {100 * LOW:.0f} and {100 * HIGH:.0f} %: in the first, extraction must be to blame for more "
        f"than {WANTED_BLAME} of the wrong answers, in the second, answering. You have three knobs for each; all other "
        f"error rates are zero. Graded on {FRESH_RUNS} times {USERS} fresh users."
    ),
    answer=TwoSystems,
    grade=grade,
    follow_up=(
        "A third way to 60 %: leave missed facts and answer errors at zero and lower θ until it is updating that is to "
        "blame. Which of the six measures of extraction would notice?"
    ),
)
