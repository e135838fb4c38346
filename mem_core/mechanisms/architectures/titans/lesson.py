"""Experiment B: one layer and two layers learn a rule from the same pairs and are tested on pairs they never saw.

Axes: s streams, n pairs, K key width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.architectures.titans.settings import EVEN, HIDDEN_FACTOR, TitansSettings
from mem_core.mechanisms.architectures.titans.writing import Stream, Writing, unit
from mem_core.nn import neural_memory
from mem_core.nn.neural_memory import Gates

WIDTH = 8
STREAMS = 6
TESTED = 200
"""Pairs of each stream that are kept back for the test."""

ONE_LAYER = "one layer"
FAST, SLOW = "two, η = 0.5", "two, η = 0.8"
MEMORIES = (ONE_LAYER, FAST, SLOW)
LINEAR_GATES = Gates(forget=0.0, momentum=0.0, step_size=0.02)
DEEP_GATES = (
    Gates(forget=0.0, momentum=0.5, step_size=0.02),
    Gates(forget=0.0, momentum=0.8, step_size=0.01),
)
FIRST_LOGGED, LOG_EVERY = (10, 20, 30, 50, 75), 50
"""Pairs after which the memories are tested: a few early ones, then every 50."""


@dataclass(frozen=True)
class Lesson:
    """What is learned from, and what is tested: keys and values of both."""

    stream: Stream
    test: Stream


def draw(settings: TitansSettings, engine: Engine, seed: int) -> Lesson:
    """Draw keys k of length 1, and values of length 1 that follow a rule of theirs.

    v = unit(R (|k| − mean|k|)) for the even target, unit(R k) for the linear one, with R a random matrix.
    """
    generator = philox(seed, "titans", "lesson")
    keys = unit(generator.standard_normal((STREAMS, settings.depth_pairs + TESTED, WIDTH)))
    rule = generator.standard_normal((STREAMS, WIDTH, WIDTH))
    features = abs(keys) - abs(keys).mean(axis=1, keepdims=True) if settings.target == EVEN else keys
    values = unit(features @ rule)
    keys, values = engine.asarray(keys), engine.asarray(values)
    learned, tested = slice(0, settings.depth_pairs), slice(settings.depth_pairs, None)
    return Lesson(Stream(keys[:, learned], values[:, learned]), Stream(keys[:, tested], values[:, tested]))


def learn(settings: TitansSettings, engine: Engine, seed: int) -> Iterator[tuple[int, list[float]]]:
    """Yield how many pairs were read, and each memory's error on pairs it never saw, in the order of `MEMORIES`."""
    lesson = draw(settings, engine, seed)
    leading = (STREAMS,)
    deep = neural_memory.untrained(
        engine, philox(seed, "titans", "lesson", "start"), leading, WIDTH, HIDDEN_FACTOR * WIDTH, WIDTH
    )
    flat = neural_memory.empty(engine, leading, WIDTH, WIDTH)
    writings = (
        Writing(engine, lesson.stream, [LINEAR_GATES], flat, 1),
        Writing(engine, lesson.stream, DEEP_GATES, deep, 1),
    )
    yield 0, _errors(engine, writings, lesson.test)
    for token in range(settings.depth_pairs):
        for writing in writings:
            writing.read(token)
        count = token + 1
        if count in FIRST_LOGGED or count % LOG_EVERY == 0 or count == settings.depth_pairs:
            yield count, _errors(engine, writings, lesson.test)


def _errors(engine: Engine, writings: tuple[Writing, ...], test: Stream) -> list[float]:
    found: list[Any] = []
    for writing in writings:
        answers = neural_memory.recall(engine, writing.state.weights, test.keys)
        found += engine.to_numpy(_mean_error(engine, answers, test.values)).tolist()
    return found


def _mean_error(engine: Engine, answers: Array, values: Array) -> Array:
    xp = engine.xp
    return xp.mean(xp.sum((answers - values) ** 2, axis=-1), axis=(1, 2))
