"""The `numpy` engine: the one that runs in a browser, and anywhere."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine.base import Engine, Precision
from mem_core.engine.numpy_namespace import NumpyNamespace
from mem_core.engine.trees import leaves, map_tree


class NumpyEngine(Engine):
    """NumPy arrays; gradients by the `autograd` package, imported when first asked for."""

    kind = "numpy"

    def __init__(self, precision: Precision = "float32") -> None:
        self.precision = precision
        self.xp = NumpyNamespace(precision)
        place = "your browser" if platform.system() == "Emscripten" else "CPU"
        self.badge = f"NumPy {np.__version__} on {place}"

    def asarray(self, values: Any, dtype: Any = None) -> NDArray[Any]:
        array = np.asarray(values, dtype=dtype)
        if dtype is None and array.dtype.kind == "f":
            array = array.astype(self.precision, copy=False)
        return array

    def to_numpy(self, array: Any) -> NDArray[Any]:
        return np.asarray(_unboxed(array))

    def value_and_grad(self, loss: Callable[..., Any], has_aux: bool = False) -> Callable[..., tuple[Any, Any]]:
        self.xp.start_differentiating()
        import autograd

        if not has_aux:
            plain: Callable[..., tuple[Any, Any]] = autograd.value_and_grad(loss)
            return plain

        def evaluate(params: Any, *args: Any) -> tuple[Any, Any]:
            kept: list[Any] = []

            def value_alone(params: Any, *args: Any) -> Any:
                value, auxiliary = loss(params, *args)
                kept.append(map_tree(_unboxed, auxiliary))
                return value

            value, gradient = autograd.value_and_grad(value_alone)(params, *args)
            return (value, kept[0]), gradient

        return evaluate

    def vmap(
        self, function: Callable[..., Any], in_axes: int | tuple[int | None, ...] | None = 0
    ) -> Callable[..., Any]:
        def batched(*args: Any) -> Any:
            axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
            sizes = {
                leaf.shape[axis]
                for arg, axis in zip(args, axes, strict=True)
                if axis is not None
                for leaf in leaves(arg)
            }
            if len(sizes) != 1:
                raise ValueError(f"vmap needs arguments of one batch size, got {sorted(sizes)}.")
            results = [
                function(*(_entry(arg, axis, index) for arg, axis in zip(args, axes, strict=True)))
                for index in range(sizes.pop())
            ]
            return map_tree(lambda *entries: self.xp.stack(entries), results[0], *results[1:])

        return batched


def _entry(tree: Any, axis: int | None, index: int) -> Any:
    if axis is None:
        return tree
    return map_tree(lambda leaf: leaf[(slice(None),) * axis + (index,)], tree)


def _unboxed(array: Any) -> Any:
    """Strip autograd's boxes without importing autograd for plain arrays."""
    while hasattr(array, "_value") and not isinstance(array, np.ndarray):
        array = array._value
    return array
