"""Drawing, running and timing with NumPy."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, philox, select
from mem_core.kernels.benchmark.cases import Case
from mem_core.kernels.benchmark.inputs import INPUTS
from mem_core.kernels.benchmark.place import Call, Place
from mem_core.kernels.benchmark.timing import Timing, on_processor


class OnNumpy(Place):
    """NumPy on one thread, as in the browser; gradients by `autograd`."""

    device = "numpy"
    threads = 1

    def __init__(self) -> None:
        self._engine = select("numpy")

    def draw(self, case: Case) -> dict[str, Array]:
        arrays: dict[str, Array] = {}
        for name, given in INPUTS[case.kernel].items():
            normal = philox(0, case.kernel, name).standard_normal(given.shape(case.axes))
            arrays[name] = given.draw(normal).astype(case.dtype)
        if case.kernel == "scatter_add":
            arrays["index"] = philox(0, "index").integers(case.sizes["sums"], size=case.sizes["rows"])
        return arrays

    def forward(self, call: Callable[..., Array], arrays: Mapping[str, Array]) -> Call:
        return lambda: call(**arrays)

    def with_gradient(self, call: Callable[..., Array], arrays: Mapping[str, Array], output: Array) -> Call:
        numbers = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}
        others = {name: array for name, array in arrays.items() if array.dtype.kind != "f"}
        weights = philox(0, "gradient").standard_normal(output.shape).astype(output.dtype)
        evaluate = self._engine.value_and_grad(lambda tree: (call(**tree, **others) * weights).sum())
        return lambda: evaluate(numbers)

    def time(self, call: Call) -> Timing:
        return on_processor(call)

    def peak(self, call: Call) -> int:
        tracemalloc.start()
        try:
            call()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def to_numpy(self, array: Array) -> NDArray[Any]:
        return np.asarray(array)

    def copying(self, numbers: int) -> Call:
        source = philox(0, "copied").random(numbers, np.float32)
        target = np.zeros_like(source)
        return lambda: np.copyto(target, source)

    def multiplying(self, rows: int, dtype: str) -> Call:
        left, right = (philox(0, name).standard_normal((rows, rows)).astype(dtype) for name in ("left", "right"))
        return lambda: left @ right

    def exponentiating(self, numbers: int, repeats: int) -> Call:
        exponents = philox(0, "exponents").random(numbers, np.float32)
        results = np.empty_like(exponents)
        return lambda: [np.exp2(exponents, out=results) for _ in range(repeats)]
