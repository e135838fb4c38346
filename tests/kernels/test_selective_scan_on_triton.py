"""Axes: batch, channels, length; groups, state."""

from __future__ import annotations

import numpy as np
import pytest

from mem_core.kernels import selective_scan

LENGTHS = [1, 2, 15, 16, 17, 65]
NAMES = "u delta A B C D z delta_bias initial_state"


@pytest.fixture
def inputs(normal):
    def draw(batch=2, channels=4, length=40, state=3, B="grouped", C="grouped"):
        sequence, sizes = (batch, channels, length), (channels,)
        shapes = {"grouped": (batch, 2, state, length), "fixed": (channels, state)}
        vectors = [normal(*shapes[B]), normal(*shapes[C])]
        A = -np.exp(normal(channels, state))
        around = [normal(*sizes), normal(*sequence), normal(*sizes)]
        return [normal(*sequence), normal(*sequence), A, *vectors, *around, normal(batch, channels, state)]

    return draw


def scan(u, delta, A, B, C, D, z, delta_bias, initial_state):
    return selective_scan(u, delta, A, B, C, D, z, delta_bias, True, initial_state, return_last_state=True)


@pytest.fixture(params=["whole", "in_chunks"])
def launches(request, monkeypatch):
    """Let a program take a whole sequence, or cut it into chunks; of small blocks in both cases."""
    launches = pytest.importorskip("mem_core.kernels.selective.triton_launches")
    monkeypatch.setattr(launches, "BLOCK", 16)
    monkeypatch.setattr(launches, "SHORTEST_CHUNK", 32 if request.param == "in_chunks" else 320)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_float64(assert_triton_agrees, inputs, launches, length):
    assert_triton_agrees(scan, inputs(length=length), NAMES, tolerance=2e-6)


@pytest.mark.parametrize(("B", "C"), [("fixed", "grouped"), ("grouped", "fixed"), ("fixed", "fixed")])
def test_vectors_may_be_fixed(assert_triton_agrees, inputs, launches, B, C):
    assert_triton_agrees(scan, inputs(batch=1, length=35, B=B, C=C), NAMES, tolerance=2e-6)


@pytest.mark.parametrize("present", ["D", "z", "delta_bias", ""])
def test_what_stands_around_the_recurrence_may_be_missing(assert_triton_agrees, inputs, present):
    u, delta, A, B, C, D, z, bias, _ = inputs(batch=1, channels=2, length=20)
    around = {"D": D, "z": z, "delta_bias": bias}

    def with_one(u, delta, A, B, C, *given):
        return selective_scan(u, delta, A, B, C, **dict(zip([present], given, strict=False)))

    arrays = [u, delta, A, B, C, *([around[present]] if present else [])]
    assert_triton_agrees(with_one, arrays, f"u delta A B C {present}", tolerance=2e-6)


@pytest.mark.parametrize("channels", [2, 10], ids=lambda channels: f"channels{channels}")
def test_any_number_of_channels_will_do(assert_triton_agrees, inputs, launches, channels):
    assert_triton_agrees(scan, inputs(batch=1, channels=channels, length=35), NAMES, tolerance=2e-6)


def test_step_sizes_far_out_follow_the_softplus(triton):
    points = np.array([-80.0, -20.0, -5.0, -1.0, 0.0, 5.0, 20.0, 60.0])
    one = np.ones((1, 1, 1))
    # Without decay the state is Δ u B.
    steps = [
        selective_scan(*map(triton.asarray, (one, point * one, 0 * one[0], one, one)), delta_softplus=True)
        for point in points
    ]
    found = [triton.to_numpy(step).item() for step in steps]
    np.testing.assert_allclose(found, np.logaddexp(0, points), rtol=1e-5)
