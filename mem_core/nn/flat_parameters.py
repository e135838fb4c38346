"""The parameters of a small model as one vector, so that an optimizer's step is a dozen operations, not a thousand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine, leaves, map_tree
from mem_core.kernels.dispatch import Kernel

Floats = NDArray[Any]


@dataclass(frozen=True)
class Place:
    """Where in the vector a parameter lies, and its shape."""

    start: int
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Layout:
    """The places of all parameters, a tree of the parameters' own form."""

    places: Any

    def tree(self, vector: Array) -> Any:
        """Cut the parameters out of the vector; gradients flow back into it."""
        return map_tree(lambda place: _cut(vector, start=place.start, shape=place.shape), self.places)


def flatten(engine: Engine, params: Any) -> tuple[Array, Layout]:
    """Lay all parameters end to end in one vector, in the order of their keys.

    Args:
        engine: where the parameters live.
        params: nested dicts, lists and tuples of arrays.
    """
    arrays = leaves(params)
    starts = iter(accumulate((prod(array.shape) for array in arrays), initial=0))
    places = map_tree(lambda array: Place(next(starts), tuple(array.shape)), params)
    return engine.xp.concat([engine.xp.reshape(array, (-1,)) for array in arrays]), Layout(places)


def _forward(vector: Floats, *, start: int, shape: tuple[int, ...]) -> Floats:
    return vector[start : start + prod(shape)].reshape(shape)


def _backward(
    arrays: tuple[Floats], outputs: Floats, gradient: Floats, *, start: int, shape: tuple[int, ...]
) -> tuple[Floats]:
    whole = np.zeros_like(arrays[0])
    whole[start : start + prod(shape)] = gradient.reshape(-1)
    return (whole,)


def _load_torch() -> Callable[..., Any]:
    return _forward  # a view, in the same words


_cut = Kernel(_forward, _backward, _load_torch)
