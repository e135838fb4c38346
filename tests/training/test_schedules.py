import math

import numpy as np
import pytest
import torch

from mem_core.training import schedules
from mem_core.training.schedules import SHAPES

BUDGETS = (500, 1000, 2000)


def test_warmup_has_no_step_at_zero_and_ends_on_the_peak():
    rates = schedules.constant(10, 2.0, warmup_steps=4)
    assert rates.tolist() == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("steps", [1, 63, 100])
def test_a_decay_only_falls_and_ends_exactly_on_the_floor(shape, steps):
    rates = schedules.decay(steps, 16.0, floor_ratio=0.1, shape=shape)
    assert rates.shape == (steps,)
    assert rates[-1] == pytest.approx(1.6, rel=1e-14)
    assert (np.diff(rates) < 0).all()
    assert rates[0] < 16


def test_inverse_decay_lets_one_over_the_rate_rise_evenly():
    rates = schedules.decay(50, 16.0, floor_ratio=0.1)
    steps = np.diff(1 / np.concatenate([[16.0], rates]))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-12)


def test_linear_decay_is_torchs_linear_lr():
    floor, steps = 0.3, 40
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=16.0)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, floor, total_iters=steps)
    theirs = []
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        theirs.append(scheduler.get_last_lr()[0])
    np.testing.assert_allclose(schedules.decay(steps, 16.0, floor_ratio=floor, shape="linear"), theirs, rtol=1e-12)


def test_cosine_is_torchs_cosine_annealing_after_the_warmup():
    steps, warmup = 60, 10
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=16.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps - warmup, eta_min=1.6)
    theirs = []
    for _ in range(steps - warmup):
        optimizer.step()
        scheduler.step()
        theirs.append(scheduler.get_last_lr()[0])
    ours = schedules.cosine(steps, 16.0, floor_ratio=0.1, warmup_steps=warmup)
    np.testing.assert_allclose(ours[warmup:], theirs, rtol=1e-10)
    np.testing.assert_allclose(ours[:warmup], np.arange(1, 11) * 1.6, rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("warmup", [0, 7])
@pytest.mark.parametrize("decay_of", ["total", "cycle"])
def test_wsd_s_with_one_budget_is_wsd(shape, warmup, decay_of):
    options = {"decay_fraction": 0.2, "floor_ratio": 0.1, "shape": shape, "warmup_steps": warmup}
    ours = schedules.wsd_s([101], 3.0, decay_of=decay_of, **options)
    np.testing.assert_array_equal(ours, schedules.wsd(101, 3.0, **options))


def test_wsd_that_decays_all_the_way_by_a_cosine_is_the_cosine_schedule():
    whole = schedules.wsd(200, 16.0, decay_fraction=1.0, floor_ratio=0.1, shape="cosine")
    np.testing.assert_allclose(whole, schedules.cosine(200, 16.0, floor_ratio=0.1), rtol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_floor_at_the_peak_is_the_constant_schedule(shape):
    options = {"decay_fraction": 0.2, "floor_ratio": 1.0, "shape": shape, "warmup_steps": 5}
    constant = schedules.constant(100, 16.0, warmup_steps=5)
    np.testing.assert_allclose(schedules.wsd(100, 16.0, **options), constant, rtol=1e-14)
    np.testing.assert_allclose(schedules.wsd_s([50, 100], 16.0, **options), constant, rtol=1e-14)
    np.testing.assert_allclose(schedules.cosine(100, 16.0, floor_ratio=1.0, warmup_steps=5), constant, rtol=1e-14)


def test_wsd_s_decays_before_every_budget_and_jumps_back_without_a_warmup():
    rates = schedules.wsd_s(BUDGETS, 16.0)
    assert rates.shape == (2000,)
    for budget, length in zip(BUDGETS, (50, 100, 200), strict=True):
        assert rates[budget - 1] == pytest.approx(1.6)
        assert rates[budget - length - 1] == 16.0
        np.testing.assert_allclose(rates[budget - length : budget], schedules.decay(length, 16.0), rtol=1e-14)
    assert rates[500] == rates[1000] == 16.0


def test_the_decay_can_be_a_share_of_the_cycle():
    assert [item.steps for item in schedules.planned_decays(BUDGETS, 0.1, "cycle")] == [50, 50, 100]


def test_a_decay_longer_than_its_cycle_is_cut_and_says_so():
    planned = schedules.planned_decays([500, 540, 2000], 0.1)
    assert [item.capped for item in planned] == [False, True, False]
    assert (planned[1].steps, planned[1].wanted) == (40, 54)
    rates = schedules.wsd_s([500, 540, 2000], 16.0)
    np.testing.assert_allclose(rates[500:540], schedules.decay(40, 16.0), rtol=1e-14)


def test_cyclic_cosine_is_one_cosine_for_each_interval():
    rates = schedules.cyclic_cosine(BUDGETS, 16.0, warmup_steps=20)
    np.testing.assert_allclose(rates[:500], schedules.cosine(500, 16.0, warmup_steps=20), rtol=1e-14)
    np.testing.assert_allclose(rates[500:1000], schedules.cosine(500, 16.0), rtol=1e-14)
    np.testing.assert_allclose(rates[1000:], schedules.cosine(1000, 16.0), rtol=1e-14)


def test_a_schedule_that_is_all_warmup_never_falls():
    np.testing.assert_allclose(schedules.cosine(5, 1.0, warmup_steps=5), np.arange(1, 6) / 5)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: schedules.constant(0, 1.0), "steps"),
        (lambda: schedules.constant(5, 0.0), "peak"),
        (lambda: schedules.constant(5, math.nan), "peak"),
        (lambda: schedules.constant(5, 1.0, warmup_steps=6), "warmup_steps"),
        (lambda: schedules.warmup(-1, 1.0), "warmup"),
        (lambda: schedules.cosine(5, 1.0, floor_ratio=1.5), "floor_ratio"),
        (lambda: schedules.decay(5, 1.0, floor_ratio=0.0), "inverse decay needs a floor"),
        (lambda: schedules.decay(5, 1.0, floor_ratio=-0.1, shape="linear"), "floor_ratio"),
        (lambda: schedules.decay(5, 1.0, floor_ratio=math.nan, shape="linear"), "floor_ratio"),
        (lambda: schedules.decay(5, 1.0, shape="quadratic"), "shape"),
        (lambda: schedules.wsd(100, 1.0, decay_fraction=0.0), "decay_fraction"),
        (lambda: schedules.wsd(100, 1.0, decay_fraction=1.1), "decay_fraction"),
        (lambda: schedules.wsd(100, 1.0, decay_fraction=math.nan), "decay_fraction"),
        (lambda: schedules.wsd(100, 1.0, decay_fraction=0.5, warmup_steps=51), "warmup_steps"),
        (lambda: schedules.wsd_s([], 1.0), "budgets"),
        (lambda: schedules.wsd_s([0, 10], 1.0), "budgets"),
        (lambda: schedules.wsd_s([10, 10], 1.0), "budgets"),
        (lambda: schedules.wsd_s([20, 10], 1.0), "budgets"),
        (lambda: schedules.wsd_s([10, 20], 1.0, decay_of="week"), "decay_of"),
        (lambda: schedules.wsd_s([10, 20], 1.0, warmup_steps=10), "warmup_steps"),
        (lambda: schedules.cyclic_cosine([10, 5], 1.0), "budgets"),
    ],
)
def test_bad_arguments_are_named(call, argument):
    with pytest.raises(ValueError, match=argument):
        call()
