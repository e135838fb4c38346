"""The two elementwise functions that state-space layers gate with, each one node of the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.dispatch import Kernel

Floats = NDArray[Any]

# Beyond this, log(1 + exp x) is x and σ(x) is 0 or 1 even in float64, and exp stays far from overflow in float32.
_SATURATED = 80.0


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(−x)) of a NumPy array, without overflow."""
    result = np.exp(np.minimum(-x, _SATURATED))
    result += 1.0
    return np.reciprocal(result, out=result)


def silu_slope(x: Floats) -> Floats:
    """Return the derivative σ(x)·(1 + x·(1 − σ(x))) of x·σ(x) for a NumPy array."""
    gate = sigmoid(x)
    return gate * (1.0 + x * (1.0 - gate))


def _silu(x: Floats) -> Floats:
    return x * sigmoid(x)


def _silu_backward(arrays: tuple[Floats], outputs: Floats, gradient: Floats) -> tuple[Floats]:
    return (gradient * silu_slope(arrays[0]),)


def _softplus(x: Floats) -> Floats:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _softplus_backward(arrays: tuple[Floats], outputs: Floats, gradient: Floats) -> tuple[Floats]:
    return (gradient * sigmoid(arrays[0]),)


def _load_torch_silu() -> Callable[..., Any]:
    from torch.nn import functional

    return functional.silu


def _load_torch_softplus() -> Callable[..., Any]:
    from torch.nn import functional

    # PyTorch's own threshold of 20 is 2e-9 off in float64.
    return lambda x: functional.softplus(x, threshold=_SATURATED)


silu = Kernel(_silu, _silu_backward, _load_torch_silu)
"""x·σ(x), any shape; short for sigmoid linear unit."""

softplus = Kernel(_softplus, _softplus_backward, _load_torch_softplus)
"""log(1 + exp x), any shape."""
