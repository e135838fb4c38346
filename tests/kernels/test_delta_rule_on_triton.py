"""Axes: batch, length, heads, key width or value width."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mem_core.engine import select
from mem_core.kernels import delta_rule, gated_delta_rule

LENGTHS = [1, 2, 32, 33, 65, 100]  # the interpreter's chunks have 32 positions
NAMES = "q k v beta g initial_state"


@pytest.fixture
def inputs(normal):
    def draw(batch=1, length=40, heads=1, key=5, value=7):
        q, k, v = (normal(batch, length, heads, width) for width in (key, key, value))
        k /= np.linalg.norm(k, axis=-1, keepdims=True)
        beta, g = 1 / (1 + np.exp(-normal(batch, length, heads))), -np.exp(normal(batch, length, heads) - 2)
        return [q, k, v, beta, g, normal(batch, heads, key, value)]

    return draw


def learn(q, k, v, beta, g, initial_state):
    return gated_delta_rule(q, k, v, beta, g, None, initial_state, return_final_state=True)


def gradients_and_outputs(engine, gradients, arrays):
    outputs = [engine.to_numpy(array) for array in learn(*map(engine.asarray, arrays))]
    return [*outputs, *gradients(engine, learn, arrays)]


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_float64(assert_triton_agrees, inputs, length):
    assert_triton_agrees(learn, inputs(length=length), NAMES, tolerance=2e-6)


def test_without_a_gate_too(assert_triton_agrees, inputs):
    def plain(q, k, v, beta, initial_state):
        return delta_rule(q, k, v, beta, -0.7, initial_state)

    q, k, v, beta, _, start = inputs(length=34)
    assert_triton_agrees(plain, [q, k, v, beta, start], "q k v beta initial_state", tolerance=2e-6)


def test_sequences_and_heads_do_not_mix(assert_triton_agrees, inputs):
    assert_triton_agrees(learn, inputs(batch=2, length=33, heads=2), NAMES, tolerance=2e-6)


@pytest.mark.parametrize(("key", "value"), [(1, 1), (70, 20), (20, 70)])
def test_any_widths_will_do(assert_triton_agrees, inputs, key, value):
    assert_triton_agrees(learn, inputs(length=20, key=key, value=value), NAMES, tolerance=2e-6)


@pytest.mark.parametrize("speed", [0.003, 3.0], ids=["slow_decay", "fast_decay"])
def test_any_speed_of_decay_will_do(assert_triton_agrees, inputs, speed):
    q, k, v, beta, g, start = inputs(length=66)
    assert_triton_agrees(learn, [q, k, v, beta, speed * g / -g.mean(), start], NAMES, tolerance=5e-6)


def test_the_strongest_decay_beside_none_at_all_does_not_overflow(triton, inputs, gradients):
    q, k, v, beta, g, start = inputs(length=66)
    g = np.where(g < np.median(g), -50.0, -1e-4)
    g[:, 40] = -np.inf
    wanted = gradients_and_outputs(select("numpy", "float64"), gradients, [q, k, v, beta, g, start])
    found = gradients_and_outputs(triton, gradients, [q, k, v, beta, g, start])
    for name, got, right in zip(["o", "final state", *NAMES.split()], found, wanted, strict=True):
        np.testing.assert_allclose(got, right, rtol=0, atol=2e-4 * max(1, np.abs(right).max()), err_msg=name)


def test_keys_that_all_point_one_way_are_no_harder(assert_triton_agrees, inputs):
    q, k, v, beta, g, start = inputs(length=66)
    arrays = [q, np.broadcast_to(k[:, :1], k.shape), v, 0 * beta + 0.98, 0.01 * g, start]
    assert_triton_agrees(learn, arrays, NAMES, tolerance=2e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_narrow_floats_stay_within_what_flash_linear_attention_allows(triton, inputs, dtype):
    *sequences, beta, gate, start = inputs(length=66, key=20, value=18)
    narrow = [triton.asarray(array).to(dtype) for array in sequences]
    wide = [triton.asarray(array) for array in (beta, gate, start)]
    results = []
    for arrays in ([*narrow, *wide], [array.double() for array in (*narrow, *wide)]):
        arrays = [array.requires_grad_() for array in arrays]
        o, state = learn(*arrays)
        results.append([o, state, *torch.autograd.grad(o.double().square().sum() + state.double().sum(), arrays)])
    assert (results[0][0].dtype, results[0][1].dtype) == (dtype, torch.float32)
    for name, got, right in zip(["o", "final state", *NAMES.split()], *results, strict=True):
        error = (got.double() - right).square().mean().sqrt() / right.square().mean().sqrt()
        assert error < 0.01, f"{name} is off by {float(error):.1e} of its size"


def test_keys_too_wide_for_registers_are_refused(triton):
    wide, one = triton.asarray(np.ones((1, 1, 1, 257))), triton.asarray(np.ones((1, 1, 1)))
    with pytest.raises(ValueError, match="q must have a key width of at most 256 in Triton, got 257"):
        delta_rule(wide, wide, one[..., None], one)
