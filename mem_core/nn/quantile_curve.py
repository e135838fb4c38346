"""Stretching a curve of sorted values to another number of points."""

from __future__ import annotations

import numpy as np

from mem_core.engine import Array, Engine


def stretch(engine: Engine, values: Array, size: int) -> Array:
    """Interpolate along the last axis between the centres of L equal cells, at the centres of `size` equal cells.

    Point j is read at (j + ½)·L/size − ½, held inside [0, L − 1], with straight lines between neighbours. Sorted
    values stay sorted, and the mean stays about the same: a curve of quantiles for more, or fewer, draws.

    Args:
        engine: where the array lives.
        values: (..., L).
        size: how many points to return.

    Returns:
        (..., size).

    Raises:
        ValueError: if there are no values or size is below 1.

    Source: `torch.nn.functional.interpolate(mode="linear", align_corners=False)`.

    >>> from mem_core.engine import select
    >>> stretch(select("numpy"), np.array([4.0, 0.0]), 4).tolist()
    [4.0, 3.0, 1.0, 0.0]
    """
    length = values.shape[-1]
    if length < 1:
        raise ValueError("values must hold at least one value along the last axis, got none.")
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}.")
    source = np.clip((np.arange(size) + 0.5) * (length / size) - 0.5, 0, length - 1)
    below = np.minimum(source.astype(np.int64), max(length - 2, 0))
    share = engine.asarray(source - below)
    take = engine.xp.take
    lower = take(values, engine.asarray(below), axis=-1)
    upper = take(values, engine.asarray(np.minimum(below + 1, length - 1)), axis=-1)
    return lower + (upper - lower) * share
