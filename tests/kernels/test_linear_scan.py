"""Axes: batch, length, channels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mem_core.engine import select
from mem_core.kernels import linear_scan, linear_scan_step
from mem_core.kernels.linear_recurrence import on_numpy, reference

LENGTHS = [1, 2, 63, 64, 65, 100, 513]


@pytest.fixture
def inputs(normal):
    def draw(batch=2, length=100, channels=3):
        # Factors of either sign and of size around 1, so that nothing fades away before it is compared.
        shape = (batch, length, channels)
        return 0.99 * np.tanh(2 * normal(*shape)), normal(*shape), normal(batch, channels)

    return draw


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_the_loop_and_with_doubling(engine, inputs, length):
    a, b, start = inputs(length=length)
    h = engine.to_numpy(linear_scan(*map(engine.asarray, (a, b, start))))
    np.testing.assert_allclose(h, reference.linear_scan(a, b, start), rtol=0, atol=1e-12)
    np.testing.assert_allclose(h, reference.linear_scan_by_doubling(a, b, start), rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk_size", [1, 2, 7, 64, 100, 101, 500], ids=lambda size: f"chunk{size}")
def test_any_chunk_size_gives_the_same(inputs, chunk_size):
    arrays = inputs(length=100)
    h = on_numpy.forward(*arrays, chunk_size=chunk_size)
    np.testing.assert_allclose(h, reference.linear_scan(*arrays), rtol=0, atol=1e-12)


def test_without_memory_the_state_is_the_input(engine, inputs):
    _, b, _ = inputs()
    h = linear_scan(engine.asarray(np.zeros_like(b)), engine.asarray(b))
    np.testing.assert_array_equal(engine.to_numpy(h), b)


def test_with_perfect_memory_the_state_is_the_running_sum(engine, inputs):
    _, b, start = inputs(length=513)
    h = linear_scan(engine.asarray(np.ones_like(b)), engine.asarray(b), engine.asarray(start))
    np.testing.assert_allclose(engine.to_numpy(h), start[:, None] + np.cumsum(b, axis=1), atol=1e-11)


def test_a_constant_factor_gives_the_geometric_sum(engine):
    h = linear_scan(engine.asarray(np.full((1, 65, 1), 0.9)), engine.asarray(np.ones((1, 65, 1))))
    np.testing.assert_allclose(engine.to_numpy(h).ravel(), (1 - 0.9 ** np.arange(1, 66)) / (1 - 0.9), rtol=1e-13)


def test_an_impulse_fades_by_the_product_of_the_factors(engine, inputs):
    a, b, _ = inputs(length=65)
    b[:, 1:] = 0
    h = engine.to_numpy(linear_scan(engine.asarray(a), engine.asarray(b)))
    fading = np.cumprod(np.concatenate([np.ones_like(a[:, :1]), a[:, 1:]], axis=1), axis=1)
    np.testing.assert_allclose(h, fading * b[:, :1], atol=1e-14)


def test_growing_states_stay_exact(engine):
    h = linear_scan(engine.asarray(np.full((1, 40, 1), 2.0)), engine.asarray(np.ones((1, 40, 1))))
    np.testing.assert_array_equal(engine.to_numpy(h).ravel(), 2.0 ** np.arange(1, 41) - 1)


def test_a_sequence_in_two_parts_is_the_whole(engine, inputs):
    a, b, start = (engine.asarray(array) for array in inputs(length=100))
    first = linear_scan(a[:, :37], b[:, :37], start)
    second = linear_scan(a[:, 37:], b[:, 37:], first[:, -1])
    parts = np.concatenate([engine.to_numpy(first), engine.to_numpy(second)], axis=1)
    np.testing.assert_allclose(parts, engine.to_numpy(linear_scan(a, b, start)), atol=1e-13)


def test_steps_are_the_scan(engine, inputs):
    a, b, state = (engine.asarray(array) for array in inputs(length=20))
    h = engine.to_numpy(linear_scan(a, b, state))
    for t in range(20):
        state = linear_scan_step(a[:, t], b[:, t], state)
        np.testing.assert_allclose(engine.to_numpy(state), h[:, t], atol=1e-14)


@pytest.mark.parametrize("length", [1, 2, 11], ids=lambda length: f"length{length}")
def test_gradients_are_central_differences(engine, inputs, gradients, central_differences, length):
    arrays = inputs(length=length)
    expected = central_differences(linear_scan, arrays)
    for name, found, wanted in zip("abh", gradients(engine, linear_scan, arrays), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_gradients_agree_between_engines(inputs, gradients, length):
    arrays = inputs(length=length)
    numpy, torch_ = (gradients(select(kind, "float64"), linear_scan, arrays) for kind in ("numpy", "torch"))
    for found, wanted in zip(numpy, torch_, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_float32_is_within_rounding_of_float64(inputs, gradients, kind):
    arrays = inputs(length=513)
    single = select(kind, "float32")
    h = linear_scan(*map(single.asarray, arrays))
    assert single.to_numpy(h).dtype == np.float32
    # About ten roundings of 6e-8 before the past has faded.
    np.testing.assert_allclose(single.to_numpy(h), reference.linear_scan(*arrays), rtol=1e-5, atol=1e-5)
    exact = gradients(select("numpy", "float64"), linear_scan, arrays)
    for found, wanted in zip(gradients(single, linear_scan, arrays), exact, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_narrow_floats_are_computed_in_float32_and_rounded_once(inputs, dtype):
    a, b, start = (torch.tensor(array).to(dtype) for array in inputs(length=65))
    h = linear_scan(a, b, start)
    assert h.dtype == dtype
    torch.testing.assert_close(h, linear_scan(a.float(), b.float(), start.float()).to(dtype), rtol=0, atol=0)


def test_strided_inputs_give_the_same_and_are_left_alone(engine, inputs):
    a, b, start = inputs(batch=4, length=130, channels=6)
    views = [engine.asarray(a)[::2, ::2, ::3], engine.asarray(b)[1::2, 1::2, ::3], engine.asarray(start)[::2, 1::3]]
    before = [engine.to_numpy(view).copy() for view in views]
    h = engine.to_numpy(linear_scan(*views))
    np.testing.assert_allclose(h, reference.linear_scan(*before), atol=1e-13)
    for view, unchanged in zip(views, before, strict=True):
        np.testing.assert_array_equal(engine.to_numpy(view), unchanged)


def test_vmap_is_a_loop(engine, inputs):
    many = [inputs(length=12) for _ in range(3)]
    a, b, start = (np.stack(arrays) for arrays in zip(*many, strict=True))
    batched = engine.vmap(linear_scan, in_axes=(0, None, 1))
    h = batched(engine.asarray(a), engine.asarray(b[0]), engine.asarray(np.moveaxis(start, 0, 1)))
    for entry in range(3):
        np.testing.assert_allclose(engine.to_numpy(h)[entry], reference.linear_scan(a[entry], b[0], start[entry]))


def test_vmap_of_the_gradient_is_a_loop_of_gradients(inputs):
    many = [torch.tensor(np.stack(arrays)) for arrays in zip(*(inputs(length=12) for _ in range(3)), strict=True)]
    gradient = torch.func.grad(lambda a, b, start: (linear_scan(a, b, start) ** 2).sum(), argnums=(0, 1, 2))
    together = torch.func.vmap(gradient)(*many)
    for entry in range(3):
        for found, wanted in zip(together, gradient(*(array[entry] for array in many)), strict=True):
            torch.testing.assert_close(found[entry], wanted)


def test_torch_differentiates_the_gradient(inputs):
    arrays = [torch.tensor(array, requires_grad=True) for array in inputs(batch=1, length=5, channels=2)]
    assert torch.autograd.gradcheck(linear_scan, arrays)
    assert torch.autograd.gradgradcheck(linear_scan, arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": (2, 9)}, r"linear_scan: a must have shape \(batch, length, channels\), got \(2, 9\)\."),
        ({"b": (2, 8, 3)}, r"b must have shape \(batch, length, channels\) = \(2, 9, 3\), got \(2, 8, 3\)\."),
        ({"start": (2, 4)}, r"initial_state must have shape \(batch, channels\) = \(2, 3\), got \(2, 4\)\."),
        ({"a": (2, 0, 3), "b": (2, 0, 3)}, r"a must have at least one entry along length, got shape \(2, 0, 3\)\."),
    ],
    ids=["rank", "length", "initial_state", "empty"],
)
def test_shapes_that_do_not_fit_are_refused(engine, change, message):
    shapes = {"a": (2, 9, 3), "b": (2, 9, 3), "start": (2, 3), **change}
    with pytest.raises(ValueError, match=message):
        linear_scan(*(engine.asarray(np.ones(shape)) for shape in shapes.values()))


def test_whole_numbers_and_lists_are_refused():
    ones = np.ones((1, 4, 1))
    with pytest.raises(ValueError, match="a must hold floating-point numbers, got int64"):
        linear_scan(ones.astype(np.int64), ones)
    with pytest.raises(TypeError, match="b must be an array, got list"):
        linear_scan(ones, ones.tolist())


def test_a_step_refuses_shapes_that_do_not_fit(engine):
    a, b, state = (engine.asarray(np.ones(shape)) for shape in ((2, 3), (2, 3), (3, 2)))
    with pytest.raises(ValueError, match=r"linear_scan_step: state must have shape \(batch, channels\) = \(2, 3\)"):
        linear_scan_step(a, b, state)
