"""Traces of a trained reasoner: what its hidden layers hold at the start and at the end of thinking, and its answers.

Axes: P problems, k traces of each, N = P·k, L layers, D units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.editing.clue.problems import (
    CLASSES,
    EXPERIENCE,
    FRESH,
    TEST,
    dealt,
    end_inputs,
    evidence_for,
    prompts_for,
    start_inputs,
)
from mem_core.mechanisms.editing.clue.reasoner import Course, trained
from mem_core.mechanisms.editing.clue.settings import MOST_CANDIDATES
from mem_core.nn import relu_mlp

TRACES = {EXPERIENCE: 8, TEST: MOST_CANDIDATES, FRESH: MOST_CANDIDATES}
"""Of each problem."""
REMEMBERED_SETS = 2 * 5 * 3
"""Experience and test of the largest run; about 3 and 5 MB each for a default reasoner in float32."""


@dataclass(frozen=True, eq=False)
class Traces:
    """Every trace of some problems.

    Attributes:
        engine: whose arrays these are.
        start: hidden states with the prompt alone, the same for all traces of a problem, shape (P, L, D).
        end: hidden states with the evidence, shape (P, k, L, D).
        answers: as NumPy, shape (P, k).
        right: whether each is right, as NumPy, shape (P, k).
        confidence: the reasoner's probability of its answer, as NumPy, shape (P, k).
        truth: the right answers, as NumPy, shape (P,).
    """

    engine: Engine
    start: Array
    end: Array
    answers: Any
    right: Any
    confidence: Any
    truth: Any

    def first(self, count: int) -> Traces:
        """Keep the first `count` traces of every problem."""
        kept = {name: getattr(self, name)[:, :count] for name in ("end", "answers", "right", "confidence")}
        return replace(self, **kept)

    def deltas(self, subtract: bool) -> Array:
        """Return Δh = h_end − h_start, or h_end where nothing is to be subtracted, shape (N, L, D)."""
        moved = self.end - self.start[:, None] if subtract else self.end
        return self.engine.xp.reshape(moved, (-1, *self.end.shape[2:]))


@lru_cache(maxsize=REMEMBERED_SETS)
def traces_of(course: Course, part: str) -> Traces:
    """Let a trained reasoner think about the problems of one part of the pictures."""
    engine, count = course.engine, TRACES[part]
    params, pictures = trained(course).params, dealt(course.seed, course.model)[part]
    generator = philox(course.seed, "clue", "traces", part, course.model)
    prompts = prompts_for(generator, pictures)
    evidence = evidence_for(course.settings, generator, pictures, count)
    read = (start_inputs(engine, prompts), end_inputs(engine, prompts, evidence))
    start, end = (relu_mlp.forward(engine, params, inputs[None]) for inputs in read)
    logs = relu_mlp.log_softmax(engine, end[-1][0, :, :CLASSES])
    chances = engine.to_numpy(engine.xp.exp(logs)).reshape(-1, count, CLASSES)
    answers = chances.argmax(axis=-1)
    states = _layers(engine, end)
    return Traces(
        engine,
        _layers(engine, start),
        engine.xp.reshape(states, (-1, count, *states.shape[1:])),
        answers,
        answers == pictures.labels[:, None],
        chances.max(axis=-1),
        pictures.labels,
    )


def _layers(engine: Engine, activations: list[Array]) -> Array:
    """Put the hidden layers side by side, (N, L, D)."""
    return engine.xp.stack([hidden[0] for hidden in activations[1:-1]], axis=1)
