"""Depthwise 3×3 convolution over a square grid of tokens: nine shifted multiply-adds in each channel.

Axes: b image, c channel, l token, row after row of the grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array
from mem_core.kernels.dispatch import Kernel

Floats = NDArray[Any]

TAPS = 3
"""Weights along each side of the kernel."""


def grid_side(length: int) -> int:
    """Return the side of the square grid that so many tokens fill.

    Raises:
        ValueError: if they fill none.

    >>> grid_side(64)
    8
    >>> grid_side(60)
    Traceback (most recent call last):
    ...
    ValueError: token count 60 is not a square grid.
    """
    side = math.isqrt(length)
    if side < 1 or side * side != length:
        raise ValueError(f"token count {length} is not a square grid.")
    return side


def depthwise_conv3x3(x: Array, weight: Array) -> Array:
    """Let every token see its eight neighbours, each channel for itself; beyond the border there are zeros.

        y[r, s] = Σ_ij weight[i, j] · x[r + i − 1, s + j − 1],   i, j = 0, 1, 2

    Args:
        x: tokens of a square grid (b,c,l).
        weight: nine numbers a channel (c,3,3), not mirrored, as in PyTorch's `conv2d` with `groups` = channels.

    Returns:
        (b,c,l). Differentiable in both.

    Raises:
        ValueError: if the tokens fill no square grid, or the weights do not fit.

    >>> spread = depthwise_conv3x3(np.array([[[0.0, 0, 0, 0, 1, 0, 0, 0, 0]]]), np.arange(9.0).reshape(1, 3, 3))
    >>> spread.astype(int).tolist()
    [[[8, 7, 6, 5, 4, 3, 2, 1, 0]]]
    """
    grid_side(x.shape[-1])
    wanted = (x.shape[1], TAPS, TAPS)
    if tuple(weight.shape) != wanted:
        raise ValueError(f"weight must have shape {wanted}, got {tuple(weight.shape)}.")
    return _convolution(x, weight)


def _forward(x: Floats, weight: Floats) -> Floats:
    side = grid_side(x.shape[-1])
    padded, span = _laid_out(x, side), _span(x, side)
    total = np.zeros_like(padded)
    product = np.empty((x.shape[1], span), x.dtype)
    for i, j, offset in _offsets(side):
        np.multiply(padded[:, offset : offset + span], weight[:, i, j, None], out=product)
        total[:, :span] += product
    grids = total.reshape(x.shape[1], x.shape[0], side + 2, side + 2)[..., :side, :side]
    return grids.swapaxes(0, 1).reshape(x.shape)


def _backward(arrays: tuple[Floats, Floats], outputs: Floats, gradient: Floats) -> tuple[Floats, Floats]:
    x, weight = arrays
    side = grid_side(x.shape[-1])
    padded, span = _laid_out(x, side), _span(x, side)
    dtotal = _laid_out(gradient, side)[:, side + 3 :]  # from the corner of the first grid on, as `total` above
    dweight = np.zeros_like(weight)
    for i, j, offset in _offsets(side):
        dweight[:, i, j] = np.vecdot(dtotal[:, :span], padded[:, offset : offset + span])
    return _forward(gradient, weight[:, ::-1, ::-1]), dweight


def _laid_out(x: Floats, side: int) -> Floats:
    """Put a border of zeros around every grid and lay all rows of a channel end to end (c,b·(side+2)²).

    A shift in two dimensions is then one offset, the same for all images.
    """
    padded = np.zeros((x.shape[1], x.shape[0], side + 2, side + 2), x.dtype)
    padded[..., 1:-1, 1:-1] = x.reshape(*x.shape[:2], side, side).swapaxes(0, 1)
    return padded.reshape(x.shape[1], -1)


def _offsets(side: int) -> Iterator[tuple[int, int, int]]:
    """Yield row and column of every weight, and by how much it looks ahead among the tokens laid end to end."""
    for i in range(TAPS):
        for j in range(TAPS):
            yield i, j, i * (side + 2) + j


def _span(x: Floats, side: int) -> int:
    """How many tokens, borders included, the furthest look ahead leaves."""
    images: int = x.shape[0]
    return images * (side + 2) ** 2 - (TAPS - 1) * (side + 3)


def _load_torch() -> Callable[..., Any]:
    from torch.nn import functional

    def convolution(x: Any, weight: Any) -> Any:
        side = grid_side(x.shape[-1])
        grid = x.reshape(*x.shape[:2], side, side)
        return functional.conv2d(grid, weight[:, None], padding=1, groups=x.shape[1]).reshape(x.shape)

    return convolution


_convolution = Kernel(_forward, _backward, _load_torch)
