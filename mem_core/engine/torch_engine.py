"""The `torch` and `cuda` engines: PyTorch on the CPU, and on a GPU with Triton kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat.torch
import numpy as np
import torch
from numpy.typing import NDArray

from mem_core.engine.base import Engine, Precision

# Functions that make an array: they need the device, and the float type where the standard has a default.
_MAKERS = ("zeros", "ones", "empty", "eye", "linspace", "full", "arange", "asarray")
_FLOAT_BY_DEFAULT = ("zeros", "ones", "empty", "eye", "linspace")


class TorchNamespace:
    """The `xp` of the torch engines: `array_api_compat.torch` with the engine's device and float type filled in."""

    def __init__(self, device: str, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(array_api_compat.torch, name)
        if name in _MAKERS:
            found = self._made_here(found, name)
        setattr(self, name, found)
        return found

    def _made_here(self, make: Callable[..., Any], name: str) -> Callable[..., Any]:
        def made(*args: Any, dtype: Any = None, **keywords: Any) -> Any:
            if dtype is None and (name in _FLOAT_BY_DEFAULT or (name == "full" and isinstance(args[1], float))):
                dtype = self._dtype
            return make(*args, dtype=dtype, device=self._device, **keywords)

        return made


class TorchEngine(Engine):
    """PyTorch tensors on one device; gradients and batching by `torch.func`."""

    def __init__(self, device: str = "cpu", precision: Precision = "float32") -> None:
        self.kind = "cuda" if device == "cuda" else "torch"
        self.device = device
        self.precision = precision
        self.xp = TorchNamespace(device, getattr(torch, precision))
        version = torch.__version__.split("+")[0]
        if self.kind == "cuda":
            self.badge = f"PyTorch {version} and Triton on {torch.cuda.get_device_name()}"
        else:
            self.badge = f"PyTorch {version} on CPU"

    def asarray(self, values: Any, dtype: Any = None) -> torch.Tensor:
        if not isinstance(values, torch.Tensor):
            # torch shares memory with NumPy: a copy keeps an update in place from reaching the caller's array.
            values = torch.from_numpy(np.array(values))
        if dtype is None and values.is_floating_point():
            dtype = self.float_dtype
        moved: torch.Tensor = values.to(device=self.device, dtype=dtype)
        return moved

    def to_numpy(self, array: Any) -> NDArray[Any]:
        return array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)

    def value_and_grad(self, loss: Callable[..., Any], has_aux: bool = False) -> Callable[..., tuple[Any, Any]]:
        evaluate = torch.func.grad_and_value(loss, has_aux=has_aux)

        def value_first(params: Any, *args: Any) -> tuple[Any, Any]:
            gradient, value = evaluate(params, *args)
            return value, gradient

        return value_first

    def vmap(
        self, function: Callable[..., Any], in_axes: int | tuple[int | None, ...] | None = 0
    ) -> Callable[..., Any]:
        return torch.func.vmap(function, in_dims=in_axes)  # type: ignore[arg-type]  # None is allowed: not batched
