"""Loss along the straight line between two sets of parameters, to see whether a ridge or a dip lies between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mem_core.engine import Array, Engine, map_tree


def points_between(engine: Engine, start: Any, end: Any, shares: Sequence[float]) -> Any:
    """Return (1 - share) * start + share * end for every share.

    Args:
        engine: where the parameters live.
        start, end: trees of arrays with the same shapes.
        shares: how far along the line, 0 at `start` and 1 at `end`; other values extend the line.

    Returns:
        A tree of the same form whose arrays have a leading axis of length `len(shares)`.
    """
    share = engine.asarray([float(value) for value in shares])

    def blend(first: Array, last: Array) -> Array:
        along = engine.xp.reshape(share, (-1,) + (1,) * first.ndim)
        return (1 - along) * first + along * last

    return map_tree(blend, start, end)


def loss_along_line(
    engine: Engine, losses: Callable[[Any], Array], start: Any, end: Any, shares: Sequence[float]
) -> Array:
    """Measure the loss at points of the line between two sets of parameters.

    Args:
        engine: where the parameters live.
        losses: takes a tree with a leading axis of points and returns one loss for each; `engine.vmap(loss)` makes
            one from a loss of a single set of parameters.
        start, end: trees of arrays with the same shapes.
        shares: how far along the line, 0 at `start` and 1 at `end`.

    Returns:
        Losses, shape (len(shares),).
    """
    return losses(points_between(engine, start, end, shares))
