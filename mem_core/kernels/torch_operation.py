"""Making a forward and a hand-written gradient one operation of PyTorch: for autograd, torch.func and torch.compile.

The two are plain functions that may do what autograd cannot follow: launch kernels, or write in place. Autograd and
`torch.func` see a `torch.autograd.Function`, whose gradient is one too; `torch.compile` sees an operator that it need
not look into.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mem_core.kernels.arguments import cast_like, wide
from mem_core.kernels.torch_functions import apply, joined, parted

Arrays = Sequence[Tensor | None]
Options = tuple[tuple[str, Any], ...]


def differentiable(
    name: str,
    forward: Callable[..., Sequence[Tensor]],
    backward: Callable[..., Sequence[Tensor | None]],
    *,
    join: Sequence[int],
    join_results: Sequence[int],
    kept: int = 0,
    options: str = "",
    plain: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """Make a forward and its gradient one function.

    Args:
        name: of the operation, unique.
        forward: `(*arrays, **options) -> results`, the outputs and then what backward needs of them; an array may be
            None.
        backward: `(arrays, results, gradients of the outputs, **options) -> gradients`, one per array.
        join: for every array the axis that a batch axis of `torch.func.vmap` can join, entry after entry.
        join_results: the same for what `forward` returns.
        kept: how many of these are no outputs.
        options: the options of `forward` in the words of PyTorch's operator schemas, `"bool gate, int? size"`.
        plain: `(*arrays, **options) -> outputs`, the same by operations that PyTorch can differentiate twice; it is
            used for nothing but the gradient of a gradient, which there is not without it.

    Returns:
        `(*arrays, **options) -> output`, or a tuple if there are several.
    """
    outputs = len(join_results) - kept
    schema = f", *, {options}" if options else ""
    run_forward = _operator(f"{name}_forward", forward, f"(Tensor?[] arrays{schema}) -> Tensor[]")
    run_backward = _operator(
        f"{name}_backward", backward, f"(Tensor?[] arrays, Tensor[] results, Tensor[] gradients{schema}) -> Tensor[]"
    )

    class Forward(torch.autograd.Function):
        @staticmethod
        def forward(given: Options, *arrays: Tensor | None) -> tuple[Tensor, ...]:
            return tuple(run_forward(arrays, **dict(given)))

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
            ctx.given, ctx.arrays = inputs[0], len(inputs) - 1
            ctx.mark_non_differentiable(*output[outputs:])
            ctx.save_for_backward(*inputs[1:], *output)

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
            saved = ctx.saved_tensors
            inputs = (ctx.given, ctx.arrays, *saved, *gradients[:outputs])
            # The compiler refuses one operation with its own gradient inside another.
            found = Backward.forward(*inputs) if torch.compiler.is_compiling() else apply(Backward, *inputs)
            return None, *_where_given(saved[: ctx.arrays], found)

        @staticmethod
        def vmap(info: Any, in_dims: tuple[Any, ...], given: Options, *arrays: Tensor | None) -> tuple[Any, Any]:
            results = apply(Forward, given, *joined(info.batch_size, arrays, in_dims[1:], join))
            return parted(info.batch_size, results, join_results), (0,) * len(results)

    class Backward(torch.autograd.Function):
        @staticmethod
        def forward(given: Options, count: int, *tensors: Any) -> tuple[Tensor, ...]:
            end = count + outputs + kept
            return tuple(run_backward(tensors[:count], tensors[count:end], tensors[end:], **dict(given)))

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
            ctx.given, ctx.arrays, *tensors = inputs
            ctx.save_for_backward(*tensors[: ctx.arrays], *tensors[ctx.arrays + outputs + kept :])

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
            if plain is None:
                raise NotImplementedError(f"{name} has no gradient of a gradient; use float64 tensors on the CPU.")
            arrays, of_outputs = ctx.saved_tensors[: ctx.arrays], ctx.saved_tensors[ctx.arrays :]
            found = _gradient_of_gradient(plain, dict(ctx.given), arrays, of_outputs, gradients)
            return None, None, *found[: ctx.arrays], *[None] * (outputs + kept), *found[ctx.arrays :]

        @staticmethod
        def vmap(info: Any, in_dims: tuple[Any, ...], given: Options, count: int, *tensors: Any) -> tuple[Any, Any]:
            axes = (*join, *join_results, *join_results[:outputs])
            found = apply(Backward, given, count, *joined(info.batch_size, tensors, in_dims[2:], axes))
            return parted(info.batch_size, found, join), (0,) * count

    def call(*arrays: Tensor | None, **given: Any) -> Any:
        found = apply(Forward, tuple(given.items()), *arrays)[:outputs]
        return found if outputs > 1 else found[0]

    return call


def _operator(name: str, function: Callable[..., Sequence[Tensor | None]], schema: str) -> Callable[..., Any]:
    def whole(*tensors: Any, **given: Any) -> list[Tensor]:
        results = function(*tensors[0], **given) if len(tensors) == 1 else function(*tensors, **given)
        # An operator returns tensors only; what stands for the gradient of None is not looked at.
        return [torch.empty(0, device=tensors[0][0].device) if result is None else result for result in results]

    torch.library.custom_op(f"mem_core::{name}", whole, mutates_args=(), schema=schema).register_fake(whole)
    operator = getattr(torch.ops.mem_core, name).default

    def run(*tensors: Any, **given: Any) -> Any:
        # Through the operator it takes ten microseconds more.
        return operator(*map(list, tensors), **given) if torch.compiler.is_compiling() else whole(*tensors, **given)

    return run


def _where_given(arrays: Arrays, gradients: Sequence[Tensor]) -> list[Tensor | None]:
    return [None if array is None else gradient for array, gradient in zip(arrays, gradients, strict=True)]


def _gradient_of_gradient(
    plain: Callable[..., Any], options: dict[str, Any], arrays: Arrays, of_outputs: Sequence[Tensor], twice: Arrays
) -> list[Tensor | None]:
    """Pull the gradients of the arrays' gradients back to the arrays and to the gradients of the outputs."""
    count = len(arrays)
    given: list[Tensor | None] = [*arrays, *of_outputs]
    present = [number for number, tensor in enumerate(given) if tensor is not None]

    def outputs(*tensors: Tensor) -> tuple[Tensor, ...]:
        found = plain(*_spread(tensors, present, count), **options)
        return found if isinstance(found, tuple) else (found,)

    def gradient(*tensors: Tensor) -> Any:
        inputs = len(tensors) - len(of_outputs)
        return torch.func.vjp(outputs, *tensors[:inputs])[1](tensors[inputs:])

    pull_back = torch.func.vjp(gradient, *(wide(tensor) for tensor in given if tensor is not None))[1]
    found = pull_back(tuple(wide(twice[number]) for number in present if number < count))
    narrow = [cast_like(tensor, given[number]) for tensor, number in zip(found, present, strict=True)]
    return _spread(narrow, present, len(given))


def _spread(tensors: Sequence[Tensor], places: Sequence[int], count: int) -> list[Tensor | None]:
    """Put tensors at their places in a list of `count`, None elsewhere."""
    at = dict(zip(places, tensors, strict=False))
    return [at.get(place) for place in range(count)]
