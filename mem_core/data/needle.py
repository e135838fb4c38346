"""Sequences with one thing to remember: a needle among fillers, or a value with a marker in front of it.

Tokens 0 .. V-1 are the V values. In the first task all other tokens are fillers, so a value can be recognised by
itself. In the second, values lie everywhere and only the one after the marker counts, so a token alone does not say
whether it matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VALUES = 8
"""How many values there are to tell apart; guessing is right once in eight."""
FILLERS = 16
"""How many other tokens there are; the marked task uses the first of them as its marker."""
VOCABULARY = VALUES + FILLERS
MARKER = VALUES


@dataclass(frozen=True)
class Recall:
    """Sequences and what is to be remembered in each.

    Attributes:
        tokens: whole numbers (batch, length).
        answers: the value to remember, 0 .. VALUES-1 (batch,).
        positions: where it stands (batch,).
    """

    tokens: NDArray[np.int64]
    answers: NDArray[np.int64]
    positions: NDArray[np.int64]


def one_needle(generator: np.random.Generator, batch: int, length: int, position: int | None = None) -> Recall:
    """Draw sequences of fillers with one value among them.

    Args:
        generator: where the random numbers come from.
        batch: how many sequences.
        length: tokens in each, at least 2.
        position: where the value stands in all of them; left out, anywhere in the first half.

    Raises:
        ValueError: if batch or length is too small, or position is outside the sequence.

    >>> drawn = one_needle(np.random.default_rng(0), 2, 10, position=3)
    >>> bool((drawn.tokens[:, 3] == drawn.answers).all()), int((drawn.tokens < VALUES).sum())
    (True, 2)
    """
    _check(batch, length, shortest=2)
    tokens = generator.integers(VALUES, VOCABULARY, size=(batch, length))
    answers = generator.integers(VALUES, size=batch)
    positions = generator.integers(length // 2, size=batch)
    positions = _placed(positions, position, 0, length - 1)
    tokens[np.arange(batch), positions] = answers
    return Recall(tokens, answers, positions)


def marked_value(generator: np.random.Generator, batch: int, length: int, position: int | None = None) -> Recall:
    """Draw sequences of fillers and values in which one value has the marker in front of it.

    Args:
        generator: where the random numbers come from.
        batch: how many sequences.
        length: tokens in each, at least 4.
        position: where the marked value stands in all of them, at least 1; left out, the marker stands anywhere in
            the first half.

    Raises:
        ValueError: if batch or length is too small, or position is outside the sequence or its first token.

    >>> drawn = marked_value(np.random.default_rng(0), 2, 10, position=3)
    >>> bool((drawn.tokens[:, 2] == MARKER).all()), int((drawn.tokens == MARKER).sum())
    (True, 2)
    """
    _check(batch, length, shortest=4)
    tokens = generator.integers(VOCABULARY - 1, size=(batch, length))
    tokens += tokens >= MARKER  # every token but the marker
    answers = generator.integers(VALUES, size=batch)
    positions = 1 + generator.integers(length // 2, size=batch)
    positions = _placed(positions, position, 1, length - 1)
    rows = np.arange(batch)
    tokens[rows, positions - 1] = MARKER
    tokens[rows, positions] = answers
    return Recall(tokens, answers, positions)


def _placed(drawn: NDArray[np.int64], position: int | None, first: int, last: int) -> NDArray[np.int64]:
    if position is None:
        return drawn
    if not first <= position <= last:
        raise ValueError(f"position must be from {first} to {last}, got {position}.")
    return np.full_like(drawn, position)


def _check(batch: int, length: int, shortest: int) -> None:
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}.")
    if length < shortest:
        raise ValueError(f"length must be at least {shortest}, got {length}.")
