"""Array-API names on NumPy, differentiable once something trains.

Importing `autograd` costs most of a second in a browser, so the namespace speaks plain NumPy until
`start_differentiating` is called and `autograd.numpy` afterwards. A few standard names are missing in one of the two
or have no gradient there; they are given here in terms of those that have.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

# Array-API name: the older NumPy name under which autograd knows the gradient.
_OLDER_NAMES = {
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "concat": "concatenate",
    "permute_dims": "transpose",
    "pow": "power",
}
# The standard gives these the default floating type when no dtype is passed.
_FLOAT_BY_DEFAULT = ("zeros", "ones", "empty", "eye", "linspace", "full")


class NumpyNamespace:
    """The `xp` of the NumPy engine; attributes are looked up once and kept."""

    def __init__(self, precision: str) -> None:
        self._precision = np.dtype(precision)
        self._module: ModuleType = np

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._find(name)
        setattr(self, name, found)
        return found

    def start_differentiating(self) -> None:
        """Switch to functions that record gradients, keeping references to this namespace valid."""
        if self._module is np:
            import autograd.numpy

            for name in [name for name in vars(self) if not name.startswith("_")]:
                delattr(self, name)
            self._module = autograd.numpy

    def _find(self, name: str) -> Any:
        if name in _FLOAT_BY_DEFAULT:
            return self._with_default_float(getattr(np, name), name)
        special = getattr(self, f"_{name}", None) if name in _SPECIAL else None
        return special or getattr(self._module, _OLDER_NAMES.get(name, name))

    def _with_default_float(self, make: Callable[..., Any], name: str) -> Callable[..., Any]:
        def made(*args: Any, dtype: Any = None, **keywords: Any) -> Any:
            if dtype is None and not (name == "full" and not isinstance(args[1], float)):
                dtype = self._precision
            return make(*args, dtype=dtype, **keywords)

        return made

    def _matrix_transpose(self, x: Any) -> Any:
        return self._module.swapaxes(x, -1, -2)

    def _vecdot(self, x: Any, y: Any, axis: int = -1) -> Any:
        return self._module.sum(x * y, axis=axis)

    def _cumulative_sum(self, x: Any, axis: int | None = None, include_initial: bool = False) -> Any:
        axis = 0 if axis is None else axis
        total = self._module.cumsum(x, axis=axis)
        if not include_initial:
            return total
        first = 0 * self._take(total, np.asarray([0]), axis=axis)
        return self._module.concatenate([first, total], axis=axis)

    def _take(self, x: Any, indices: Any, axis: int = 0) -> Any:
        return x[(slice(None),) * (axis % x.ndim) + (indices,)]

    def _astype(self, x: Any, dtype: Any) -> Any:
        return x.astype(dtype)

    def _std(self, x: Any, axis: Any = None, correction: int | float = 0, keepdims: bool = False) -> Any:
        return self._module.std(x, axis=axis, ddof=correction, keepdims=keepdims)

    def _var(self, x: Any, axis: Any = None, correction: int | float = 0, keepdims: bool = False) -> Any:
        return self._module.var(x, axis=axis, ddof=correction, keepdims=keepdims)


_SPECIAL = ("matrix_transpose", "vecdot", "cumulative_sum", "take", "astype", "std", "var")
