"""Channels cut into equal parts, one node of the gradient.

A slice would do, but the gradient of every slice is an array of the whole size, mostly zeros, and adding these up costs
more than a layer's arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.dispatch import Kernel

Floats = NDArray[Any]


def _forward(x: Floats, *, parts: int) -> tuple[Floats, ...]:
    return tuple(np.split(x, parts, axis=1))


def _backward(arrays: tuple[Floats], outputs: Any, gradients: tuple[Floats, ...], *, parts: int) -> tuple[Floats]:
    return (np.concatenate(gradients, axis=1),)


def _load_torch() -> Callable[..., Any]:
    return lambda x, *, parts: x.chunk(parts, dim=1)


channel_parts = Kernel(_forward, _backward, _load_torch)
"""`channel_parts(x, parts=3)`: (batch, channels, length) to three arrays (batch, channels / 3, length)."""
