"""EfficientViM's mixer and its baseline. Axes: b image, D channels, l token, N state."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mem_core.engine import leaves, philox, select
from mem_core.nn import hidden_state_mixer_block as block
from mem_core.nn.hidden_state_mixer_block import IN_STATES, MIX, MIXERS, ON_TOKENS

B, D, L, N = 2, 6, 16, 3
# The same sums in another order, in float64.
TOLERANCE = 1e-12


def _params(engine, channels=D, states=N):
    return block.init(engine, channels, states, philox(0, "mixer"))


def _x(engine, length=L):
    return engine.asarray(philox(1, "tokens").standard_normal((B, D, length)))


def _layer(engine, params, x, mixer):
    return MIX[mixer](params, x, block.maps(params, x))


def _in_torch(params, x, mixer):
    """The layer as the paper's formulas have it, with PyTorch's own operations."""
    p = {name: torch.tensor(np.asarray(value)) for name, value in params.items()}
    x = torch.tensor(np.asarray(x))
    side = int(x.shape[-1] ** 0.5)
    mixed = torch.einsum("nd,bdl->bnl", p["bcd_weight"], x).reshape(len(x), -1, side, side)
    mixed = torch.nn.functional.conv2d(mixed, p["convolution"][:, None], padding=1, groups=mixed.shape[1])
    write, read, dt = mixed.flatten(2).chunk(3, dim=1)
    weights = torch.softmax(dt + p["A"][:, None], dim=-1) * write
    silu = torch.nn.functional.silu
    if mixer == IN_STATES:
        h = torch.einsum("bdl,bnl->bdn", x, weights)
        u, z = torch.einsum("ed,bdn->ben", p["hz_weight"], h).chunk(2, dim=1)
        states = torch.einsum("de,ben->bdn", p["out_weight"], u * silu(z) + p["D"] * u)
        return torch.einsum("bdn,bnl->bdl", states, read), states
    u, z = torch.einsum("ed,bdl->bel", p["hz_weight"], x).chunk(2, dim=1)
    states = torch.einsum("bdl,bnl->bdn", u, weights)
    y = (torch.einsum("bdn,bnl->bdl", states, read) + p["D"] * u) * silu(z)
    return torch.einsum("de,bel->bdl", p["out_weight"], y), states


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize("length", [1, 9, 16, 64])
def test_agrees_with_the_formulas_in_torch(engine, mixer, length):
    params, x = _params(engine), _x(engine, length)
    wanted = _in_torch(_params(select("numpy", "float64")), engine.to_numpy(x), mixer)
    for found, expected in zip(_layer(engine, params, x, mixer), wanted, strict=True):
        np.testing.assert_allclose(engine.to_numpy(found), expected.numpy(), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("mixer", MIXERS)
def test_gradients_are_central_differences_on_both_engines(engine, mixer):
    params, x = _params(engine), _x(engine)
    by = [engine.asarray(philox(2, "by").standard_normal(shape)) for shape in ((B, D, L), (B, D, N))]

    def loss(params):
        return sum(engine.xp.sum(found * one) for found, one in zip(_layer(engine, params, x, mixer), by, strict=True))

    gradient = engine.value_and_grad(loss)(params)[1]
    step = 1e-5
    for name, value in params.items():
        flat = engine.to_numpy(value).reshape(-1)
        for place in {0, flat.size // 2, flat.size - 1}:
            ends = []
            for sign in (1, -1):
                moved = flat.copy()
                moved[place] += sign * step
                ends.append(engine.item(loss({**params, name: engine.asarray(moved.reshape(value.shape))})))
            found = engine.to_numpy(gradient[name]).reshape(-1)[place]
            assert found == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-8), name


@pytest.mark.parametrize("mixer", MIXERS)
def test_gradients_agree_between_engines(mixer):
    found = []
    for name in ("numpy", "torch"):
        engine = select(name, "float64")
        x = _x(engine)
        loss = lambda params, e=engine, x=x: e.xp.sum(_layer(e, params, x, mixer)[0] ** 2)  # noqa: E731
        found.append([engine.to_numpy(leaf) for leaf in leaves(engine.value_and_grad(loss)(_params(engine))[1])])
    for first, second in zip(*found, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mixer", MIXERS)
def test_adding_anything_to_a_changes_nothing_and_its_gradient_is_zero(engine, mixer):
    params, x = _params(engine), _x(engine)
    shifted = {**params, "A": params["A"] + engine.asarray(np.array([-20.0, 3.0, 20.0]))}
    for found, same in zip(_layer(engine, shifted, x, mixer), _layer(engine, params, x, mixer), strict=True):
        np.testing.assert_allclose(engine.to_numpy(found), engine.to_numpy(same), atol=TOLERANCE)

    def loss(params):
        return engine.xp.sum(_layer(engine, params, x, mixer)[0] ** 2)

    assert np.abs(engine.to_numpy(engine.value_and_grad(loss)(params)[1]["A"])).max() <= 1e-14


def test_every_state_shares_one_out_over_the_tokens_and_not_over_the_states(engine):
    params, x = _params(engine), _x(engine)
    given = block.maps(params, x)
    ones = block.Maps(given.dt, engine.xp.ones((B, N, L)), given.C)
    shares = engine.to_numpy(block.write_weights(engine, params, ones))
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, rtol=TOLERANCE)
    assert not np.allclose(shares.sum(axis=1), 1.0)


def test_what_is_written_is_multiplied_after_the_softmax(engine):
    params, x = _params(engine), _x(engine)
    given = block.maps(params, x)
    twice = block.Maps(given.dt, 2 * given.B, given.C)
    weights, double = (engine.to_numpy(block.write_weights(engine, params, one)) for one in (given, twice))
    np.testing.assert_allclose(double, 2 * weights, rtol=TOLERANCE)
    assert (weights < 0).any()


def test_with_b_of_one_each_state_is_a_convex_average_of_the_tokens(engine):
    params = _params(engine)
    x = engine.asarray(np.abs(philox(3, "positive").standard_normal((B, D, L))))
    given = block.maps(params, x)
    ones = block.Maps(given.dt, engine.xp.ones((B, N, L)), given.C)
    shares = block.write_weights(engine, params, ones)
    h = engine.to_numpy(x @ engine.xp.matrix_transpose(shares))
    tokens = engine.to_numpy(x)
    assert (h <= tokens.max(axis=-1, keepdims=True) + TOLERANCE).all()
    assert (h >= tokens.min(axis=-1, keepdims=True) - TOLERANCE).all()


def _identity(engine, params):
    taps = np.zeros((3 * N, 3, 3))
    taps[:, 1, 1] = 1.0
    return {**params, "convolution": engine.asarray(taps)}


@pytest.mark.parametrize("mixer", MIXERS)
def test_without_the_convolution_the_order_of_the_tokens_does_not_matter(engine, mixer):
    params, x = _identity(engine, _params(engine)), _x(engine)
    order = np.random.default_rng(0).permutation(L)
    y, states = _layer(engine, params, x, mixer)
    mixed, same = _layer(engine, params, engine.xp.take(x, engine.asarray(order), axis=-1), mixer)
    np.testing.assert_allclose(engine.to_numpy(mixed), engine.to_numpy(y)[..., order], atol=TOLERANCE)
    np.testing.assert_allclose(engine.to_numpy(same), engine.to_numpy(states), atol=TOLERANCE)


def test_with_the_convolution_it_does(engine):
    params, x = _params(engine), _x(engine)
    order = np.random.default_rng(0).permutation(L)
    y, _ = _layer(engine, params, x, IN_STATES)
    mixed, _ = _layer(engine, params, engine.xp.take(x, engine.asarray(order), axis=-1), IN_STATES)
    assert np.abs(engine.to_numpy(mixed) - engine.to_numpy(y)[..., order]).max() > 1e-3


def test_one_state_gives_an_output_of_rank_one(engine):
    params = _params(engine, states=1)
    y, states = _layer(engine, params, _x(engine), IN_STATES)
    for image in engine.to_numpy(y):
        values = np.linalg.svd(image, compute_uv=False)
        assert values[1] <= 1e-12 * values[0]
    assert states.shape == (B, D, 1)


@pytest.mark.parametrize("mixer", MIXERS)
def test_an_out_weight_of_zero_gives_zero_and_no_token_passes_by(engine, mixer):
    params = _params(engine)
    y, _ = _layer(engine, {**params, "out_weight": 0 * params["out_weight"]}, _x(engine), mixer)
    assert not engine.to_numpy(y).any()


def test_a_gate_far_open_and_no_direct_path_leave_the_product_of_values_and_gate(engine):
    """Tokens of one, written with weights that sum to one, make h one everywhere: z is then what hz_weight says."""
    params = _params(engine)
    u, z = np.arange(1.0, D + 1), np.full(D, 50.0)
    weight = np.concatenate([np.outer(u, np.full(D, 1 / D)), np.outer(z, np.full(D, 1 / D))])
    params |= {"D": engine.xp.zeros(1), "hz_weight": engine.asarray(weight), "out_weight": engine.xp.eye(D)}
    given = block.maps(params, _x(engine))
    ones = block.Maps(given.dt, engine.xp.ones((B, N, L)), given.C)
    _, states = block.mix_in_states(params, engine.xp.ones((B, D, L)), ones)
    np.testing.assert_allclose(engine.to_numpy(states)[0, :, 0], u * z, rtol=1e-12)


def test_far_gates_do_not_overflow_in_float32():
    for name in ("numpy", "torch"):
        engine = select(name)
        params = _params(engine)
        params["hz_weight"] = -1e4 * engine.xp.abs(params["hz_weight"])
        for mixer in MIXERS:
            y, states = _layer(engine, params, engine.xp.abs(_x(engine)), mixer)
            assert np.isfinite(engine.to_numpy(y)).all()
            assert np.isfinite(engine.to_numpy(states)).all()


@pytest.mark.parametrize(("length", "channels", "states"), [(64, 32, 9), (256, 16, 4), (1024, 24, 2)])
def test_pytorch_counts_the_multiply_accumulates_that_the_formulas_say(length, channels, states):
    """3LDN + 27LN + 2LDN, and 3ND² or 3LD² for the channels: counted while PyTorch runs its own operations."""
    engine = select("numpy")
    params = block.init(engine, channels, states, philox(0, "count"))
    x = np.zeros((1, channels, length), np.float32)
    for mixer, mixed_at in ((IN_STATES, states), (ON_TOKENS, length)):
        with FlopCounterMode(display=False) as counter:
            _in_torch(params, x, mixer)
        wanted = 5 * length * channels * states + 27 * length * states + 3 * mixed_at * channels**2
        assert counter.get_total_flops() == 2 * wanted
