"""Sums of rows by index, one row after the other in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def scatter_add(rows: NDArray[np.floating], index: NDArray[np.integer], size: int) -> NDArray[np.float64]:
    """Return sums (size, …) of rows (n, …) by index (n,)."""
    sums = np.zeros((size, *rows.shape[1:]))
    for row, place in zip(rows, index, strict=True):
        sums[place] += row
    return sums
