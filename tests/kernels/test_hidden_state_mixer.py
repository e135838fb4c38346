"""Axes: batch, channels, length; state, inner."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mem_core.engine import select
from mem_core.kernels import hidden_state_mixer
from mem_core.kernels.hidden_state import reference

LENGTHS = [1, 2, 16, 49, 64, 65]
NAMES = ["x", "dt", "A", "B", "C", "D", "hz_weight", "out_weight"]


@pytest.fixture
def inputs(normal):
    def draw(batch=2, channels=3, length=49, state=5, inner=4):
        vectors = (batch, state, length)
        shapes = [(batch, channels, length), vectors, (state,), vectors, vectors]
        return [normal(*shape) for shape in (*shapes, (1,), (2 * inner, channels), (channels, inner))]

    return draw


def mix(*arrays):
    return hidden_state_mixer(*arrays, return_hidden_state=True)


def moved(engine, arrays):
    return [engine.asarray(array) for array in arrays]


def assert_same(engine, found, expected, **tolerance):
    for name, got, wanted in zip(("y", "hidden state"), found, expected, strict=True):
        np.testing.assert_allclose(engine.to_numpy(got), wanted, err_msg=name, **tolerance)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_the_definition(engine, inputs, length):
    arrays = inputs(length=length)
    assert_same(engine, mix(*moved(engine, arrays)), reference.hidden_state_mixer(*arrays), rtol=0, atol=1e-12)


def test_one_token_is_mixed_by_itself(engine, inputs):
    arrays = inputs(length=1)
    x, *_, B, C, D, hz_weight, out_weight = arrays
    both = hz_weight @ (x * B[:, None, :, 0])
    h, z = both[:, :4], both[:, 4:]
    expected = out_weight @ (h * (z / (1 + np.exp(-z)) + D)) @ C
    np.testing.assert_allclose(engine.to_numpy(hidden_state_mixer(*moved(engine, arrays))), expected, atol=1e-12)


def test_the_order_of_the_tokens_does_not_matter(engine, inputs):
    arrays, order = inputs(), np.random.default_rng(0).permutation(49)
    y = engine.to_numpy(hidden_state_mixer(*moved(engine, arrays)))
    shuffled = [array[..., order] if array.shape[-1] == 49 else array for array in arrays]
    mixed = engine.to_numpy(hidden_state_mixer(*moved(engine, shuffled)))
    np.testing.assert_allclose(mixed, y[..., order], atol=1e-12)


def test_shifting_the_exponents_of_a_state_changes_nothing(engine, inputs, gradients):
    arrays = inputs()
    shifted = [array + (10 if name == "A" else 0) for name, array in zip(NAMES, arrays, strict=True)]
    assert_same(engine, mix(*moved(engine, shifted)), mix(*arrays), rtol=0, atol=1e-12)
    np.testing.assert_allclose(gradients(engine, mix, arrays)[2], 0, atol=1e-12)


def test_far_exponents_pick_single_tokens_and_do_not_overflow(engine, inputs):
    x, dt, A, B, C, D, hz_weight, out_weight = inputs(length=9)
    picked = np.zeros_like(dt)
    picked[..., 4] = 1e4
    y = hidden_state_mixer(*moved(engine, [x, picked, A, B, C, D, hz_weight, out_weight]))
    alone = [x[..., 4:5], dt[..., 4:5], A, B[..., 4:5], C[..., 4:5], D, hz_weight, out_weight]
    expected = reference.hidden_state_mixer(*alone)[1] @ C
    np.testing.assert_allclose(engine.to_numpy(y), expected, atol=1e-12)


@pytest.mark.parametrize("length", [1, 6], ids=lambda length: f"length{length}")
def test_gradients_are_central_differences(engine, inputs, gradients, central_differences, length):
    arrays = inputs(batch=1, channels=2, length=length, state=3, inner=2)
    expected = central_differences(mix, arrays)
    for name, found, wanted in zip(NAMES, gradients(engine, mix, arrays), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_gradients_agree_between_engines(inputs, gradients, length):
    arrays = inputs(length=length)
    numpy, torch_ = (gradients(select(kind, "float64"), mix, arrays) for kind in ("numpy", "torch"))
    for name, found, wanted in zip(NAMES, numpy, torch_, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_float32_is_within_rounding_of_float64(inputs, gradients, kind):
    arrays, single = inputs(length=100), select(kind, "float32")
    for got, wanted in zip(mix(*moved(single, arrays)), reference.hidden_state_mixer(*arrays), strict=True):
        assert single.to_numpy(got).dtype == np.float32
        np.testing.assert_allclose(single.to_numpy(got), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_narrow_floats_are_computed_in_float32_and_rounded_once(inputs, dtype):
    narrow = [torch.tensor(array).to(dtype) for array in inputs()]
    (y, state), (wide, expected) = mix(*narrow), mix(*(array.float() for array in narrow))
    assert (y.dtype, state.dtype) == (dtype, torch.float32)
    torch.testing.assert_close(y, wide.to(dtype), rtol=0, atol=0)
    torch.testing.assert_close(state, expected, rtol=0, atol=0)


def test_vmap_is_a_loop(engine, inputs):
    many = [np.stack(arrays) for arrays in zip(*(inputs(length=9) for _ in range(3)), strict=True)]
    y, state = engine.vmap(mix)(*moved(engine, many))
    for entry in range(3):
        expected = reference.hidden_state_mixer(*(array[entry] for array in many))
        assert_same(engine, (y[entry], state[entry]), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": (2, 3)}, r"hidden_state_mixer: x must have shape \(batch, channels, length\), got \(2, 3\)\."),
        ({"dt": (2, 5, 8)}, r"dt must have shape \(batch, state, length\) = \(2, state, 9\), got \(2, 5, 8\)\."),
        ({"D": (2,)}, r"D must have shape \(1\), got \(2,\)\."),
        ({"hz_weight": (7, 3)}, r"hz_weight must have shape \(2 inner, channels\) = \(8, 3\), got \(7, 3\)\."),
        ({"x": (2, 3, 0)}, r"x must have at least one entry along length, got shape \(2, 3, 0\)\."),
    ],
    ids=["rank", "length", "D", "hz_weight", "empty"],
)
def test_shapes_that_do_not_fit_are_refused(engine, change, message):
    vectors = (2, 5, 9)
    shapes = [(2, 3, 9), vectors, (5,), vectors, vectors, (1,), (8, 3), (3, 4)]
    given = {**dict(zip(NAMES, shapes, strict=True)), **change}
    with pytest.raises(ValueError, match=message):
        hidden_state_mixer(**{key: engine.asarray(np.ones(shape)) for key, shape in given.items()})
