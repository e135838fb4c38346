"""What happens to the store from outside: which facts are told, which are asked for. The same for every policy.

Axes: R lives, T days, Q questions a day, N facts in all, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.agents.memorybank import dialogue
from mem_core.mechanisms.agents.memorybank.settings import DIALOGUE_TEXT, ForgettingSettings
from mem_core.nn.memory_store import hashed_embedding, unit_vectors

DIMENSIONS = 64
"""Of the random vectors."""
QUERY_NOISE = 0.3
"""Standard deviation, per dimension, of what is added to a fact's vector to make a question."""
LEAST_POPULARITY = 0.01
"""Added to every popularity, so that each fact can be asked for."""


@dataclass(frozen=True)
class World:
    """Facts and questions.

    Attributes:
        facts: unit vectors, (R, N, D).
        questions: unit vectors, (R, T, Q, D).
        asked: number of the fact that each question asks for, NumPy (R, T, Q).
        popularity: NumPy (R, N).
    """

    facts: Array
    questions: Array
    asked: Any
    popularity: Any


def draw_world(settings: ForgettingSettings, engine: Engine, seed: int) -> World:
    """Draw the lives of a store; life r of a seed is the same whatever the other settings of the store."""
    lives = [_draw_life(settings, seed, life) for life in range(settings.repeats)]
    facts, questions, asked, popularity = zip(*lives, strict=True)
    xp = engine.xp
    return World(
        unit_vectors(engine, xp.stack([engine.asarray(item) for item in facts])),
        unit_vectors(engine, xp.stack([engine.asarray(item) for item in questions])),
        asked,
        popularity,
    )


def _draw_life(settings: ForgettingSettings, seed: int, life: int) -> tuple[Any, Any, Any, Any]:
    days, per_day = settings.days, settings.queries_per_day
    count = days * settings.facts_per_day
    popularity = philox(seed, "popularity", life).pareto(settings.popularity_exponent, count) + LEAST_POPULARITY
    asked = _ask(popularity, settings, philox(seed, "asked", life).random((days, per_day)))
    if settings.embedding == DIALOGUE_TEXT:
        facts, questions = _texts(count, asked, philox(seed, "dialogue", life))
    else:
        facts = philox(seed, "facts", life).standard_normal((count, DIMENSIONS))
        noise = philox(seed, "noise", life).standard_normal((days, per_day, DIMENSIONS))
        lengths = (facts * facts).sum(axis=-1, keepdims=True) ** 0.5
        facts = facts / lengths
        questions = facts[asked] + QUERY_NOISE * noise
    return facts, questions, asked, popularity


def _ask(popularity: Any, settings: ForgettingSettings, uniform: Any) -> Any:
    """Choose facts told so far in proportion to their popularity, from uniform numbers (T, Q)."""
    total = popularity.cumsum()
    asked = uniform.astype(int)
    for day in range(settings.days):
        told = (day + 1) * settings.facts_per_day
        asked[day] = total[:told].searchsorted(uniform[day] * total[told - 1], side="right").clip(max=told - 1)
    return asked


def _texts(count: int, asked: Any, generator: Any) -> tuple[Any, Any]:
    facts = dialogue.invent_facts(count, generator)
    sentences = dialogue.statements(facts)
    sentences += dialogue.questions([facts[number] for number in asked.reshape(-1).tolist()], generator)
    vectors = hashed_embedding(sentences, dialogue.DIMENSIONS)
    return vectors[:count], vectors[count:].reshape(*asked.shape, dialogue.DIMENSIONS)
