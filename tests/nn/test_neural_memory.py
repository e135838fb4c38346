"""A memory whose weights are what it remembers: closed forms, kernels, torch's own descent, and its chunks."""

import itertools

import numpy as np
import pytest
import torch

from mem_core.engine import philox, select
from mem_core.kernels import delta_rule, gated_delta_rule, linear_scan
from mem_core.nn import neural_memory as memory
from mem_core.nn.neural_memory import Gates, MemoryState

BATCH, KEY, HIDDEN, VALUE, TOKENS = 3, 5, 7, 4, 9


def pairs(engine, tokens=TOKENS, seed=0):
    generator = philox(seed, "pairs")
    keys = generator.standard_normal((BATCH, tokens, KEY))
    keys /= np.linalg.norm(keys, axis=-1, keepdims=True)
    return engine.asarray(keys), engine.asarray(generator.standard_normal((BATCH, tokens, VALUE)))


def started(engine, depth):
    """Return a memory that knows something and is moving."""
    if depth == 2:
        state = memory.untrained(engine, philox(0, "start"), (BATCH,), KEY, HIDDEN, VALUE)
    else:
        state = MemoryState((engine.asarray(philox(0, "start").standard_normal((BATCH, VALUE, KEY))),), ())
    generator = philox(1, "moving")
    moving = tuple(engine.asarray(0.1 * generator.standard_normal(tuple(matrix.shape))) for matrix in state.weights)
    return MemoryState(state.weights, moving)


def read_all(engine, state, keys, values, forget, momentum, step_size, chunk=1):
    """Follow the recursions token by token, and list the states."""
    states, chunk_start = [], state.weights
    for token in range(keys.shape[1]):
        if token % chunk == 0:
            chunk_start = state.weights
        step = memory.gradient(engine, chunk_start, keys[:, token], values[:, token])
        gates = (gate[token] if isinstance(gate, list) else gate for gate in (forget, momentum, step_size))
        state = memory.absorb(state, step, *gates)
        states.append(state)
    return states


def numpy_of(engine, *arrays):
    return [engine.to_numpy(array) for array in arrays]


# The rule itself


def test_half_a_step_stores_a_pair_exactly(engine):
    keys, values = pairs(engine)
    for token, state in enumerate(read_all(engine, started(engine, 1), keys, values, 0.0, 0.0, 0.5)[1:], start=1):
        answer = memory.recall(engine, state.weights, keys[:, token : token + 1])[:, 0]
        np.testing.assert_allclose(*numpy_of(engine, answer, values[:, token]), atol=1e-12)


@pytest.mark.parametrize(("step_size", "factor"), [(0.25, 0.5), (0.5, 0.0), (0.75, -0.5), (1.25, -1.5)])
def test_a_write_multiplies_the_error_by_one_minus_twice_the_step_size(engine, step_size, factor):
    keys, values = pairs(engine, 1)
    first = started(engine, 1)
    after = memory.absorb(first, memory.gradient(engine, first.weights, keys[:, 0], values[:, 0]), 0.0, 0.0, step_size)
    before, left = (memory.recall(engine, state.weights, keys) - values for state in (first, after))
    np.testing.assert_allclose(*numpy_of(engine, left, factor * before), atol=1e-12)


def test_orthonormal_keys_are_all_stored_exactly(engine):
    keys = engine.asarray(np.linalg.qr(philox(0, "basis").standard_normal((BATCH, KEY, KEY)))[0])
    values = engine.asarray(philox(1, "values").standard_normal((BATCH, KEY, VALUE)))
    *_, last = read_all(engine, memory.empty(engine, (BATCH,), KEY, VALUE), keys, values, 0.0, 0.0, 0.5)
    np.testing.assert_allclose(*numpy_of(engine, memory.recall(engine, last.weights, keys), values), atol=1e-12)


def test_forgetting_everything_keeps_only_the_last_step(engine):
    keys, values = pairs(engine)
    *_, before, last = read_all(engine, started(engine, 1), keys, values, 1.0, 0.0, 0.3)
    (step,) = memory.gradient(engine, before.weights, keys[:, -1], values[:, -1])
    np.testing.assert_allclose(*numpy_of(engine, last.weights[0], -0.3 * step), atol=1e-14)


@pytest.mark.parametrize("depth", [1, 2])
def test_without_steps_the_memory_only_fades(engine, depth):
    keys, values = pairs(engine)
    first = MemoryState(started(engine, depth).weights, tuple(0.0 * part for part in started(engine, depth).weights))
    *_, last = read_all(engine, first, keys, values, 0.1, 0.5, 0.0)
    for faded, start in zip(last.weights, first.weights, strict=True):
        np.testing.assert_allclose(*numpy_of(engine, faded, 0.9**TOKENS * start), rtol=1e-12)


def test_rotating_keys_and_weights_together_changes_no_answer(engine):
    keys, values = pairs(engine)
    turn = engine.asarray(np.linalg.qr(philox(2, "turn").standard_normal((KEY, KEY)))[0])
    empty = memory.empty(engine, (BATCH,), KEY, VALUE)
    answers = [
        memory.recall(engine, read_all(engine, empty, turned, values, 0.05, 0.6, 0.2)[-1].weights, turned)
        for turned in (keys, keys @ turn)
    ]
    np.testing.assert_allclose(*numpy_of(engine, *answers), atol=1e-12)


def test_a_deep_memory_of_zeros_never_learns(engine):
    keys, values = pairs(engine)
    zeros = tuple(0.0 * matrix for matrix in started(engine, 2).weights)
    *_, last = read_all(engine, MemoryState(zeros, zeros), keys, values, 0.0, 0.5, 0.1)
    assert all(np.all(matrix == 0) for matrix in numpy_of(engine, *last.weights))


# The gradient


@pytest.mark.parametrize("depth", [1, 2])
def test_the_gradient_matches_automatic_differentiation(engine, depth):
    keys, values = pairs(engine, 1)
    weights = started(engine, depth).weights

    def loss(weights):
        return engine.xp.sum((memory.recall(engine, weights, keys) - values) ** 2)

    _, expected = engine.value_and_grad(loss)(weights)
    for found, right in zip(memory.gradient(engine, weights, keys[:, 0], values[:, 0]), expected, strict=True):
        np.testing.assert_allclose(*numpy_of(engine, found, right), rtol=1e-10, atol=1e-12)


def test_the_gradient_of_two_layers_matches_central_differences():
    engine = select("numpy", precision="float64")
    keys, values = pairs(engine, 1)
    weights = started(engine, 2).weights
    step = 1e-6
    for index, found in enumerate(memory.gradient(engine, weights, keys[:, 0], values[:, 0])):
        direction = philox(index, "direction").standard_normal(weights[index].shape)
        ahead, behind = (
            np.sum(
                (
                    memory.recall(
                        engine,
                        tuple(w + (sign * step * direction if i == index else 0) for i, w in enumerate(weights)),
                        keys,
                    )
                    - values
                )
                ** 2
            )
            for sign in (1, -1)
        )
        assert np.sum(found * direction) == pytest.approx((ahead - behind) / (2 * step), rel=1e-5)


def test_the_loss_is_a_sum_over_the_values_numbers_and_has_no_half(engine):
    keys, values = pairs(engine, 1)
    (found,) = memory.gradient(engine, memory.empty(engine, (BATCH,), KEY, VALUE).weights, keys[:, 0], values[:, 0])
    expected = -2.0 * values[:, 0, :, None] * keys[:, 0, None, :]
    np.testing.assert_allclose(*numpy_of(engine, found, expected), rtol=1e-12)


# Against the kernels and against torch's own optimizer


def kernel_inputs(engine, keys, values):
    return keys[:, :, None], values[:, :, None], engine.xp.ones((*keys.shape[:2], 1))


def test_one_layer_is_the_delta_rule_at_twice_the_step_size(engine):
    keys, values = pairs(engine)
    first = MemoryState(started(engine, 1).weights, (0.0 * started(engine, 1).weights[0],))
    k, v, ones = kernel_inputs(engine, keys, values)
    start = engine.xp.matrix_transpose(first.weights[0])[:, None]
    read, final = delta_rule(k, k, v, 0.6 * ones, scale=1.0, initial_state=start, return_final_state=True)
    states = read_all(engine, first, keys, values, 0.0, 0.0, 0.3)
    answers = engine.xp.stack(
        [memory.recall(engine, s.weights, keys[:, t : t + 1])[:, 0] for t, s in enumerate(states)], axis=1
    )
    np.testing.assert_allclose(*numpy_of(engine, answers, read[:, :, 0]), atol=1e-12)
    final = engine.xp.matrix_transpose(final[:, 0])
    np.testing.assert_allclose(*numpy_of(engine, states[-1].weights[0], final), atol=1e-12)


def test_with_decay_it_is_the_gated_delta_rule_only_after_scaling(engine):
    # The kernel decays before it takes the residual, this memory after: W' + 2θ (v − W k) kᵀ with W' = (1−α) W equals
    # the kernel's step at β = 2θ / (1−α) towards the value (1−α) v.
    keys, values = pairs(engine)
    first = MemoryState(started(engine, 1).weights, (0.0 * started(engine, 1).weights[0],))
    k, v, ones = kernel_inputs(engine, keys, values)
    start = engine.xp.matrix_transpose(first.weights[0])[:, None]
    *_, last = read_all(engine, first, keys, values, 0.2, 0.0, 0.3)
    found = {}
    for name, beta, scaled in (("scaled", 0.6 / 0.8, 0.8 * v), ("as it is", 0.6, v)):
        _, final = gated_delta_rule(
            k, k, scaled, beta * ones, np.log(0.8) * ones, scale=1.0, initial_state=start, return_final_state=True
        )
        found[name] = engine.to_numpy(engine.xp.matrix_transpose(final[:, 0]))
    mine = engine.to_numpy(last.weights[0])
    np.testing.assert_allclose(mine, found["scaled"], atol=1e-12)
    assert np.abs(mine - found["as it is"]).max() > 0.05


@pytest.mark.parametrize("depth", [1, 2])
def test_without_forgetting_it_is_torchs_descent_with_momentum(depth):
    engine = select("torch", precision="float64")
    final = read_all(engine, *_still(engine, depth), 0.0, 0.7, 0.02)[-1].weights
    for mine, theirs in zip(final, _torch_descent(engine, depth, momentum=0.7, rate=0.02), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


def test_forgetting_is_not_torchs_weight_decay_which_enters_the_momentum():
    engine = select("torch", precision="float64")
    (mine,) = read_all(engine, *_still(engine, 1), 0.05, 0.7, 0.1)[-1].weights
    (theirs,) = _torch_descent(engine, 1, momentum=0.7, rate=0.1, weight_decay=0.05 / 0.1)
    assert (mine - theirs).abs().max() > 0.05


def _still(engine, depth):
    weights = started(engine, depth).weights
    return (MemoryState(weights, tuple(0.0 * matrix for matrix in weights)), *pairs(engine))


def _torch_descent(engine, depth, momentum, rate, weight_decay=0.0):
    keys, values = pairs(engine)
    weights = [matrix.clone().requires_grad_() for matrix in started(engine, depth).weights]
    optimizer = torch.optim.SGD(weights, lr=rate, momentum=momentum, dampening=0, weight_decay=weight_decay)
    for token in range(TOKENS):
        optimizer.zero_grad()
        hidden = torch.einsum("bok,bk->bo", weights[0], keys[:, token])
        if depth == 2:
            hidden = torch.einsum("boh,bh->bo", weights[1], torch.nn.functional.silu(hidden))
        ((hidden - values[:, token]) ** 2).sum().backward()
        optimizer.step()
    return [matrix.detach() for matrix in weights]


# Chunks


def drawn_gates(engine, tokens=TOKENS, seed=3):
    generator = philox(seed, "gates")
    return [
        engine.asarray(generator.uniform(low, high, (BATCH, tokens))) for low, high in ((0, 0.3), (0, 0.9), (0, 0.4))
    ]


def as_list(gate):
    return [gate[:, token, None, None] for token in range(gate.shape[1])]


def test_the_shares_are_the_products_of_the_closed_form(engine):
    forget, momentum, _ = drawn_gates(engine)
    found = memory.shares(engine, forget, momentum)
    keep, go_on = 1.0 - engine.to_numpy(forget), engine.to_numpy(momentum)
    surprise, whole = engine.to_numpy(found.surprise), engine.to_numpy(found.memory)
    for t in range(TOKENS):
        for i in range(TOKENS):
            expected = go_on[:, i + 1 : t + 1].prod(axis=1) if i <= t else np.zeros(BATCH)
            np.testing.assert_allclose(surprise[:, t, 2 + i], expected, atol=1e-12)
            terms = [keep[:, j + 1 : t + 1].prod(1) * go_on[:, i + 1 : j + 1].prod(1) for j in range(i, t + 1)]
            np.testing.assert_allclose(whole[:, t, 2 + i], sum(terms, np.zeros(BATCH)), atol=1e-12)
        np.testing.assert_allclose(whole[:, t, 0], keep[:, : t + 1].prod(axis=1), atol=1e-12)
        np.testing.assert_allclose(surprise[:, t, 1], go_on[:, : t + 1].prod(axis=1), atol=1e-12)
        assert np.all(surprise[:, t, 0] == 0)


def test_without_momentum_a_step_is_left_as_far_as_the_memory_kept_since(engine):
    forget, momentum, _ = drawn_gates(engine)
    found = engine.to_numpy(memory.shares(engine, forget, 0.0 * momentum).memory)
    kept = np.cumprod(1.0 - engine.to_numpy(forget), axis=1)
    for t, i in itertools.product(range(TOKENS), range(TOKENS)):
        expected = kept[:, t] / kept[:, i] if i <= t else np.zeros(BATCH)
        np.testing.assert_allclose(found[:, t, 2 + i], expected, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2])
def test_in_a_chunk_surprise_and_memory_are_two_linear_scans(engine, depth):
    keys, values = pairs(engine)
    first, gates = started(engine, depth), drawn_gates(engine)
    states = read_all(engine, first, keys, values, *map(as_list, gates), chunk=TOKENS)
    forget, momentum, step_size = (gate[:, :, None] for gate in gates)
    for layer, matrix in enumerate(first.weights):
        steps = [memory.gradient(engine, first.weights, keys[:, t], values[:, t])[layer] for t in range(TOKENS)]
        flat = engine.xp.reshape(engine.xp.stack(steps, axis=1), (BATCH, TOKENS, -1))
        ones = engine.xp.ones(tuple(flat.shape))
        moving = engine.xp.reshape(first.surprise[layer], (BATCH, -1))
        surprise = linear_scan(momentum * ones, -step_size * flat, moving)
        scanned = linear_scan((1.0 - forget) * ones, surprise, engine.xp.reshape(matrix, (BATCH, -1)))
        for t, state in enumerate(states):
            expected = engine.xp.reshape(scanned[:, t], tuple(matrix.shape))
            np.testing.assert_allclose(*numpy_of(engine, state.weights[layer], expected), atol=1e-12)


@pytest.mark.parametrize("tokens", [1, 2, 9])
def test_a_chunk_at_once_is_the_chunk_token_by_token(engine, tokens):
    keys, values = pairs(engine, tokens)
    queries, _ = pairs(engine, tokens, seed=5)
    first, gates = started(engine, 1), drawn_gates(engine, tokens)
    read, last = memory.read_and_write(engine, first, queries, keys, values, *gates)
    states = read_all(engine, first, keys, values, *map(as_list, gates), chunk=tokens)
    for t, state in enumerate(states):
        expected = memory.recall(engine, state.weights, queries[:, t : t + 1])[:, 0]
        np.testing.assert_allclose(*numpy_of(engine, read[:, t], expected), atol=1e-12)
    np.testing.assert_allclose(*numpy_of(engine, last.weights[0], states[-1].weights[0]), atol=1e-12)
    np.testing.assert_allclose(*numpy_of(engine, last.surprise[0], states[-1].surprise[0]), atol=1e-12)


def test_chunks_of_one_are_the_sequential_rule(engine):
    keys, values = pairs(engine)
    state, gates = started(engine, 1), drawn_gates(engine)
    expected = read_all(engine, state, keys, values, *map(as_list, gates))[-1]
    for token in range(TOKENS):
        part = slice(token, token + 1)
        _, state = memory.read_and_write(
            engine, state, keys[:, part], keys[:, part], values[:, part], *(gate[:, part] for gate in gates)
        )
    np.testing.assert_allclose(*numpy_of(engine, state.weights[0], expected.weights[0]), atol=1e-12)


def test_a_longer_chunk_is_another_rule(engine):
    keys, values = pairs(engine)
    empty = memory.empty(engine, (BATCH,), KEY, VALUE)
    one, nine = (read_all(engine, empty, keys, values, 0.05, 0.5, 0.2, chunk=chunk)[-1] for chunk in (1, TOKENS))
    first, second = numpy_of(engine, one.weights[0], nine.weights[0])
    assert np.abs(first - second).max() > 0.05


@pytest.mark.parametrize("extreme", [False, True])
def test_outer_gradients_match_central_differences(engine, extreme):
    keys, values = pairs(engine)
    first, gates = started(engine, 1), drawn_gates(engine)
    if extreme:
        gates = [0.0 * gate for gate in gates[:2]] + gates[2:]

    def loss(inputs):
        read, last = memory.read_and_write(engine, first, *inputs)
        return engine.xp.sum(read * read) + engine.xp.sum(last.surprise[0] * last.weights[0])

    inputs = (keys, keys, values, *gates)
    _, gradient = engine.value_and_grad(loss)(inputs)
    for index, found in enumerate(gradient):
        direction = engine.asarray(philox(index, "direction").standard_normal(tuple(inputs[index].shape)))
        ahead, behind = (
            engine.item(loss(tuple(x + (sign * 1e-6 * direction if i == index else 0) for i, x in enumerate(inputs))))
            for sign in (1, -1)
        )
        assert engine.item(engine.xp.sum(found * direction)) == pytest.approx((ahead - behind) / 2e-6, rel=1e-5)


# Bad input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"forget": -0.1}, "forget is -0.1, but it must be from 0 to 1"),
        ({"forget": 1.1}, "forget is 1.1"),
        ({"momentum": 1.0}, "momentum is 1.0, but it must be at least 0 and below 1"),
        ({"momentum": -0.1}, "momentum is -0.1"),
        ({"step_size": -1e-9}, "step_size is -1e-09, but it must be zero or a positive number"),
        ({"step_size": float("nan")}, "step_size is nan"),
    ],
)
def test_gates_out_of_range_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        Gates(**{"forget": 0.1, "momentum": 0.5, "step_size": 0.1, **changes})
