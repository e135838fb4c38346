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
