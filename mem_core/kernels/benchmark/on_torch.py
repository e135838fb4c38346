"""Drawing, running and timing with PyTorch, on a CPU, on a GPU, or in Triton's interpreter."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from mem_core.engine import select
from mem_core.kernels.benchmark import timing
from mem_core.kernels.benchmark.cases import Case, Device
from mem_core.kernels.benchmark.inputs import INPUTS
from mem_core.kernels.benchmark.place import Call, Place

_CLOCKS = {"cpu": timing.on_processor, "cuda": timing.on_gpu, "interpreter": timing.once}


class OnTorch(Place):
    """PyTorch on one device, on a CPU with as many threads as a run of a mechanism takes; gradients by autograd."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._place = "cuda" if device == "cuda" else "cpu"
        if device == "cpu":
            select("torch")  # which settles the threads
        self.threads = torch.get_num_threads()

    def draw(self, case: Case) -> dict[str, Tensor]:
        generator = self._generator(0)
        arrays: dict[str, Tensor] = {}
        for name, given in INPUTS[case.kernel].items():
            normal = torch.randn(given.shape(case.axes), generator=generator, device=self._place)
            arrays[name] = given.draw(normal).to(torch.float32 if given.wide else getattr(torch, case.dtype))
        if case.kernel == "scatter_add":
            size, sums = (case.sizes["rows"],), case.sizes["sums"]
            arrays["index"] = torch.randint(sums, size, generator=generator, device=self._place)
        return arrays

    def forward(self, call: Callable[..., Tensor], arrays: Mapping[str, Tensor]) -> Call:
        def run() -> Tensor:
            with torch.no_grad():
                return call(**arrays)

        return run

    def with_gradient(self, call: Callable[..., Tensor], arrays: Mapping[str, Tensor], output: Tensor) -> Call:
        given = {name: array.detach().requires_grad_(array.is_floating_point()) for name, array in arrays.items()}
        leaves = [array for array in given.values() if array.requires_grad]
        gradient = torch.randn(output.shape, generator=self._generator(1), device=self._place).to(output.dtype)
        return lambda: torch.autograd.grad(call(**given), leaves, gradient)

    def time(self, call: Call) -> timing.Timing:
        return _CLOCKS[self.device](call)

    def peak(self, call: Call) -> int | None:
        if self.device == "interpreter":
            return None  # its numbers are NumPy's, which PyTorch knows nothing of
        return _peak_on_gpu(call) if self.device == "cuda" else _peak_on_processor(call)

    def to_numpy(self, array: Tensor) -> NDArray[Any]:
        numbers: NDArray[Any] = array.detach().float().cpu().numpy()
        return numbers

    def copying(self, numbers: int) -> Call:
        source = torch.rand(numbers, generator=self._generator(0), device=self._place)
        target = torch.empty_like(source)
        return lambda: target.copy_(source)

    def multiplying(self, rows: int, dtype: str) -> Call:
        both = torch.randn(2, rows, rows, generator=self._generator(0), device=self._place)
        left, right = both.to(getattr(torch, dtype))
        return lambda: left @ right

    def exponentiating(self, numbers: int, repeats: int) -> Call:
        exponents = torch.rand(numbers, generator=self._generator(0), device=self._place)
        if self.device == "cpu":
            results = torch.empty_like(exponents)
            return lambda: [torch.exp2(exponents, out=results) for _ in range(repeats)]
        from mem_core.kernels.benchmark.triton_exponentials import exponentials

        return lambda: exponentials(exponents, repeats)

    def _generator(self, seed: int) -> torch.Generator:
        return torch.Generator(self._place).manual_seed(seed)


def _peak_on_gpu(call: Call) -> int:
    call()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def _peak_on_processor(call: Call) -> int:
    """Add up what PyTorch's profiler notes of every piece of memory taken and given back."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else it writes to the terminal that it starts and stops
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as noted:
        call()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        noted.export_chrome_trace(str(path))
        events = json.loads(path.read_text())["traceEvents"]
    held = most = 0
    for event in sorted((event for event in events if event["name"] == "[memory]"), key=lambda event: event["ts"]):
        held += event["args"]["Bytes"]
        most = max(most, held)
    return most
