"""B and C of the selective scan in their two forms: new at every step, or the same at all of them.

Axes: t time, b batch, g group of channels, r channel in its group, n state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from mem_core.engine import Array


class Vectors(ABC):
    """What is written into the states or read from them; a block of time is given as a slice.

    Args:
        xp: the module `numpy` or `torch`.
        vectors: (t,b,g,n), or (g,n,r).
    """

    def __init__(self, xp: Any, vectors: Array) -> None:
        self.xp, self.vectors = xp, vectors
        self.gradient: Any = 0.0

    @abstractmethod
    def spread(self, times: slice, inputs: Array, out: Array) -> None:
        """Put the products of inputs (t,b,g,r) and vectors into `out` (t,b,g,n,r)."""

    @abstractmethod
    def gather(self, times: slice, states: Array) -> Array:
        """Sum the products of states (t,b,g,n,r) and vectors over n: (t,b,g,r)."""

    @abstractmethod
    def collect(self, times: slice, inputs: Array, states: Array, spare: Array) -> None:
        """Add to the gradient of the vectors the products of inputs (t,b,g,r) and states (t,b,g,n,r)."""


class Varying(Vectors):
    """Vectors (t,b,g,n) that the channels of a group share."""

    def __init__(self, xp: Any, vectors: Array) -> None:
        super().__init__(xp, vectors)
        self.gradient = xp.empty_like(vectors)

    def spread(self, times: slice, inputs: Array, out: Array) -> None:
        self.xp.multiply(inputs[..., None, :], self.vectors[times][..., None], out=out)

    def gather(self, times: slice, states: Array) -> Array:
        return (self.vectors[times][..., None, :] @ states)[..., 0, :]

    def collect(self, times: slice, inputs: Array, states: Array, spare: Array) -> None:
        self.gradient[times] = (inputs[..., None, :] @ states.mT)[..., 0, :]


class Fixed(Vectors):
    """Vectors (g,n,r), every channel with its own."""

    def spread(self, times: slice, inputs: Array, out: Array) -> None:
        self.xp.multiply(inputs[..., None, :], self.vectors, out=out)

    def gather(self, times: slice, states: Array) -> Array:
        return (states * self.vectors).sum(3)

    def collect(self, times: slice, inputs: Array, states: Array, spare: Array) -> None:
        self.gradient = self.gradient + self.xp.multiply(inputs[..., None, :], states, out=spare).sum((0, 1))
