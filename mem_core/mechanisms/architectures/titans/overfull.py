"""Experiment A: one memory reads far more random pairs than it has room for.

Axes: R variants, s streams, n pairs, K key width, V value width.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.architectures.titans.settings import (
    AFTER,
    HIDDEN_FACTOR,
    SWEPT_FORGET,
    TitansSettings,
)
from mem_core.mechanisms.architectures.titans.writing import Stream, Writing, unit
from mem_core.nn import neural_memory
from mem_core.nn.neural_memory import Gates, MemoryState, Weights

BURST_LENGTH = 4.0
"""Length of the outlying value; all others have length 1."""
LAST_PAIRS = 12
"""Pairs at the end of a stream on which a memory is judged; of the 120, a tenth."""
MOST_AGES = 128
"""Ages at which recall is measured in a longer stream, spread evenly."""
PAIRS_A_FRAME = 1024
"""Pairs of a sweep between two frames, where the stream is so long."""
RECENT_STATES = 8
"""States of the memory, the latest ones, over which recall is averaged: 20 streams alone give a ragged curve."""

AS_SET, NO_FORGETTING, NO_MOMENTUM, NEITHER = "as set", "α = 0", "η = 0", "both 0"
VARIANTS = (AS_SET, NO_FORGETTING, NO_MOMENTUM, NEITHER)


def draw(settings: TitansSettings, engine: Engine, seed: int) -> Stream:
    """Draw the streams: keys and values in random directions, of length 1, and the burst where it is asked for."""
    shape = (2, settings.streams, settings.pairs, settings.width)
    keys, values = unit(philox(seed, "titans", "pairs").standard_normal(shape))
    if settings.burst:
        values[:, burst_token(settings)] *= BURST_LENGTH
    return Stream(engine.asarray(keys), engine.asarray(values))


def burst_token(settings: TitansSettings) -> int:
    """Return which pair the burst is in, counted from 0."""
    return round(settings.burst_place * (settings.pairs - 1))


def start(settings: TitansSettings, engine: Engine, seed: int) -> MemoryState:
    """Return the memory of every stream before its first pair, matrices (s,·,·)."""
    width, leading = settings.width, (settings.streams,)
    if settings.depth == 1:
        return neural_memory.empty(engine, leading, width, width)
    return neural_memory.untrained(
        engine, philox(seed, "titans", "start"), leading, width, HIDDEN_FACTOR * width, width
    )


def variants(gates: Gates) -> list[Gates]:
    """Return the gates as set, and with forgetting, momentum or both switched off, in the order of `VARIANTS`."""
    still = replace(gates, momentum=0.0)
    return [gates, replace(gates, forget=0.0), still, replace(still, forget=0.0)]


@dataclass(frozen=True)
class Reading:
    """What the memories answer, against the tokens read since a pair was written; means over streams.

    Attributes:
        ages: tokens read since.
        error: ‖M(k) − v‖² of each variant (R,ages); knowing nothing gives 1.
        lags: the same as ages, without the very oldest.
        recalled: share of pairs for which the memory as set is nearest to the right value, of all values asked for;
            mean over its last few states too.
    """

    ages: Sequence[int]
    error: Any
    lags: Sequence[int]
    recalled: Any


class Recording:
    """The memory as set beside its ablations, and everything that is recorded on the way.

    Attributes:
        momentary, moving: θ‖∇‖ and ‖S‖ of the memory as set, one number a token, mean over streams.
        shown_token: after which token, counted from 0, the weights are kept.
        weights: the last layer of the first stream's memory after that token, or after the last one before it.
    """

    def __init__(self, settings: TitansSettings, engine: Engine, seed: int) -> None:
        self._settings, self._engine = settings, engine
        self.stream = draw(settings, engine, seed)
        first = start(settings, engine, seed)
        self._writing = Writing(engine, self.stream, variants(settings.gates), first, settings.chunk)
        self._recent: deque[Weights] = deque(maxlen=RECENT_STATES)
        self.momentary: list[float] = []
        self.moving: list[float] = []
        self.shown_token = round(settings.shown * (settings.pairs - 1))
        self.weights: Any = None

    @property
    def count(self) -> int:
        """How many pairs have been read."""
        return len(self.moving)

    @property
    def diverged(self) -> list[int | None]:
        """For each variant the token after which it was found to have diverged, or None."""
        return self._writing.diverged

    def read(self, count: int) -> None:
        """Read the next pairs, until `count` have been read or the memory as set has diverged."""
        writing = self._writing
        for token in range(self.count, count):
            writing.read(token)
            self.momentary.append(self._settings.step_size * float(writing.lengths(writing.gradient)[0]))
            self.moving.append(float(writing.lengths(writing.state.surprise)[0]))
            self._recent.append(tuple(matrix[:1] for matrix in as_read(self._settings, writing)))
            if token <= self.shown_token:
                self.weights = writing.state.weights[-1][0, 0]
            if writing.diverged[0] is not None:
                return

    def ask(self) -> Reading:
        """Ask for the pairs read so far."""
        xp = self._engine.xp
        ages = spread(self.count, MOST_AGES)
        error, _ = self._asked(as_read(self._settings, self._writing), [self.count - 1 - age for age in ages])
        lags = spread(self.count - len(self._recent) + 1, MOST_AGES)
        recalled = [
            self._asked(weights, [self.count - len(self._recent) + state - lag for lag in lags])[1]
            for state, weights in enumerate(self._recent)
        ]
        mean = xp.mean(xp.stack(recalled), axis=(0, 1))
        return Reading(ages, self._engine.to_numpy(error), lags, self._engine.to_numpy(mean))

    def _asked(self, weights: Weights, places: Sequence[int]) -> tuple[Array, Array]:
        """Ask for the pairs at some places: error, and share whose nearest value is the right one, (R,places)."""
        xp = self._engine.xp
        index = self._engine.asarray(list(places))
        values = xp.take(self.stream.values, index, axis=1)
        answers = neural_memory.recall(self._engine, weights, xp.take(self.stream.keys, index, axis=1))
        likeness = 2.0 * answers @ xp.matrix_transpose(values) - xp.sum(values * values, axis=-1)[:, None, :]
        right = xp.argmax(likeness, axis=-1) == xp.arange(len(places))
        error = xp.sum((answers - values) ** 2, axis=-1)
        return xp.mean(error, axis=1), xp.mean(xp.astype(right, self._engine.float_dtype), axis=1)


def spread(count: int, most: int) -> list[int]:
    """Choose at most `most` of 0 … count − 1, evenly, both ends among them."""
    if count <= most:
        return list(range(count))
    return [round(index * (count - 1) / (most - 1)) for index in range(most)]


def as_read(settings: TitansSettings, writing: Writing) -> Weights:
    """Return the weights that a read sees: after the last token was written, or before it."""
    return writing.state.weights if settings.read == AFTER else writing.before


def swept_forget(forget: float) -> list[float]:
    """Return the forget gates of the sweep, the one that is set among them."""
    return sorted({*SWEPT_FORGET, forget})


def last_errors(settings: TitansSettings, engine: Engine, stream: Stream, writing: Writing) -> list[float]:
    """Return each memory's mean ‖M(k) − v‖² over the last 12 pairs; infinite for one that diverged."""
    xp = engine.xp
    answers = neural_memory.recall(engine, as_read(settings, writing), stream.keys[:, -LAST_PAIRS:])
    error = xp.mean(xp.sum((answers - stream.values[:, -LAST_PAIRS:]) ** 2, axis=-1), axis=(1, 2))
    found = engine.to_numpy(error).tolist()
    return [math.inf if gone is not None else value for gone, value in zip(writing.diverged, found, strict=True)]


def errors_at_the_end(
    settings: TitansSettings, engine: Engine, seed: int, stream: Stream, gates: Sequence[Gates]
) -> list[float]:
    """Let one memory for each of `gates` read the whole stream, and return their errors on the last 12 pairs."""
    *_, (_, errors) = toward_the_end(settings, engine, seed, stream, gates)
    return errors


def toward_the_end(
    settings: TitansSettings, engine: Engine, seed: int, stream: Stream, gates: Sequence[Gates]
) -> Iterator[tuple[int, list[float]]]:
    """Do the same, yielding how many pairs have been read now and then, with the errors once all have."""
    writing = Writing(engine, stream, gates, start(settings, engine, seed), settings.chunk)
    for token in range(stream.length):
        if token and token % PAIRS_A_FRAME == 0:
            yield token, []
        writing.read(token)
    yield stream.length, last_errors(settings, engine, stream, writing)
