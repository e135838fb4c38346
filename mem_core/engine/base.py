"""What every engine offers; mechanism code is written against this and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["numpy", "torch", "cuda"]
Precision = Literal["float32", "float64"]
Array = Any
"""An array of the engine at hand: `numpy.ndarray`, `torch.Tensor`, or one being differentiated."""


class EngineError(RuntimeError):
    """An engine that is unknown or not installed; the message says what to do."""


class Engine(ABC):
    """Arrays, gradients and batching on one device.

    Attributes:
        kind: `numpy`, `torch` or `cuda`.
        xp: array functions under the names of the Python array API standard, plus `einsum`. Functions that make
            arrays (`zeros`, `ones`, `full`, `eye`, `arange`, `linspace`, `asarray`) use the engine's device, and
            the engine's floating type where the standard says "the default floating type".
        precision: the floating type, `float32` unless asked otherwise.
        badge: engine, version and device in words, for the page.
    """

    kind: Kind
    xp: Any
    precision: Precision
    badge: str

    @property
    def float_dtype(self) -> Any:
        """The engine's floating type."""
        return getattr(self.xp, self.precision)

    @abstractmethod
    def asarray(self, values: Any, dtype: Any = None) -> Array:
        """Move numbers to the engine; floating numbers take the engine's floating type unless `dtype` is given."""

    @abstractmethod
    def to_numpy(self, array: Array) -> NDArray[Any]:
        """Bring an array back as NumPy, detached from any gradient."""

    @abstractmethod
    def value_and_grad(self, loss: Callable[..., Any], has_aux: bool = False) -> Callable[..., tuple[Any, Any]]:
        """Return a function giving `(loss, gradient)` with respect to the first argument, a tree of arrays.

        With `has_aux`, `loss` returns `(value, auxiliary)` and the function gives `((value, auxiliary), gradient)`.
        """

    @abstractmethod
    def vmap(
        self, function: Callable[..., Any], in_axes: int | tuple[int | None, ...] | None = 0
    ) -> Callable[..., Any]:
        """Return `function` applied to every entry along an axis of its arguments at once (None: not batched)."""

    def item(self, array: Array) -> float:
        """Return a one-element array as a Python number."""
        return float(np.asarray(self.to_numpy(array)).reshape(()))
