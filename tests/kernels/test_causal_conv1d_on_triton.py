"""Axes: batch, channels, length; taps."""

from __future__ import annotations

import pytest
import torch

from mem_core.kernels import causal_conv1d

LENGTHS = [1, 2, 15, 16, 17, 65, 100]
NAMES = "x weight bias initial_state"


@pytest.fixture
def inputs(normal):
    def draw(batch=2, channels=3, length=65, taps=4):
        shapes = (batch, channels, length), (channels, taps), (channels,), (batch, channels, taps - 1)
        return [normal(*shape) for shape in shapes]

    return draw


def with_silu(x, weight, bias, initial_state):
    return causal_conv1d(x, weight, bias, initial_state, activation="silu", return_final_state=True)


@pytest.fixture(autouse=True)
def several_sums(monkeypatch):
    """Add up the weights' gradients over fewer steps than the sequences have."""
    monkeypatch.setattr(pytest.importorskip("mem_core.kernels.convolution.on_triton"), "_SUMMED", 48)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_float64(assert_triton_agrees, inputs, length):
    assert_triton_agrees(with_silu, inputs(length=length), NAMES, tolerance=1e-6)


@pytest.mark.parametrize("taps", [1, 2, 3, 5], ids=lambda taps: f"taps{taps}")
def test_any_number_of_taps_will_do(assert_triton_agrees, inputs, taps):
    assert_triton_agrees(causal_conv1d, inputs(length=20, taps=taps), NAMES, tolerance=1e-6)


def test_channels_may_lie_next_to_one_another(triton, inputs):
    x, *others = (triton.asarray(array) for array in inputs(length=20))
    beside = x.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(causal_conv1d(beside, *others), causal_conv1d(x, *others))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU has no memory in files")
def test_numbers_beyond_two_to_the_31_are_found(triton, tmp_path):
    # A file full of holes takes no room, and the pages that nobody touches no memory.
    far = 2**30
    file = torch.from_file(str(tmp_path / "x"), shared=True, size=3 * far + 8, dtype=torch.float16)
    x = file.as_strided((1, 4, 8), (0, far, 1))
    x[0, 3] = torch.arange(8)
    y = causal_conv1d(x, torch.ones(4, 2, dtype=torch.float16))
    torch.testing.assert_close(y[0, 3], torch.tensor([0, 1, 3, 5, 7, 9, 11, 13], dtype=torch.float16))
    assert not y[0, :3].any()
