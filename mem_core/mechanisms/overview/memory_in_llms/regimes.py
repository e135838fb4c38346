"""The same question in three regimes: from parameters only (PO), from a frozen index (Offline), from a live source.

Axes: R worlds, N questions, M stored keys, D dimensions, V values.

Source: arXiv 2509.18868, section 4.1.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mem_core.engine import Array, Engine
from mem_core.mechanisms.overview.memory_in_llms.dated_facts import (
    FACTS,
    QUESTION,
    SNAPSHOT,
    TRAINING,
    VALUES,
    Worlds,
)
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings
from mem_core.nn.memory_store import nearest

PO, OFFLINE, ONLINE = "PO", "Offline", "Online"
REGIMES = (PO, OFFLINE, ONLINE)
AS_OF = {PO: TRAINING, OFFLINE: SNAPSHOT, ONLINE: QUESTION}
"""Whose values each regime holds, as a time of `Worlds.held`."""
RIDGE = 0.1
"""γ of the memory in weights."""
AMONG = 5
"""Passages that count for recall at k."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What one regime answers, as NumPy arrays.

    Attributes:
        value: the answer to every question, also where it is refused, (R, N).
        confidence: how sure it is, (R, N).
        given: False where it is refused, (R, N).
        supported: whether the passage that is cited is the one of the fact asked for, (R, N); never for PO, which has
            no passage to cite.
        among: whether that passage is among the `AMONG` nearest, (R, N).
        fresh: whether one of those holds the value that is true now, (R, N).
        unknown_refused: whether a question that nobody can answer is refused, (R, UNKNOWN).
    """

    value: Array
    confidence: Array
    given: Array
    supported: Array
    among: Array
    fresh: Array
    unknown_refused: Array


def from_parameters(engine: Engine, worlds: Worlds, settings: MapSettings) -> Answers:
    """Ask the weights: scores = k·W with W = Kᵀ·(K·Kᵀ + γI)⁻¹·Y, Y the one-hot values at t0, solved in float64.

    The key is read exactly, without noise.
    """
    xp = engine.xp
    keys = xp.astype(worlds.keys[:, :FACTS], xp.float64)
    one_hot = worlds.true(TRAINING)[..., None] == engine.to_numpy(xp.arange(VALUES))
    targets = xp.astype(engine.asarray(one_hot), xp.float64)
    products = keys @ xp.matrix_transpose(keys)
    solved = xp.linalg.solve(products + RIDGE * xp.eye(FACTS, dtype=xp.float64), targets)
    scores = products @ solved
    value, confidence = (engine.to_numpy(part) for part in (xp.argmax(scores, axis=-1), xp.max(scores, axis=-1)))
    unknown = xp.astype(worlds.unknown, xp.float64) @ xp.matrix_transpose(keys) @ solved
    never = value < 0
    refused = engine.to_numpy(xp.max(unknown, axis=-1)) < settings.refusal
    return Answers(value, confidence, confidence >= settings.refusal, never, never, never, refused)


class Found(NamedTuple):
    """What a search found at one noise.

    Attributes:
        products: q·k of every question and stored key, (R, N, M), in the engine.
        place: the key with the highest, (R, N), NumPy.
        confidence: its cosine, (R, N), NumPy.
    """

    products: Array
    place: Array
    confidence: Array


class Search:
    """The search of an index with noisy questions: q = k + σ·g, nearest key by cosine.

    For several σ the products k·kᵀ and g·kᵀ are computed once; the length of q does not change which key is nearest.
    """

    def __init__(self, engine: Engine, worlds: Worlds) -> None:
        xp, facts = engine.xp, worlds.keys[:, :FACTS]
        self.engine, self.worlds = engine, worlds
        stored = xp.matrix_transpose(worlds.keys)
        self._of_keys, self._of_noise = facts @ stored, worlds.noise @ stored  # (R, N, M)
        self._along = xp.sum(facts * worlds.noise, axis=-1)
        self._square = xp.sum(worlds.noise * worlds.noise, axis=-1)
        self._unknown = engine.to_numpy(xp.max(worlds.unknown @ stored, axis=-1))
        self._own = xp.arange(FACTS)
        self._found: dict[float, Found] = {}

    def look_up(self, noise: float) -> Found:
        """Search with every question once; the same noise is looked up only once."""
        if noise not in self._found:
            engine, xp = self.engine, self.engine.xp
            products = self._of_keys + noise * self._of_noise  # (R, N, M)
            lengths = xp.sqrt(1 + 2 * noise * self._along + noise**2 * self._square)
            place, highest = xp.argmax(products, axis=-1), xp.max(products, axis=-1)
            self._found[noise] = Found(products, engine.to_numpy(place), engine.to_numpy(highest / lengths))
        return self._found[noise]

    def answers(self, settings: MapSettings) -> Iterator[tuple[str, Answers]]:
        """Answer from the nearest passage, Offline with its value at t1 and Online with its value at t2."""
        engine, worlds = self.engine, self.worlds
        found = self.look_up(settings.noise)
        stored = engine.xp.ones(found.products.shape, dtype=engine.xp.bool)
        near = engine.to_numpy(nearest(engine, found.products, stored, AMONG))
        own = engine.to_numpy(self._own)
        for regime in (OFFLINE, ONLINE):
            current = worlds.held[:, AS_OF[regime], None, :] == worlds.true(QUESTION)[..., None]
            yield (
                regime,
                Answers(
                    value=passages(engine, worlds, found.place, AS_OF[regime]),
                    confidence=found.confidence,
                    given=found.confidence >= settings.refusal,
                    supported=found.place == own,
                    among=near[:, own, own],
                    fresh=(near & current).any(axis=-1),
                    unknown_refused=self._unknown < settings.refusal,
                ),
            )

    def online(self, noise: float, refusal: float) -> tuple[Array, Array]:
        """Return whether Online answers right, and whether from the right passage, at some noise; (R, N)."""
        found = self.look_up(noise)
        given = found.confidence >= refusal
        right = passages(self.engine, self.worlds, found.place, QUESTION) == self.worlds.true(QUESTION)
        return right & given, (found.place == self.engine.to_numpy(self._own)) & given


def passages(engine: Engine, worlds: Worlds, found: Array, time: int) -> Array:
    """Return the value that each passage found holds, as of a time: (R, N) places in the index to (R, N) values."""
    rows = engine.to_numpy(engine.xp.arange(len(found)))[:, None]
    return worlds.held[rows, time, found]
