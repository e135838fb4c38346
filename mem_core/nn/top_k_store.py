"""A memory of vectors that grows: the K entries most similar to a query, best first, among those written by then.

Axes: B batch (one store each), G views of the same entries, Q queries, N entries, K returned, D dimensions.
"""

from __future__ import annotations

import numpy as np

from mem_core.engine import Array, Engine
from mem_core.nn.memory_store import unit_vectors

SCORES_AT_ONCE = 2_000_000
"""Similarities held at a time: some 30 MB with the places they are sorted by."""


class TopKStore:
    """Unit vectors searched by cosine similarity, several views of the same vectors at once.

    Views share the vectors and differ in which entries they hold, for example before and after an audit.

    Attributes:
        vectors: of length one, in the order of writing, (B, N, D).
        held: whether an entry is in a view, (B, G, N).
    """

    def __init__(self, engine: Engine, vectors: Array, held: Array) -> None:
        if vectors.ndim != 3 or held.ndim != 3 or (held.shape[0], held.shape[2]) != tuple(vectors.shape[:2]):
            raise ValueError(
                f"vectors (B, N, D) and held (B, G, N) do not fit: got {tuple(vectors.shape)} and {tuple(held.shape)}."
            )
        self.engine = engine
        self.vectors = unit_vectors(engine, vectors)
        self.held = held

    def __len__(self) -> int:
        return int(self.vectors.shape[1])

    def write(self, vectors: Array) -> None:
        """Append entries (B, n, D) to every view.

        Raises:
            ValueError: if a vector is zero.
        """
        xp = self.engine.xp
        self.vectors = xp.concat([self.vectors, unit_vectors(self.engine, vectors)], axis=1)
        new = xp.ones((*self.held.shape[:2], vectors.shape[1]), dtype=xp.bool)
        self.held = xp.concat([self.held, new], axis=-1)

    def search(self, queries: Array, k: int, written: Array | None = None) -> tuple[Array, Array, Array]:
        """Find the entries most similar to each query.

        Args:
            queries: unit vectors, (B, Q, D).
            k: how many entries are wanted; a store with fewer gives all it has.
            written: how many entries had been written when each query came, (Q,); all if None. With it, queries and
                entries that are known beforehand are searched all at once.

        Returns:
            places: of the entries, most similar first, int64 (B, G, Q, K), K the smaller of k and N.
            cosines: (B, G, Q, K).
            found: False where the view holds fewer entries than K, (B, G, Q, K).

        Raises:
            ValueError: if k is below 1.
        """
        if k < 1:
            raise ValueError(f"A search returns at least one entry, got k={k}.")
        xp, count = self.engine.xp, queries.shape[1]
        views = self.held.shape[0] * self.held.shape[1]
        at_once = max(1, SCORES_AT_ONCE // (views * len(self)))
        parts = []
        for start in range(0, count, at_once):
            some = slice(start, start + at_once)
            parts.append(self._search(queries[:, some], k, None if written is None else written[some]))
        places, cosines = (xp.concat(list(part), axis=2) for part in zip(*parts, strict=True))
        return places, cosines, cosines > -xp.inf

    def _search(self, queries: Array, k: int, written: Array | None) -> tuple[Array, Array]:
        xp = self.engine.xp
        scores = queries @ xp.matrix_transpose(self.vectors)  # (B, Q, N)
        held = self.held[:, :, None]
        if written is not None:
            held = held & (xp.arange(len(self)) < written[:, None])
        reachable = xp.where(held, scores[:, None], -xp.inf)  # (B, G, Q, N)
        return top_k(self.engine, reachable, min(k, len(self)))


def top_k(engine: Engine, scores: Array, k: int) -> tuple[Array, Array]:
    """Return places and values of the k highest scores along the last axis, highest first.

    The array API standard has no such function; a full sort of a long axis costs several times as much.
    """
    if engine.kind != "numpy":
        import torch

        highest = torch.topk(scores, k, dim=-1)
        return highest.indices, highest.values
    places = np.argpartition(-scores, k - 1, axis=-1)[..., :k]
    values = np.take_along_axis(scores, places, axis=-1)
    order = np.argsort(-values, axis=-1, kind="stable")
    return np.take_along_axis(places, order, axis=-1), np.take_along_axis(values, order, axis=-1)
