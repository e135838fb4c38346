"""Facts that change: true at training (t0), at the snapshot of the index (t1), at the question (t2), and later on.

Axes: R worlds, T times, N facts, M stored keys (facts and distractors), D dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings
from mem_core.nn.memory_store import unit_vectors

FACTS, DISTRACTORS, UNKNOWN = 200, 200, 50
"""Facts that are asked about, other entries of the index, and questions that nothing stored can answer."""
VALUES = 12
TRAINING, SNAPSHOT, QUESTION = 0, 1, 2
LATER = 11
"""Periods that are followed after the question; in each, as many facts change as between snapshot and question."""


@dataclass(frozen=True, eq=False)
class Worlds:
    """Some worlds with the same settings.

    Attributes:
        keys: unit keys of facts, then distractors, (R, M, D).
        noise: what σ multiplies in a question, of expected length 1, (R, N, D).
        unknown: unit keys of things nobody stored, (R, UNKNOWN, D).
        held: what is true under every key at t0, t1, t2 and later, (R, T, M), NumPy; distractors never change.
    """

    keys: Array
    noise: Array
    unknown: Array
    held: Array

    def true(self, time: int) -> Array:
        """Return the value of every fact at a time, (R, N), NumPy."""
        return self.held[:, time, :FACTS]

    @property
    def changed(self) -> Array:
        """Whether a fact has another value at the question than at training, (R, N), NumPy."""
        return self.true(TRAINING) != self.true(QUESTION)


def draw(engine: Engine, settings: MapSettings, seed: int, worlds: Sequence[int]) -> Worlds:
    """Draw some worlds; each has random numbers of its own, whatever the number of worlds.

    The same numbers are used for any q₁ and q₂: with a larger share, more facts change, and those that did still do.
    """
    keys, noise, unknown, held = [], [], [], []
    for world in worlds:
        vectors = philox(seed, "memory-in-llms", "keys", world)
        size = settings.dimension
        keys.append(vectors.standard_normal((FACTS + DISTRACTORS, size)))
        noise.append(vectors.standard_normal((FACTS, size)) / size**0.5)
        unknown.append(vectors.standard_normal((UNKNOWN, size)))
        held.append(_history(settings, philox(seed, "memory-in-llms", "values", world)))
    return Worlds(
        keys=unit_vectors(engine, _stacked(engine, keys)),
        noise=_stacked(engine, noise),
        unknown=unit_vectors(engine, _stacked(engine, unknown)),
        held=engine.to_numpy(_stacked(engine, held)),
    )


def _stacked(engine: Engine, arrays: Sequence[Array]) -> Array:
    return engine.xp.stack([engine.asarray(array) for array in arrays])


def _history(settings: MapSettings, generator: Array) -> Array:
    """Return the values at t0, t1, t2 and later (T, M): v ← (v + shift) mod 12 where a fact changes, shift 1 … 11."""
    history = generator.integers(VALUES, size=(3 + LATER, FACTS + DISTRACTORS))
    for time in range(1, 3 + LATER):
        share = settings.before_snapshot if time == SNAPSHOT else settings.after_snapshot
        changes = generator.random(FACTS) < share
        shift = generator.integers(1, VALUES, size=FACTS)
        history[time] = history[time - 1]
        history[time, :FACTS] = (history[time, :FACTS] + changes * shift) % VALUES
    return history


def still_true(share: float, periods: float) -> float:
    """Return the chance that a fact has its old value after some periods, in each of which a share changes.

    p(k) = 1/V + (1 − 1/V)·(1 − q·V/(V − 1))^k: a fact may change back, by chance.

    >>> round(still_true(0.2, 1), 9)
    0.8
    """
    stays = 1 - share * VALUES / (VALUES - 1)
    return float(1 / VALUES + (1 - 1 / VALUES) * stays**periods)


def expected_correct(before: float, after: float) -> dict[str, float]:
    """Return the accuracy of each regime if every read is perfect, by algebra.

    Weights (1 − q₁)(1 − q₂) + q₁·q₂/11, frozen index 1 − q₂, live source 1.

    Raises:
        ValueError: if a share is not in [0, 1].
    """
    for name, share in (("before", before), ("after", after)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} is {share!r}, but a share must lie between 0 and 1.")
    return {"PO": (1 - before) * (1 - after) + before * after / (VALUES - 1), "Offline": 1 - after, "Online": 1.0}
