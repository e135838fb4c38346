"""What the PyTorch versions with a hand-written gradient share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def apply(function: type[torch.autograd.Function], *inputs: Any) -> Any:
    """Call a function with its own gradient; the one place where PyTorch's missing type is passed over."""
    return function.apply(*inputs)  # type: ignore[no-untyped-call]


def batch_first(size: int, tensors: Sequence[Tensor], dims: Sequence[int | None]) -> list[Tensor]:
    """Bring the axis over which `torch.func.vmap` batches to the front of every tensor; repeat those that lack it."""
    return [
        tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
        for tensor, dim in zip(tensors, dims, strict=True)
    ]


def joined(
    size: int, arrays: Sequence[Tensor | None], dims: Sequence[int | None], axes: Sequence[int]
) -> list[Tensor | None]:
    """Let the axis over which `torch.func.vmap` batches join another axis of every tensor, entry after entry."""
    present = [(array, dim, axis) for array, dim, axis in zip(arrays, dims, axes, strict=True) if array is not None]
    first = iter(batch_first(size, [array for array, *_ in present], [dim for _, dim, _ in present]))
    return [
        None if array is None else next(first).movedim(0, axis).flatten(axis, axis + 1)
        for array, axis in zip(arrays, axes, strict=True)
    ]


def parted(size: int, results: Sequence[Tensor], axes: Sequence[int]) -> tuple[Tensor, ...]:
    """Undo `joined`, the batch axis first."""
    return tuple(
        result.reshape(*result.shape[:axis], size, result.shape[axis] // size, *result.shape[axis + 1 :]).movedim(
            axis, 0
        )
        for result, axis in zip(results, axes, strict=True)
    )
