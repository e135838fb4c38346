"""Axes: batch, length, heads, key width or value width."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from mem_core.engine import select
from mem_core.kernels import (
    cache_blocks,
    delta_rule,
    delta_rule_step,
    gated_delta_rule,
    gated_delta_rule_step,
    gated_linear_attention,
)
from mem_core.kernels.delta_rule import on_numpy, on_torch, reference

LENGTHS = [1, 2, 15, 16, 17, 63, 64, 65, 100, 513]
NAMES = ["q", "k", "v", "beta", "g", "initial_state"]


@pytest.fixture
def inputs(normal):
    """q, k, v, beta, g, initial state: keys of length 1, β in 0 … 1, gates around exp(−0.1), sizes that differ."""

    def draw(batch=2, length=65, heads=3, key=5, value=7):
        q, k, v = (normal(batch, length, heads, width) for width in (key, key, value))
        k /= np.linalg.norm(k, axis=-1, keepdims=True)
        beta, g = 1 / (1 + np.exp(-normal(batch, length, heads))), -np.exp(normal(batch, length, heads) - 2)
        return [q, k, v, beta, g, normal(batch, heads, key, value)]

    return draw


def learn(q, k, v, beta, g, initial_state, scale=None):
    return gated_delta_rule(q, k, v, beta, g, scale, initial_state, return_final_state=True)


def learn_without_gate(q, k, v, beta, initial_state):
    return delta_rule(q, k, v, beta, initial_state=initial_state, return_final_state=True)


def expected(q, k, v, beta, g, initial_state, scale=None):
    return reference.gated_delta_rule(q, k, v, beta, g, initial_state, q.shape[3] ** -0.5 if scale is None else scale)


def moved(engine, arrays):
    return [engine.asarray(array) for array in arrays]


def assert_same(engine, found, wanted, **tolerance):
    for name, got, right in zip(("o", "final state"), found, wanted, strict=True):
        np.testing.assert_allclose(engine.to_numpy(got), right, err_msg=name, **tolerance)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_agrees_with_the_recurrence(engine, inputs, length):
    arrays = inputs(length=length)
    assert_same(engine, learn(*moved(engine, arrays)), expected(*arrays), rtol=0, atol=1e-12)
    q, k, v, beta, g, start = arrays
    found = learn_without_gate(*moved(engine, [q, k, v, beta, start]))
    assert_same(engine, found, expected(q, k, v, beta, 0 * g, start), rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 0.3, -2.0])
def test_the_scale_multiplies_the_queries(engine, inputs, scale):
    arrays = inputs(length=20)
    assert_same(engine, learn(*moved(engine, arrays), scale=scale), expected(*arrays, scale), rtol=0, atol=1e-12)
    q, k, v, beta, g, _ = arrays
    o = delta_rule(*moved(engine, [q, k, v, beta]), scale=scale)
    wanted, _ = expected(q, k, v, beta, 0 * g, np.zeros((2, 3, 5, 7)), scale)
    np.testing.assert_allclose(engine.to_numpy(o), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk_size", [1, 2, 8, 64, 128], ids=lambda size: f"chunk{size}")
def test_any_chunk_size_gives_the_same(engine, inputs, chunk_size):
    arrays = inputs(length=65)
    version = on_torch.chunked_rule if engine.kind == "torch" else on_numpy.forward
    found = version(*moved(engine, arrays), scale=5**-0.5, chunk_size=chunk_size)
    assert_same(engine, found, expected(*arrays), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("key", "value", "heads"), [(1, 1, 1), (1, 8, 2), (8, 1, 1), (40, 33, 1)])
def test_any_widths_will_do(engine, inputs, key, value, heads):
    arrays = inputs(length=40, key=key, value=value, heads=heads)
    assert_same(engine, learn(*moved(engine, arrays)), expected(*arrays), rtol=0, atol=1e-12)


def test_keys_of_any_length_and_a_large_beta_are_computed_as_asked(engine, inputs):
    q, k, v, beta, g, start = inputs(length=40)
    arrays = [q, 1.3 * k, v, 2 * beta, g, start]
    wanted = expected(*arrays)
    assert_same(engine, learn(*moved(engine, arrays)), wanted, rtol=0, atol=1e-11 * np.abs(wanted[0]).max())


def test_orthonormal_keys_and_a_beta_of_one_store_every_value_exactly(engine, normal):
    # Column i of an orthogonal matrix is key i; the state is asked for all keys at the end.
    keys = np.linalg.qr(normal(40, 40))[0].T[None, :, None]
    values = normal(1, 40, 1, 6)
    beta = np.ones((1, 40, 1))
    _, state = delta_rule(*moved(engine, [keys, keys, values, beta]), return_final_state=True)
    answers = np.einsum("bhkv,blhk->blhv", engine.to_numpy(state), keys)
    np.testing.assert_allclose(answers, values, rtol=0, atol=1e-13)


def test_a_beta_of_one_replaces_what_the_same_key_held(engine, inputs):
    _, k, v, beta, _, start = inputs(length=70)
    same = np.broadcast_to(k[:, :1], k.shape)
    o = delta_rule(*moved(engine, [same, same, v, np.ones_like(beta)]), 1.0, engine.asarray(start))
    np.testing.assert_allclose(engine.to_numpy(o), v, rtol=0, atol=1e-12)


def test_a_beta_of_zero_changes_nothing(engine, inputs):
    q, k, v, beta, _, start = inputs()
    o, state = learn_without_gate(*moved(engine, [q, k, v, 0 * beta, start]))
    np.testing.assert_array_equal(engine.to_numpy(state), start)
    answers = np.einsum("bhkv,blhk->blhv", start, q) * 5**-0.5
    np.testing.assert_allclose(engine.to_numpy(o), answers, rtol=0, atol=1e-13)


def test_a_constant_key_makes_it_an_exponential_average(engine):
    one = np.ones((1, 70, 1, 1))
    o = engine.to_numpy(delta_rule(*moved(engine, [one, one, one, np.full((1, 70, 1), 0.1)])))
    np.testing.assert_allclose(o.ravel(), 1 - 0.9 ** np.arange(1, 71), rtol=1e-12)


def test_a_gate_of_one_is_the_plain_delta_rule(engine, inputs):
    q, k, v, beta, g, start = moved(engine, inputs(length=100))
    plain = learn_without_gate(q, k, v, beta, start)
    gated = learn(q, k, v, beta, 0 * g, start)
    assert_same(engine, gated, map(engine.to_numpy, plain), rtol=0, atol=0)


def test_nothing_to_correct_makes_it_gated_linear_attention(engine, inputs):
    # Orthogonal keys never meet, so an answer is 0 when its value comes; β is then a factor of the value.
    q, _, _, _, g, _ = inputs(length=40, heads=1, key=40)
    _, _, v, beta, _, _ = inputs(length=40, heads=1)
    k = np.broadcast_to(np.linalg.qr(q[0, :, 0])[0][None, :, None], q.shape)
    o = gated_delta_rule(*moved(engine, [q, k, v, beta, g]))
    linear = gated_linear_attention(*moved(engine, [q, k, beta[..., None] * v, g]))
    np.testing.assert_allclose(engine.to_numpy(o), engine.to_numpy(linear), rtol=0, atol=1e-12)


def test_a_gate_of_minus_infinity_forgets_everything_before_it(engine, inputs, gradients):
    arrays = inputs()
    arrays[4][:, [0, 20, 21, 40]] = -np.inf
    assert_same(engine, learn(*moved(engine, arrays)), expected(*arrays), rtol=0, atol=1e-12)
    found = gradients(engine, learn, arrays)
    np.testing.assert_allclose(found[5], 0, atol=1e-12)
    np.testing.assert_allclose(found[4][:, [20, 21, 40]], 0, atol=1e-12)
    assert all(np.isfinite(gradient).all() for gradient in found)


@pytest.mark.parametrize("cut", [1, 16, 33, 64], ids=lambda cut: f"cut{cut}")
def test_a_sequence_in_two_parts_is_the_whole(engine, inputs, cut):
    *sequences, start = moved(engine, inputs())
    first, state = learn(*(sequence[:, :cut] for sequence in sequences), start)
    second, final = learn(*(sequence[:, cut:] for sequence in sequences), state)
    whole, wanted = learn(*sequences, start)
    both = np.concatenate([engine.to_numpy(first), engine.to_numpy(second)], axis=1)
    np.testing.assert_allclose(both, engine.to_numpy(whole), rtol=0, atol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(final), engine.to_numpy(wanted), rtol=0, atol=1e-12)


def test_steps_are_the_scan(engine, inputs):
    q, k, v, beta, g, start = moved(engine, inputs(length=20))
    o, plain = learn(q, k, v, beta, g, start)[0], learn_without_gate(q, k, v, beta, start)[0]
    state, plain_state = start, start
    for t in range(20):
        now = (q[:, t], k[:, t], v[:, t], beta[:, t])
        step, state = gated_delta_rule_step(*now, g[:, t], state)
        np.testing.assert_allclose(engine.to_numpy(step), engine.to_numpy(o)[:, t], rtol=0, atol=1e-12)
        step, plain_state = delta_rule_step(*now, plain_state)
        np.testing.assert_allclose(engine.to_numpy(step), engine.to_numpy(plain)[:, t], rtol=0, atol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 9], ids=lambda length: f"length{length}")
def test_gradients_are_central_differences(engine, inputs, gradients, central_differences, length):
    arrays = inputs(batch=1, length=length, heads=2, key=3, value=2)
    wanted = central_differences(learn, arrays)
    for name, found, right in zip(NAMES, gradients(engine, learn, arrays), wanted, strict=True):
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


def test_steps_pass_gradients_on(engine, inputs, gradients, central_differences):
    *sequences, state = inputs(batch=1, length=1, key=3, value=2)
    q, k, v, beta, g = (sequence[:, 0] for sequence in sequences)
    for step, arrays in (
        (gated_delta_rule_step, [q, k, v, beta, g, state]),
        (delta_rule_step, [q, k, v, beta, state]),
    ):
        wanted = central_differences(step, arrays)
        for found, right in zip(gradients(engine, step, arrays), wanted, strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: f"length{length}")
def test_gradients_agree_between_engines(inputs, gradients, length):
    arrays = inputs(length=length)
    numpy, torch_ = (gradients(select(kind, "float64"), learn, arrays) for kind in ("numpy", "torch"))
    for name, found, right in zip(NAMES, numpy, torch_, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("speed", [0.003, 0.1, 3.0], ids=["slow_decay", "middling_decay", "fast_decay"])
def test_float32_is_within_rounding_of_float64(inputs, gradients, kind, speed):
    q, k, v, beta, g, start = inputs(length=513, key=8, value=8)
    arrays = [q, k, v, beta, speed * g / -g.mean(), start]
    single = select(kind, "float32")
    for got, right in zip(learn(*moved(single, arrays)), expected(*arrays), strict=True):
        assert single.to_numpy(got).dtype == np.float32
        np.testing.assert_allclose(single.to_numpy(got), right, rtol=1e-5, atol=1e-4)
    exact = gradients(select("numpy", "float64"), learn, arrays)
    for name, got, right in zip(NAMES, gradients(single, learn, arrays), exact, strict=True):
        # flash-linear-attention allows a root mean square error of 0.5 % of the gradient's own.
        assert np.sqrt(np.mean((got - right) ** 2) / np.mean(right**2)) < 1e-5, name


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_keys_that_all_point_one_way_are_no_harder(inputs, gradients, kind):
    # The triangular systems are then at their worst: every key meets every other in full.
    q, k, v, beta, g, start = inputs(length=100)
    arrays = [q, np.broadcast_to(k[:, :1], k.shape), v, 0 * beta + 0.98, 0.01 * g, start]
    single = select(kind, "float32")
    assert_same(single, learn(*moved(single, arrays)), expected(*arrays), rtol=0, atol=1e-4)
    exact = gradients(select("numpy", "float64"), learn, arrays)
    for name, got, right in zip(NAMES, gradients(single, learn, arrays), exact, strict=True):
        np.testing.assert_allclose(got, right, rtol=0, atol=1e-4 * np.abs(right).max(), err_msg=name)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_the_strongest_decay_beside_none_at_all_does_not_overflow(inputs, gradients, kind):
    q, k, v, beta, g, start = inputs(length=100)
    arrays = [q, k, v, beta, np.where(g < np.median(g), -50.0, -1e-4), start]
    single = select(kind, "float32")
    assert_same(single, learn(*moved(single, arrays)), expected(*arrays), rtol=0, atol=1e-4)
    exact = gradients(select("numpy", "float64"), learn, arrays)
    for name, got, right in zip(NAMES, gradients(single, learn, arrays), exact, strict=True):
        np.testing.assert_allclose(got, right, rtol=0, atol=1e-4 * np.abs(right).max(), err_msg=name)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_narrow_floats_are_computed_in_float32_and_rounded_once(inputs, dtype):
    narrow = [torch.tensor(array).to(dtype) for array in inputs()]
    (o, state), (wide, right) = learn(*narrow), learn(*(array.float() for array in narrow))
    assert (o.dtype, state.dtype) == (dtype, torch.float32)
    torch.testing.assert_close(o, wide.to(dtype), rtol=0, atol=0)
    torch.testing.assert_close(state, right, rtol=0, atol=0)
    assert delta_rule(*narrow[:4]).dtype == dtype


def test_strided_inputs_give_the_same_and_are_left_alone(engine, inputs, gradients):
    arrays = inputs(batch=4, length=130)
    views = [*(array[::2, ::2] for array in arrays[:5]), arrays[5][1::2]]
    backwards = [*(view[:, ::-1] for view in views[:5]), views[5]] if engine.kind == "numpy" else views
    for given in (views, backwards, [np.asfortranarray(view) for view in views]):
        mine = [torch.from_numpy(array) if engine.kind == "torch" else array for array in given]
        before = [array.copy() for array in given]
        assert_same(engine, learn(*mine), expected(*before), rtol=0, atol=1e-12)
        for found, right in zip(gradients(engine, learn, given), gradients(engine, learn, before), strict=True):
            np.testing.assert_allclose(found, right, rtol=0, atol=1e-12)
        for array, unchanged in zip(given, before, strict=True):
            np.testing.assert_array_equal(array, unchanged)


def test_the_gradient_of_a_plain_sum_is_right_too(engine, inputs):
    # Its gradient arrives as one number spread over an array with strides of 0.
    q, k, v, beta, _, _ = inputs(batch=1, length=9)
    _, gradient = engine.value_and_grad(
        lambda v: engine.xp.sum(delta_rule(*moved(engine, [q, k]), v, engine.asarray(beta)))
    )(engine.asarray(v))
    unit = [delta_rule(q, k, basis.reshape(v.shape), beta).sum() for basis in np.eye(v.size)]
    np.testing.assert_allclose(engine.to_numpy(gradient).ravel(), unit, rtol=0, atol=1e-12)


def test_vmap_is_a_loop(engine, inputs):
    many = [inputs(length=12) for _ in range(3)]
    q, k, v, beta, g, start = (np.stack(arrays) for arrays in zip(*many, strict=True))
    given = moved(engine, [q, k[0], np.moveaxis(v, 0, 2), beta, g, start])
    o, final = engine.vmap(learn, in_axes=(0, None, 2, 0, 0, 0))(*given)
    for entry in range(3):
        wanted = expected(q[entry], k[0], v[entry], beta[entry], g[entry], start[entry])
        assert_same(engine, (o[entry], final[entry]), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("batched", range(6), ids=[f"{name}_alone" for name in NAMES])
def test_vmap_of_the_gradient_over_one_argument_is_a_loop_of_gradients(inputs, batched):
    arrays = [torch.tensor(array) for array in inputs(batch=1, length=20)]
    many = torch.tensor(np.stack([inputs(batch=1, length=20)[batched] for _ in range(3)]))

    def loss(given):
        o, final = learn(*given)
        return (o**2).sum() + (final**2).sum()

    def gradient(one):
        return torch.func.grad(loss)([*arrays[:batched], one, *arrays[batched + 1 :]])

    together = torch.func.vmap(gradient)(many)
    for entry in range(3):
        for found, right in zip(together, gradient(many[entry]), strict=True):
            torch.testing.assert_close(found[entry], right)


def test_torch_differentiates_the_gradient(inputs):
    tensors = [torch.tensor(array, requires_grad=True) for array in inputs(batch=1, length=5, heads=2, key=2, value=2)]
    function = lambda *given: on_torch.chunked_rule(*given, scale=0.5, chunk_size=2)  # noqa: E731
    assert torch.autograd.gradcheck(function, tensors)
    assert torch.autograd.gradgradcheck(function, tensors)


COMPILED = """
import torch
from mem_core.kernels import gated_delta_rule

draw = torch.Generator().manual_seed(0)
shapes = (1, 20, 3, 5), (1, 20, 3, 5), (1, 20, 3, 7), (1, 20, 3), (1, 20, 3)
q, k, v, beta, g = (torch.randn(shape, generator=draw, dtype=torch.double) for shape in shapes)
arrays = [array.requires_grad_() for array in (q, k / k.norm(dim=-1, keepdim=True), v, beta.sigmoid(), -g.abs())]
results = []
for function in (gated_delta_rule, torch.compile(gated_delta_rule, backend="aot_eager", fullgraph=True)):
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
    at_once = gradients(engine, learn, arrays)
    monkeypatch.setattr(
        cache_blocks, "_NUMBERS", 2 * 20 * 3 * 16
    )  # two sequences of 20 positions, 3 heads, chunks of 16
    assert_same(engine, learn(*moved(engine, arrays)), expected(*arrays), rtol=0, atol=1e-12)
    for name, found, right in zip(NAMES, gradients(engine, learn, arrays), at_once, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12, err_msg=name)


def test_numpy_says_that_it_has_no_gradient_of_a_gradient(inputs):
    q, k, v, beta, _, _ = inputs(batch=1, length=3)
    engine = select("numpy", "float64")

    def loss(beta):
        return engine.xp.sum(delta_rule(q, k, v, beta) ** 2)

    with pytest.raises(NotImplementedError, match="use the torch engine"):
        engine.value_and_grad(lambda beta: engine.xp.sum(engine.value_and_grad(loss)(beta)[1]))(beta)


SHAPES = {
    "q": (2, 9, 4, 3),
    "k": (2, 9, 4, 3),
    "v": (2, 9, 4, 5),
    "beta": (2, 9, 4),
    "g": (2, 9, 4),
    "initial_state": (2, 4, 3, 5),
}


def ones(engine, shapes):
    return {name: engine.asarray(np.ones(shape)) for name, shape in shapes.items()}


@pytest.mark.parametrize("name", SHAPES)
def test_an_argument_that_does_not_fit_is_named(engine, name):
    shapes = {**SHAPES, name: (*SHAPES[name][:-1], SHAPES[name][-1] + 1)}
    # The first array that disagrees with those before it is the one to blame.
    blamed = {"q": "k", "v": "initial_state"}.get(name, name)
    with pytest.raises(ValueError, match=rf"gated_delta_rule: {blamed} must have shape .*, got \("):
        gated_delta_rule(**ones(engine, shapes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": (2, 9, 4)}, r"q must have shape \(batch, length, heads, key width\), got \(2, 9, 4\)\."),
        ({"beta": (2, 8, 4)}, r"beta must have shape \(batch, length, heads\) = \(2, 9, 4\), got \(2, 8, 4\)\."),
        ({"beta": (2, 9, 4, 3)}, r"beta must have shape \(batch, length, heads\) = \(2, 9, 4\), got \(2, 9, 4, 3\)\."),
        ({"v": (2, 9, 5, 5)}, r"v must have shape .* = \(2, 9, 4, value width\), got \(2, 9, 5, 5\)\."),
        ({"q": (2, 0, 4, 3)}, r"q must have at least one entry along length, got shape \(2, 0, 4, 3\)\."),
    ],
    ids=["rank", "length", "beta_per_channel", "heads", "empty"],
)
def test_shapes_that_do_not_fit_are_refused(engine, change, message):
    shapes = {name: shape for name, shape in {**SHAPES, **change}.items() if name != "g"}
    with pytest.raises(ValueError, match=f"delta_rule: {message}"):
        delta_rule(**ones(engine, shapes))


def test_numbers_that_are_none_are_refused(engine, inputs):
    arrays = inputs(length=4)
    with pytest.raises(ValueError, match="gated_delta_rule: scale must be a finite number, got inf"):
        learn(*moved(engine, arrays), scale=float("inf"))
    arrays[3][1, 2, 0] = np.nan
    with pytest.raises(ValueError, match=r"delta_rule: beta must hold finite numbers, got nan at \(1, 2, 0\)"):
        delta_rule(*moved(engine, arrays[:4]), check=True)
    with pytest.raises(ValueError, match="k must hold floating-point numbers, got int64"):
        delta_rule(arrays[0], arrays[1].astype(np.int64), *arrays[2:4])


def test_a_mix_of_precisions_or_devices_is_refused(engine, inputs):
    arrays = moved(engine, inputs(length=4)[:4])
    narrow = engine.asarray(engine.to_numpy(arrays[1]), dtype=engine.xp.float32)
    with pytest.raises(ValueError, match="delta_rule: k must be float64 if and only if q is, got float32 and float64"):
        delta_rule(arrays[0], narrow, *arrays[2:])
    if engine.kind == "torch":
        with pytest.raises(ValueError, match="delta_rule: beta must be on cpu as q is, got meta"):
            delta_rule(*arrays[:3], arrays[3].to("meta"))


def test_steps_refuse_shapes_that_do_not_fit(engine, inputs):
    q, k, v, beta, g, state = moved(engine, inputs(length=1))
    now = (q[:, 0], k[:, 0], v[:, 0], beta[:, 0])
    with pytest.raises(ValueError, match=r"^delta_rule_step: state must have shape \(batch, heads, key width"):
        delta_rule_step(*now, state[:, :, :2])
    with pytest.raises(ValueError, match=r"^gated_delta_rule_step: g must have shape \(batch, heads\) = \(2, 3\)"):
        gated_delta_rule_step(*now, g[:1, 0], state)
