"""What is asked of the place where kernels run: drawing, running, timing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from mem_core.engine import Array
from mem_core.kernels.benchmark.cases import Case, Device
from mem_core.kernels.benchmark.timing import Timing

Call = Callable[[], Any]
"""What is timed: a function without arguments, which are bound to it before."""


class Place(ABC):
    """Arrays of one kind on one device.

    Attributes:
        device: its name.
        threads: of the processor.
    """

    device: Device
    threads: int

    @abstractmethod
    def draw(self, case: Case) -> dict[str, Array]:
        """Make a case's arguments, the same ones every time."""

    @abstractmethod
    def forward(self, call: Callable[..., Array], arrays: Mapping[str, Array]) -> Call:
        """Return the forward pass."""

    @abstractmethod
    def with_gradient(self, call: Callable[..., Array], arrays: Mapping[str, Array], output: Array) -> Call:
        """Return forward and backward pass, for a gradient of the output that is always the same."""

    @abstractmethod
    def time(self, call: Call) -> Timing:
        """Time a call."""

    @abstractmethod
    def peak(self, call: Call) -> int | None:
        """Return how many bytes a call holds at most beside what was there before; None if that cannot be told."""

    @abstractmethod
    def to_numpy(self, array: Array) -> NDArray[Any]:
        """Return an array as NumPy's."""

    @abstractmethod
    def copying(self, numbers: int) -> Call:
        """Return a copy of so many numbers of four bytes."""

    @abstractmethod
    def multiplying(self, rows: int, dtype: str) -> Call:
        """Return a product of two square matrices."""

    @abstractmethod
    def exponentiating(self, numbers: int, repeats: int) -> Call:
        """Return the powers of 2 with so many exponents, so many times: the fastest exponentials there are."""
