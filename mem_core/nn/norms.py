"""Root-mean-square normalisation, plain and with a gate."""

from __future__ import annotations

from mem_core.engine import Array, Engine
from mem_core.kernels.activations import silu

EPSILON = 1e-5
"""Added to the mean square, so that a row of zeros stays zero; Mamba's own value."""


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
