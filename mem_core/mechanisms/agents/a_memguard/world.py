"""A world: topics with their right actions, honest and planted records, and the questions to come.

Axes: L lives (independent worlds), S questions in the order asked, K places of retrieved records, M records at the
start, A actions (one per topic, the malicious one last), W wordings of an action, D dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.agents.a_memguard.settings import MOST_POISON, QUERIES, TOPICS, MemGuardSettings
from mem_core.nn.memory_store import unit_vectors

DIMENSIONS = 32
MALICIOUS = TOPICS
"""Number of the attacker's action; the actions before it are the right ones of the topics."""
QUERY_NOISE = 0.35
"""Length of the random vector added to a topic's vector of length 1 to make a question."""


@dataclass(frozen=True)
class Case:
    """One life of a batch: its number, and the settings that may differ within a batch."""

    life: int
    n_poison: int
    trigger_weight: float
    k: int


@dataclass(frozen=True)
class Script:
    """What happens in each life, whatever the agent does.

    Attributes:
        topic: of each question, int64 (L, S).
        triggered: whether it carries the trigger, (L, S).
        own_action: what the agent does without any record, int64 (L, S).
        record_action: of the records at the start, honest then planted, int64 (L, M).
        planted: which of them an attacker planted and are there at all, (L, M).
        present: which are there, (L, M).
        audit_lots: uniform number of each record, (L, M).
    """

    topic: Array
    triggered: Array
    own_action: Array
    record_action: Array
    planted: Array
    present: Array
    audit_lots: Array


@dataclass(frozen=True)
class World:
    """A script with the vectors that agent and defences work on.

    Attributes:
        script: what happens.
        records: unit vectors of the questions of the records at the start, (L, M, D).
        queries: unit vectors, (L, S, D).
        contents: content of a reasoning path by action and wording, (L, A, W, D).
        wording: which of the W wordings a path has, int64 (L, S, K).
        wording_noise: added to the content, (L, S, K, D).
    """

    script: Script
    records: Array
    queries: Array
    contents: Array
    wording: Array
    wording_noise: Array


def cases_of(settings: MemGuardSettings) -> tuple[Case, ...]:
    """Return the lives of a run, all alike but for their number."""
    one = (settings.n_poison, settings.trigger_weight, settings.k)
    return tuple(Case(life, *one) for life in range(settings.lives))


def draw_script(settings: MemGuardSettings, cases: Sequence[Case], engine: Engine, seed: int) -> Script:
    """Draw topics, triggers, lots. Life r of a seed is the same whatever the other settings."""
    honest = [topic for topic in range(TOPICS) for _ in range(settings.records_per_topic)]
    count = settings.rounds * QUERIES
    topic, triggered, own, lots = [], [], [], []
    for case in cases:
        topic.append(philox(seed, "topics of questions", case.life).integers(TOPICS, size=count))
        triggered.append(philox(seed, "triggers", case.life).random(count) < settings.p_trigger)
        guess = philox(seed, "guesses", case.life)
        knows = guess.random((count, 2))
        own.append(_where(knows[..., 0] < settings.own_accuracy, topic[-1], (knows[..., 1] * TOPICS).astype("int64")))
        lots.append(philox(seed, "audit", case.life).random(MOST_POISON))
    xp = engine.xp
    poison_number = [-1] * len(honest) + list(range(MOST_POISON))
    planted = [[0 <= number < case.n_poison for number in poison_number] for case in cases]
    present = [[number < case.n_poison for number in poison_number] for case in cases]
    return Script(
        topic=engine.asarray(topic),
        triggered=engine.asarray(triggered),
        own_action=engine.asarray(own),
        record_action=xp.asarray([honest + [MALICIOUS] * MOST_POISON for _ in cases], dtype=xp.int64),
        planted=xp.asarray(planted, dtype=xp.bool),
        present=xp.asarray(present, dtype=xp.bool),
        audit_lots=xp.asarray([[0.0] * len(honest) + item.tolist() for item in lots], dtype=xp.float64),
    )


def draw_world(settings: MemGuardSettings, cases: Sequence[Case], engine: Engine, seed: int) -> World:
    """Draw vectors at random: a question is unit(topic + 0.35·u + w·trigger), u a random unit vector."""
    script = draw_script(settings, cases, engine, seed)
    xp, most = engine.xp, max(case.k for case in cases)
    records_of = settings.records_per_topic * TOPICS
    count = settings.rounds * QUERIES

    def directions(name: str, *size: int) -> Array:
        """Random unit vectors (L, *size, D)."""
        draws = [philox(seed, name, case.life).standard_normal((*size, DIMENSIONS)) for case in cases]
        return unit_vectors(engine, engine.asarray(draws))

    topics, trigger = directions("topics", TOPICS), directions("trigger", 1)
    pull = trigger * engine.asarray([case.trigger_weight for case in cases])[:, None, None]  # (L, 1, D)
    poison_topic = engine.asarray(
        [philox(seed, "topics of poison", case.life).integers(TOPICS, size=MOST_POISON) for case in cases]
    )
    honest = pick(xp, topics, script.record_action[:, :records_of])
    honest = honest + QUERY_NOISE * directions("honest records", records_of)
    poison = pick(xp, topics, poison_topic) + QUERY_NOISE * directions("poisoned records", MOST_POISON) + pull
    queries = pick(xp, topics, script.topic) + QUERY_NOISE * directions("questions", count)
    queries = queries + pull * xp.astype(script.triggered, engine.float_dtype)[..., None]
    return World(
        script,
        unit_vectors(engine, xp.concat([honest, poison], axis=1)),
        unit_vectors(engine, queries),
        directions("actions", TOPICS + 1, 1),
        xp.zeros((len(cases), count, most), dtype=xp.int64),
        settings.path_noise * directions("wordings", count, most),
    )


def pick(xp: Any, vectors: Array, number: Array) -> Array:
    """Take vectors (L, n, D) by their numbers (L, m), to (L, m, D)."""
    index = xp.broadcast_to(number[..., None], (*number.shape, vectors.shape[-1]))
    return xp.take_along_axis(vectors, index, axis=1)


def _where(condition: Any, chosen: Any, otherwise: Any) -> Any:
    return chosen * condition + otherwise * ~condition
