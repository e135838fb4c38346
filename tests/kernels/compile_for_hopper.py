"""Compile the Triton kernels that a call of a public function launches, for a Hopper GPU that need not be there.

`python compile_for_hopper.py FUNCTION… [--dtype DTYPE] [--all]`, for functions of which a call stands in CALLS. Writes
for every kernel its block sizes, registers, bytes on the stack (where registers go that are too many) and bytes of
shared memory; of the first block sizes that a kernel may be given, or of all. TRITON_INTERPRET must not be set.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget

from mem_core import kernels
from mem_core.kernels import availability, triton_functions


class NoGpu:
    """What Triton asks of a driver before it compiles."""

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return 0


def compiling(every: bool) -> Callable[..., None]:
    def compile_instead(kernel: Any, grid: Any, *arguments: Any, **options: Any) -> None:
        configs = [triton.Config({})]
        if hasattr(kernel, "configs"):
            kernel.nargs = dict(zip(kernel.arg_names, arguments, strict=False))
            configs, kernel = kernel.prune_configs(options), kernel.fn
        for config in configs if every else configs[:1]:
            blocks = config.all_kwargs()
            made = kernel.warmup(*arguments, **options, **blocks, enable_fp_fusion=True, grid=(1,))
            registers, stack = resources(made.asm["cubin"])
            used = f"{registers} registers, {stack} on the stack, {made.metadata.shared} shared"
            sys.stdout.write(f"{kernel.fn.__name__} {blocks}: {used}\n")
            sys.stdout.flush()

    return compile_instead


def resources(cubin: bytes) -> tuple[str, str]:
    tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        Path(file.name).write_bytes(cubin)
        listing = subprocess.run([tool, "-res-usage", file.name], capture_output=True, text=True, check=True).stdout
    found = re.search(r"REG:(\d+) STACK:(\d+)", listing)
    assert found, listing
    return found[1], found[2]


class Numbers:
    """Makes tensors of a type."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def __call__(self, *shape: int) -> torch.Tensor:
        return torch.ones(shape, dtype=self.dtype, requires_grad=True)


def causal_conv1d(ones: Numbers) -> torch.Tensor:
    return kernels.causal_conv1d(ones(1, 128, 2048), ones(128, 4), ones(128), activation="silu")


def gated_delta_rule(ones: Numbers) -> torch.Tensor:
    vectors, gates = ones(1, 128, 2, 64), ones(1, 128, 2)
    return kernels.gated_delta_rule(vectors, vectors, vectors, gates, gates)


def gated_linear_attention(ones: Numbers) -> torch.Tensor:
    vectors = ones(1, 128, 2, 64)
    return kernels.gated_linear_attention(vectors, vectors, vectors, vectors)


def hidden_state_mixer(ones: Numbers) -> torch.Tensor:
    x, dt, weights = ones(1, 192, 1024), ones(1, 25, 1024), (ones(384, 192), ones(192, 192))
    return kernels.hidden_state_mixer(x, dt, ones(25), dt, dt, ones(1), *weights)


def linear_scan(ones: Numbers) -> torch.Tensor:
    return kernels.linear_scan(ones(1, 4096, 128), ones(1, 4096, 128))


def selective_scan(ones: Numbers, length: int = 256) -> torch.Tensor:
    u, B, A, D = ones(1, 64, length), ones(1, 16, length), ones(64, 16), ones(64)
    return kernels.selective_scan(u, u, A, B, B, D, u, D, delta_softplus=True)


def ssd_scan(ones: Numbers, batch: int = 1) -> torch.Tensor:
    # A program can hold 128 numbers a row in two bytes each, 32 in four.
    x, B, dt, A = ones(batch, 128, 1, 64), ones(batch, 128, 1, 128 if batch == 1 else 32), ones(batch, 128, 1), ones(1)
    return kernels.ssd_scan(x, dt, A, B, B)


CALLS: dict[str, Callable[[Numbers], torch.Tensor]] = {
    "causal_conv1d": causal_conv1d,
    "gated_delta_rule": gated_delta_rule,
    "gated_linear_attention": gated_linear_attention,
    "hidden_state_mixer": hidden_state_mixer,
    "linear_scan": linear_scan,
    "selective_scan": selective_scan,
    "selective_scan_in_chunks": lambda ones: selective_scan(ones, length=2048),
    "ssd_scan": ssd_scan,
    "ssd_scan_of_many_heads": lambda ones: ssd_scan(ones, batch=132),
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("functions", nargs="+", choices=CALLS)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args()
    triton.runtime.driver.set_active(NoGpu())
    availability.DEVICES = ("cuda", "cpu")
    triton_functions.launch = compiling(given.all)  # before the modules that take it from there are loaded
    for function in given.functions:
        CALLS[function](Numbers(getattr(torch, given.dtype))).float().sum().backward()
