"""A memory of texts that is searched by cosine, and in which what is nearly the same is overwritten.

write(x): the stored text nearest to x is replaced if its cosine with x is above the merge threshold, else x is added.
search(q, k): the k stored texts with the highest cosine with q. This is the core of many agent memories: a vector
store, and a rule that decides what counts as the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mem_core.engine import Engine
from mem_core.nn.text_embedding import TextEmbedding

DECIMALS = 9
"""Of a cosine: two engines round double precision differently, and must find the same ties."""


@dataclass(frozen=True)
class Record:
    """A stored text and when it was written, as the number of the write."""

    text: str
    written: int


class Similarities:
    """Cosines between the texts of a list, computed once: with a few dozen texts, memories look them up.

    Args:
        engine: computes them, in double precision.
        embed: turns texts into unit vectors.
        texts: all that will be written or asked for.
    """

    def __init__(self, engine: Engine, embed: TextEmbedding, texts: Sequence[str]) -> None:
        distinct = list(dict.fromkeys(texts))
        self.place = {text: number for number, text in enumerate(distinct)}
        vectors = engine.xp.asarray(embed(distinct), dtype=engine.xp.float64)
        cosines = engine.to_numpy(vectors @ engine.xp.matrix_transpose(vectors))
        self.rows: list[list[float]] = cosines.round(DECIMALS).tolist()

    def __call__(self, first: str, second: str) -> float:
        """Return the cosine of two texts of the list."""
        return self.rows[self._number(first)][self._number(second)]

    def row(self, text: str) -> list[float]:
        """Return the cosines of a text with all texts, in the order of `place`."""
        return self.rows[self._number(text)]

    def _number(self, text: str) -> int:
        if text not in self.place:
            raise ValueError(f"The text is not among those whose cosines were computed: {text[:60]!r}.")
        return self.place[text]


@dataclass
class MergingMemory:
    """A store of texts.

    Attributes:
        similarities: cosines between texts.
        merge_threshold: a stored text whose cosine with a new one lies above it is overwritten.
        records: what is stored, in the order of the places.
        writes: how many texts were written.
    """

    similarities: Similarities
    merge_threshold: float
    records: list[Record] = field(default_factory=list)
    writes: int = 0

    def write(self, text: str) -> Record | None:
        """Store a text; return the record that it overwrote, if any."""
        record = Record(text, self.writes)
        self.writes += 1
        row, place = self.similarities.row(text), self.similarities.place
        nearest, highest = -1, self.merge_threshold
        for number, stored in enumerate(self.records):
            cosine = row[place[stored.text]]
            # Of texts equally near the newest is taken: it is the one that would be believed.
            tie = nearest >= 0 and cosine == highest and stored.written > self.records[nearest].written
            if cosine > highest or tie:
                nearest, highest = number, cosine
        if nearest < 0:
            self.records.append(record)
            return None
        overwritten, self.records[nearest] = self.records[nearest], record
        return overwritten

    def search(self, query: str, k: int) -> list[Record]:
        """Return the `k` records nearest to the query, the nearest first, of equally near ones the newest first.

        Raises:
            ValueError: if k is below one.
        """
        if k < 1:
            raise ValueError(f"A search returns at least one record, got k={k}.")
        row, place = self.similarities.row(query), self.similarities.place
        return sorted(self.records, key=lambda stored: (-row[place[stored.text]], -stored.written))[:k]
