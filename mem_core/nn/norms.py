"""Normalisation of vectors of channels: by their root mean square, plain and with a gate, and by mean and variance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine
from mem_core.kernels.activations import silu
from mem_core.kernels.dispatch import Kernel

Floats = NDArray[np.floating]

EPSILON = 1e-5
"""Added to the mean square or variance, so that a row of zeros stays zero; Mamba's and PyTorch's own value."""


def rms_norm(engine: Engine, x: Array, weight: Array, epsilon: float = EPSILON) -> Array:
    """Scale every row to a root mean square of one: x / √(mean(x²) + ε) · weight.

    Args:
        engine: where the arrays live.
        x: rows along the last axis (..., channels).
        weight: a factor for each channel (channels,).
        epsilon: ε.

    Source: Zhang & Sennrich 2019, "Root Mean Square Layer Normalization", equation 4.
    """
    mean_square = engine.xp.mean(x * x, axis=-1, keepdims=True)
    return x * (mean_square + epsilon) ** -0.5 * weight


def gated_rms_norm(engine: Engine, x: Array, z: Array, weight: Array, epsilon: float = EPSILON) -> Array:
    """Gate, then normalise: the norm of x · silu(z), as at the end of a Mamba-2 block.

    Args:
        engine: where the arrays live.
        x, z: values and their gates (..., channels).
        weight: a factor for each channel (channels,).
        epsilon: ε.

    Source: `RMSNormGated` with `norm_before_gate=False` in the code of Dao & Gu 2024, arXiv 2405.21060.
    """
    return rms_norm(engine, x * silu(z), weight, epsilon)


def layer_norm(x: Array, weight: Array, bias: Array, *, axis: int = -1, epsilon: float = EPSILON) -> Array:
    """Give every vector of channels mean 0 and variance 1: (x − mean) / √(variance + ε) · weight + bias.

    Args:
        x: any shape.
        weight, bias: for each channel (channels,).
        axis: where the channels are.
        epsilon: ε, added to the variance, which is the biased one.

    Source: Ba, Kiros & Hinton 2016, "Layer Normalization", equation 3.
    """
    return _layer_norm(x, weight, bias, axis=axis % x.ndim, epsilon=epsilon)


def _layer_norm_forward(x: Floats, weight: Floats, bias: Floats, *, axis: int, epsilon: float) -> Floats:
    result, _ = _standardised(x, axis, epsilon)
    result *= _along(weight, x, axis)
    result += _along(bias, x, axis)
    return result


def _layer_norm_backward(
    arrays: tuple[Floats, Floats, Floats], outputs: Floats, gradient: Floats, *, axis: int, epsilon: float
) -> tuple[Floats, Floats, Floats]:
    x, weight, _ = arrays
    standard, inverse_deviation = _standardised(x, axis, epsilon)
    others = tuple(other for other in range(x.ndim) if other != axis)
    dstandard = gradient * _along(weight, x, axis)
    along = (dstandard * standard).mean(axis=axis, keepdims=True)
    dx = (dstandard - dstandard.mean(axis=axis, keepdims=True) - standard * along) * inverse_deviation
    return dx, (gradient * standard).sum(axis=others), gradient.sum(axis=others)


def _standardised(x: Floats, axis: int, epsilon: float) -> tuple[Floats, Floats]:
    centred = x - x.mean(axis=axis, keepdims=True)
    inverse_deviation = ((centred * centred).mean(axis=axis, keepdims=True) + epsilon) ** -0.5
    return centred * inverse_deviation, inverse_deviation


def _along(vector: Array, x: Array, axis: int) -> Array:
    """Turn a vector so that it lies along one axis of x."""
    return vector.reshape((-1,) + (1,) * (x.ndim - 1 - axis))


def _load_torch_layer_norm() -> Callable[..., Any]:
    from torch.nn import functional

    def norm(x: Any, weight: Any, bias: Any, *, axis: int, epsilon: float) -> Any:
        last = x.movedim(axis, -1)
        return functional.layer_norm(last, weight.shape, weight, bias, epsilon).movedim(-1, axis)

    return norm


_layer_norm = Kernel(_layer_norm_forward, _layer_norm_backward, _load_torch_layer_norm)
