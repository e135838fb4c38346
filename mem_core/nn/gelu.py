"""GELU, the smooth step of Transformers' feed-forward layers, one node of the gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.dispatch import Kernel

Floats = NDArray[Any]

SLOPE, CUBIC = math.sqrt(2 / math.pi), 0.044715
"""The two constants of the usual formula."""


def _forward(x: Floats) -> Floats:
    result = _tanh(x)
    result += 1.0
    result *= x
    result *= 0.5
    return result


def _backward(arrays: tuple[Floats], outputs: Floats, gradient: Floats) -> tuple[Floats]:
    """Return g · ((1 + t)/2 + x (1 − t²)(a + 3 b x²)/2), t = tanh(a x + b x³)."""
    x = arrays[0]
    tanh = _tanh(x)
    steep = x * x
    steep *= 1.5 * SLOPE * CUBIC
    steep += 0.5 * SLOPE
    steep *= x
    steep *= 1.0 - tanh * tanh
    tanh += 1.0
    tanh *= 0.5
    steep += tanh
    steep *= gradient
    return (steep,)


def _tanh(x: Floats) -> Floats:
    result = x * x
    result *= SLOPE * CUBIC
    result += SLOPE
    result *= x
    np.tanh(result, out=result)
    return result


def _load_torch() -> Callable[..., Any]:
    from torch.nn import functional

    return lambda x: functional.gelu(x, approximate="tanh")


gelu = Kernel(_forward, _backward, _load_torch)
"""x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, any shape: x·Φ(x) to three digits (Hendrycks & Gimpel 2016)."""
