"""Many memories reading the same streams side by side.

Axes: R variants, s streams, n pairs, K key width, V value width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mem_core.engine import Array, Engine
from mem_core.nn import neural_memory
from mem_core.nn.neural_memory import Gates, MemoryState, Weights

LARGEST_NORM = 1e6
"""A memory whose weights are longer than this has diverged; its answers are a million times a value's length."""
LINEAR_CHECK_EVERY = 8
"""Tokens between two looks at a memory of one layer: a token multiplies it by less than 4, so float32 has room."""


@dataclass(frozen=True)
class Stream:
    """Pairs in the order in which they are read: keys (s,n,K) of length 1, values (s,n,V)."""

    keys: Array
    values: Array

    @property
    def length(self) -> int:
        """How many pairs there are."""
        return int(self.keys.shape[1])


class Writing:
    """Memories that differ in their gates and read the same streams.

    Attributes:
        state: of the memories, matrices (R,s,·,·).
        before: their weights before the last token.
        gradient: of the last token's loss.
        diverged: for each variant the token after which it was found to have diverged, or None. From then on it is
            empty and takes nothing in.
    """

    def __init__(self, engine: Engine, stream: Stream, gates: Sequence[Gates], start: MemoryState, chunk: int) -> None:
        self._engine, self._stream, self._chunk = engine, stream, chunk
        self._forget, self._momentum, self._step_size = (
            engine.asarray([float(getattr(variant, name)) for variant in gates])[:, None, None, None]
            for name in ("forget", "momentum", "step_size")
        )
        each = engine.xp.ones((len(gates), 1, 1, 1))
        self.state = MemoryState(
            tuple(each * matrix for matrix in start.weights), tuple(each * matrix for matrix in start.surprise)
        )
        self.before: Weights = self.state.weights
        self.gradient: Weights = self.state.surprise
        self.diverged: list[int | None] = [None] * len(gates)
        self._chunk_start: Weights = self.state.weights
        self._check_every = LINEAR_CHECK_EVERY if len(start.weights) == 1 else 1

    def read(self, token: int) -> None:
        """Take in the pair number `token`, counted from 0."""
        if token % self._chunk == 0:
            self._chunk_start = self.state.weights
        self.before = self.state.weights
        key, value = self._stream.keys[:, token], self._stream.values[:, token]
        self.gradient = neural_memory.gradient(self._engine, self._chunk_start, key, value)
        self.state = neural_memory.absorb(self.state, self.gradient, self._forget, self._momentum, self._step_size)
        if (token + 1) % self._check_every == 0 or token + 1 == self._stream.length:
            self._look_for_divergence(token)

    def lengths(self, matrices: Weights) -> Any:
        """Return the length of each variant's matrices, all taken as one vector, mean over streams (R,) as NumPy."""
        xp = self._engine.xp
        squares = sum(xp.sum(matrix * matrix, axis=(-2, -1)) for matrix in matrices)
        return self._engine.to_numpy(xp.mean(xp.sqrt(squares), axis=-1))

    def _look_for_divergence(self, token: int) -> None:
        xp = self._engine.xp
        squares = sum(xp.sum(matrix * matrix, axis=(-2, -1)) for matrix in self.state.weights)
        lost = ~(xp.max(squares, axis=-1) <= LARGEST_NORM**2)  # NaN is lost too
        if not bool(xp.any(lost)):
            return
        for variant, gone in enumerate(self._engine.to_numpy(lost).tolist()):
            if gone and self.diverged[variant] is None:
                self.diverged[variant] = token + 1
        self._empty(lost[:, None, None, None])

    def _empty(self, lost: Array) -> None:
        xp = self._engine.xp

        def emptied(matrices: Weights) -> Weights:
            return tuple(xp.where(lost, xp.zeros_like(matrix), matrix) for matrix in matrices)

        self.state = MemoryState(emptied(self.state.weights), emptied(self.state.surprise))
        self.before, self._chunk_start = emptied(self.before), emptied(self._chunk_start)
        self._step_size = xp.where(lost, xp.zeros_like(self._step_size), self._step_size)


def unit(vectors: Any) -> Any:
    """Scale NumPy vectors along the last axis to length 1."""
    return vectors / (vectors * vectors).sum(axis=-1, keepdims=True) ** 0.5
