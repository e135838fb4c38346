"""Axes: batch, length, heads, key width or value width."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mem_core.engine import select
from mem_core.kernels import gated_linear_attention

LENGTHS = [1, 2, 32, 33, 65, 100]  # the interpreter's chunks have 32 positions
NAMES = "q k v g initial_state"
gates = pytest.mark.parametrize("per_head", [False, True], ids=["a_gate_a_number", "a_gate_a_head"])


@pytest.fixture
def inputs(normal):
    def draw(batch=1, length=40, heads=1, key=5, value=7, per_head=False):
        q, k = normal(batch, length, heads, key), normal(batch, length, heads, key)
        g = -np.exp(normal(*(q.shape[:3] if per_head else q.shape)) - 2)
        return [q, k, normal(batch, length, heads, value), g, normal(batch, heads, key, value)]

    return draw


def attend(q, k, v, g, initial_state):
    return gated_linear_attention(q, k, v, g, None, initial_state, return_final_state=True)


def gradients_and_outputs(engine, gradients, arrays):
    outputs = [engine.to_numpy(array) for array in attend(*map(engine.asarray, arrays))]
    return [*outputs, *gradients(engine, attend, arrays)]


@gates
@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_float64(assert_triton_agrees, inputs, length, per_head):
    assert_triton_agrees(attend, inputs(length=length, per_head=per_head), NAMES, tolerance=2e-6)


@gates
def test_sequences_and_heads_do_not_mix(assert_triton_agrees, inputs, per_head):
    assert_triton_agrees(attend, inputs(batch=2, length=33, heads=2, per_head=per_head), NAMES, tolerance=2e-6)


@gates
@pytest.mark.parametrize(("key", "value"), [(1, 1), (70, 20), (20, 70)])
def test_any_widths_will_do(assert_triton_agrees, inputs, key, value, per_head):
    assert_triton_agrees(attend, inputs(length=20, key=key, value=value, per_head=per_head), NAMES, tolerance=2e-6)


@gates
def test_the_scale_multiplies_the_queries(assert_triton_agrees, inputs, per_head):
    def scaled(q, k, v, g, initial_state):
        return gated_linear_attention(q, k, v, g, -0.7, initial_state)

    assert_triton_agrees(scaled, inputs(length=34, per_head=per_head), NAMES, tolerance=2e-6)


@gates
@pytest.mark.parametrize("speed", [0.003, 3.0], ids=["slow_decay", "fast_decay"])
def test_any_speed_of_decay_will_do(assert_triton_agrees, inputs, speed, per_head):
    q, k, v, g, start = inputs(length=66, per_head=per_head)
    assert_triton_agrees(attend, [q, k, v, speed * g / -g.mean(), start], NAMES, tolerance=5e-6)


@gates
def test_the_strongest_decay_beside_none_at_all_does_not_overflow(triton, inputs, gradients, per_head):
    q, k, v, g, start = inputs(length=66, per_head=per_head)
    g = np.where(g < np.median(g), -50.0, -1e-4)
    g[:, 40] = -np.inf
    wanted = gradients_and_outputs(select("numpy", "float64"), gradients, [q, k, v, g, start])
    found = gradients_and_outputs(triton, gradients, [q, k, v, g, start])
    for name, got, right in zip(["o", "final state", *NAMES.split()], found, wanted, strict=True):
        np.testing.assert_allclose(got, right, rtol=0, atol=2e-4 * max(1, np.abs(right).max()), err_msg=name)


@gates
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_narrow_floats_stay_within_what_flash_linear_attention_allows(triton, inputs, dtype, per_head):
    *sequences, gate, start = inputs(length=66, key=20, value=18, per_head=per_head)
    narrow = [triton.asarray(array).to(dtype) for array in sequences]
    wide = [triton.asarray(array) for array in (gate, start)]
    results = []
    for arrays in ([*narrow, *wide], [array.double() for array in (*narrow, *wide)]):
        arrays = [array.requires_grad_() for array in arrays]
        o, state = attend(*arrays)
        results.append([o, state, *torch.autograd.grad(o.double().square().sum() + state.double().sum(), arrays)])
    assert (results[0][0].dtype, results[0][1].dtype) == (dtype, torch.float32)
    for name, got, right in zip(["o", "final state", *NAMES.split()], *results, strict=True):
        error = (got.double() - right).square().mean().sqrt() / right.square().mean().sqrt()
        assert error < 0.01, f"{name} is off by {float(error):.1e} of its size"
