"""Axes: batch, channels, length; taps."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import torch

from mem_core.engine import select
from mem_core.kernels import cache_blocks, causal_conv1d, causal_conv1d_step
from mem_core.kernels.convolution import reference

LENGTHS = [1, 2, 3, 63, 64, 65, 100, 513]
NAMES = ["x", "weight", "bias", "initial_state"]


@pytest.fixture
def inputs(normal):
    def draw(batch=2, channels=3, length=65, taps=4):
        return [
            normal(batch, channels, length),
            normal(channels, taps),
            normal(channels),
            normal(batch, channels, taps - 1),
        ]

    return draw


def moved(engine, arrays):
    return [engine.asarray(array) for array in arrays]


def with_silu(x, weight, bias, initial_state):
    return causal_conv1d(x, weight, bias, initial_state, activation="silu", return_final_state=True)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
@pytest.mark.parametrize("taps", [1, 2, 4, 7], ids=lambda taps: f"taps{taps}")
def test_agrees_with_the_definition(engine, inputs, length, taps):
    arrays = inputs(length=length, taps=taps)
    y, state = causal_conv1d(*moved(engine, arrays), return_final_state=True)
    np.testing.assert_allclose(engine.to_numpy(y), reference.causal_conv1d(*arrays), atol=1e-13)
    history = np.concatenate([arrays[3], arrays[0]], axis=2)
    np.testing.assert_array_equal(engine.to_numpy(state), history[:, :, length:])


def test_is_numpys_convolution_cut_to_the_length(engine, inputs):
    x, weight, _, _ = inputs()
    y = engine.to_numpy(causal_conv1d(*moved(engine, [x, weight])))
    for b, d in np.ndindex(2, 3):
        np.testing.assert_allclose(y[b, d], np.convolve(x[b, d], weight[d, ::-1])[:65], atol=1e-13)


def test_an_impulse_comes_out_as_the_weights_from_last_to_first(engine, inputs):
    _, weight, _, _ = inputs()
    impulse = np.zeros((1, 3, 6))
    impulse[..., 0] = 1
    y = engine.to_numpy(causal_conv1d(*moved(engine, [impulse, weight])))
    np.testing.assert_array_equal(y[0], np.concatenate([weight[:, ::-1], np.zeros((3, 2))], axis=1))


def test_silu_follows_its_formula_even_far_out(engine, inputs):
    x, weight, bias, start = inputs()
    plain = reference.causal_conv1d(300 * x, weight, bias, start)
    y, _ = with_silu(*moved(engine, [300 * x, weight, bias, start]))
    np.testing.assert_allclose(engine.to_numpy(y), plain * scipy.special.expit(plain), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cut", [1, 2, 30, 64], ids=lambda cut: f"cut{cut}")
def test_a_sequence_in_two_parts_is_the_whole(engine, inputs, cut):
    x, weight, bias, start = moved(engine, inputs())
    first, state = with_silu(x[:, :, :cut], weight, bias, start)
    second, final = with_silu(x[:, :, cut:], weight, bias, state)
    whole, expected = with_silu(x, weight, bias, start)
    both = np.concatenate([engine.to_numpy(first), engine.to_numpy(second)], axis=2)
    np.testing.assert_allclose(both, engine.to_numpy(whole), atol=1e-13)
    np.testing.assert_array_equal(engine.to_numpy(final), engine.to_numpy(expected))


@pytest.mark.parametrize("activation", [None, "silu"])
def test_steps_are_the_convolution(engine, inputs, activation):
    x, weight, bias, state = moved(engine, inputs(length=10))
    y = engine.to_numpy(causal_conv1d(x, weight, bias, state, activation))
    for t in range(10):
        step, state = causal_conv1d_step(x[:, :, t], state, weight, bias, activation)
        np.testing.assert_allclose(engine.to_numpy(step), y[:, :, t], atol=1e-13)


@pytest.mark.parametrize("activation", [None, "silu"])
@pytest.mark.parametrize("length", [1, 2, 7], ids=lambda length: f"length{length}")
def test_gradients_are_central_differences(engine, inputs, gradients, central_differences, activation, length):
    def function(*given):
        return causal_conv1d(*given, activation=activation, return_final_state=True)

    arrays = inputs(length=length)
    expected = central_differences(function, arrays)
    for name, found, wanted in zip(NAMES, gradients(engine, function, arrays), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_gradients_agree_between_engines(inputs, gradients, length):
    arrays = inputs(length=length)
    numpy, torch_ = (gradients(select(kind, "float64"), with_silu, arrays) for kind in ("numpy", "torch"))
    for name, found, wanted in zip(NAMES, numpy, torch_, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_float32_is_within_rounding_of_float64(inputs, gradients, kind):
    arrays = inputs(length=513)
    single = select(kind, "float32")
    y = single.to_numpy(causal_conv1d(*moved(single, arrays)))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, reference.causal_conv1d(*arrays), rtol=1e-5, atol=1e-5)
    exact = gradients(select("numpy", "float64"), with_silu, arrays)
    for name, got, wanted in zip(NAMES, gradients(single, with_silu, arrays), exact, strict=True):
        assert np.sqrt(np.mean((got - wanted) ** 2) / np.mean(wanted**2)) < 2e-6, name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_narrow_floats_are_computed_in_float32_and_rounded_once(inputs, dtype):
    narrow = [torch.tensor(array).to(dtype) for array in inputs()]
    y, _ = with_silu(*narrow)
    wide, _ = with_silu(*(array.float() for array in narrow))
    assert y.dtype == dtype
    torch.testing.assert_close(y, wide.to(dtype), rtol=0, atol=0)


def test_strided_inputs_give_the_same_and_are_left_alone(engine, inputs):
    x, weight, bias, start = moved(engine, inputs(batch=4, channels=6, length=130))
    views = [x[::2, ::2, ::2], weight[1::2], bias[::2], start[1::2, ::2]]
    before = [engine.to_numpy(view).copy() for view in views]
    y, _ = with_silu(*views)
    plain = reference.causal_conv1d(*before)
    np.testing.assert_allclose(engine.to_numpy(y), plain * scipy.special.expit(plain), atol=1e-12)
    for view, unchanged in zip(views, before, strict=True):
        np.testing.assert_array_equal(engine.to_numpy(view), unchanged)


def test_vmap_is_a_loop(engine, inputs):
    many = [inputs() for _ in range(3)]
    x, weight, bias, start = (np.stack(arrays) for arrays in zip(*many, strict=True))
    given = moved(engine, [x, np.moveaxis(weight, 0, 1), bias[0], start])
    y = engine.vmap(causal_conv1d, in_axes=(0, 1, None, 0))(*given)
    for entry in range(3):
        expected = reference.causal_conv1d(x[entry], weight[entry], bias[0], start[entry])
        np.testing.assert_allclose(engine.to_numpy(y)[entry], expected, atol=1e-13)


def test_vmap_of_the_gradient_is_a_loop_of_gradients(inputs):
    many = [torch.tensor(np.stack(arrays)) for arrays in zip(*(inputs() for _ in range(3)), strict=True)]
    shared = torch.tensor(inputs()[0])
    gradient = torch.func.grad(lambda given, x: (with_silu(x, *given)[0] ** 2).sum())
    together = torch.func.vmap(gradient, in_dims=(0, None))(many[1:], shared)
    for entry in range(3):
        for found, wanted in zip(together, gradient([array[entry] for array in many[1:]], shared), strict=True):
            torch.testing.assert_close(found[entry], wanted)


def test_a_batch_taken_in_parts_gives_the_same(engine, inputs, gradients, monkeypatch):
    arrays = inputs(batch=3)
    at_once = gradients(engine, with_silu, arrays)
    monkeypatch.setattr(
        cache_blocks, "_NUMBERS", 2 * 3 * (65 + 3)
    )  # two sequences of 3 channels, 65 positions and 3 before them
    y, _ = with_silu(*moved(engine, arrays))
    plain = reference.causal_conv1d(*arrays)
    np.testing.assert_allclose(engine.to_numpy(y), plain * scipy.special.expit(plain), atol=1e-12)
    for name, found, wanted in zip(NAMES, gradients(engine, with_silu, arrays), at_once, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12, err_msg=name)


def test_torch_differentiates_the_gradient(inputs):
    arrays = [torch.tensor(array, requires_grad=True) for array in inputs(length=5, channels=2)]
    assert torch.autograd.gradcheck(with_silu, arrays)
    assert torch.autograd.gradgradcheck(with_silu, arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": (2, 3)}, r"causal_conv1d: x must have shape \(batch, channels, length\), got \(2, 3\)\."),
        ({"weight": (4, 4)}, r"weight must have shape \(channels, taps\) = \(3, taps\), got \(4, 4\)\."),
        ({"bias": (4,)}, r"bias must have shape \(channels\) = \(3\), got \(4,\)\."),
        (
            {"initial_state": (2, 3, 4)},
            r"initial_state must have shape \(batch, channels, taps - 1\) = \(2, 3, 3\), got \(2, 3, 4\)\.",
        ),
        ({"x": (2, 3, 0)}, r"x must have at least one entry along length, got shape \(2, 3, 0\)\."),
        ({"weight": (3, 0)}, r"weight must have at least one entry along taps, got shape \(3, 0\)\."),
    ],
    ids=["rank", "channels", "bias", "initial_state", "empty", "no_taps"],
)
def test_shapes_that_do_not_fit_are_refused(engine, change, message):
    shapes = {"x": (2, 3, 9), "weight": (3, 4), "bias": (3,), "initial_state": (2, 3, 3), **change}
    with pytest.raises(ValueError, match=message):
        causal_conv1d(**{key: engine.asarray(np.ones(shape)) for key, shape in shapes.items()})


def test_an_unknown_activation_is_refused(engine, inputs):
    x, weight, bias, start = moved(engine, inputs())
    with pytest.raises(ValueError, match="causal_conv1d: activation must be None or 'silu', got 'relu'"):
        causal_conv1d(x, weight, activation="relu")
    with pytest.raises(ValueError, match="causal_conv1d_step: activation must be None or 'silu', got 'relu'"):
        causal_conv1d_step(x[:, :, 0], start, weight, bias, activation="relu")
