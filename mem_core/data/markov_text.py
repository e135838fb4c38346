"""Text from a Markov chain: each token depends on the one before it.

Axes: V tokens, B texts, L tokens in each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Texts = NDArray[np.int64]
"""Tokens 0 … V − 1 of shape (B, L)."""

_SUMS_TO_ONE = 1e-9  # how far a probability may be from summing to one, float64
_MOST_DRAWS = 20  # of as many texts as are wanted, before the language counts as too small


@dataclass(frozen=True, eq=False)
class MarkovLanguage:
    """A language in which each token depends on the one before it.

    Attributes:
        first: probability of each token at the start of a text, (V,).
        successors: probability of each token after each token, (V, V), rows sum to 1.

    Raises:
        ValueError: if the shapes do not fit or the numbers are not probabilities.

    >>> language = MarkovLanguage(np.array([1.0, 0.0]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> language.draw(np.random.default_rng(0), 1, 5).tolist()
    [[0, 1, 0, 1, 0]]
    """

    first: NDArray[np.float64]
    successors: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.first.ndim != 1 or self.successors.shape != (self.first.size, self.first.size):
            raise ValueError(
                f"first must have shape (V,) and successors (V, V), got {self.first.shape} and {self.successors.shape}."
            )
        for name in ("first", "successors"):
            values = getattr(self, name)
            if values.min() < 0 or np.abs(values.sum(-1) - 1).max() > _SUMS_TO_ONE:
                raise ValueError(f"{name} must be probabilities that sum to 1.")

    @property
    def vocabulary(self) -> int:
        """V, the number of different tokens."""
        return self.first.size

    @cached_property
    def by_likelihood(self) -> NDArray[np.int64]:
        """The successors of every token, the most likely first, (V, V)."""
        return np.argsort(-self.successors, axis=1, kind="stable")

    def draw(self, generator: np.random.Generator, count: int, length: int) -> Texts:
        """Draw texts, one uniform number for each token.

        Args:
            generator: where the numbers come from.
            count: B, how many texts.
            length: L, tokens in each.
        """
        uniform = generator.random((count, length, 1))
        texts = np.zeros((count, length), dtype=np.int64)
        cumulative = np.cumsum(np.vstack([self.first, self.successors]), axis=1)[:, :-1]  # (V + 1, V − 1)
        row = np.zeros(count, dtype=np.int64)
        for place in range(length):
            texts[:, place] = (uniform[:, place] >= cumulative[row]).sum(axis=1)
            row = texts[:, place] + 1
        return texts


def dirichlet_language(generator: np.random.Generator, vocabulary: int, concentration: float) -> MarkovLanguage:
    """Draw a language: first tokens from Dirichlet(1), the successors of each token from Dirichlet(concentration).

    Args:
        generator: where the numbers come from.
        vocabulary: V, 2 or more.
        concentration: below 1 a token has few likely successors; the smaller, the fewer.

    Raises:
        ValueError: if `vocabulary` is below 2 or `concentration` is not positive.

    >>> dirichlet_language(np.random.default_rng(0), 3, 0.1).successors.shape
    (3, 3)
    """
    if vocabulary < 2 or concentration <= 0:
        raise ValueError(
            f"vocabulary must be at least 2 and concentration positive, got {vocabulary} and {concentration}."
        )
    return MarkovLanguage(
        generator.dirichlet(np.ones(vocabulary)),
        generator.dirichlet(np.full(vocabulary, concentration), size=vocabulary),
    )


def random_texts(generator: np.random.Generator, vocabulary: int, count: int, length: int) -> Texts:
    """Draw texts without any order: every token equally likely everywhere, (count, length)."""
    return generator.integers(vocabulary, size=(count, length))


def distinct_texts(draw: Callable[[int], Texts], count: int, *, avoiding: Sequence[Texts] = ()) -> Texts:
    """Draw texts until `count` different ones are there, in the order in which they came.

    Args:
        draw: `draw(count)` gives that many texts, repeats among them or not.
        count: how many are wanted.
        avoiding: arrays of texts that must not be among them.

    Raises:
        ValueError: if the language has too few different texts.

    >>> draws = iter([[[0], [1], [0]], [[2], [0], [3]]])
    >>> distinct_texts(lambda count: np.array(next(draws)), 3, avoiding=[np.array([[1]])]).tolist()
    [[0], [2], [3]]
    """
    known = {tuple(text) for texts in avoiding for text in texts.tolist()}
    kept: list[tuple[int, ...]] = []
    for _ in range(_MOST_DRAWS):
        texts = draw(count)
        for text in map(tuple, texts.tolist()):
            if text not in known:
                known.add(text)
                kept.append(text)
        if len(kept) >= count:
            return np.array(kept[:count], dtype=np.int64).reshape(count, texts.shape[1])
    raise ValueError(f"The language gave {len(kept)} different texts in {_MOST_DRAWS} draws, but {count} are needed.")
