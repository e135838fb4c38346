"""What Triton's interpreter lets pass and its compiler does not; the compiler needs no GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNELS = {
    "causal_conv1d": ["convolve", "convolve_back"],
    "gated_delta_rule": [
        *("solve", "correct", "compare", "read", "solve", "correct", "compare", "gradients_of_values"),
        *("correct_back", "gradients_of_keys", "solve_back"),
    ],
    "gated_linear_attention": [
        *("carry", "compare", "read", "carry", "carry", "gradients_of_keys", "compare", "gradients_of_values")
    ],
    "hidden_state_mixer": ["_sum", "_sum_back"],
    "linear_scan": ["what_chunks_do", "scan", "scan", "what_chunks_do", "scan", "scan_back"],
    "selective_scan": ["scan", "scan_back"],
    "selective_scan_in_chunks": ["scan", "scan", "scan", "scan_back", "scan", "scan_back"],
    "ssd_scan": [
        *("states_between_chunks", "outputs_of_chunks", "states_between_chunks", "states_between_chunks"),
        *("gradients_of_inputs", "gradients_of_vectors"),
    ],
    "ssd_scan_of_many_heads": [
        *("walk", "states_between_chunks", "states_between_chunks", "gradients_of_inputs", "gradients_of_vectors")
    ],
}


@pytest.fixture
def compiled(tmp_path):
    """Compile what functions launch, in a process without the interpreter; return the names of the kernels."""
    pytest.importorskip("triton")

    def compile_(dtype, functions):
        environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, Path(__file__).with_name("compile_for_hopper.py"), *functions, "--dtype", dtype]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return [line.split()[0] for line in done.stdout.splitlines()]

    return compile_


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "functions"),
    [
        ("bfloat16", list(KERNELS)),
        ("float32", ["ssd_scan_of_many_heads", "hidden_state_mixer"]),
    ],
    ids=["bfloat16", "float32"],
)
def test_kernels_compile_for_a_hopper_gpu(compiled, dtype, functions):
    assert compiled(dtype, functions) == [kernel for function in functions for kernel in KERNELS[function]]
