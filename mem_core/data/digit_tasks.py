"""Handwritten digits as tasks to be learned one after another: two digits at a time, or all of them turned further.

Pairs of digits are class-incremental: new classes come, one head answers for all ten. Rotations are domain-incremental:
the classes stay, the pictures change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mem_core.data.digits import Digits

CLASSES = 10


@dataclass(frozen=True, eq=False)
class DigitTask:
    """One task.

    Attributes:
        training, test: its pictures.
        classes: the digits in it.
    """

    training: Digits
    test: Digits
    classes: tuple[int, ...]


def joined(parts: Sequence[Digits]) -> Digits:
    """Put pictures one after another."""
    return Digits(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


def inputs_and_targets(pictures: Digits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return pictures as rows of pixels, shape (n, side²), and their classes as one-hot rows, (n, 10)."""
    return pictures.images.reshape(len(pictures), -1), np.eye(CLASSES)[pictures.labels]


def pairs_of_digits(training: Digits, test: Digits) -> list[DigitTask]:
    """Make five tasks: 0 and 1, 2 and 3, ..., 8 and 9."""
    pairs = [(first, first + 1) for first in range(0, CLASSES, 2)]
    return [DigitTask(training.of(pair), test.of(pair), pair) for pair in pairs]


def rotated_digits(training: Digits, test: Digits, angles: Sequence[float]) -> list[DigitTask]:
    """Make one task of all digits for each angle, in degrees counter-clockwise."""
    classes = tuple(range(CLASSES))
    return [DigitTask(_turned(training, angle), _turned(test, angle), classes) for angle in angles]


def _turned(pictures: Digits, angle: float) -> Digits:
    return Digits(rotated(pictures.images, angle), pictures.labels)


def rotated(images: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Turn square pictures about their centre, with bilinear interpolation and nothing but 0 outside.

    Args:
        images: shape (n, side, side).
        angle: in degrees, counter-clockwise where rows count downwards, as on a screen.

    Raises:
        ValueError: if the pictures are not square.

    >>> rotated(np.array([[[1.0, 2.0], [3.0, 4.0]]]), 90).round(6).tolist()
    [[[2.0, 4.0], [1.0, 3.0]]]
    """
    count, side = images.shape[:2]
    if images.shape != (count, side, side):
        raise ValueError(f"images must be square, of shape (n, side, side), got {images.shape}.")
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    down, right = np.meshgrid(*[np.arange(side) - (side - 1) / 2] * 2, indexing="ij")
    # Where each pixel of the turned picture comes from, in pixels of a picture with a border of one 0 all around.
    row = np.clip(cosine * down + sine * right + (side + 1) / 2, 0, side + 1)
    column = np.clip(cosine * right - sine * down + (side + 1) / 2, 0, side + 1)
    bordered = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    top, left = (np.minimum(place.astype(int), side) for place in (row, column))
    below, beside = row - top, column - left
    return np.asarray(
        (1 - below) * ((1 - beside) * bordered[:, top, left] + beside * bordered[:, top, left + 1])
        + below * ((1 - beside) * bordered[:, top + 1, left] + beside * bordered[:, top + 1, left + 1])
    )
