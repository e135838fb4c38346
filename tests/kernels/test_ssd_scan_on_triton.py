"""Axes: batch, length, heads, width; groups, state."""

from __future__ import annotations

import numpy as np
import pytest

from mem_core.kernels import ssd_scan

LENGTHS = [1, 2, 15, 16, 17, 65]
NAMES = "x dt A B C initial_state"


@pytest.fixture
def inputs(normal):
    """x, dt, A, B, C, initial state: two groups of two heads."""

    def draw(batch=2, length=40, heads=4, width=3, groups=2, state=5):
        x = normal(batch, length, heads, width)
        dt, A = np.exp(normal(batch, length, heads) - 2), -np.exp(normal(heads))
        B, C = normal(batch, length, groups, state), normal(batch, length, groups, state)
        return [x, dt, A, B, C, normal(batch, heads, width, state)]

    return draw


def scan(x, dt, A, B, C, initial_state, chunk_size=16):
    return ssd_scan(x, dt, A, B, C, initial_state=initial_state, chunk_size=chunk_size, return_final_state=True)


@pytest.fixture(params=["walking", "in_chunks"])
def way(request, monkeypatch):
    """Let a program walk over all chunks of a head, or give every chunk its own."""
    on_triton = pytest.importorskip("mem_core.kernels.ssd.on_triton")
    monkeypatch.setattr(on_triton, "_LARGEST_STATE", {4: 32 if request.param == "walking" else 0})
    monkeypatch.setattr(on_triton, "multiprocessors", lambda tensor: 1)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_float64(assert_triton_agrees, inputs, way, length):
    assert_triton_agrees(scan, inputs(length=length), NAMES, tolerance=2e-6)


@pytest.mark.parametrize(("heads", "groups"), [(1, 1), (3, 1), (4, 4)])
def test_heads_share_the_vectors_of_their_group(assert_triton_agrees, inputs, way, heads, groups):
    assert_triton_agrees(scan, inputs(batch=1, length=20, heads=heads, groups=groups), NAMES, tolerance=2e-6)


@pytest.mark.parametrize(("width", "state"), [(1, 1), (33, 34)])
def test_states_of_several_tiles(assert_triton_agrees, inputs, way, width, state):
    assert_triton_agrees(scan, inputs(batch=1, length=20, heads=2, width=width, state=state), NAMES, tolerance=1e-5)


def test_decays_too_strong_for_float32_are_zero_and_not_nan(triton, inputs, way, gradients):
    x, dt, A, B, C, start = inputs(length=20)
    arrays = [x, 1e4 * dt, 1e4 * A, B, C, start]
    for output in scan(*map(triton.asarray, arrays)):
        assert np.isfinite(triton.to_numpy(output)).all()
    assert all(np.isfinite(gradient).all() for gradient in gradients(triton, scan, arrays))
