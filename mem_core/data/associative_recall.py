"""Multi-query associative recall: pairs of a key and a value, then keys whose values are asked for.

Token 0 is blank, 1 … K are keys, K + 1 … K + V are values. A sequence is k₁ v₁ k₂ v₂ … k_N v_N, then blanks, then
queries: keys from before, in any order. At a query the answer is the value that followed that key.

Source: Arora et al. 2023, "Zoology: Measuring and Improving Recall in Efficient Language Models" (arXiv 2312.04927).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLANK = 0


@dataclass(frozen=True)
class Questions:
    """Sequences and what is asked in each.

    Attributes:
        tokens: whole numbers (batch, length); the last `queries` of each sequence are its queries.
        answers: the right value at each query, 0 … V − 1 (batch, queries).
        lags: tokens read since the value of each query's pair (batch, queries).
    """

    tokens: NDArray[np.int64]
    answers: NDArray[np.int64]
    lags: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class AssociativeRecall:
    """The task.

    Attributes:
        pairs: N, pairs in a sequence; no key comes twice.
        queries: pairs asked for in a sequence, each at most once.
        keys, values: K and V, how many different ones there are.
        blanks: tokens between the last pair and the first query.

    Raises:
        ValueError: naming the number that cannot be used.

    >>> task = AssociativeRecall(pairs=4, queries=2, keys=8, values=3)
    >>> task.length, task.vocabulary
    (10, 12)
    """

    pairs: int
    queries: int
    keys: int = 32
    values: int = 16
    blanks: int = 0

    def __post_init__(self) -> None:
        _check("keys", self.keys, 1, None)
        _check("values", self.values, 2, None)
        _check("pairs", self.pairs, 1, self.keys)
        _check("queries", self.queries, 1, self.pairs)
        _check("blanks", self.blanks, 0, None)

    @property
    def length(self) -> int:
        """Tokens in a sequence."""
        return 2 * self.pairs + self.blanks + self.queries

    @property
    def vocabulary(self) -> int:
        """Different tokens, the blank among them."""
        return 1 + self.keys + self.values

    def draw(self, generator: np.random.Generator, batch: int) -> Questions:
        """Draw sequences.

        Args:
            generator: where the random numbers come from.
            batch: how many sequences, 1 or more.

        Raises:
            ValueError: if batch is below 1.

        >>> task = AssociativeRecall(pairs=2, queries=2, keys=2, values=2)
        >>> drawn = task.draw(np.random.default_rng(0), 1)
        >>> drawn.tokens.tolist(), drawn.answers.tolist(), drawn.lags.tolist()
        ([[2, 3, 1, 3, 2, 1]], [[0, 0]], [[3, 2]])
        """
        _check("batch", batch, 1, None)
        order = np.argsort(generator.random((batch, self.keys)), axis=1)[:, : self.pairs]
        value = generator.integers(self.values, size=(batch, self.pairs))
        asked = np.argsort(generator.random((batch, self.pairs)), axis=1)[:, : self.queries]
        tokens = np.full((batch, self.length), BLANK)
        tokens[:, 0 : 2 * self.pairs : 2] = 1 + order
        tokens[:, 1 : 2 * self.pairs : 2] = 1 + self.keys + value
        tokens[:, self.length - self.queries :] = 1 + np.take_along_axis(order, asked, axis=1)
        place = np.arange(self.length - self.queries, self.length)
        return Questions(tokens, np.take_along_axis(value, asked, axis=1), place - (2 * asked + 1))


def _check(name: str, value: int, low: int, high: int | None) -> None:
    if value < low or (high is not None and value > high):
        allowed = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be {allowed}, got {value}.")
