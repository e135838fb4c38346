"""A small masked auto-encoder: a perceptron that fills in the hidden patches of a picture.

Many runs sit side by side on the first axis, each with its own weights, and see the same batches.
Axes: R runs, B pictures, N patches, P pixels a patch, H hidden units.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine
from mem_core.nn.gelu import gelu

Params = dict[str, Array]
"""`from_pixels` (R, N P, H), `from_mask` (R, N, H), `hidden` (R, H, H), `out` (R, H, N P), and three `.._bias`."""


def initial(
    engine: Engine, generator: np.random.Generator, *, runs: int, patches: int, pixels: int, width: int
) -> Params:
    """Draw one set of weights and give it to every run: uniform within 1 / sqrt(inputs of the layer), as torch does.

    Raises:
        ValueError: naming the size that is below 1.
    """
    for name, size in (("runs", runs), ("patches", patches), ("pixels", pixels), ("width", width)):
        if size < 1:
            raise ValueError(f"{name} must be 1 or more, got {size}.")
    picture = patches * pixels
    first, later = picture + patches, width
    shapes = {
        "from_pixels": (picture, width, first),
        "from_mask": (patches, width, first),
        "first_bias": (1, width, first),
        "hidden": (width, width, later),
        "hidden_bias": (1, width, later),
        "out": (width, picture, later),
        "out_bias": (1, picture, later),
    }
    drawn = {
        name: generator.uniform(-1, 1, (rows, columns)) / math.sqrt(inputs)
        for name, (rows, columns, inputs) in shapes.items()
    }
    return {name: engine.asarray(np.tile(values, (runs, 1, 1))) for name, values in drawn.items()}


def patches_of(images: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Cut square pictures (n, S, S) into patches of `side` x `side` pixels: shape (n, N, P), row by row.

    Raises:
        ValueError: if the patches do not fill the picture.
    """
    count, height, width = images.shape
    if height % side or width % side:
        raise ValueError(f"side must divide the picture's {height} x {width} pixels, got {side}.")
    rows, columns = height // side, width // side
    cut = images.reshape(count, rows, side, columns, side).transpose(0, 1, 3, 2, 4)
    return cut.reshape(count, rows * columns, side * side)


def filled_in(engine: Engine, params: Params, patches: Array, hidden: Array) -> Array:
    """Return what the model expects in every patch.

    Args:
        engine: where the arrays live.
        params: the weights.
        patches: the true pictures, shape (B, N, P); hidden patches are zeroed before the model sees them.
        hidden: 1 where a patch is hidden and 0 where it is seen, shape (B, N).

    Returns:
        Shape (R, B, N P).
    """
    xp = engine.xp
    pictures = patches.shape[0]
    seen = xp.reshape(patches * (1.0 - hidden)[:, :, None], (pictures, -1))
    first = xp.matmul(seen, params["from_pixels"]) + xp.matmul(hidden, params["from_mask"]) + params["first_bias"]
    second = xp.matmul(gelu(first), params["hidden"]) + params["hidden_bias"]
    return xp.matmul(gelu(second), params["out"]) + params["out_bias"]


def errors(engine: Engine, params: Params, patches: Array, hidden: Array) -> Array:
    """Return the mean squared error of each run over the pixels of the hidden patches, shape (R,)."""
    xp = engine.xp
    pictures, count, pixels = patches.shape
    wrong = filled_in(engine, params, patches, hidden) - xp.reshape(patches, (pictures, -1))
    per_patch = xp.sum(xp.reshape(wrong * wrong, (-1, pictures, count, pixels)), axis=-1)  # (R, B, N)
    return xp.sum(per_patch * hidden, axis=(-2, -1)) / (xp.sum(hidden) * pixels)
