"""How good an edit is: whether the new answers are given, in other words too, and the old ones to all else.

Axes: S people, R relations, W wordings, E requests, O answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import harmonic_mean
from typing import Any, NamedTuple

from mem_core.data.fact_world import FactWorld
from mem_core.engine import Engine
from mem_core.mechanisms.editing.pmet.model import Params, log_probabilities
from mem_core.mechanisms.editing.pmet.requests import ASKED, OTHER, UNUSED_CONTEXTS, Requests

EFFICACY, GENERALISATION, SPECIFICITY, SCORE = "efficacy", "generalisation", "specificity", "score"
MEASURES = (EFFICACY, GENERALISATION, SPECIFICITY, SCORE)


class Scores(NamedTuple):
    """Shares in [0, 1]; NaN where nothing was asked for.

    Attributes:
        efficacy: of requests whose new answer is more probable than the true one.
        generalisation: the same in the other wording, after contexts that were not used.
        specificity: of answers to all other facts, in both wordings, that are still right.
    """

    efficacy: float
    generalisation: float
    specificity: float

    @property
    def score(self) -> float:
        """The harmonic mean of the three."""
        return math.nan if math.isnan(self.efficacy) else harmonic_mean(self)


@dataclass(frozen=True)
class Examination:
    """What a model answers.

    Attributes:
        facts: ln p of every answer to every plain question, NumPy (S, R, W, O).
        elsewhere: the same to the requests in the other wording, after unused contexts (E, 2, O).
    """

    facts: Any
    elsewhere: Any


def examine(engine: Engine, params: Params, world: FactWorld, requests: Requests) -> Examination:
    """Ask a model for all facts, and for the requests in other words."""
    return Examination(
        log_probabilities(engine, params, world.questions()),
        log_probabilities(engine, params, requests.prompts(world, UNUSED_CONTEXTS, OTHER)),
    )


def scores_of(examination: Examination, world: FactWorld, requests: Requests) -> Scores:
    """Score what a model answers after the requests."""
    right = examination.facts.argmax(-1) == world.answers[..., None]  # (S, R, W)
    others = right[untouched(world, requests)]
    if not requests.count:
        return Scores(math.nan, math.nan, float(others.mean()))
    asked = examination.facts[requests.person, requests.relation, ASKED]  # (E, O)
    said, elsewhere = prefers(asked, requests), prefers(examination.elsewhere.swapaxes(0, 1), requests)
    return Scores(float(said.mean()), float(elsewhere.mean()), float(others.mean()))


def prefers(logs: Any, requests: Requests) -> Any:
    """Tell where the new answer is more probable than the true one: (…, E, O) to (…, E)."""
    which = range(requests.count)
    return logs[..., which, requests.wanted] > logs[..., which, requests.true]


def untouched(world: FactWorld, requests: Requests) -> Any:
    """Tell which facts are in no request, (S, R)."""
    others = world.facts == world.facts
    others[requests.person, requests.relation] = False
    return others
