"""Axes: batch, channels, length; state, inner."""

from __future__ import annotations

import pytest

from mem_core.kernels import hidden_state_mixer

NAMES = "x dt A B C D hz_weight out_weight"


@pytest.fixture
def inputs(normal):
    def draw(batch=2, channels=3, length=49, state=5, inner=4):
        vectors = (batch, state, length)
        shapes = [(batch, channels, length), vectors, (state,), vectors, vectors]
        weights = [normal(2 * inner, channels) / channels**0.5, normal(channels, inner) / inner**0.5]
        return [*(normal(*shape) for shape in (*shapes, (1,))), *weights]

    return draw


@pytest.mark.parametrize("length", [1, 2, 16, 17, 65], ids=lambda length: f"length{length}")
@pytest.mark.parametrize(("channels", "state"), [(3, 5), (33, 17)], ids=["small", "several_blocks"])
def test_agrees_with_float64(assert_triton_agrees, inputs, channels, state, length):
    def mix(*arrays):
        return hidden_state_mixer(*arrays, return_hidden_state=True)

    assert_triton_agrees(mix, inputs(channels=channels, state=state, length=length), NAMES, tolerance=1e-5)
