"""What the tests of all kernels share: both engines in float64, and memory that is poisoned before it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from mem_core.engine import Array, Engine, philox, select

# Central differences: the error is about step² from curvature plus 1e-16/step from rounding.
STEP = 1e-5


@pytest.fixture(params=["numpy", "torch"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return select(request.param, precision="float64")


@pytest.fixture(autouse=True)
def uninitialised_memory_is_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((np, "empty"), (np, "empty_like"), (torch, "empty"), (torch, "empty_like")):
        monkeypatch.setattr(module, name, _poisoned(getattr(module, name)))


def _poisoned(make: Callable[..., Any]) -> Callable[..., Any]:
    def made(*args: Any, **keywords: Any) -> Any:
        array = make(*args, **keywords)
        if isinstance(array, torch.Tensor) and array.is_floating_point():
            array.fill_(torch.nan)
        elif isinstance(array, np.ndarray) and array.dtype.kind == "f":
            array.fill(np.nan)
        return array

    return made


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


def _weights(shape: tuple[int, ...]) -> np.ndarray:
    return philox(1, "output weights", *shape).standard_normal(shape)
