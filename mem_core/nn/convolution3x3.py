"""A 3×3 convolution over square pictures as one matrix product, and the pooling that goes with it.

Written with slices and joins alone, so that gradients, and gradients of single examples, come from the engine.

Axes: N networks, n pictures, S rows and S columns of pixels, C channels, O channels that come out.
"""

from __future__ import annotations

from mem_core.engine import Array, Engine

TAPS = 9
"""Pixels that each pixel sees: itself and its eight neighbours."""


def neighbourhoods(engine: Engine, pictures: Array) -> Array:
    """Lay what every pixel sees side by side, row after row of its neighbourhood; beyond the border there are zeros.

    Args:
        engine: whose arrays these are.
        pictures: (…, S, S, C).

    Returns:
        (…, S, S, 9·C).

    Raises:
        ValueError: if the pictures are not square.
    """
    side = pictures.shape[-2]
    if pictures.shape[-3] != side:
        raise ValueError(f"pictures must be square, of shape (..., S, S, C), got {tuple(pictures.shape)}.")
    row = 0.0 * pictures[..., :1, :, :]
    taller = engine.xp.concat([row, pictures, row], axis=-3)
    column = 0.0 * taller[..., :1, :]
    bordered = engine.xp.concat([column, taller, column], axis=-2)
    shifted = [bordered[..., down : down + side, right : right + side, :] for down in range(3) for right in range(3)]
    return engine.xp.concat(shifted, axis=-1)


def convolution3x3(engine: Engine, pictures: Array, weight: Array, bias: Array) -> Array:
    """Return Σ over the neighbourhood of weight · pixel, plus the bias, at every pixel.

    Args:
        engine: whose arrays these are.
        pictures: (N, n, S, S, C), or (1, n, S, S, C) for the same pictures in every network.
        weight: (N, 9·C, O), for each of the nine neighbours, row after row, all channels.
        bias: (N, 1, O).

    Returns:
        (N, n, S, S, O).
    """
    seen = neighbourhoods(engine, pictures)
    flat = engine.xp.reshape(seen, (seen.shape[0], -1, seen.shape[-1]))  # (N, n·S·S, 9·C)
    outputs = flat @ weight + bias
    return engine.xp.reshape(outputs, (outputs.shape[0], *pictures.shape[1:-1], outputs.shape[-1]))


def halved(engine: Engine, pictures: Array) -> Array:
    """Average every 2×2 pixels: (N, n, S, S, C) to (N, n, S/2, S/2, C).

    Raises:
        ValueError: if the side is odd.
    """
    networks, count, side, _, channels = pictures.shape
    if side % 2:
        raise ValueError(f"pictures must have an even side to be halved, got {side}.")
    blocks = engine.xp.reshape(pictures, (networks, count, side // 2, 2, side // 2, 2, channels))
    return engine.xp.mean(blocks, axis=(3, 5))
