"""Label noise: some examples of a data set get a label drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class NoisyLabels:
    """Labels of which some were drawn at random.

    Attributes:
        given: the labels after the draw, shape (n,).
        redrawn: which examples drew a new label, shape (n,); about one in `classes` of them drew the old one again.
    """

    given: NDArray[np.int64]
    redrawn: NDArray[np.bool_]


def redraw_labels(labels: NDArray[np.int64], classes: int, share: float, generator: np.random.Generator) -> NoisyLabels:
    """Draw new labels, uniform over all classes, for ⌊share · n⌋ examples chosen at random.

    The right label is among those drawn from, as in the label corruption of Zhang et al. 2017 (arXiv 1611.03530).

    Args:
        labels: the right labels, whole numbers from 0 to classes − 1, shape (n,).
        classes: how many classes there are.
        share: of the examples, at least 0 and below 1.
        generator: where the draws come from.

    Raises:
        ValueError: if the share is not in [0, 1).

    >>> redraw_labels(np.arange(4), 4, 0.5, np.random.default_rng(0)).redrawn.tolist()
    [True, False, True, False]
    """
    if not 0 <= share < 1:
        raise ValueError(f"share is {share!r}, but it must be at least 0 and below 1.")
    count = int(share * len(labels))
    chosen = generator.permutation(len(labels))[:count]
    given, redrawn = labels.copy(), np.zeros(len(labels), dtype=bool)
    given[chosen] = generator.integers(classes, size=count)
    redrawn[chosen] = True
    return NoisyLabels(given, redrawn)
