"""Sums of rows by index on NumPy.

Axes: n rows, w numbers in a row (all further axes side by side).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Indices = NDArray[np.integer]


def forward(rows: Floats, *, index: Indices, size: int) -> Floats:
    """Return sums (size, …) of rows (n, …) by index (n,)."""
    if index.min() < 0 or index.max() >= size:
        raise ValueError(f"scatter_add: index must lie in 0 … {size - 1}, got {index.min()} … {index.max()}.")
    width = math.prod(rows.shape[1:])
    # (n·w,). `sums[index] += rows` would keep one row of those that share an index; bincount adds them all, in float64.
    places = (index.astype(np.intp)[:, None] * width + np.arange(width)).ravel()
    sums = np.bincount(places, weights=rows.ravel(), minlength=size * width)
    return sums.reshape(size, *rows.shape[1:]).astype(rows.dtype, copy=False)


def backward(arrays: tuple[Floats], outputs: Floats, gradient: Floats, *, index: Indices, size: int) -> tuple[Floats]:
    """Return the gradient of the rows: each has the gradient of the sum it went into."""
    return (gradient[index],)
