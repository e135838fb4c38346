"""An external memory searched by cosine similarity: which entries are among the K nearest to a query.

Axes: ... any leading axes (lives, policies, queries), N entries, D dimensions.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine

WORD_WEIGHT, TRIGRAM_WEIGHT = 1.0, 0.5
"""How much a word and a run of three letters count in a hashed embedding."""
_WORD = re.compile(r"\w+")


def unit_vectors(engine: Engine, vectors: Array) -> Array:
    """Scale vectors (..., D) to length one, so that a dot product is a cosine.

    Raises:
        ValueError: if a vector is zero, which has no direction.
    """
    xp = engine.xp
    lengths = xp.sqrt(xp.sum(vectors * vectors, axis=-1))[..., None]
    if not bool(xp.all(lengths > 0)):
        raise ValueError("A zero vector has no direction: the text may be empty.")
    return vectors / lengths


def nearest(engine: Engine, scores: Array, stored: Array, k: int) -> Array:
    """Mark the `k` stored entries with the highest score.

    Args:
        engine: the engine of the arrays.
        scores: similarity of each entry, (..., N).
        stored: True where the entry is in the store, broadcast against `scores`.
        k: how many entries a search returns; fewer come back from a smaller store, none from an empty one.

    Returns:
        booleans (..., N). Entries that tie with the k-th score are all returned.
    """
    xp = engine.xp
    if k < 1:
        raise ValueError(f"A search returns at least one entry, got k={k}.")
    reachable = xp.where(stored, scores, -xp.inf)
    if k >= reachable.shape[-1]:
        return reachable > -xp.inf
    return (reachable >= _kth_highest(engine, reachable, k)) & (reachable > -xp.inf)


def _kth_highest(engine: Engine, values: Array, k: int) -> Array:
    """The k-th highest value along the last axis, kept as an axis of one; the standard has no such function."""
    if engine.kind == "numpy":
        # The k lowest of −x, not the k highest of x: with many entries at −inf that is ten times faster in NumPy 2.4.
        return -np.partition(-values, k - 1, axis=-1)[..., k - 1 : k]
    import torch

    return torch.topk(values, k, dim=-1).values[..., -1:]


def hashed_embedding(texts: Sequence[str], dimensions: int) -> NDArray[np.float64]:
    """Turn texts into vectors by their words and runs of three letters, without any trained model.

    Every word and every run of three letters of `<word>` is hashed (CRC-32) to one dimension, a sign and a weight
    between 0.75 and 1.25, which keeps two texts from tying; a text is the sum. Texts that share words and word
    stems are near one another; synonyms are not.

    Args:
        texts: what to embed.
        dimensions: D.

    Returns:
        vectors of length one, (len(texts), D).

    Raises:
        ValueError: if a text has no word.
    """
    number: dict[str, int] = {}
    sentences = [[number.setdefault(word, len(number)) for word in _WORD.findall(text.lower())] for text in texts]
    for text, sentence in zip(texts, sentences, strict=True):
        if not sentence:
            raise ValueError(f"A text without words cannot be embedded, got {text[:40]!r}.")
    counts = np.zeros((len(texts), len(number)))
    rows = [row for row, sentence in enumerate(sentences) for _ in sentence]
    np.add.at(counts, (rows, [word for sentence in sentences for word in sentence]), 1.0)
    vectors = counts @ np.array([_word_vector(word, dimensions) for word in number]).reshape(-1, dimensions)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = vectors / np.where(lengths > 0, lengths, 1.0)
    return scaled


def _word_vector(word: str, dimensions: int) -> NDArray[np.float64]:
    marked = f"<{word}>"
    pieces = [(word, WORD_WEIGHT)]
    pieces += [(marked[start : start + 3], TRIGRAM_WEIGHT) for start in range(len(marked) - 2)]
    vector = np.zeros(dimensions)
    for piece, weight in pieces:
        number = zlib.crc32(piece.encode())
        sign = 1.0 if number & 1 else -1.0
        jitter = 0.75 + 0.5 * ((number >> 1) & 0x7FFF) / 0x7FFF
        vector[(number >> 16) % dimensions] += sign * weight * jitter
    return vector
