"""The Mamba-2 block against a loop over time written from the paper, and its parts against the whole."""

import numpy as np
import pytest
import torch

from mem_core.engine import leaves, map_tree, philox, select
from mem_core.kernels import ssd_scan
from mem_core.nn import mamba2, mamba2_classifier
from mem_core.nn.mamba2 import Mamba2Shape

# The same sums in another order, in float64, over at most 40 tokens.
TOLERANCE = 1e-10
SMALL = Mamba2Shape(width=6, heads=3, head_width=2, state=4, taps=4)


def _block(engine, own_token=False, shape=SMALL):
    params = mamba2.init(engine, shape, philox(3, "block"), own_token)
    # Every parameter away from its special start, so that none can be forgotten unnoticed.
    generator = philox(4, "block")
    return map_tree(lambda leaf: leaf + engine.asarray(0.1 * generator.standard_normal(leaf.shape)), params)


def _inputs(engine, length, batch=2):
    return engine.asarray(philox(5, "inputs").standard_normal((batch, length, SMALL.width)))


def _silu(x):
    return x / (1 + np.exp(-x))


def _loop(params, u, delta=None):
    """One sequence (l,D), one token after the other: projection, convolution, recurrence, gate, norm, projection."""
    inner, heads, state = 6, 3, 4
    z, xBC, dt = np.split(u @ params["in_proj"], [inner, 2 * inner + 2 * state], axis=1)
    taps = params["conv_weight"].shape[1]
    padded = np.concatenate([np.zeros((taps - 1, xBC.shape[1])), xBC])
    own = np.log1p(np.exp(dt + params["dt_bias"]))
    step = own if delta is None else delta
    h = np.zeros((heads, inner // heads, state))
    rows = []
    for t in range(len(u)):
        mixed = _silu((padded[t : t + taps].T * params["conv_weight"]).sum(axis=1) + params["conv_bias"])
        x, B, C = mixed[:inner].reshape(heads, -1), mixed[inner : inner + state], mixed[inner + state :]
        decay = np.exp(-np.exp(params["A_log"]) * step[t])
        h = decay[:, None, None] * h + step[t][:, None, None] * x[:, :, None] * B
        y = (h @ C + params["D"][:, None] * x).ravel() * _silu(z[t])
        y = y / np.sqrt((y**2).mean() + 1e-5) * params["norm"]
        rows.append(y @ params["out_proj"])
    return np.array(rows), h, own


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 37])
def test_block_equals_a_loop_over_time(engine, length):
    params, u = _block(engine), _inputs(engine, length)
    found = engine.to_numpy(mamba2.apply(engine, params, u))
    plain = map_tree(engine.to_numpy, params)
    for row, sequence in zip(found, engine.to_numpy(u), strict=True):
        np.testing.assert_allclose(row, _loop(plain, sequence)[0], atol=TOLERANCE)


def test_other_step_sizes_can_be_put_in_place_of_the_blocks_own(engine):
    params, u = _block(engine), _inputs(engine, 9)
    delta = philox(6, "delta").random((2, 9, 3))
    found = engine.to_numpy(mamba2.apply(engine, params, u, engine.asarray(delta)))
    plain = map_tree(engine.to_numpy, params)
    np.testing.assert_allclose(found[1], _loop(plain, engine.to_numpy(u)[1], delta[1])[0], atol=TOLERANCE)


def test_step_sizes_are_positive_and_see_one_token_at_a_time(engine):
    params, u = _block(engine), _inputs(engine, 9)
    found = engine.to_numpy(mamba2.step_sizes(params, u))
    assert (found > 0).all()
    np.testing.assert_allclose(found[0], _loop(map_tree(engine.to_numpy, params), engine.to_numpy(u)[0])[2])
    alone = engine.to_numpy(mamba2.step_sizes(params, u[:, 4:5]))
    np.testing.assert_allclose(found[:, 4:5], alone, atol=TOLERANCE)


def test_what_comes_later_changes_nothing_before(engine):
    params, u = _block(engine), _inputs(engine, 12)
    changed = np.array(engine.to_numpy(u))
    changed[:, 8:] += 1.0
    first, second = (mamba2.apply(engine, params, values)[:, :8] for values in (u, engine.asarray(changed)))
    np.testing.assert_allclose(engine.to_numpy(first), engine.to_numpy(second), atol=TOLERANCE)


@pytest.mark.parametrize("length", [1, 2, 5, 40])
def test_one_sum_gives_the_state_that_the_scan_ends_in(engine, length):
    params, u = _block(engine), _inputs(engine, length)
    found = mamba2.final_state(engine, params, mamba2.write(engine, params, u))
    parts = mamba2.project(engine, params, u)
    rates = mamba2.decay_rates(engine, params)
    _, wanted = ssd_scan(parts.x, parts.delta, rates, parts.B, parts.C, return_final_state=True)
    np.testing.assert_allclose(engine.to_numpy(found), engine.to_numpy(wanted), atol=TOLERANCE)
    np.testing.assert_allclose(
        engine.to_numpy(found)[0], _loop(map_tree(engine.to_numpy, params), engine.to_numpy(u)[0])[1], atol=TOLERANCE
    )


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 40])
def test_reading_at_the_last_position_equals_the_whole_block_there(engine, length):
    params, u = _block(engine), _inputs(engine, length)
    delta = engine.asarray(philox(7, "delta").random((2, length, 3)))
    state = mamba2.final_state(engine, params, mamba2.write(engine, params, u), delta)
    found = mamba2.read(engine, params, state, u)
    wanted = mamba2.apply(engine, params, u, delta)[:, -1]
    np.testing.assert_allclose(engine.to_numpy(found), engine.to_numpy(wanted), atol=TOLERANCE)


def test_strong_decay_over_a_thousand_tokens_stays_finite():
    engine = select("numpy")
    params = mamba2.init(engine, SMALL, philox(0, "block"))
    u = engine.asarray(philox(0, "inputs").standard_normal((1, 1024, 6)))
    delta = engine.xp.full((1, 1024, 3), 20.0)
    assert np.isfinite(mamba2.apply(engine, params, u, delta)).all()
    assert np.isfinite(mamba2.final_state(engine, params, mamba2.write(engine, params, u), delta)).all()


def test_no_step_leaves_the_state_at_zero_and_the_direct_path_open(engine):
    params, u = _block(engine), _inputs(engine, 6)
    parts = mamba2.project(engine, params, u)
    y = mamba2.scan(engine, params, parts, engine.xp.zeros((2, 6, 3)))
    wanted = engine.to_numpy(parts.x) * engine.to_numpy(params["D"])[:, None]
    np.testing.assert_array_equal(engine.to_numpy(y), wanted.reshape(2, 6, 6))


def test_start_has_the_ranges_of_mamba_2(engine):
    params = map_tree(engine.to_numpy, mamba2.init(engine, Mamba2Shape(heads=64), philox(1, "block")))
    step = np.log1p(np.exp(params["dt_bias"]))
    assert step.min() >= 1e-3 * (1 - 1e-9)
    assert step.max() <= 1e-1 * (1 + 1e-9)
    assert np.exp(params["A_log"]).min() >= 1
    assert np.exp(params["A_log"]).max() <= 16
    assert (params["D"] == 1).all()
    assert np.abs(params["conv_weight"]).max() <= 0.5


def test_own_token_start_passes_each_token_alone(engine):
    params = map_tree(engine.to_numpy, mamba2.init(engine, SMALL, philox(1, "block"), own_token=True))
    assert (params["conv_weight"] == [0, 0, 0, 1]).all()
    assert not params["conv_bias"].any()


def test_the_same_seed_starts_both_engines_alike():
    starts = [
        map_tree(engine.to_numpy, mamba2.init(engine, SMALL, philox(1, "block")))
        for engine in (select("numpy"), select("torch"))
    ]
    for name in starts[0]:
        np.testing.assert_array_equal(starts[0][name], starts[1][name])


def _classifier(engine):
    return mamba2_classifier.init(engine, SMALL, 10, 5, philox(2, "classifier"))


def test_classifier_at_the_last_position_equals_the_whole_one(engine):
    params = _classifier(engine)
    tokens = engine.asarray(philox(8, "tokens").integers(10, size=(3, 17)))
    last = mamba2_classifier.LastPosition(engine, params, tokens)
    delta = last.delta * 0.5
    for steps in (None, delta):
        wanted = mamba2_classifier.logits(engine, params, tokens, steps)[:, -1]
        np.testing.assert_allclose(engine.to_numpy(last.logits(steps)), engine.to_numpy(wanted), atol=TOLERANCE)
    np.testing.assert_array_equal(
        engine.to_numpy(last.delta), engine.to_numpy(mamba2_classifier.step_sizes(engine, params, tokens))
    )


def test_embedding_looks_rows_up(engine):
    params = _classifier(engine)
    found = engine.to_numpy(mamba2_classifier.embed(engine, params, engine.asarray(np.array([[3, 0], [9, 3]]))))
    np.testing.assert_array_equal(found, engine.to_numpy(params["embedding"])[[[3, 0], [9, 3]]])


def test_gradients_of_both_engines_agree():
    gradients = []
    for name in ("numpy", "torch"):
        engine = select(name, precision="float64")
        tokens = engine.asarray(philox(8, "tokens").integers(10, size=(3, 17)))

        def loss(params, tokens, engine=engine):
            return engine.xp.sum(mamba2_classifier.logits(engine, params, tokens) ** 2)

        _, gradient = engine.value_and_grad(loss)(_classifier(engine), tokens)
        gradients.append([engine.to_numpy(leaf) for leaf in leaves(gradient)])
    for first, second in zip(*gradients, strict=True):
        assert np.abs(first).max() > 0
        np.testing.assert_allclose(first, second, rtol=1e-8, atol=1e-9)


def test_gradient_equals_a_finite_difference():
    engine = select("torch", precision="float64")
    params, u = _block(engine), _inputs(engine, 11)
    u = u.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda u: mamba2.apply(engine, params, u), (u,), atol=1e-6)
