"""Axes: batch, length, heads, width; groups, state."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.special
import torch

from mem_core.engine import select
from mem_core.kernels import cache_blocks, linear_scan, ssd_scan, ssd_step
from mem_core.kernels.ssd import reference

LENGTHS = [1, 15, 16, 17, 63, 64, 65, 100, 513]
NAMES = ["x", "dt", "A", "B", "C", "initial_state"]


@pytest.fixture
def inputs(normal):
    """x, dt, A, B, C, initial state: two groups of two heads, every other size another prime."""

    def draw(batch=2, length=65, heads=4, width=3, groups=2, state=5):
        x = normal(batch, length, heads, width)
        dt, A = np.exp(normal(batch, length, heads) - 2), -np.exp(normal(heads))
        B, C = normal(batch, length, groups, state), normal(batch, length, groups, state)
        return [x, dt, A, B, C, normal(batch, heads, width, state)]

    return draw


def scan(x, dt, A, B, C, initial_state, chunk_size=None):
    return ssd_scan(x, dt, A, B, C, initial_state=initial_state, chunk_size=chunk_size, return_final_state=True)


def moved(engine, arrays):
    return [engine.asarray(array) for array in arrays]


def assert_same(engine, found, expected, **tolerance):
    for name, got, wanted in zip(("y", "final state"), found, expected, strict=True):
        np.testing.assert_allclose(engine.to_numpy(got), wanted, err_msg=name, **tolerance)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_the_recurrence(engine, inputs, length):
    arrays = inputs(length=length)
    assert_same(engine, scan(*moved(engine, arrays)), reference.ssd_scan(*arrays), rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk_size", [1, 2, 7, 32, 64, 65, 1000], ids=lambda size: f"chunk{size}")
def test_any_chunk_size_gives_the_same(engine, inputs, chunk_size):
    arrays = inputs(length=65)
    found = scan(*moved(engine, arrays), chunk_size=chunk_size)
    assert_same(engine, found, reference.ssd_scan(*arrays), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("heads", "groups"), [(1, 1), (6, 1), (6, 2), (6, 3), (6, 6)])
def test_heads_share_the_vectors_of_their_group(engine, inputs, heads, groups):
    arrays = inputs(length=20, heads=heads, groups=groups)
    assert_same(engine, scan(*moved(engine, arrays)), reference.ssd_scan(*arrays), rtol=0, atol=1e-12)


def test_is_the_first_order_recurrence_in_every_number_of_the_state(inputs):
    x, dt, A, B, C, _ = inputs(length=100, groups=4)
    log_decay, added = dt * A, np.einsum("blh,blhp,blhn->blhpn", dt, x, B)
    flat = added.reshape(*added.shape[:2], -1)
    decay = np.broadcast_to(np.exp(log_decay)[..., None, None], added.shape).reshape(flat.shape)
    states = linear_scan(decay, flat).reshape(added.shape)
    np.testing.assert_allclose(ssd_scan(x, dt, A, B, C), np.einsum("blhpn,blhn->blhp", states, C), atol=1e-12)


def test_an_impulse_fades_exponentially(engine, inputs):
    x, dt, A, B, C, _ = inputs(length=100, groups=4)
    x[:, 1:] = 0
    y = engine.to_numpy(ssd_scan(*moved(engine, [x, dt, A, B, C])))
    elapsed = np.cumsum(dt, axis=1) - dt[:, :1]
    match = np.einsum("blhn,bhn->blh", C, B[:, 0])
    expected = (np.exp(elapsed * A) * match)[..., None] * (dt[:, :1, :, None] * x[:, :1])
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-14)


def test_without_decay_it_is_linear_attention(engine, inputs):
    x, dt, A, B, C, _ = inputs(length=65, groups=4)
    y = engine.to_numpy(ssd_scan(*moved(engine, [x, dt, 0 * A, B, C])))
    scores = np.tril(np.einsum("bqhn,bkhn->bhqk", C, B))
    np.testing.assert_allclose(y, np.einsum("bhqk,bkhp->bqhp", scores, dt[..., None] * x), atol=1e-11)


def test_with_instant_decay_only_the_present_is_seen(engine, inputs):
    x, dt, A, B, C, _ = inputs(length=65, groups=4)
    y = engine.to_numpy(ssd_scan(*moved(engine, [x, dt, 1e6 * A, B, C])))
    np.testing.assert_allclose(y, np.einsum("blhn,blhn,blh->blh", C, B, dt)[..., None] * x, atol=1e-13)


def test_a_constant_input_gives_the_geometric_sum(engine):
    one = np.ones((1, 50, 1, 1))
    y = engine.to_numpy(ssd_scan(*moved(engine, [one, one[..., 0], np.log([0.9]), one, one])))
    np.testing.assert_allclose(y.ravel(), (1 - 0.9 ** np.arange(1, 51)) / (1 - 0.9), rtol=1e-13)


@pytest.mark.parametrize("per_channel", [False, True], ids=["D_per_head", "D_per_channel"])
def test_step_size_direct_path_and_gate_follow_their_formulas(engine, inputs, normal, per_channel):
    x, raw, A, B, C, start = inputs(length=20)
    raw, bias, z = 30 * normal(*raw.shape), normal(4), 30 * normal(*x.shape)
    D = normal(4, 3) if per_channel else normal(4)
    keywords = {"D": D, "z": z, "dt_bias": bias, "initial_state": start}
    y = ssd_scan(
        *moved(engine, [x, raw, A, B, C]), **{name: engine.asarray(v) for name, v in keywords.items()}, dt_softplus=True
    )
    plain, _ = reference.ssd_scan(x, np.logaddexp(0, raw + bias), A, B, C, start)
    expected = (plain + x * (D if per_channel else D[:, None])) * z * scipy.special.expit(z)
    np.testing.assert_allclose(engine.to_numpy(y), expected, rtol=1e-11, atol=1e-10)


@pytest.mark.parametrize("cut", [1, 16, 33, 64], ids=lambda cut: f"cut{cut}")
def test_a_sequence_in_two_parts_is_the_whole(engine, inputs, cut):
    x, dt, A, B, C, start = moved(engine, inputs(length=65))
    first, state = scan(x[:, :cut], dt[:, :cut], A, B[:, :cut], C[:, :cut], start)
    second, final = scan(x[:, cut:], dt[:, cut:], A, B[:, cut:], C[:, cut:], state)
    whole, expected = scan(x, dt, A, B, C, start)
    both = np.concatenate([engine.to_numpy(first), engine.to_numpy(second)], axis=1)
    np.testing.assert_allclose(both, engine.to_numpy(whole), atol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(final), engine.to_numpy(expected), atol=1e-12)


def test_steps_are_the_scan(engine, inputs, normal):
    x, dt, A, B, C, state, D, z, bias = moved(
        engine, [*inputs(length=20), normal(4, 3), normal(2, 20, 4, 3), normal(4)]
    )
    y = ssd_scan(x, dt, A, B, C, D, z, bias, state, dt_softplus=True)
    for t in range(20):
        step, state = ssd_step(x[:, t], dt[:, t], A, B[:, t], C[:, t], state, D, z[:, t], bias, dt_softplus=True)
        np.testing.assert_allclose(engine.to_numpy(step), engine.to_numpy(y)[:, t], atol=1e-12)


@pytest.mark.parametrize("chunk_size", [1, 4, 16], ids=lambda size: f"chunk{size}")
def test_gradients_are_central_differences(engine, inputs, gradients, central_differences, chunk_size):
    arrays = inputs(batch=1, length=9, width=2, state=3)

    def function(*given):
        return scan(*given, chunk_size=chunk_size)

    expected = central_differences(function, arrays)
    for name, found, wanted in zip(NAMES, gradients(engine, function, arrays), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8, err_msg=name)


def test_gradients_of_the_elementwise_parts_are_central_differences(
    engine, inputs, normal, gradients, central_differences
):
    arrays = [*inputs(batch=1, length=5, width=2, state=3)[:5], normal(4), normal(1, 5, 4, 2), normal(4)]

    def function(x, dt, A, B, C, D, z, bias):
        return ssd_scan(x, dt, A, B, C, D, z, bias, dt_softplus=True)

    expected = central_differences(function, arrays)
    names = [*NAMES[:5], "D", "z", "dt_bias"]
    for name, found, wanted in zip(names, gradients(engine, function, arrays), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8, err_msg=name)


def test_a_step_passes_gradients_on(engine, inputs, gradients, central_differences):
    x, dt, A, B, C, state = inputs(batch=1, length=1, width=2, state=3)
    arrays = [x[:, 0], dt[:, 0], A, B[:, 0], C[:, 0], state]
    for found, wanted in zip(gradients(engine, ssd_step, arrays), central_differences(ssd_step, arrays), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_gradients_agree_between_engines(inputs, gradients, length):
    arrays = inputs(length=length)
    numpy, torch_ = (gradients(select(kind, "float64"), scan, arrays) for kind in ("numpy", "torch"))
    for name, found, wanted in zip(NAMES, numpy, torch_, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("chunk_size", [None, 64, 256], ids=lambda size: f"chunk{size}")
@pytest.mark.parametrize("speed", [0.1, 3.0], ids=["slow_decay", "fast_decay"])
def test_float32_is_within_rounding_of_float64(inputs, gradients, kind, chunk_size, speed):
    x, dt, A, B, C, start = inputs(length=513, width=8, state=8)
    arrays = [x, dt / dt.mean(), -speed * np.abs(A) / np.abs(A).mean(), B, C, start]
    single = select(kind, "float32")

    def function(*given):
        return scan(*given, chunk_size=chunk_size)

    for got, wanted in zip(function(*moved(single, arrays)), reference.ssd_scan(*arrays), strict=True):
        assert single.to_numpy(got).dtype == np.float32
        # Mamba's own tests allow 6e-4 and 2e-3 in float32.
        np.testing.assert_allclose(single.to_numpy(got), wanted, rtol=1e-5, atol=1e-4)
    exact = gradients(select("numpy", "float64"), scan, arrays)
    for name, got, wanted in zip(NAMES, gradients(single, function, arrays), exact, strict=True):
        # Fast decays leave A's gradient the small difference of large sums. flash-linear-attention allows a root mean
        # square error of 0.5 % of the gradient's own.
        assert np.sqrt(np.mean((got - wanted) ** 2) / np.mean(wanted**2)) < 5e-5, name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_narrow_floats_are_computed_in_float32_and_rounded_once(inputs, dtype):
    narrow = [torch.tensor(array).to(dtype) for array in inputs(length=65)]
    (y, state), (wide, expected) = scan(*narrow), scan(*(array.float() for array in narrow))
    assert (y.dtype, state.dtype) == (dtype, torch.float32)
    torch.testing.assert_close(y, wide.to(dtype), rtol=0, atol=0)
    torch.testing.assert_close(state, expected, rtol=0, atol=0)


def test_decays_too_strong_for_float32_are_zero_and_not_nan(gradients, inputs):
    x, dt, A, B, C, start = inputs(length=65)
    for kind in ("numpy", "torch"):
        single = select(kind, "float32")
        y, state = scan(*moved(single, [x, 1e4 * dt, 1e4 * A, B, C, start]))
        assert np.isfinite(single.to_numpy(y)).all()
        assert np.isfinite(single.to_numpy(state)).all()
        found = gradients(single, scan, [x, 1e4 * dt, 1e4 * A, B, C, start])
        assert all(np.isfinite(gradient).all() for gradient in found)


def test_strided_inputs_give_the_same_and_are_left_alone(engine, inputs):
    arrays = inputs(batch=4, length=130)
    views = [array[::2, ::2] if array.ndim > 2 and number < 5 else array for number, array in enumerate(arrays)]
    views[5] = arrays[5][1::2]
    turned = [np.asfortranarray(view) for view in views]
    for given in (views, turned):
        mine = [torch.from_numpy(array) if engine.kind == "torch" else array for array in given]
        before = [array.copy() for array in given]
        assert_same(engine, scan(*mine), reference.ssd_scan(*before), rtol=0, atol=1e-12)
        for array, unchanged in zip(given, before, strict=True):
            np.testing.assert_array_equal(array, unchanged)


def test_the_gradient_of_a_plain_sum_is_right_too(engine, inputs, central_differences):
    # Its gradient arrives as one number spread over an array with strides of 0.
    x, dt, A, B, C, _ = inputs(batch=1, length=9)
    _, gradient = engine.value_and_grad(lambda x: engine.xp.sum(ssd_scan(x, *moved(engine, [dt, A, B, C]))))(
        engine.asarray(x)
    )
    unit = [ssd_scan(basis.reshape(x.shape), dt, A, B, C).sum() for basis in np.eye(x.size)]
    np.testing.assert_allclose(engine.to_numpy(gradient).ravel(), unit, atol=1e-12)


def test_vmap_is_a_loop(engine, inputs):
    many = [inputs(length=12) for _ in range(3)]
    x, dt, A, B, C, start = (np.stack(arrays) for arrays in zip(*many, strict=True))
    given = moved(engine, [x, dt[0], A, np.moveaxis(B, 0, 2), C, start])
    y, final = engine.vmap(scan, in_axes=(0, None, 0, 2, 0, 0))(*given)
    for entry in range(3):
        expected = reference.ssd_scan(x[entry], dt[0], A[entry], B[entry], C[entry], start[entry])
        assert_same(engine, (y[entry], final[entry]), expected, rtol=0, atol=1e-12)


def test_vmap_of_the_gradient_is_a_loop_of_gradients(inputs):
    many = [torch.tensor(np.stack(arrays)) for arrays in zip(*(inputs(length=20) for _ in range(3)), strict=True)]
    shared = torch.tensor(inputs(length=20)[0])

    def loss(given, x):
        y, final = scan(x, *given)
        return (y**2).sum() + (final**2).sum()

    gradient = torch.func.grad(loss)
    together = torch.func.vmap(gradient, in_dims=(0, None))(many[1:], shared)
    for entry in range(3):
        for found, wanted in zip(together, gradient([array[entry] for array in many[1:]], shared), strict=True):
            torch.testing.assert_close(found[entry], wanted)


def test_torch_differentiates_the_gradient(inputs):
    arrays = [torch.tensor(array, requires_grad=True) for array in inputs(batch=1, length=5, heads=2, width=2, state=2)]
    assert torch.autograd.gradcheck(lambda *given: scan(*given, chunk_size=2), arrays)
    assert torch.autograd.gradgradcheck(lambda *given: scan(*given, chunk_size=2), arrays)


def test_a_batch_taken_in_parts_gives_the_same(engine, inputs, gradients, monkeypatch):
    arrays = inputs(batch=3, length=20)
    at_once = gradients(engine, scan, arrays)
    monkeypatch.setattr(
        cache_blocks, "_NUMBERS", 2 * 20 * 4 * 16
    )  # two sequences of 20 positions, 4 heads, chunks of 16
    assert_same(engine, scan(*moved(engine, arrays)), reference.ssd_scan(*arrays), rtol=0, atol=1e-12)
    for name, found, wanted in zip(NAMES, gradients(engine, scan, arrays), at_once, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12, err_msg=name)


def test_numpy_says_that_it_has_no_gradient_of_a_gradient(inputs):
    x, dt, A, B, C, _ = inputs(batch=1, length=3)
    engine = select("numpy", "float64")

    def loss(A):
        return engine.xp.sum(ssd_scan(x, dt, A, B, C) ** 2)

    with pytest.raises(NotImplementedError, match="use the torch engine"):
        engine.value_and_grad(lambda A: engine.xp.sum(engine.value_and_grad(loss)(A)[1]))(A)


def test_memory_beyond_the_result_does_not_grow_with_the_batch(inputs):
    def extra(batch):
        x, dt, A, B, C, start = (array.astype(np.float32) for array in inputs(batch, 512, 8, 8, 1, 8))
        tracemalloc.start()
        y = ssd_scan(x, dt, A, B, C, initial_state=start)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # The result, the states, x·Δ, and what surrounds them at this size.
        return peak - 4 * y.nbytes

    assert extra(64) < 1.5 * extra(16)


SHAPES = {"x": (2, 9, 4, 3), "dt": (2, 9, 4), "A": (4,), "B": (2, 9, 2, 5), "C": (2, 9, 2, 5)}
OPTIONAL = {"D": (4,), "z": (2, 9, 4, 3), "dt_bias": (4,), "initial_state": (2, 4, 3, 5)}


@pytest.mark.parametrize("name", [*SHAPES, *OPTIONAL])
def test_an_argument_that_does_not_fit_is_named(engine, name):
    shapes = {**SHAPES, **OPTIONAL}
    shapes[name] = (*shapes[name][:-1], shapes[name][-1] + 1)
    # The first array that disagrees with those before it is the one to blame.
    blamed = {"x": "z", "B": "C", "D": "D"}.get(name, name)
    with pytest.raises(ValueError, match=rf"ssd_scan: {blamed} must have shape .*, got \("):
        ssd_scan(**{key: engine.asarray(np.ones(shape)) for key, shape in shapes.items()})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": (2, 9, 4)}, r"x must have shape \(batch, length, heads, width\), got \(2, 9, 4\)\."),
        ({"dt": (2, 8, 4)}, r"dt must have shape \(batch, length, heads\) = \(2, 9, 4\), got \(2, 8, 4\)\."),
        ({"B": (2, 9, 3, 5), "C": (2, 9, 3, 5)}, r"groups must divide heads = 4, got groups = 3\."),
        ({"D": (4, 2)}, r"D must have shape \(heads, width\) = \(4, 3\), got \(4, 2\)\."),
        ({"x": (2, 0, 4, 3)}, r"x must have at least one entry along length, got shape \(2, 0, 4, 3\)\."),
    ],
    ids=["rank", "length", "groups", "D", "empty"],
)
def test_shapes_that_do_not_fit_are_refused(engine, change, message):
    shapes = {**SHAPES, **change}
    with pytest.raises(ValueError, match=message):
        ssd_scan(**{key: engine.asarray(np.ones(shape)) for key, shape in shapes.items()})


@pytest.mark.parametrize("chunk_size", [0, -1])
def test_a_chunk_size_below_one_is_refused(engine, inputs, chunk_size):
    with pytest.raises(ValueError, match=f"ssd_scan: chunk_size must be at least 1, got {chunk_size}"):
        ssd_scan(*moved(engine, inputs()[:5]), chunk_size=chunk_size)


def test_a_step_refuses_shapes_that_do_not_fit(engine, inputs):
    x, dt, A, B, C, state = moved(engine, inputs(length=1))
    with pytest.raises(ValueError, match=r"ssd_step: state must have shape \(batch, heads, width, state\)"):
        ssd_step(x[:, 0], dt[:, 0], A, B[:, 0], C[:, 0], state[:, :, :2])
