"""`scatter_add`: sums of rows that share an index."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, cast_like
from mem_core.kernels.dispatch import Kernel, kind_of
from mem_core.kernels.scatter import on_numpy


def _load_torch() -> Callable[..., Any]:
    from mem_core.kernels.scatter import on_torch

    return on_torch.scatter_rows


scatter_rows = Kernel(on_numpy.forward, on_numpy.backward, _load_torch, name="scatter_add")
"""(rows; index, size) → sums."""


def scatter_add(rows: Array, index: Array, size: int) -> Array:
    """Add up the rows that share an index; an index may occur any number of times.

        sums_i = Σ of rows_r over all r with index_r = i,  i = 0 … size − 1

    Args:
        rows: (rows, …), any number of further axes.
        index: where each row goes, whole numbers from 0 to size − 1 (rows,).
        size: number of sums.

    Returns:
        sums (size, …) in the type of `rows`, zero where no row goes; differentiable in `rows`, whose gradient is
        the gathered `gradient[index]`.

    Raises:
        ValueError: if shapes do not fit, an axis is empty, `rows` is not floating-point, `size` is below 1, or an
            index is no whole number or outside 0 … size − 1. (On a GPU PyTorch itself stops at such an index.)

    Source:
        `segment_sum` in JAX and `index_add` in PyTorch; the transpose of a gather.

    >>> import numpy as np
    >>> scatter_add(np.array([1.0, 2.0, 3.0]), np.array([2, 0, 2]), size=4)
    array([2., 0., 4., 0.])
    """
    given = Arguments("scatter_add")
    size = operator.index(size)
    if size < 1:
        raise given.error(f"size must be at least 1, got {size}")
    inputs = rows
    further = (f"axis {axis}" for axis in range(1, max(1, len(getattr(rows, "shape", (0,))))))
    rows = given.take("rows", rows, "rows", *further)
    given.take_indices("index", index, "rows")
    kind_of(rows, index)
    return cast_like(scatter_rows(rows, index=index, size=size), inputs)
