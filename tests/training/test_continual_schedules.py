import math

import numpy as np
import pytest
import torch

from mem_core.training import schedules
from mem_core.training.continual_schedules import COOLDOWN_SHAPES, exponential_decay, infinite, repeated_cosine


@pytest.mark.parametrize("shape", COOLDOWN_SHAPES)
@pytest.mark.parametrize(("warmup", "cooldown"), [(20, 120), (1, 63), (7, 1), (0, 100)])
def test_every_phase_ends_on_its_value(shape, warmup, cooldown):
    rates = infinite(400, 8.0, constant_ratio=0.25, warmup_steps=warmup, cooldown_steps=cooldown, shape=shape)
    annealed = exponential_decay(80, rates[-1], 0.08)
    assert warmup == 0 or rates[warmup - 1] == 8.0
    np.testing.assert_allclose(rates[warmup + cooldown - 1 :], 2.0, rtol=1e-14)
    assert annealed[-1] == pytest.approx(0.08, rel=1e-14)
    assert (np.diff(np.concatenate([rates[max(warmup - 1, 0) :], annealed])) <= 1e-12).all()


@pytest.mark.parametrize("shape", COOLDOWN_SHAPES)
def test_the_schedule_does_not_jump_at_its_joints(shape):
    rates = infinite(400, 8.0, constant_ratio=0.25, warmup_steps=20, cooldown_steps=120, shape=shape)
    whole = np.concatenate([rates, exponential_decay(80, rates[-1], 0.08)])
    steps = np.abs(np.diff(whole))
    for joint in (20, 140, 400):  # what one step changes there is about what it changes just before or just after
        assert steps[joint - 1] <= 1.2 * max(steps[joint - 2], steps[joint])


def test_the_middles_of_the_phases_are_the_means_of_their_ends():
    rates = infinite(200, 8.0, constant_ratio=0.25, warmup_steps=20, cooldown_steps=100)
    assert rates[20 + 50 - 1] == pytest.approx((8.0 + 2.0) / 2, rel=1e-12)
    assert exponential_decay(80, 2.0, 0.08)[40 - 1] == pytest.approx(math.sqrt(2.0 * 0.08), rel=1e-12)


def test_the_inverse_square_root_cool_down_follows_its_formula():
    rates = infinite(40, 8.0, constant_ratio=0.25, cooldown_steps=40, shape="inverse sqrt")

    def fallen(u):
        return 1 / math.sqrt(1 + 10 * u) - 1

    for n in (1, 13, 40):
        assert rates[n - 1] == pytest.approx(8.0 + (2.0 - 8.0) * fallen(n / 40) / fallen(1), rel=1e-12)


def test_a_constant_rate_at_the_peak_has_no_cool_down():
    rates = infinite(100, 8.0, constant_ratio=1.0, warmup_steps=10, cooldown_steps=40)
    np.testing.assert_array_equal(rates[9:], 8.0)


def test_one_task_that_cools_down_to_the_floor_is_plain_cosine():
    plain = repeated_cosine(100, 1, 8.0, floor_ratio=0.01, warmup_steps=10)
    cooled = infinite(100, 8.0, constant_ratio=0.01, warmup_steps=10, cooldown_steps=90)
    np.testing.assert_allclose(cooled, plain, rtol=1e-14)
    np.testing.assert_allclose(schedules.cosine(100, 8.0, floor_ratio=0.01, warmup_steps=10), plain, rtol=1e-14)


def test_without_a_warmup_the_schedule_begins_at_the_peak():
    assert infinite(10, 8.0, constant_ratio=0.5).tolist() == [4.0] * 10
    assert infinite(10, 8.0, constant_ratio=1.0, cooldown_steps=5).tolist() == [8.0] * 10


def test_the_main_branch_does_not_depend_on_how_long_it_will_be():
    long = infinite(900, 8.0, constant_ratio=0.3, warmup_steps=20, cooldown_steps=60)
    short = infinite(300, 8.0, constant_ratio=0.3, warmup_steps=20, cooldown_steps=60)
    np.testing.assert_array_equal(long[:300], short)


def test_after_the_warmup_every_task_is_pytorchs_cosine():
    steps, warmup, peak, floor = 50, 7, 0.03, 0.0003
    ours = repeated_cosine(steps, 3, peak, floor_ratio=floor / peak, warmup_steps=warmup)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps - warmup, eta_min=floor)
    for local in range(warmup, steps):
        optimizer.step()
        theirs.step()
        for task in range(3):
            assert ours[task * steps + local] == pytest.approx(theirs.get_last_lr()[0], rel=1e-6)


def test_later_tasks_warm_up_from_the_floor_to_the_peak_that_is_asked_for():
    rates = repeated_cosine(50, 2, 8.0, floor_ratio=0.01, warmup_steps=10, rewarm_ratio=0.25)
    np.testing.assert_allclose(rates[:10], 8.0 * np.arange(1, 11) / 10)
    np.testing.assert_allclose(rates[50:60], 0.08 + (2.0 - 0.08) * np.arange(1, 11) / 10)
    assert rates[99] == pytest.approx(0.08, rel=1e-12)


def test_no_re_warming_stays_on_the_floor():
    rates = repeated_cosine(50, 3, 8.0, floor_ratio=0.01, warmup_steps=10, rewarm_ratio=0.0)
    np.testing.assert_allclose(rates[49:], 0.08, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: infinite(0, 1.0, constant_ratio=0.5), "steps"),
        (lambda: infinite(10, 0.0, constant_ratio=0.5), "peak"),
        (lambda: infinite(10, 1.0, constant_ratio=0.0), "constant_ratio"),
        (lambda: infinite(10, 1.0, constant_ratio=1.1), "constant_ratio"),
        (lambda: infinite(10, 1.0, constant_ratio=math.nan), "constant_ratio"),
        (lambda: infinite(10, 1.0, constant_ratio=0.5, warmup_steps=-1), "warmup"),
        (lambda: infinite(10, 1.0, constant_ratio=0.5, cooldown_steps=-1), "cooldown_steps"),
        (lambda: infinite(10, 1.0, constant_ratio=0.5, warmup_steps=5, cooldown_steps=6), "they take 11"),
        (lambda: infinite(10, 1.0, constant_ratio=0.5, shape="linear"), "shape"),
        (lambda: exponential_decay(0, 1.0, 0.1), "steps"),
        (lambda: exponential_decay(5, 1.0, 0.0), "end must be above 0"),
        (lambda: exponential_decay(5, 1.0, 1.1), "end"),
        (lambda: exponential_decay(5, math.nan, 0.1), "end"),
        (lambda: repeated_cosine(10, 0, 1.0), "tasks"),
        (lambda: repeated_cosine(10, 2, 1.0, rewarm_ratio=-0.1), "rewarm_ratio"),
        (lambda: repeated_cosine(10, 2, 1.0, rewarm_ratio=1.1), "rewarm_ratio"),
        (lambda: repeated_cosine(10, 2, 1.0, warmup_steps=11), "warmup_steps"),
        (lambda: repeated_cosine(10, 2, 1.0, floor_ratio=1.1), "floor_ratio"),
    ],
)
def test_bad_arguments_are_named(call, argument):
    with pytest.raises(ValueError, match=argument):
        call()
