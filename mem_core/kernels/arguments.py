"""Checks on the arguments of a public kernel; every message names the argument, what it is and what it should be."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.dispatch import Kernel, kind_of, namespace

# Narrower floats are computed in float32 and only rounded when the result is handed back.
_WORKING_PRECISION = {"float16": "float32", "bfloat16": "float32", "float32": "float32", "float64": "float64"}


class Arguments:
    """The arrays given to one function, in named axes; an axis takes its size from the first array that has it.

    The first array taken decides the precision, float64 if it is float64, else float32, and the device.

    Args:
        function: name of the public function, the first word of every message.
        kernel: where the arrays go; if its Triton version takes them, narrow floats stay as they are.
        check: look at every number and refuse what is not finite; not under `torch.func.vmap` or `torch.compile`,
            which know no numbers yet.

    >>> import numpy as np
    >>> given = Arguments("mix")
    >>> x = given.take("x", np.zeros((2, 5)), "batch", "length")
    >>> y = given.take("y", np.zeros((2, 4)), "batch", "length")
    Traceback (most recent call last):
    ...
    ValueError: mix: y must have shape (batch, length) = (2, 5), got (2, 4).
    """

    def __init__(self, function: str, kernel: Kernel | None = None, check: bool = False) -> None:
        self._function, self._kernel, self._check = function, kernel, check
        self._sizes: dict[str, int] = {}
        self._first: tuple[str, Array] | None = None
        self._dtype = ""
        self._as_it_is = False

    def take(self, name: str, array: Array, *axes: str) -> Array:
        """Check an array against its axes and return it in the working precision.

        Raises:
            TypeError: if it is no array.
            ValueError: if it is not of floating-point numbers, if only one of it and the first array is float64, if
                it is on another device, if an axis is missing or has another size than in an earlier array, if an
                axis is empty, or if `check` finds a number that is not finite.
        """
        self._check_shape(name, array, *axes)
        dtype = _dtype_name(array)
        if dtype not in _WORKING_PRECISION:
            raise self.error(f"{name} must hold floating-point numbers, got {dtype}")
        if self._first is None:
            self._first, self._dtype = (name, array), _WORKING_PRECISION[dtype]
            self._as_it_is = self._kernel is not None and self._kernel.takes(array)
        self._check_company(name, array, *self._first)
        if self._check:
            self._check_finite(name, array)
        return array if self._as_it_is else _cast(array, self._dtype)

    def take_optional(self, name: str, array: Array | None, *axes: str) -> Array | None:
        """Do the same for an array that may be left out."""
        return None if array is None else self.take(name, array, *axes)

    def take_indices(self, name: str, array: Array, *axes: str) -> None:
        """Check the axes of an array of whole numbers, which keeps its type."""
        self._check_shape(name, array, *axes)
        if "int" not in _dtype_name(array):
            raise self.error(f"{name} must hold whole numbers, got {_dtype_name(array)}")

    def check_divides(self, axis: str, other: str) -> None:
        """Check that the size of one axis is a divisor of another's."""
        if self._sizes[other] % self._sizes[axis]:
            raise self.error(f"{axis} must divide {other} = {self._sizes[other]}, got {axis} = {self._sizes[axis]}")

    def know(self, axis: str, size: int) -> None:
        """Fix the size of an axis that no array has brought; it may be 0."""
        self._sizes[axis] = size

    def error(self, message: str) -> ValueError:
        """Make the error to raise for this function."""
        return ValueError(f"{self._function}: {message}.")

    def _check_shape(self, name: str, array: Array, *axes: str) -> None:
        if not (hasattr(array, "shape") and hasattr(array, "dtype")):
            raise TypeError(f"{self._function}: {name} must be an array, got {type(array).__name__}.")
        shape = tuple(array.shape)
        expected = tuple(self._sizes.get(axis, size) for axis, size in zip(axes, shape, strict=False))
        if len(shape) != len(axes) or shape != expected:
            raise self.error(f"{name} must have shape {self._expected(axes)}, got {shape}")
        for axis, size in zip(axes, shape, strict=True):
            if size == 0 and axis not in self._sizes:
                raise self.error(f"{name} must have at least one entry along {axis}, got shape {shape}")
            self._sizes[axis] = size

    def _check_company(self, name: str, array: Array, first_name: str, first: Array) -> None:
        dtype, first_dtype = _dtype_name(array), _dtype_name(first)
        if (dtype == "float64") != (first_dtype == "float64"):
            raise self.error(f"{name} must be float64 if and only if {first_name} is, got {dtype} and {first_dtype}")
        device, first_device = getattr(array, "device", None), getattr(first, "device", None)
        if kind_of(array) == kind_of(first) == "torch" and device != first_device:
            raise self.error(f"{name} must be on {first_device} as {first_name} is, got {device}")

    def _check_finite(self, name: str, array: Array) -> None:
        xp, as_tuple = namespace(array), _AS_TUPLE[kind_of(array)]
        finite = xp.isfinite(array)
        if not finite.all():
            place = tuple(int(indices[0]) for indices in xp.nonzero(~finite, **as_tuple))
            found = "nan" if bool(xp.isnan(array)[place]) else "inf"
            raise self.error(f"{name} must hold finite numbers, got {found} at {place}")

    def _expected(self, axes: tuple[str, ...]) -> str:
        names = f"({', '.join(axes)})"
        sizes = f"({', '.join(str(self._sizes.get(axis, axis)) for axis in axes)})"
        return names if sizes == names else f"{names} = {sizes}"


def cast_like(array: Array, like: Array) -> Array:
    """Return an array in the floating type of another; the same array if it has that already."""
    return _cast(array, _dtype_name(like))


def wide(array: Array) -> Array:
    """Return an array in the precision it is computed in: float64 as it is, anything narrower as float32."""
    return _cast(array, _WORKING_PRECISION[_dtype_name(array)])


def _cast(array: Array, dtype: str) -> Array:
    if _dtype_name(array) == dtype:
        return array
    return array.astype(dtype) if hasattr(array, "astype") else getattr(array, _TORCH_CASTS[dtype])()


# PyTorch's `nonzero` gives one array of indices per axis only when asked.
_AS_TUPLE: dict[str, dict[str, bool]] = {"numpy": {}, "autograd": {}, "torch": {"as_tuple": True}}
_TORCH_CASTS = {"float16": "half", "bfloat16": "bfloat16", "float32": "float", "float64": "double"}


def _dtype_name(array: Array) -> str:
    return str(array.dtype).removeprefix("torch.")
