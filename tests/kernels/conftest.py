"""What the tests of all kernels share: central differences, and Triton without a GPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from mem_core.engine import Array, Engine, philox, select
from mem_core.kernels import availability

# Without a GPU Triton's kernels run in its interpreter, on CPU tensors. It has to be told before its first import, and
# stays told in this process; nothing but these tests gives it CPU tensors.
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

# Central differences: the error is about step² from curvature plus 1e-16/step from rounding.
STEP = 1e-5


@pytest.fixture
def triton(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """PyTorch in float32 where the kernels run in Triton: on a GPU, or in the interpreter on CPU tensors."""
    if torch.cuda.is_available():
        return select("cuda")
    pytest.importorskip("triton")
    monkeypatch.setattr(availability, "DEVICES", ("cuda", "cpu"))
    monkeypatch.setattr("triton.runtime.interpreter.ScanOps.generic_scan", _scan_by_doubling)
    _bfloat16_as_on_a_gpu(monkeypatch)
    return select("torch")


def _bfloat16_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Round to nearest and multiply numbers; Triton 3.9's interpreter cuts digits off, and multiplies their bits."""
    from triton.runtime import interpreter

    builder, language = interpreter.InterpreterBuilder, interpreter.tl
    cast, dot = builder.cast_impl, builder.create_dot

    def rounded(self: Any, source: Any, kind: Any) -> Any:
        if (source.dtype.scalar, kind.scalar) != (language.float32, language.bfloat16):
            return cast(self, source, kind)
        bits = torch.from_numpy(np.ascontiguousarray(source.data)).bfloat16().view(torch.uint16).numpy()
        return interpreter.TensorHandle(bits, kind.scalar)

    def of_numbers(self: Any, left: Any, right: Any, *others: Any) -> Any:
        narrow = [one.dtype.scalar == language.bfloat16 for one in (left, right)]
        factors = [
            cast(self, one, language.float32) if is_narrow else one
            for one, is_narrow in zip((left, right), narrow, strict=True)
        ]
        return dot(self, *factors, *others)

    monkeypatch.setattr(builder, "create_fp_trunc", rounded)
    monkeypatch.setattr(builder, "create_dot", of_numbers)


def _scan_by_doubling(scan: Any, inputs: Sequence[Any]) -> list[Any]:
    """Do in ⌈log2⌉ combinations of whole blocks what Triton's interpreter does number by number."""
    axis, stride = scan.axis, 1
    length = inputs[0].handle.data.shape[axis]
    while stride < length:
        earlier = [scan.to_tensor(np.roll(block.handle.data, stride, axis), block.dtype) for block in inputs]
        combined = scan.combine_fn.fn(*earlier, *inputs)
        place = np.arange(length).reshape([-1 if dim == axis else 1 for dim in range(inputs[0].handle.data.ndim)])
        inputs = [
            scan.to_tensor(np.where(place < stride, block.handle.data, new.handle.data), block.dtype)
            for block, new in zip(inputs, combined, strict=True)
        ]
        stride *= 2
    return list(inputs)


@pytest.fixture
def normal() -> Callable[..., np.ndarray]:
    """Draw standard normal numbers of a shape; the same ones in every test."""
    generator = philox(0, "kernel tests")
    return lambda *shape: generator.standard_normal(shape)


@pytest.fixture
def gradients() -> Callable[..., list[np.ndarray]]:
    """Gradients, by an engine, of a fixed weighted sum of all outputs of a function with respect to its arrays."""
    return _gradients


@pytest.fixture
def central_differences() -> Callable[..., list[np.ndarray]]:
    """The same by central differences, one number of one array after the other, on plain NumPy."""
    return _central_differences


def _gradients(engine: Engine, function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    def loss(tree: list[Array]) -> Array:
        return sum(
            engine.xp.sum(output * engine.asarray(_weights(output.shape))) for output in _outputs(function, tree)
        )

    _, found = engine.value_and_grad(loss)([engine.asarray(array) for array in arrays])
    return [engine.to_numpy(gradient) for gradient in found]


def _central_differences(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    def loss(moved: np.ndarray, position: int) -> float:
        changed = [moved if number == position else array for number, array in enumerate(arrays)]
        return sum(float(np.sum(output * _weights(output.shape))) for output in _outputs(function, changed))

    found = [np.zeros(array.shape) for array in arrays]
    for position, array in enumerate(arrays):
        for entry, nudge in _nudges(array):
            found[position][entry] = (loss(array + nudge, position) - loss(array - nudge, position)) / (2 * STEP)
    return found


def _nudges(array: np.ndarray) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    for entry in np.ndindex(*array.shape):
        nudge = np.zeros(array.shape)
        nudge[entry] = STEP
        yield entry, nudge


def _outputs(function: Callable[..., Any], arrays: Sequence[Array]) -> tuple[Array, ...]:
    found = function(*arrays)
    # A pair of outputs is a tuple, or autograd's stand-in for one; a single output is an array.
    return (found,) if hasattr(found, "shape") else (found[0], found[1])


@pytest.fixture
def assert_triton_agrees(triton: Engine, gradients: Callable[..., list[np.ndarray]]) -> Callable[..., None]:
    """Compare a function in Triton, outputs and gradients, with the NumPy version in float64."""

    def compare(function: Callable[..., Any], arrays: Sequence[np.ndarray], names: str, tolerance: float) -> None:
        exact = select("numpy", "float64")
        found = [triton.to_numpy(array) for array in _outputs(function, [triton.asarray(array) for array in arrays])]
        wanted = [*_outputs(function, arrays), *gradients(exact, function, arrays)]
        found += gradients(triton, function, arrays)
        outputs = [f"output {number}" for number in range(len(found) - len(arrays))]
        for name, got, expected in zip([*outputs, *names.split()], found, wanted, strict=True):
            # What should be nothing is compared with the numbers it comes from, which are about 1.
            error = np.linalg.norm(got - expected) / max(np.linalg.norm(expected), 1.0)
            assert error < tolerance, f"{name} is off by {error:.1e} of its size"

    return compare


def _weights(shape: tuple[int, ...]) -> np.ndarray:
    return philox(1, "output weights", *shape).standard_normal(shape)
