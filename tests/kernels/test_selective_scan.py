"""Axes: batch, channels, length; groups, state."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.special
import torch

from mem_core.engine import select
from mem_core.kernels import cache_blocks, linear_scan, selective_scan, selective_scan_step, ssd_scan
from mem_core.kernels.selective import on_numpy, on_torch, reference

LENGTHS = [1, 2, 63, 64, 65, 100, 513]
NAMES = ["u", "delta", "A", "B", "C", "initial_state"]


@pytest.fixture
def inputs(normal):
    """u, delta, A, B, C, initial state; vectors shared by all channels, by groups of them, or the same at all times."""

    def draw(batch=2, channels=4, length=65, state=3, B="grouped", C="grouped"):
        u, delta = normal(batch, channels, length), np.exp(normal(batch, channels, length) - 2)
        shapes = {
            "shared": (batch, state, length),
            "grouped": (batch, 2, state, length),
            "fixed": (channels, state),
        }
        A = -np.exp(normal(channels, state))
        return [u, delta, A, normal(*shapes[B]), normal(*shapes[C]), normal(batch, channels, state)]

    return draw


@pytest.fixture(params=["few", "many"])
def numbers(request, monkeypatch):
    """Take the states to have few numbers, and scan in chunks, or many, and go step by step; in several blocks."""
    for version in (on_numpy, on_torch):
        monkeypatch.setattr(version, "MANY", 0 if request.param == "many" else 10**9)
    monkeypatch.setattr(cache_blocks, "_NUMBERS", 2 * 4 * 3 * 20)


def scan(u, delta, A, B, C, initial_state):
    return selective_scan(u, delta, A, B, C, initial_state=initial_state, return_last_state=True)


def moved(engine, arrays):
    return [engine.asarray(array) for array in arrays]


def assert_same(engine, found, expected, **tolerance):
    for name, got, wanted in zip(("y", "last state"), found, expected, strict=True):
        np.testing.assert_allclose(engine.to_numpy(got), wanted, err_msg=name, **tolerance)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_the_recurrence(engine, inputs, numbers, length):
    arrays = inputs(length=length)
    assert_same(engine, scan(*moved(engine, arrays)), reference.selective_scan(*arrays), rtol=0, atol=1e-12)


@pytest.mark.parametrize("C", ["shared", "grouped", "fixed"])
@pytest.mark.parametrize("B", ["shared", "grouped", "fixed"])
def test_vectors_may_be_shared_grouped_or_fixed(engine, inputs, numbers, B, C):
    if {B, C} == {"shared", "grouped"}:
        pytest.skip("B and C cut the channels into the same groups")
    arrays = inputs(length=30, B=B, C=C)
    assert_same(engine, scan(*moved(engine, arrays)), reference.selective_scan(*arrays), rtol=0, atol=1e-12)


def test_is_the_first_order_recurrence_in_every_number_of_the_state(inputs):
    u, delta, A, B, C, start = inputs(B="shared", C="shared")
    factors = np.exp(np.einsum("bdl,dn->bldn", delta, A))
    added = np.einsum("bdl,bdl,bnl->bldn", delta, u, B)
    states = linear_scan(factors.reshape(2, 65, -1), added.reshape(2, 65, -1), start.reshape(2, -1))
    y = np.einsum("bldn,bnl->bdl", states.reshape(added.shape), C)
    np.testing.assert_allclose(scan(u, delta, A, B, C, start)[0], y, atol=1e-12)


def test_with_one_decay_for_all_it_is_mamba_2(engine, inputs):
    u, delta, A, B, C, start = inputs(B="shared", C="shared")
    rate, delta = A[0, 0], delta[:, 0]
    y, last = scan(*moved(engine, [u, np.stack([delta] * 4, axis=1), np.full_like(A, rate), B, C, start]))
    # Its one head has our channels as its width.
    dual, final = ssd_scan(
        *moved(engine, [np.moveaxis(u, 1, 2)[:, :, None], delta[..., None], np.array([rate])]),
        *moved(engine, [np.moveaxis(vectors, 1, 2)[:, :, None] for vectors in (B, C)]),
        initial_state=engine.asarray(start[:, None]),
        return_final_state=True,
    )
    expected = np.moveaxis(engine.to_numpy(dual)[:, :, 0], 1, 2), engine.to_numpy(final)[:, 0]
    assert_same(engine, (y, last), expected, rtol=0, atol=1e-12)


def test_a_step_size_of_zero_keeps_the_state(engine, inputs):
    u, delta, A, B, C, start = inputs()
    y, last = scan(*moved(engine, [u, 0 * delta, A, B, C, start]))
    read = np.einsum("bgrn,bgnl->bgrl", start.reshape(2, 2, 2, 3), C).reshape(u.shape)
    assert_same(engine, (y, last), (read, start), rtol=0, atol=1e-13)


def test_without_decay_the_state_is_the_running_sum(engine, inputs):
    u, delta, A, B, C, start = inputs(B="fixed", C="fixed")
    _, last = scan(*moved(engine, [u, delta, 0 * A, B, C, start]))
    total = start + (delta * u).sum(axis=-1)[..., None] * B
    np.testing.assert_allclose(engine.to_numpy(last), total, atol=1e-12)


def test_an_instant_decay_sees_only_the_present(engine, inputs):
    u, delta, A, B, C, start = inputs(B="fixed", C="fixed")
    y, _ = scan(*moved(engine, [u, delta, 1e9 * A, B, C, start]))
    np.testing.assert_allclose(engine.to_numpy(y), delta * u * (B * C).sum(axis=1)[:, None], atol=1e-13)


def test_a_constant_input_goes_to_its_geometric_sum(engine):
    one = engine.asarray(np.ones((1, 1, 50)))
    y = selective_scan(one, one, engine.asarray(np.log([[0.9]])), one, one)
    expected = (1 - 0.9 ** np.arange(1, 51)) / (1 - 0.9)
    np.testing.assert_allclose(engine.to_numpy(y).ravel(), expected, rtol=1e-13)


def test_decays_close_to_one_and_to_zero_stay_exact(engine, inputs):
    u, _, _, B, C, start = inputs(length=1000)
    delta, A = np.ones_like(u), np.array([[-1e-7, -1e-3, -50.0]] * 4)
    arrays = [u, delta, A, B, C, start]
    # A thousand roundings of sums that reach about a hundred.
    assert_same(engine, scan(*moved(engine, arrays)), reference.selective_scan(*arrays), rtol=1e-12, atol=1e-11)


def test_step_size_direct_path_and_gate_follow_their_formulas(engine, inputs, normal):
    u, raw, A, B, C, start = inputs(length=20)
    raw, bias, D, z = 30 * normal(*raw.shape), normal(4), normal(4), 30 * normal(*u.shape)
    given = moved(engine, [u, raw, A, B, C, D, z, bias])
    y = selective_scan(*given, delta_softplus=True, initial_state=engine.asarray(start))
    plain, _ = reference.selective_scan(u, np.logaddexp(0, raw + bias[:, None]), A, B, C, start)
    expected = (plain + u * D[:, None]) * z * scipy.special.expit(z)
    np.testing.assert_allclose(engine.to_numpy(y), expected, rtol=1e-11, atol=1e-10)


@pytest.mark.parametrize("cut", [1, 20, 33, 64], ids=lambda cut: f"cut{cut}")
def test_a_sequence_in_two_parts_is_the_whole(engine, inputs, numbers, cut):
    u, delta, A, B, C, start = moved(engine, inputs())
    first, state = scan(u[..., :cut], delta[..., :cut], A, B[..., :cut], C[..., :cut], start)
    second, last = scan(u[..., cut:], delta[..., cut:], A, B[..., cut:], C[..., cut:], state)
    whole, expected = scan(u, delta, A, B, C, start)
    both = np.concatenate([engine.to_numpy(first), engine.to_numpy(second)], axis=2)
    np.testing.assert_allclose(both, engine.to_numpy(whole), atol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(last), engine.to_numpy(expected), atol=1e-12)


@pytest.mark.parametrize("kind", ["shared", "grouped"])
def test_steps_are_the_scan(engine, inputs, normal, kind):
    u, delta, A, B, C, state = moved(engine, inputs(length=20, B=kind, C=kind))
    D, z, bias = moved(engine, [normal(4), normal(2, 4, 20), normal(4)])
    y = selective_scan(u, delta, A, B, C, D, z, bias, True, state)
    for t in range(20):
        step, state = selective_scan_step(
            *(u[..., t], delta[..., t], A, B[..., t], C[..., t], state, D, z[..., t], bias), delta_softplus=True
        )
        np.testing.assert_allclose(engine.to_numpy(step), engine.to_numpy(y)[..., t], atol=1e-12)


@pytest.mark.parametrize("kind", ["shared", "grouped", "fixed"])
def test_gradients_are_central_differences(engine, inputs, numbers, gradients, central_differences, kind):
    arrays = inputs(batch=1, length=9, state=2, B=kind, C=kind)
    expected = central_differences(scan, arrays)
    for name, found, wanted in zip(NAMES, gradients(engine, scan, arrays), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8, err_msg=name)


def test_gradients_of_the_elementwise_parts_are_central_differences(
    engine, inputs, normal, gradients, central_differences
):
    arrays = [*inputs(batch=1, length=5, state=2)[:5], normal(4), normal(1, 4, 5), normal(4)]

    def function(u, delta, A, B, C, D, z, bias):
        return selective_scan(u, delta, A, B, C, D, z, bias, delta_softplus=True)

    expected = central_differences(function, arrays)
    names = [*NAMES[:5], "D", "z", "delta_bias"]
    for name, found, wanted in zip(names, gradients(engine, function, arrays), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8, err_msg=name)


def test_a_step_passes_gradients_on(engine, inputs, gradients, central_differences):
    u, delta, A, B, C, state = inputs(batch=1, length=1)
    arrays = [u[..., 0], delta[..., 0], A, B[..., 0], C[..., 0], state]
    expected = central_differences(selective_scan_step, arrays)
    for found, wanted in zip(gradients(engine, selective_scan_step, arrays), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_gradients_agree_between_engines(inputs, numbers, gradients, length):
    arrays = inputs(length=length)
    numpy, torch_ = (gradients(select(kind, "float64"), scan, arrays) for kind in ("numpy", "torch"))
    for name, found, wanted in zip(NAMES, numpy, torch_, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_float32_is_within_rounding_of_float64(inputs, numbers, gradients, kind):
    arrays = inputs(length=513)
    single = select(kind, "float32")
    for got, wanted in zip(scan(*moved(single, arrays)), reference.selective_scan(*arrays), strict=True):
        assert single.to_numpy(got).dtype == np.float32
        # Mamba's own tests allow 6e-4 and 2e-3 in float32.
        np.testing.assert_allclose(single.to_numpy(got), wanted, rtol=1e-5, atol=1e-5)
    exact = gradients(select("numpy", "float64"), scan, arrays)
    for name, got, wanted in zip(NAMES, gradients(single, scan, arrays), exact, strict=True):
        assert np.sqrt(np.mean((got - wanted) ** 2) / np.mean(wanted**2)) < 2e-6, name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_narrow_floats_are_computed_in_float32_and_rounded_once(inputs, dtype):
    narrow = [torch.tensor(array).to(dtype) for array in inputs()]
    (y, state), (wide, expected) = scan(*narrow), scan(*(array.float() for array in narrow))
    assert (y.dtype, state.dtype) == (dtype, torch.float32)
    torch.testing.assert_close(y, wide.to(dtype), rtol=0, atol=0)
    torch.testing.assert_close(state, expected, rtol=0, atol=0)


def test_strided_inputs_give_the_same_and_are_left_alone(engine, inputs):
    u, delta, A, B, C, start = moved(engine, inputs(batch=4, channels=8, length=130, B="shared", C="shared"))
    views = [u[::2, ::2, ::2], delta[1::2, 1::2, ::2], A[::2], B[::2, :, ::2], C[1::2, :, 1::2], start[::2, 1::2]]
    before = [engine.to_numpy(view).copy() for view in views]
    assert_same(engine, scan(*views), reference.selective_scan(*before), rtol=0, atol=1e-12)
    for view, unchanged in zip(views, before, strict=True):
        np.testing.assert_array_equal(engine.to_numpy(view), unchanged)


def test_numpy_takes_sequences_backwards(inputs):
    arrays = inputs()
    backwards = [arrays[0][..., ::-1], arrays[1][..., ::-1], arrays[2], *(array[..., ::-1] for array in arrays[3:5])]
    found = scan(*backwards, arrays[5])
    assert_same(select("numpy"), found, reference.selective_scan(*backwards, arrays[5]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["shared", "fixed"])
def test_vmap_is_a_loop(engine, inputs, kind):
    many = [inputs(length=12, B=kind, C="shared") for _ in range(3)]
    u, delta, A, B, C, start = (np.stack(arrays) for arrays in zip(*many, strict=True))
    given = moved(engine, [u, delta[0], A, B, np.moveaxis(C, 0, 2), start])
    y, last = engine.vmap(scan, in_axes=(0, None, 0, 0, 2, 0))(*given)
    for entry in range(3):
        expected = reference.selective_scan(u[entry], delta[0], A[entry], B[entry], C[entry], start[entry])
        assert_same(engine, (y[entry], last[entry]), expected, rtol=0, atol=1e-12)


def test_vmap_of_the_gradient_is_a_loop_of_gradients(inputs):
    many = [torch.tensor(np.stack(arrays)) for arrays in zip(*(inputs(length=20) for _ in range(3)), strict=True)]
    shared = torch.tensor(inputs(length=20)[0])

    def loss(given, u):
        y, last = scan(u, *given)
        return (y**2).sum() + (last**2).sum()

    gradient = torch.func.grad(loss)
    together = torch.func.vmap(gradient, in_dims=(0, None))(many[1:], shared)
    for entry in range(3):
        for found, wanted in zip(together, gradient([array[entry] for array in many[1:]], shared), strict=True):
            torch.testing.assert_close(found[entry], wanted)


@pytest.mark.parametrize("kind", ["grouped", "fixed"])
def test_torch_differentiates_the_gradient(inputs, kind):
    arrays = [torch.tensor(array, requires_grad=True) for array in inputs(1, 2, 4, 2, B=kind, C=kind)]
    assert torch.autograd.gradcheck(scan, arrays)
    assert torch.autograd.gradgradcheck(scan, arrays)


def test_no_array_of_all_states_is_made(inputs):
    def peak(state):
        arrays = [array.astype(np.float32) for array in inputs(1, 64, 4096, state, "shared", "shared")]
        tracemalloc.start()
        scan(*arrays)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    # A few blocks of 2 MB and some arrays (b,d,t) of 1 MB; all states of 64·4096·64 numbers would take 67 MB.
    assert peak(64) < 20e6


SHAPES = {"u": (2, 4, 9), "delta": (2, 4, 9), "A": (4, 3), "B": (2, 3, 9), "C": (2, 3, 9)}
OPTIONAL = {"D": (4,), "z": (2, 4, 9), "delta_bias": (4,), "initial_state": (2, 4, 3)}


@pytest.mark.parametrize("name", [*SHAPES, *OPTIONAL])
def test_an_argument_that_does_not_fit_is_named(engine, name):
    shapes = {**SHAPES, **OPTIONAL}
    shapes[name] = (*shapes[name][:-1], shapes[name][-1] + 1)
    # The first array that disagrees with those before it is the one to blame.
    blamed = {"u": "delta", "A": "B"}.get(name, name)
    with pytest.raises(ValueError, match=rf"selective_scan: {blamed} must have shape .*, got \("):
        selective_scan(**{key: engine.asarray(np.ones(shape)) for key, shape in shapes.items()})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"u": (2, 4)}, r"u must have shape \(batch, channels, length\), got \(2, 4\)\."),
        ({"A": (4,)}, r"A must have shape \(channels, state\) = \(4, state\), got \(4,\)\."),
        ({"B": (2, 3, 3, 9), "C": (2, 3, 3, 9)}, r"groups must divide channels = 4, got groups = 3\."),
        ({"B": (2, 2, 3, 9)}, r"C must have as many groups as B = 2, got 1\."),
        ({"B": (3,)}, r"B must have shape \(batch, state, length\) = \(2, 3, 9\), got \(3,\)\."),
        ({"u": (2, 4, 0)}, r"u must have at least one entry along length, got shape \(2, 4, 0\)\."),
    ],
    ids=["rank", "A", "groups", "different_groups", "B", "empty"],
)
def test_shapes_that_do_not_fit_are_refused(engine, change, message):
    shapes = {**SHAPES, **change}
    with pytest.raises(ValueError, match=message):
        selective_scan(**{key: engine.asarray(np.ones(shape)) for key, shape in shapes.items()})


def test_a_step_refuses_shapes_that_do_not_fit(engine, inputs):
    u, delta, A, B, C, state = moved(engine, inputs(length=1))
    with pytest.raises(ValueError, match=r"selective_scan_step: state must have shape \(batch, channels, state\)"):
        selective_scan_step(u[..., 0], delta[..., 0], A, B[..., 0], C[..., 0], state[:, :, :2])
