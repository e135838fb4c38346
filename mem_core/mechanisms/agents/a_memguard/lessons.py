"""The second memory: rejected reasoning paths, kept with the question that retrieved them.

Axes: L lives, H lessons kept, K retrieved records, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mem_core.engine import Array, Engine

KEPT = 64
"""Lessons; the oldest goes first."""


@dataclass(frozen=True)
class Lessons:
    """The last `KEPT` rejected paths.

    Attributes:
        engine: whose arrays these are.
        queries, paths: unit vectors, (L, H, D).
        filled: which places hold a lesson, (L, H).
        action, round: what the rejected record did and when it was rejected, int64 (L, H); for the learner's eyes
            only, no defence reads them.
        hits: how many later paths the lesson rejected, int64 (L, H).
    """

    engine: Engine
    queries: Array
    paths: Array
    filled: Array
    action: Array
    round: Array
    hits: Array

    @classmethod
    def empty(cls, engine: Engine, lives: int, dimensions: tuple[int, int]) -> Lessons:
        """Return a memory without lessons, for questions and paths of these dimensions."""
        xp = engine.xp
        queries, paths = (xp.zeros((lives, KEPT, size)) for size in dimensions)
        numbers = xp.zeros((lives, KEPT), dtype=xp.int64)
        return cls(engine, queries, paths, numbers > 0, numbers, numbers, numbers)

    def matches(self, query: Array, paths: Array, path_cosine: float, query_cosine: float) -> Array:
        """Say which lessons apply to which paths: path and question both similar enough.

        Args:
            query: unit vector of the question, (L, D).
            paths: unit vectors, (L, K, D).
            path_cosine, query_cosine: least similarities.

        Returns:
            booleans (L, K, H).
        """
        same_path = paths @ self.engine.xp.matrix_transpose(self.paths) >= path_cosine
        same_query = (self.queries @ query[..., None])[..., 0] >= query_cosine
        return same_path & (same_query & self.filled)[:, None]

    def used(self, matched: Array) -> Lessons:
        """Count the paths (L, K, H) that each lesson rejected."""
        xp = self.engine.xp
        return replace(self, hits=self.hits + xp.sum(xp.astype(matched, xp.int64), axis=1))

    def learned(self, query: Array, paths: Array, rejected: Array, action: Array, round_number: int) -> Lessons:
        """Append the rejected paths in order, and keep the last lessons.

        Args:
            query: unit vector of the question, (L, D).
            paths: (L, K, D).
            rejected: which of them to store, (L, K).
            action: of their records, (L, K).
            round_number: when.
        """
        xp = self.engine.xp
        filled = xp.concat([self.filled, rejected], axis=1)
        order = xp.arange(filled.shape[1], dtype=xp.int64) + 1
        # Places without a lesson sort to the front, so that the last KEPT are the newest lessons.
        newest = xp.argsort(xp.where(filled, order, 0), axis=1, stable=True)[:, -KEPT:]

        def kept(old: Array, new: Array) -> Array:
            joined = xp.concat([old, new], axis=1)
            if joined.ndim == 2:
                return xp.take_along_axis(joined, newest, axis=1)
            index = xp.broadcast_to(newest[..., None], (*newest.shape, joined.shape[-1]))
            return xp.take_along_axis(joined, index, axis=1)

        none = xp.zeros_like(action)
        return Lessons(
            self.engine,
            kept(self.queries, xp.broadcast_to(query[:, None], (*action.shape, query.shape[-1]))),
            kept(self.paths, paths),
            xp.take_along_axis(filled, newest, axis=1),
            kept(self.action, action),
            kept(self.round, none + round_number),
            kept(self.hits, none),
        )
