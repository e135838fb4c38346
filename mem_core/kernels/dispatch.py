"""Which version of a kernel runs: decided by the type of the arrays, never by a setting.

| an argument is | what runs |
| --- | --- |
| `numpy.ndarray` | the NumPy version, nothing kept for a gradient |
| a box of `autograd` | the NumPy version as one node of the gradient, with its hand-written gradient |
| `torch.Tensor` | the PyTorch version |
| `torch.Tensor` on a GPU | the Triton version, or the PyTorch version and one word in the log why |

Nothing here imports PyTorch or `autograd` first: whoever passes their arrays has imported them already. The browser has
NumPy alone, and there importing `autograd` costs most of a second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from mem_core.engine import Array
from mem_core.kernels import availability

ArrayKind = Literal["numpy", "autograd", "torch"]


def kind_of(*arrays: Array | None) -> ArrayKind:
    """Tell which of the three kinds the arrays are; None is skipped.

    Raises:
        TypeError: if an argument is no array, or if PyTorch tensors are mixed with others.
    """
    torch, tracer = sys.modules.get("torch"), sys.modules.get("autograd.tracer")
    given = [array for array in arrays if array is not None]
    tensors = [torch is not None and isinstance(array, torch.Tensor) for array in given]
    if any(tensors):
        if not all(tensors):
            raise TypeError("Some arguments are PyTorch tensors and some are not; convert them with engine.asarray.")
        return "torch"
    boxes = [tracer is not None and isinstance(array, tracer.Box) for array in given]
    for array, is_box in zip(given, boxes, strict=True):
        # NumPy's scalars are what indexing a one-dimensional array gives.
        if not (is_box or isinstance(array, np.ndarray | np.generic)):
            raise TypeError(f"Expected an array, got {type(array).__name__}; convert it with engine.asarray.")
    return "autograd" if any(boxes) else "numpy"


def namespace(*arrays: Array | None) -> Any:
    """Return the module with the functions for these arrays: `numpy`, `autograd.numpy` or `torch`."""
    kind = kind_of(*arrays)
    if kind == "autograd":
        import autograd.numpy

        return autograd.numpy
    return sys.modules["torch"] if kind == "torch" else np


def zeros(shape: tuple[int, ...], like: Array) -> Array:
    """Return zeros of the type and on the device of another array."""
    return np.zeros(shape, like.dtype) if kind_of(like) != "torch" else like.new_zeros(shape)


class Kernel:
    """One operation on arrays in all its versions, called like a function.

    Args:
        numpy_forward: `(*arrays, **options) -> outputs`, an array or a tuple of arrays.
        numpy_backward: `(arrays, outputs, gradients, **options) -> tuple of gradients`, one per array; `gradients`
            has the form of `outputs`.
        load_torch: imports the PyTorch version and returns it; called when a tensor arrives.
        load_triton: the same for the Triton version, called when a tensor on a GPU arrives. Unlike the others it is
            given narrow floats as they are.
        name: of the public function, for `explain` and the log; a kernel without one is left out of both.
    """

    def __init__(
        self,
        numpy_forward: Callable[..., Any],
        numpy_backward: Callable[..., tuple[Any, ...]],
        load_torch: Callable[[], Callable[..., Any]],
        load_triton: Callable[[], Callable[..., Any]] | None = None,
        name: str = "",
    ) -> None:
        self._numpy_forward, self._numpy_backward = numpy_forward, numpy_backward
        self._load_torch, self._load_triton = load_torch, load_triton
        self._traced: Callable[..., Any] | None = None
        self.name = name
        if name:
            NAMED[name] = self

    @property
    def has_triton(self) -> bool:
        """Whether there is a Triton version."""
        return self._load_triton is not None

    def takes(self, array: Array) -> bool:
        """Tell whether the Triton version will serve this array."""
        # Asked at every call and not at import: a machine may have a GPU and no Triton, and a process may hold tensors
        # on either device.
        if self._load_triton is None or getattr(getattr(array, "device", None), "type", "") not in availability.DEVICES:
            return False
        reason = availability.obstacle(array)
        if reason:
            availability.log_once(self.name, reason)
        return not reason

    def triton(self, *arrays: Array | None, **options: Any) -> Any:
        """Run the Triton version, which may take more upon itself than the others do."""
        assert self._load_triton is not None
        return self._load_triton()(*arrays, **options)

    def __call__(self, *arrays: Array, **options: Any) -> Any:
        """Run the version for these arrays; options are not differentiated."""
        kind = kind_of(*arrays)
        if kind == "numpy":
            return self._numpy_forward(*arrays, **options)
        if kind == "autograd":
            self._traced = self._traced or _traced(self._numpy_forward, self._numpy_backward)
            return self._traced(*arrays, **options)
        if self.takes(arrays[0]):
            return self.triton(*arrays, **options)
        return self._load_torch()(*arrays, **options)


NAMED: dict[str, Kernel] = {}
"""The kernels behind the public functions, by the names of these; filled as they are made."""


def _traced(forward: Callable[..., Any], backward: Callable[..., tuple[Any, ...]]) -> Callable[..., Any]:
    """Make a forward and its gradient one node of `autograd`.

    `defvjp_argnums` is the form of `defvjp` for gradients that are computed together, as those of a scan are.
    """
    from autograd.core import defvjp_argnums
    from autograd.extend import Box, primitive

    node: Callable[..., Any] = primitive(forward)

    def gradient_of(argnums: tuple[int, ...], outputs: Any, arrays: tuple[Any, ...], options: Any) -> Any:
        def pull_back(gradients: Any) -> tuple[Any, ...]:
            if any(isinstance(value, Box) for value in (gradients, outputs, *arrays)):
                raise NotImplementedError("Kernels have no gradient of a gradient on NumPy; use the torch engine.")
            found = backward(arrays, outputs, gradients, **options)
            return tuple(found[argnum] for argnum in argnums)

        return pull_back

    defvjp_argnums(node, gradient_of)
    return node
