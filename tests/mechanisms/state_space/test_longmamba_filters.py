"""Calibration and filters against closed forms, and against the routine of the authors' code written in PyTorch."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from mem_core.engine import philox, select
from mem_core.kernels import ssd_scan
from mem_core.mechanisms.state_space.longmamba.calibration import calibrate, plan
from mem_core.mechanisms.state_space.longmamba.filters import MODES, filtered, keep
from mem_core.mechanisms.state_space.longmamba.measurements import Laboratory
from mem_core.mechanisms.state_space.longmamba.models import TRAINED_LENGTH, shipped
from mem_core.nn import mamba2_classifier

HEADS, LENGTH = 5, 32
SKIPPING = ("LongMamba", "random skip", "all heads", "alpha", "bound")
# A scan in float64 and the same scan over fewer tokens: the order of a few additions differs.
IDENTITY = 1e-12


def _delta(engine, length, count=4, stream="delta"):
    """Step sizes with a heavy tail, as trained models have them."""
    return engine.asarray(0.02 * np.exp(1.5 * philox(0, stream).standard_normal((count, length, HEADS))))


def _rates(engine):
    return engine.asarray(-np.array([0.05, 0.2, 0.5, 2.0, 8.0]))


def _plan(engine, length, clamp=0.1, theta=0.05):
    return plan(engine, calibrate(engine, _delta(engine, LENGTH), _rates(engine), clamp), length, theta)


def _official(delta, rates, clamp, length):
    """`load_align_target.py` of the authors' code, sequence by sequence."""
    found = []
    for one in torch.tensor(delta).transpose(1, 2):
        values = torch.topk(one, max(1, int(clamp * one.shape[1])), dim=1).values
        one = torch.clamp(one, max=values.min(dim=1, keepdim=True).values)
        budget = one.sum(dim=1)
        ordered = torch.sort(one, descending=True, dim=1)[0]
        stretched = torch.nn.functional.interpolate(ordered[:, None], size=length, mode="linear")[:, 0]
        top = torch.argmax((torch.cumsum(stretched, dim=1) > budget[:, None]).to(torch.int), dim=1) + 1
        threshold = torch.gather(stretched, 1, top[:, None])[:, 0]
        alpha = torch.clamp(top / length, max=1.0)
        found.append((torch.exp(budget * torch.tensor(rates)), alpha, threshold, budget))
    return [torch.stack(parts).mean(dim=0).numpy() for parts in zip(*found, strict=True)]


@pytest.mark.parametrize("clamp", [0.02, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("length", [48, 64, 100, 1024])
def test_calibration_equals_the_authors_routine(engine, clamp, length):
    delta, rates = _delta(engine, LENGTH), _rates(engine)
    found = calibrate(engine, delta, rates, clamp)
    at_length = plan(engine, found, length, 0.05)
    decay, alpha, threshold, budget = _official(engine.to_numpy(delta), engine.to_numpy(rates), clamp, length)
    np.testing.assert_allclose(engine.to_numpy(found.decay), decay, rtol=1e-10)
    np.testing.assert_allclose(engine.to_numpy(at_length.kept_share), alpha, rtol=1e-6)  # PyTorch divides in float32
    np.testing.assert_allclose(engine.to_numpy(at_length.threshold), threshold, rtol=1e-10)
    np.testing.assert_allclose(engine.to_numpy(at_length.budget), budget, rtol=1e-10)
    np.testing.assert_array_equal(engine.to_numpy(at_length.global_heads), decay > 0.05)


@pytest.mark.parametrize("length", [64, 96, 320])
def test_constant_steps_keep_as_many_tokens_as_were_trained_on(engine, length):
    delta = engine.xp.full((3, LENGTH, HEADS), 0.25)
    found = plan(engine, calibrate(engine, delta, _rates(engine), 0.1), length, 0.05)
    budget = engine.to_numpy(found.budget)
    kept = engine.to_numpy(found.kept_share) * length
    np.testing.assert_allclose(budget, 0.25 * LENGTH)
    # On an equal sum the strict > may count one token more, depending on rounding.
    assert set(np.round(kept).tolist()) <= {LENGTH, LENGTH + 1}
    np.testing.assert_allclose(engine.to_numpy(found.threshold), 0.25)


def test_decay_at_the_trained_length_has_its_closed_form(engine):
    delta = engine.xp.full((2, LENGTH, HEADS), 0.25)
    decay = engine.to_numpy(calibrate(engine, delta, _rates(engine), 0.1).decay)
    np.testing.assert_allclose(decay, np.exp(8.0 * engine.to_numpy(_rates(engine))))


def test_clamping_cuts_off_the_largest_steps_and_no_others(engine):
    delta = np.tile(np.arange(1.0, 11.0)[None, :, None], (1, 1, HEADS))
    budgets = {
        clamp: engine.to_numpy(calibrate(engine, engine.asarray(delta), _rates(engine), clamp).budgets)[0, 0]
        for clamp in (0.01, 0.1, 0.3)
    }
    assert budgets == {0.01: 55.0, 0.1: 55.0, 0.3: 55.0 - 1 - 2}


def test_thresholds_rise_with_the_length_and_decay_falls_with_it(engine):
    thresholds = [engine.to_numpy(_plan(engine, length).threshold) for length in (32, 40, 64, 128, 256, 512, 1024)]
    for shorter, longer in itertools.pairwise(thresholds):
        assert (longer >= shorter).all()
    delta = _delta(engine, 128)
    decays = [
        engine.to_numpy(calibrate(engine, delta[:, :length], _rates(engine), 1.0 / length).decay)
        for length in (8, 16, 32, 128)
    ]
    for shorter, longer in itertools.pairwise(decays):
        assert (longer < shorter).all()


def test_a_higher_threshold_never_keeps_more(engine):
    delta = _delta(engine, 256)
    counts = [
        engine.to_numpy(keep(delta, engine.xp.full((HEADS,), threshold))).sum(axis=1)
        for threshold in (0.0, 0.01, 0.05, 0.5, 1e9)
    ]
    for lower, higher in itertools.pairwise(counts):
        assert (higher <= lower).all()
    assert (counts[0] == 256).all()
    assert not counts[-1].any()


@pytest.mark.parametrize("clamp", [0.1, 0.3])
def test_however_long_the_sequence_about_the_clamped_share_is_kept(engine, clamp):
    """The threshold is a value of the clamped curve, so it never rises above the cut."""
    at_once = calibrate(engine, _delta(engine, LENGTH, count=64), _rates(engine), clamp)
    fresh = _delta(engine, 1024, count=8, stream="fresh")
    kept = []
    for length in (1024, 20_000):
        found = plan(engine, at_once, length, 0.05)
        kept.append(engine.to_numpy(keep(fresh, found.threshold)).mean(axis=(0, 1)))
    np.testing.assert_allclose(kept[0], kept[1], atol=0.01)
    assert (kept[1] > clamp / 2).all()
    assert (kept[1] < clamp * 2).all()
    assert (engine.to_numpy(found.kept_share) < clamp / 2).all()


def _scan_inputs(length):
    generator = philox(1, "scan")
    x = generator.standard_normal((1, length, HEADS, 3))
    B, C = (generator.standard_normal((1, length, 1, 4)) for _ in range(2))
    start = generator.standard_normal((1, HEADS, 3, 4))
    return x, B, C, start


def test_skipping_equals_scanning_only_the_tokens_kept(engine):
    """Per head: the final state with Δ = 0 at skipped tokens is that of the kept tokens alone, in order."""
    length = 200
    x, B, C, start = _scan_inputs(length)
    delta = _delta(engine, length, count=1)
    changed = filtered(engine, "LongMamba", delta, _plan(engine, length))
    arrays = (engine.asarray(B), engine.asarray(C))
    rates, initial = _rates(engine), engine.asarray(start)
    _, found = ssd_scan(engine.asarray(x), changed, rates, *arrays, initial_state=initial, return_final_state=True)

    skipped_somewhere = False
    for head in range(HEADS):
        kept = engine.to_numpy(changed)[0, :, head] > 0
        skipped_somewhere |= not kept.all()
        only = (x[:, kept, head : head + 1], engine.to_numpy(changed)[:, kept, head : head + 1], B[:, kept], C[:, kept])
        few_x, few_delta, few_B, few_C = map(engine.asarray, only)
        _, wanted = ssd_scan(
            few_x,
            few_delta,
            rates[head : head + 1],
            few_B,
            few_C,
            initial_state=initial[:, head : head + 1],
            return_final_state=True,
        )
        np.testing.assert_allclose(
            engine.to_numpy(found)[:, head], engine.to_numpy(wanted)[:, 0], rtol=IDENTITY, atol=IDENTITY
        )
    assert skipped_somewhere


def test_an_infinite_threshold_holds_the_state_where_it_was(engine):
    length = 40
    x, B, C, start = _scan_inputs(length)
    found = _plan(engine, 512, theta=1e-12)
    never = replace(found, threshold=engine.xp.full((HEADS,), float("inf")))
    delta = filtered(engine, "all heads", _delta(engine, length, count=1), never)
    D = engine.asarray(np.arange(1.0, HEADS + 1))
    y, state = ssd_scan(
        engine.asarray(x),
        delta,
        _rates(engine),
        engine.asarray(B),
        engine.asarray(C),
        D=D,
        initial_state=engine.asarray(start),
        return_final_state=True,
    )
    np.testing.assert_array_equal(engine.to_numpy(state), start)
    wanted = np.einsum("bhpn,btn->bthp", start, C[:, :, 0]) + engine.to_numpy(D)[:, None] * x
    np.testing.assert_allclose(engine.to_numpy(y), wanted, atol=IDENTITY)


def _last(laboratory, length):
    tokens = laboratory.engine.asarray(laboratory.draw(8, length, "bits").tokens)
    return mamba2_classifier.LastPosition(laboratory.engine, laboratory.params, tokens)


def _shipped_laboratory():
    engine = select("numpy")
    return Laboratory(engine, "one needle", shipped(engine, "one needle", 0), 0.1, 0.05, 0)


@pytest.mark.parametrize("mode", MODES)
def test_up_to_the_trained_length_the_model_is_unchanged_to_the_bit(mode):
    laboratory = _shipped_laboratory()
    last = _last(laboratory, TRAINED_LENGTH)
    delta = laboratory.filtered(mode, last.delta, laboratory.plan(TRAINED_LENGTH))
    assert last.logits(delta).tobytes() == last.logits().tobytes()


@pytest.mark.parametrize(
    ("mode", "change"),
    [
        *((mode, {"global_heads": np.zeros(8, dtype=bool)}) for mode in MODES if mode != "all heads"),
        *((mode, {"threshold": np.zeros(8, dtype=np.float32)}) for mode in ("LongMamba", "random skip", "all heads")),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_without_global_heads_or_threshold_the_model_is_unchanged_to_the_bit(mode, change):
    laboratory = _shipped_laboratory()
    last = _last(laboratory, 200)
    delta = laboratory.filtered(mode, last.delta, replace(laboratory.plan(200), **change))
    np.testing.assert_array_equal(delta, last.delta)
    assert last.logits(delta).tobytes() == last.logits().tobytes()


@pytest.mark.parametrize("mode", SKIPPING)
def test_skipping_never_lets_a_head_forget_more(engine, mode):
    delta = _delta(engine, 300)
    chance = engine.asarray(philox(0, "chance").random((4, 300, HEADS)))
    changed = engine.to_numpy(filtered(engine, mode, delta, _plan(engine, 300), chance))
    before = engine.to_numpy(delta)
    assert ((changed == 0) | (changed == before)).all()
    assert (changed.sum(axis=1) <= before.sum(axis=1)).all()


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "all heads"])
def test_local_heads_are_left_alone(engine, mode):
    found, delta = _plan(engine, 300), _delta(engine, 300)
    local = ~engine.to_numpy(found.global_heads)
    assert local.any()
    assert not local.all()
    chance = engine.asarray(philox(0, "chance").random((4, 300, HEADS)))
    changed = engine.to_numpy(filtered(engine, mode, delta, found, chance))
    np.testing.assert_array_equal(changed[..., local], engine.to_numpy(delta)[..., local])
    if mode != "off":
        assert (changed[..., ~local] != engine.to_numpy(delta)[..., ~local]).any()


def test_all_heads_skips_in_local_heads_too(engine):
    found, delta = _plan(engine, 300), _delta(engine, 300)
    changed = engine.to_numpy(filtered(engine, "all heads", delta, found))
    assert ((changed == 0).any(axis=(0, 1))).all()


def test_random_skip_keeps_as_many_tokens_but_others(engine):
    found, delta = _plan(engine, 4000), _delta(engine, 4000)
    chance = engine.asarray(philox(0, "chance").random((4, 4000, HEADS)))
    chosen, drawn = (
        engine.to_numpy(filtered(engine, mode, delta, found, chance)) > 0 for mode in ("LongMamba", "random skip")
    )
    # Bernoulli draws: five standard deviations of a share over 4000 tokens.
    share = chosen.mean(axis=1)
    assert (np.abs(drawn.mean(axis=1) - share) <= 5 * np.sqrt(share * (1 - share) / 4000)).all()
    assert (drawn != chosen).any()


def test_norm_scale_brings_the_sum_to_the_budget(engine):
    found, delta = _plan(engine, 300), _delta(engine, 300)
    changed = engine.to_numpy(filtered(engine, "norm-scale", delta, found))
    spared = engine.to_numpy(found.global_heads)
    wanted = np.broadcast_to(engine.to_numpy(found.budget), (4, HEADS))
    np.testing.assert_allclose(changed.sum(axis=1)[:, spared], wanted[:, spared])


def test_alpha_keeps_its_share_of_every_sequence(engine):
    found, delta = _plan(engine, 300), _delta(engine, 300)
    changed = engine.to_numpy(filtered(engine, "alpha", delta, found))
    spared = engine.to_numpy(found.global_heads)
    wanted = np.maximum(1, np.floor(engine.to_numpy(found.kept_share) * 300))
    assert ((changed > 0).sum(axis=1)[:, spared] == wanted[spared]).all()
    before = engine.to_numpy(delta)
    for head in np.flatnonzero(spared):
        smallest_kept = np.where(changed[..., head] > 0, before[..., head], np.inf).min(axis=1)
        largest_skipped = np.where(changed[..., head] > 0, 0, before[..., head]).max(axis=1)
        assert (smallest_kept >= largest_skipped).all()


def test_bound_keeps_the_largest_whose_sum_is_within_the_budget(engine):
    found, delta = _plan(engine, 300), _delta(engine, 300)
    changed, before = engine.to_numpy(filtered(engine, "bound", delta, found)), engine.to_numpy(delta)
    budget = engine.to_numpy(found.budget)
    for head in np.flatnonzero(engine.to_numpy(found.global_heads)):
        for sequence in range(4):
            ordered = np.sort(before[sequence, :, head])[::-1]
            wanted = ordered[np.cumsum(ordered) <= budget[head]]
            kept = changed[sequence, :, head]
            np.testing.assert_allclose(np.sort(kept[kept > 0])[::-1], wanted)


def test_thresholds_are_compared_with_unclamped_steps(engine):
    """A needle's step, cut off in calibration, must still pass at test time."""
    found = _plan(engine, 512, clamp=0.5)
    delta = _delta(engine, 512, count=1)
    changed = engine.to_numpy(filtered(engine, "LongMamba", delta, found))
    largest = engine.to_numpy(delta).max(axis=(0, 1))
    np.testing.assert_array_equal(changed.max(axis=(0, 1)), largest)


def test_calibration_has_not_seen_the_test_sequences():
    engine = select("numpy")
    laboratory = Laboratory(engine, "one needle", shipped(engine, "one needle", 0), 0.1, 0.05, 0)
    drawn = [laboratory.draw(16, TRAINED_LENGTH, stream).tokens for stream in ("calibration", "test", "shown")]
    assert not any((drawn[0] == other).all(axis=1).any() for other in drawn[1:])


@pytest.mark.parametrize("clamp", [0.0, -0.1, 1.5, float("nan")])
def test_a_bad_clamp_is_named(engine, clamp):
    with pytest.raises(ValueError, match="clamp must be above 0 and at most 1"):
        calibrate(engine, _delta(engine, LENGTH), _rates(engine), clamp)


@pytest.mark.parametrize("theta", [0.0, -1.0, 1.01, float("nan")])
def test_a_bad_theta_is_named(engine, theta):
    with pytest.raises(ValueError, match="theta must be above 0 and at most 1"):
        _plan(engine, 64, theta=theta)


@pytest.mark.parametrize("shape", [(0, 32, 5), (3, 0, 5), (3, 32, 0)])
def test_an_empty_calibration_is_refused(engine, shape):
    with pytest.raises(ValueError, match="delta must hold at least one sequence"):
        calibrate(engine, engine.xp.zeros(shape), _rates(engine), 0.1)


@pytest.mark.parametrize("value", [-1e-3, float("nan"), float("inf")])
def test_step_sizes_that_cannot_be_are_refused(engine, value):
    delta = np.array(engine.to_numpy(_delta(engine, LENGTH)))
    delta[1, 3, 2] = value
    with pytest.raises(ValueError, match="delta must hold finite numbers of at least 0"):
        calibrate(engine, engine.asarray(delta), _rates(engine), 0.1)


def test_a_length_below_one_is_refused(engine):
    with pytest.raises(ValueError, match="length must be at least 1, got 0"):
        _plan(engine, 0)
