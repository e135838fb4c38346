"""The same experiment with texts: questions and reasoning chains embedded by a sentence encoder.

Axes: L lives, S questions in the order asked, K retrieved records, M records at the start, A actions, W wordings,
D dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.agents.a_memguard.clinic_texts import CHAINS, TOPIC_QUESTIONS, with_trigger
from mem_core.mechanisms.agents.a_memguard.settings import MOST_POISON, QUERIES, TOPICS, MemGuardSettings
from mem_core.mechanisms.agents.a_memguard.world import Case, World, draw_script
from mem_core.nn.memory_store import unit_vectors
from mem_core.nn.text_embedding import embedding

SPREAD = 0.05
"""Length of the random vector added to each embedding, so that two records of the same text are not the same record."""


@dataclass(frozen=True)
class Texts:
    """What stands in the records and in the questions of one life.

    Attributes:
        records: (M,), honest then planted.
        queries: (S,).
    """

    records: tuple[str, ...]
    queries: tuple[str, ...]


def draw_texts(settings: MemGuardSettings, case: Case, seed: int) -> Texts:
    """Choose the wording of every record and question of one life; without a weight there is no trigger."""
    count = settings.rounds * QUERIES
    topics = philox(seed, "topics of questions", case.life).integers(TOPICS, size=count).tolist()
    triggered = (philox(seed, "triggers", case.life).random(count) < settings.p_trigger).tolist()
    choose = philox(seed, "wordings of questions", case.life)
    honest = [
        _one_of(TOPIC_QUESTIONS[topic], choose) for topic in range(TOPICS) for _ in range(settings.records_per_topic)
    ]
    poison_topics = philox(seed, "topics of poison", case.life).integers(TOPICS, size=MOST_POISON).tolist()
    spell = with_trigger if case.trigger_weight > 0 else str
    poison = [spell(_one_of(TOPIC_QUESTIONS[topic], choose)) for topic in poison_topics]
    asked = [_one_of(TOPIC_QUESTIONS[topic], choose) for topic in topics]
    queries = [spell(text) if has else text for text, has in zip(asked, triggered, strict=True)]
    return Texts((*honest, *poison), tuple(queries))


def draw_clinic(settings: MemGuardSettings, cases: Sequence[Case], engine: Engine, seed: int) -> World:
    """Draw a world of clinic questions; a reasoning path is one of a few wordings of the action's chain."""
    script, most = draw_script(settings, cases, engine, seed), max(case.k for case in cases)
    embed = embedding("auto")
    texts = [draw_texts(settings, case, seed) for case in cases]
    records = [
        _spread(embed(list(text.records)), philox(seed, "spread of records", case.life))
        for text, case in zip(texts, cases, strict=True)
    ]
    queries = [
        _spread(embed(list(text.queries)), philox(seed, "spread of questions", case.life))
        for text, case in zip(texts, cases, strict=True)
    ]
    count, wordings = settings.rounds * QUERIES, len(CHAINS[0])
    wording = [philox(seed, "wordings", case.life).integers(wordings, size=(count, most)) for case in cases]
    contents = engine.asarray(embed([text for chains in CHAINS for text in chains]))
    xp = engine.xp
    shaped = xp.reshape(contents, (1, len(CHAINS), wordings, -1))
    return World(
        script,
        unit_vectors(engine, engine.asarray(records)),
        unit_vectors(engine, engine.asarray(queries)),
        xp.broadcast_to(shaped, (len(cases), *shaped.shape[1:])),
        engine.asarray(wording),
        xp.zeros((len(cases), count, most, 1)),
    )


def _one_of(texts: Sequence[str], choose: Any) -> str:
    return texts[int(choose.integers(len(texts)))]


def _spread(vectors: Any, generator: Any) -> Array:
    """Add a random vector of length about `SPREAD`, (n, D)."""
    return vectors + SPREAD * generator.standard_normal(vectors.shape) / vectors.shape[-1] ** 0.5
