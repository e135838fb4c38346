"""Axes: batch, length, channels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mem_core.kernels import linear_scan
from mem_core.kernels.linear_recurrence import reference

LENGTHS = [1, 2, 15, 16, 17, 63, 64, 65, 100, 513]
NAMES = "a b initial_state"


@pytest.fixture
def inputs(normal):
    def draw(batch=2, length=100, channels=3):
        shape = (batch, length, channels)
        return 0.99 * np.tanh(2 * normal(*shape)), normal(*shape), normal(batch, channels)

    return draw


@pytest.fixture(params=["whole", "in_chunks"])
def launches(request, monkeypatch):
    """Let a program take a whole sequence, or make it three launches over short chunks."""
    on_triton = pytest.importorskip("mem_core.kernels.linear_recurrence.on_triton")
    monkeypatch.setattr(on_triton, "_SHORTEST_CHUNK", 10_000 if request.param == "whole" else 24)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_float64(assert_triton_agrees, inputs, launches, length):
    assert_triton_agrees(linear_scan, inputs(length=length), NAMES, tolerance=1e-6)


@pytest.mark.parametrize("channels", [1, 16, 33], ids=lambda channels: f"channels{channels}")
def test_any_number_of_channels_will_do(assert_triton_agrees, inputs, launches, channels):
    assert_triton_agrees(linear_scan, inputs(length=50, channels=channels), NAMES, tolerance=1e-6)


def test_factors_of_zero_and_one_are_exact(triton, inputs, launches):
    a, b, start = inputs(length=70)
    b, start = np.round(8 * b), np.round(8 * start)  # whole numbers, whose sums are exact in float32
    a = (a > 0).astype(float)
    h = triton.to_numpy(linear_scan(*map(triton.asarray, (a, b, start))))
    np.testing.assert_array_equal(h, reference.linear_scan(a, b, start))


@pytest.mark.skipif(torch.cuda.is_available(), reason="picks a single program, as only the interpreter can")
def test_numbers_beyond_two_to_the_31_are_found(triton, monkeypatch, tmp_path):
    on_triton = pytest.importorskip("mem_core.kernels.linear_recurrence.on_triton")
    interpreter = pytest.importorskip("triton.runtime.interpreter")
    batch, length, channels = 2**23 + 1, 16, 16  # 256 numbers more than 2³¹
    # Files full of holes take no room, and the pages that nobody touches no memory.
    a, b, h = (
        torch.from_file(str(tmp_path / name), shared=True, size=batch * length * channels, dtype=torch.float16)
        for name in "abh"
    )
    for array in (a, b):
        array[-length * channels :] = 1

    def last_program(builder, axis):
        return interpreter.TensorHandle(np.array([batch - 1], dtype=np.int32), interpreter.tl.int32)

    monkeypatch.setattr(interpreter.InterpreterBuilder, "create_get_program_id", last_program)
    entering = torch.zeros(batch, channels, dtype=torch.float16)
    on_triton.launch(on_triton.scan, (1,), a, b, entering, h, length, channels, length)
    found = h[-length * channels :].reshape(length, channels)
    torch.testing.assert_close(found, torch.arange(1, 17, dtype=torch.float16)[:, None].expand(16, 16))
