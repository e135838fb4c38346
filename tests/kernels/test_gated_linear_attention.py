"""Axes: batch, length, heads, key width or value width."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from mem_core.engine import select
from mem_core.kernels import cache_blocks, gated_linear_attention, gated_linear_attention_step, linear_scan, ssd_scan
from mem_core.kernels.linear_attention import on_numpy, on_torch, reference

LENGTHS = [1, 2, 15, 16, 17, 63, 64, 65, 100, 513]
NAMES = ["q", "k", "v", "g", "initial_state"]
gates = pytest.mark.parametrize("per_head", [False, True], ids=["a_gate_a_number", "a_gate_a_head"])


@pytest.fixture
def inputs(normal):
    """q, k, v, g, initial state, every size another prime; the gates lie around exp(−0.1)."""

    def draw(batch=2, length=65, heads=3, key=5, value=7, per_head=False):
        q, k = normal(batch, length, heads, key), normal(batch, length, heads, key)
        g = -np.exp(normal(*(q.shape[:3] if per_head else q.shape)) - 2)
        return [q, k, normal(batch, length, heads, value), g, normal(batch, heads, key, value)]

    return draw


def attend(q, k, v, g, initial_state, scale=None):
    return gated_linear_attention(q, k, v, g, scale, initial_state, return_final_state=True)


def expected(q, k, v, g, initial_state, scale=None):
    return reference.gated_linear_attention(q, k, v, g, initial_state, q.shape[3] ** -0.5 if scale is None else scale)


def moved(engine, arrays):
    return [engine.asarray(array) for array in arrays]


def assert_same(engine, found, wanted, **tolerance):
    for name, got, right in zip(("o", "final state"), found, wanted, strict=True):
        np.testing.assert_allclose(engine.to_numpy(got), right, err_msg=name, **tolerance)


@gates
@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_the_recurrence(engine, inputs, length, per_head):
    arrays = inputs(length=length, per_head=per_head)
    assert_same(engine, attend(*moved(engine, arrays)), expected(*arrays), rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 0.3, -2.0])
@gates
def test_the_scale_multiplies_the_queries(engine, inputs, per_head, scale):
    arrays = inputs(length=20, per_head=per_head)
    assert_same(engine, attend(*moved(engine, arrays), scale=scale), expected(*arrays, scale), rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk_size", [1, 2, 8, 64, 128], ids=lambda size: f"chunk{size}")
def test_any_chunk_size_gives_the_same(engine, inputs, chunk_size):
    arrays = inputs(length=65)
    version = on_torch.chunked_attention if engine.kind == "torch" else on_numpy.forward
    found = version(*moved(engine, arrays), scale=5**-0.5, chunk_size=chunk_size)
    assert_same(engine, found, expected(*arrays), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("key", "value", "heads"), [(1, 1, 1), (1, 8, 2), (8, 1, 1), (40, 33, 1)])
def test_any_widths_will_do(engine, inputs, key, value, heads):
    arrays = inputs(length=40, key=key, value=value, heads=heads)
    assert_same(engine, attend(*moved(engine, arrays)), expected(*arrays), rtol=0, atol=1e-12)


def test_equal_gates_are_one_gate_a_head_and_the_scan_of_mamba_2(engine, inputs):
    q, k, v, g, start = moved(engine, inputs(length=100, per_head=True))
    repeated = engine.xp.stack([g] * 5, axis=-1)
    each, state = attend(q, k, v, repeated, start, scale=1.0)
    assert_same(engine, attend(q, k, v, g, start, scale=1.0), map(engine.to_numpy, (each, state)), rtol=0, atol=1e-12)
    # X = v, and Δ = −g with A = −1 leave λ = g once v is divided by Δ; B = k, C = q.
    turned = engine.asarray(engine.to_numpy(start).swapaxes(2, 3))
    rate = engine.asarray(-np.ones(3))
    y = ssd_scan(v / -g[..., None], -g, rate, k, q, initial_state=turned)
    np.testing.assert_allclose(engine.to_numpy(each), engine.to_numpy(y), rtol=0, atol=1e-11)


def test_is_the_first_order_recurrence_in_every_number_of_the_state(inputs):
    q, k, v, g, start = inputs(length=100)
    added = np.einsum("blhk,blhv->blhkv", k, v)
    decay = np.broadcast_to(np.exp(g)[..., None], added.shape)
    flat = (added.reshape(2, 100, -1), start.reshape(2, -1))
    states = linear_scan(decay.reshape(2, 100, -1), *flat).reshape(added.shape)
    o = gated_linear_attention(q, k, v, g, 1.0, start)
    np.testing.assert_allclose(o, np.einsum("blhkv,blhk->blhv", states, q), rtol=0, atol=1e-12)


@gates
def test_without_decay_it_is_attention_without_softmax(engine, inputs, per_head):
    q, k, v, g, _ = inputs(length=100, per_head=per_head)
    o = engine.to_numpy(gated_linear_attention(*moved(engine, [q, k, v, 0 * g]), 1.0))
    weights = np.tril(np.einsum("bihk,bjhk->bhij", q, k))
    np.testing.assert_allclose(o, np.einsum("bhij,bjhv->bihv", weights, v), rtol=0, atol=1e-11)


@gates
def test_without_decay_a_constant_key_makes_it_a_running_sum(engine, inputs, per_head):
    _, _, v, g, _ = inputs(length=100, key=1, per_head=per_head)
    one = np.ones((2, 100, 3, 1))
    o = engine.to_numpy(gated_linear_attention(*moved(engine, [one, one, v, 0 * g])))
    np.testing.assert_allclose(o, np.cumsum(v, axis=1), rtol=0, atol=1e-12)


def test_a_constant_gate_gives_the_geometric_sum(engine):
    one = np.ones((1, 70, 1, 1))
    o = engine.to_numpy(gated_linear_attention(*moved(engine, [one, one, one, np.log(0.9) * one])))
    np.testing.assert_allclose(o.ravel(), (1 - 0.9 ** np.arange(1, 71)) / (1 - 0.9), rtol=1e-13)


@gates
def test_a_gate_of_minus_infinity_forgets_everything_before_it(engine, inputs, gradients, per_head):
    arrays = inputs(per_head=per_head)
    arrays[3][:, [0, 20, 21, 40]] = -np.inf
    assert_same(engine, attend(*moved(engine, arrays)), expected(*arrays), rtol=0, atol=1e-12)
    found = gradients(engine, attend, arrays)
    np.testing.assert_allclose(found[4], 0, atol=1e-12)
    np.testing.assert_allclose(found[3][:, [20, 21, 40]], 0, atol=1e-12)
    assert all(np.isfinite(gradient).all() for gradient in found)


@pytest.mark.parametrize("cut", [1, 16, 33, 64], ids=lambda cut: f"cut{cut}")
@gates
def test_a_sequence_in_two_parts_is_the_whole(engine, inputs, cut, per_head):
    *sequences, start = moved(engine, inputs(per_head=per_head))
    first, state = attend(*(sequence[:, :cut] for sequence in sequences), start)
    second, final = attend(*(sequence[:, cut:] for sequence in sequences), state)
    whole, wanted = attend(*sequences, start)
    both = np.concatenate([engine.to_numpy(first), engine.to_numpy(second)], axis=1)
    np.testing.assert_allclose(both, engine.to_numpy(whole), rtol=0, atol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(final), engine.to_numpy(wanted), rtol=0, atol=1e-12)


@gates
def test_steps_are_the_scan(engine, inputs, per_head):
    *sequences, state = moved(engine, inputs(length=20, per_head=per_head))
    o = engine.to_numpy(attend(*sequences, state)[0])
    for t in range(20):
        step, state = gated_linear_attention_step(*(sequence[:, t] for sequence in sequences), state)
        np.testing.assert_allclose(engine.to_numpy(step), o[:, t], rtol=0, atol=1e-12)


@gates
@pytest.mark.parametrize("length", [1, 2, 9], ids=lambda length: f"length{length}")
def test_gradients_are_central_differences(engine, inputs, gradients, central_differences, per_head, length):
    arrays = inputs(batch=1, length=length, heads=2, key=3, value=2, per_head=per_head)
    wanted = central_differences(attend, arrays)
    for name, found, right in zip(NAMES, gradients(engine, attend, arrays), wanted, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-7, atol=1e-8, err_msg=name)


def test_gradients_across_chunks_are_central_differences(inputs, central_differences, normal):
    arrays = inputs(batch=1, length=7, heads=2, key=3, value=2)
    keywords = {"scale": 0.7, "chunk_size": 2}
    outputs = on_numpy.forward(*arrays, **keywords)
    weights = [normal(*output.shape) for output in outputs]

    def loss(*given):
        found = on_numpy.forward(*given, **keywords)
        return np.asarray(sum(np.sum(output * weight) for output, weight in zip(found, weights, strict=True)))

    # `central_differences` weighs the single number by a number.
    weight = central_differences(lambda one: one, [np.zeros(())])[0]
    found = on_numpy.backward(tuple(arrays), outputs, tuple(weights), **keywords)
    for name, got, right in zip(NAMES, found, central_differences(loss, arrays), strict=True):
        np.testing.assert_allclose(got, right / weight, rtol=1e-7, atol=1e-8, err_msg=name)


@gates
def test_a_step_passes_gradients_on(engine, inputs, gradients, central_differences, per_head):
    *sequences, state = inputs(batch=1, length=1, key=3, value=2, per_head=per_head)
    arrays = [*(sequence[:, 0] for sequence in sequences), state]
    wanted = central_differences(gated_linear_attention_step, arrays)
    for found, right in zip(gradients(engine, gated_linear_attention_step, arrays), wanted, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-7, atol=1e-8)


@gates
@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_gradients_agree_between_engines(inputs, gradients, length, per_head):
    arrays = inputs(length=length, per_head=per_head)
    numpy, torch_ = (gradients(select(kind, "float64"), attend, arrays) for kind in ("numpy", "torch"))
    for name, found, right in zip(NAMES, numpy, torch_, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-10, atol=1e-10, err_msg=name)


@gates
@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("speed", [0.003, 0.1, 3.0], ids=["slow_decay", "middling_decay", "fast_decay"])
def test_float32_is_within_rounding_of_float64(inputs, gradients, kind, speed, per_head):
    q, k, v, g, start = inputs(length=513, key=8, value=8, per_head=per_head)
    arrays = [q, k, v, speed * g / -g.mean(), start]
    single = select(kind, "float32")
    for got, right in zip(attend(*moved(single, arrays)), expected(*arrays), strict=True):
        assert single.to_numpy(got).dtype == np.float32
        np.testing.assert_allclose(single.to_numpy(got), right, rtol=1e-5, atol=1e-4)
    exact = gradients(select("numpy", "float64"), attend, arrays)
    for name, got, right in zip(NAMES, gradients(single, attend, arrays), exact, strict=True):
        # flash-linear-attention allows a root mean square error of 0.5 % of the gradient's own.
        assert np.sqrt(np.mean((got - right) ** 2) / np.mean(right**2)) < 1e-5, name


@gates
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_the_strongest_decay_beside_none_at_all_does_not_overflow(inputs, gradients, kind, per_head):
    q, k, v, g, start = inputs(length=100, per_head=per_head)
    g = np.where(g < np.median(g), -50.0, -1e-4)
    single = select(kind, "float32")
    assert_same(single, attend(*moved(single, [q, k, v, g, start])), expected(q, k, v, g, start), rtol=0, atol=1e-4)
    exact = gradients(select("numpy", "float64"), attend, [q, k, v, g, start])
    for name, got, right in zip(NAMES, gradients(single, attend, [q, k, v, g, start]), exact, strict=True):
        np.testing.assert_allclose(got, right, rtol=0, atol=1e-4 * np.abs(right).max(), err_msg=name)


@gates
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_narrow_floats_are_computed_in_float32_and_rounded_once(inputs, dtype, per_head):
    narrow = [torch.tensor(array).to(dtype) for array in inputs(per_head=per_head)]
    (o, state), (wide, right) = attend(*narrow), attend(*(array.float() for array in narrow))
    assert (o.dtype, state.dtype) == (dtype, torch.float32)
    torch.testing.assert_close(o, wide.to(dtype), rtol=0, atol=0)
    torch.testing.assert_close(state, right, rtol=0, atol=0)


@gates
def test_strided_inputs_give_the_same_and_are_left_alone(engine, inputs, gradients, per_head):
    arrays = inputs(batch=4, length=130, per_head=per_head)
    views = [*(array[::2, ::2] for array in arrays[:4]), arrays[4][1::2]]
    backwards = [*(view[:, ::-1] for view in views[:4]), views[4]] if engine.kind == "numpy" else views
    for given in (views, backwards, [np.asfortranarray(view) for view in views]):
        mine = [torch.from_numpy(array) if engine.kind == "torch" else array for array in given]
        before = [array.copy() for array in given]
        assert_same(engine, attend(*mine), expected(*before), rtol=0, atol=1e-12)
        for found, right in zip(gradients(engine, attend, given), gradients(engine, attend, before), strict=True):
            np.testing.assert_allclose(found, right, rtol=0, atol=1e-12)
        for array, unchanged in zip(given, before, strict=True):
            np.testing.assert_array_equal(array, unchanged)


@gates
def test_the_gradient_of_a_plain_sum_is_right_too(engine, inputs, per_head):
    # Its gradient arrives as one number spread over an array with strides of 0.
    q, k, v, g, _ = inputs(batch=1, length=9, per_head=per_head)
    _, gradient = engine.value_and_grad(
        lambda v: engine.xp.sum(gated_linear_attention(*moved(engine, [q, k]), v, engine.asarray(g)))
    )(engine.asarray(v))
    unit = [gated_linear_attention(q, k, basis.reshape(v.shape), g).sum() for basis in np.eye(v.size)]
    np.testing.assert_allclose(engine.to_numpy(gradient).ravel(), unit, rtol=0, atol=1e-12)


@gates
def test_vmap_is_a_loop(engine, inputs, per_head):
    many = [inputs(length=12, per_head=per_head) for _ in range(3)]
    q, k, v, g, start = (np.stack(arrays) for arrays in zip(*many, strict=True))
    given = moved(engine, [q, k[0], np.moveaxis(v, 0, 2), g, start])
    o, final = engine.vmap(attend, in_axes=(0, None, 2, 0, 0))(*given)
    for entry in range(3):
        wanted = expected(q[entry], k[0], v[entry], g[entry], start[entry])
        assert_same(engine, (o[entry], final[entry]), wanted, rtol=0, atol=1e-12)


@gates
@pytest.mark.parametrize("shared", range(5), ids=[f"{name}_alone" for name in NAMES])
def test_vmap_of_the_gradient_over_one_argument_is_a_loop_of_gradients(inputs, per_head, shared):
    arrays = [torch.tensor(array) for array in inputs(batch=1, length=20, per_head=per_head)]
    many = torch.tensor(np.stack([inputs(batch=1, length=20, per_head=per_head)[shared] for _ in range(3)]))

    def loss(given):
        o, final = attend(*given)
        return (o**2).sum() + (final**2).sum()

    def gradient(one):
        return torch.func.grad(loss)([*arrays[:shared], one, *arrays[shared + 1 :]])

    together = torch.func.vmap(gradient)(many)
    for entry in range(3):
        for found, right in zip(together, gradient(many[entry]), strict=True):
            torch.testing.assert_close(found[entry], right)


@gates
def test_torch_differentiates_the_gradient(inputs, per_head):
    arrays = inputs(batch=1, length=5, heads=2, key=2, value=2, per_head=per_head)
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    function = lambda *given: on_torch.chunked_attention(*given, scale=0.5, chunk_size=2)  # noqa: E731
    assert torch.autograd.gradcheck(function, tensors)
    assert torch.autograd.gradgradcheck(function, tensors)


COMPILED = """
import torch
from mem_core.kernels import gated_linear_attention

draw = torch.Generator().manual_seed(0)
for gates in ((1, 20, 3, 5), (1, 20, 3)):
    shapes = (1, 20, 3, 5), (1, 20, 3, 5), (1, 20, 3, 7), gates
    arrays = [torch.randn(shape, generator=draw, dtype=torch.double).requires_grad_() for shape in shapes]
    results = []
    compiled = torch.compile(gated_linear_attention, backend="aot_eager", fullgraph=True)
    for function in (gated_linear_attention, compiled):
        o = function(*arrays)
        results.append([o, *torch.autograd.grad((o**2).sum(), arrays)])
    for found, right in zip(*results):
        torch.testing.assert_close(found, right)
"""


def test_torch_compiles_it():
    # Elsewhere, because the compiler takes neither a poisoned `torch.empty` nor types that are checked at run time.
    subprocess.run([sys.executable, "-c", COMPILED], check=True)


def test_a_batch_taken_in_parts_gives_the_same(engine, inputs, gradients, monkeypatch):
    arrays = inputs(batch=3, length=20)
    at_once = gradients(engine, attend, arrays)
    monkeypatch.setattr(
        cache_blocks, "_NUMBERS", 2 * 20 * 3 * 16
    )  # two sequences of 20 positions, 3 heads, chunks of 16
    assert_same(engine, attend(*moved(engine, arrays)), expected(*arrays), rtol=0, atol=1e-12)
    for name, found, right in zip(NAMES, gradients(engine, attend, arrays), at_once, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12, err_msg=name)


def test_numpy_says_that_it_has_no_gradient_of_a_gradient(inputs):
    q, k, v, g, _ = inputs(batch=1, length=3)
    engine = select("numpy", "float64")

    def loss(g):
        return engine.xp.sum(gated_linear_attention(q, k, v, g) ** 2)

    with pytest.raises(NotImplementedError, match="use the torch engine"):
        engine.value_and_grad(lambda g: engine.xp.sum(engine.value_and_grad(loss)(g)[1]))(g)


SHAPES = {"q": (2, 9, 4, 3), "k": (2, 9, 4, 3), "v": (2, 9, 4, 5), "g": (2, 9, 4, 3), "initial_state": (2, 4, 3, 5)}


def ones(engine, shapes):
    return {name: engine.asarray(np.ones(shape)) for name, shape in shapes.items()}


@pytest.mark.parametrize("name", SHAPES)
def test_an_argument_that_does_not_fit_is_named(engine, name):
    shapes = {**SHAPES, name: (*SHAPES[name][:-1], SHAPES[name][-1] + 1)}
    # The first array that disagrees with those before it is the one to blame.
    blamed = {"q": "k", "v": "initial_state"}.get(name, name)
    with pytest.raises(ValueError, match=rf"gated_linear_attention: {blamed} must have shape .*, got \("):
        gated_linear_attention(**ones(engine, shapes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": (2, 9, 4)}, r"q must have shape \(batch, length, heads, key width\), got \(2, 9, 4\)\."),
        ({"g": (2, 8, 4)}, r"g must have shape \(batch, length, heads\) = \(2, 9, 4\), got \(2, 8, 4\)\."),
        ({"g": (2, 9)}, r"g must have shape \(batch, length, heads, key width\) = \(2, 9, 4, 3\), got \(2, 9\)\."),
        ({"v": (2, 9, 5, 5)}, r"v must have shape .* = \(2, 9, 4, value width\), got \(2, 9, 5, 5\)\."),
        ({"q": (2, 0, 4, 3)}, r"q must have at least one entry along length, got shape \(2, 0, 4, 3\)\."),
    ],
    ids=["rank", "length", "rank_of_gates", "heads", "empty"],
)
def test_shapes_that_do_not_fit_are_refused(engine, change, message):
    with pytest.raises(ValueError, match=message):
        gated_linear_attention(**ones(engine, {**SHAPES, **change}))


def test_numbers_that_are_none_are_refused(engine, inputs):
    arrays = inputs(length=4)
    with pytest.raises(ValueError, match="gated_linear_attention: scale must be a finite number, got nan"):
        attend(*moved(engine, arrays), scale=float("nan"))
    arrays[2][1, 2, 0, 3] = np.nan
    with pytest.raises(
        ValueError, match=r"gated_linear_attention: v must hold finite numbers, got nan at \(1, 2, 0, 3\)"
    ):
        gated_linear_attention(*moved(engine, arrays[:4]), check=True)
    with pytest.raises(ValueError, match="k must hold floating-point numbers, got int64"):
        gated_linear_attention(arrays[0], arrays[1].astype(np.int64), *arrays[2:4])


def test_a_mix_of_precisions_or_devices_is_refused(engine, inputs):
    arrays = moved(engine, inputs(length=4)[:4])
    narrow = engine.asarray(engine.to_numpy(arrays[1]), dtype=engine.xp.float32)
    with pytest.raises(
        ValueError, match="gated_linear_attention: k must be float64 if and only if q is, got float32 and float64"
    ):
        gated_linear_attention(arrays[0], narrow, *arrays[2:])
    if engine.kind == "torch":
        with pytest.raises(ValueError, match="gated_linear_attention: g must be on cpu as q is, got meta"):
            gated_linear_attention(*arrays[:3], arrays[3].to("meta"))


def test_a_step_refuses_shapes_that_do_not_fit(engine, inputs):
    q, k, v, g, state = moved(engine, inputs(length=1))
    with pytest.raises(
        ValueError, match=r"gated_linear_attention_step: state must have shape \(batch, heads, key width"
    ):
        gated_linear_attention_step(q[:, 0], k[:, 0], v[:, 0], g[:, 0], state[:, :, :2])
