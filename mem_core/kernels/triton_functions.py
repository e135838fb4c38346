"""What the Triton versions share: launching and the choice of block sizes.

A Triton version is two plain functions, as a NumPy version is: `forward(*arrays, **options)` and
`backward(arrays, results, gradients, **options)`. Both make room for their results and launch kernels;
`differentiable` makes them one function.

Importing this imports Triton: only the function that loads a kernel's Triton version does so.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
import triton
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from mem_core.kernels.torch_operation import differentiable

__all__ = ["differentiable", "fitting", "jit", "launch", "multiprocessors", "tuned"]


_WITHOUT_GPU = 132  # multiprocessors of an H100 or H200, for the interpreter


def jit(function: Callable[..., Any]) -> Any:
    """Make a kernel of a function; Triton's `jit`, which wants the source and not what our tests wrap around it."""
    return triton.jit(inspect.unwrap(function))


def multiprocessors(tensor: Tensor) -> int:
    """Count what can run programs side by side on the tensor's GPU."""
    return (
        int(torch.cuda.get_device_properties(tensor.device).multi_processor_count) if tensor.is_cuda else _WITHOUT_GPU
    )


def tuned(
    configs: Sequence[triton.Config], key: Sequence[str], interpreted: dict[str, int], prune: Any = None
) -> Callable[[Any], Any]:
    """Choose the fastest block sizes the first time a kernel meets a size; Triton's `autotune`.

    Args:
        configs: block sizes to try.
        key: names of the kernel's arguments that make a new choice necessary when they change.
        interpreted: the only block sizes under Triton's interpreter, small ones: it has no clock to choose by.
        prune: `(configs, arguments, **more) -> configs` worth trying for these arguments.
    """
    if triton.knobs.runtime.interpret:
        configs, prune = [triton.Config(interpreted)], None
    pruning = {"early_config_prune": prune} if prune else None
    choose: Callable[[Any], Any] = triton.autotune(list(configs), list(key), prune_configs_by=pruning)
    return choose


def fitting(**limits: str) -> Callable[..., list[triton.Config]]:
    """Make a `prune` that drops blocks more than twice as long as the axis they cut.

    Args:
        limits: for each block size the name of the kernel argument that it cuts, `BT="length"`.
    """

    def prune(configs: list[triton.Config], arguments: dict[str, Any], **more: Any) -> list[triton.Config]:
        sizes = {**arguments, **more}
        fit = [
            config
            for config in configs
            if all(config.kwargs[block] < 2 * sizes[axis] for block, axis in limits.items())
        ]
        return fit or [min(configs, key=lambda config: sum(config.kwargs.values()))]

    return prune


def launch(kernel: Any, grid: Any, *arguments: Any, **options: Any) -> None:
    """Start a kernel on the device of its first argument; `torch.compile`'s stand-ins for tensors start nothing."""
    first = arguments[0]
    if isinstance(first, FakeTensor):
        return
    with torch.cuda.device(first.device) if first.is_cuda else contextlib.nullcontext():
        kernel[grid](*arguments, **options, enable_fp_fusion=True)
