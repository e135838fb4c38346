"""Paired statistics against closed forms, SciPy and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc, cohen_kappa_score

from mem_core.engine import philox
from mem_core.training.paired_statistics import (
    aurc,
    bootstrap_interval,
    cohen_kappa,
    half_life,
    holm,
    permutation_test,
    risk_coverage,
    slope,
)

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def pairs(count, shift=0.3, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=count), generator.normal(size=count) - shift


@pytest.mark.parametrize("count", [2, 5, 9, 12])
def test_the_exact_test_is_scipys(count):
    a, b = pairs(count)
    expected = scipy.stats.permutation_test(
        (a, b), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", n_resamples=np.inf
    )
    assert permutation_test(a, b) == pytest.approx(expected.pvalue, abs=1e-12)


def test_a_drawn_test_comes_near_the_exact_one():
    a, b = pairs(12)
    drawn = permutation_test(a, b, draws=20_000, generator=philox(0, "signs"))
    exact = permutation_test(a, b)
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000))


def test_p_is_known_at_the_ends():
    assert permutation_test([0.1, 0.7, 0.2], [0.1, 0.7, 0.2]) == 1
    assert permutation_test([0.3], [0.9]) == 1  # one pair can never tell
    for count in (2, 5, 10):
        assert permutation_test(np.full(count, 0.4), np.full(count, 0.1)) == 2 / 2**count
    assert permutation_test(np.ones(40), np.zeros(40), draws=99, generator=philox(0, "signs")) == 0.01


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=1, max_size=8))
def test_the_order_of_the_two_systems_does_not_matter(values):
    other = values[::-1]
    assert permutation_test(values, other) == permutation_test(other, values)


def test_holm_is_its_textbook_example():
    assert holm([0.01, 0.02, 0.03]).tolist() == pytest.approx([0.03, 0.04, 0.04])
    assert holm([0.03, 0.01, 0.02]).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.9]).tolist() == [1, 1]


@given(SHARES)
def test_holm_keeps_the_order_and_never_lowers_a_p(p):
    adjusted = holm(p)
    assert (adjusted >= np.array(p)).all()
    assert (adjusted <= 1).all()
    assert (adjusted <= np.minimum(1, len(p) * np.array(p)) + 1e-15).all()  # never worse than Bonferroni
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def test_the_interval_is_scipys_percentile_interval():
    sample = np.random.default_rng(1).normal(2, 1, size=40)
    low, high = bootstrap_interval(sample, philox(0, "bootstrap"), draws=20_000)
    expected = scipy.stats.bootstrap((sample,), np.mean, n_resamples=20_000, method="percentile").confidence_interval
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.02)
    assert bootstrap_interval([0.4] * 5, philox(0, "bootstrap")) == pytest.approx((0.4, 0.4))


def test_kappa_is_scikit_learns():
    generator = np.random.default_rng(2)
    a, b = generator.integers(3, size=60), generator.integers(3, size=60)
    b[:30] = a[:30]
    assert cohen_kappa(a.tolist(), b.tolist()) == pytest.approx(cohen_kappa_score(a, b))
    assert cohen_kappa("abab", "abab") == 1
    assert cohen_kappa("yynn", "ynyn") == 0
    assert cohen_kappa("yyy", "yyy") == 1
    assert cohen_kappa("yn", "ny") == -1


def test_risk_is_the_share_wrong_among_the_most_confident():
    coverage, risk = risk_coverage([0.9, 0.1, 0.8, 0.4], [1, 0, 0, 1])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])


def test_aurc_has_known_ends():
    assert aurc([0.9, 0.2, 0.4], [1, 1, 1]) == 0
    assert aurc([0.3, 0.1], [0, 0]) == 1
    assert aurc([0.5] * 4, [1, 0, 0, 1]) == pytest.approx(0.5)  # no ranking: the mean error throughout
    best, worst = aurc([4, 3, 2, 1], [1, 1, 0, 0]), aurc([1, 2, 3, 4], [1, 1, 0, 0])
    assert best == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert worst == pytest.approx((1 + 1 + 2 / 3 + 1 / 2) / 4)


def test_aurc_is_the_area_under_its_curve():
    generator = np.random.default_rng(3)
    confidence, correct = generator.random(2000), generator.random(2000) < 0.7
    coverage, risk = risk_coverage(confidence, correct)
    assert aurc(confidence, correct) == pytest.approx(auc(coverage, risk), abs=2e-3)


def test_tied_answers_count_the_same_in_any_order():
    correct = [1, 0, 0, 1, 1, 0]
    assert aurc([2, 2, 1, 1, 1, 0], correct) == pytest.approx(aurc([2, 2, 1, 1, 1, 0], [0, 1, 1, 0, 1, 0]))


@pytest.mark.parametrize("tau", [0.5, 3.0, 40.0])
def test_the_half_life_of_an_exponential_is_its_own(tau):
    times = np.array([0, 1, 2, 5, 9])
    assert half_life(times, 2 ** (-times / tau)) == pytest.approx(tau)
    assert half_life(times, 0.8 * 2 ** (-times / tau)) == pytest.approx(tau)


def test_what_does_not_fall_has_no_half_life():
    assert half_life([0, 1, 2], [0.5, 0.5, 0.5]) == math.inf
    assert half_life([0, 1, 2], [0.2, 0.3, 0.5]) == math.inf
    assert half_life([0, 1, 2, 3], [1, 0.5, 0.25, 0]) == pytest.approx(1)  # nothing left has no logarithm


def test_the_slope_is_numpys():
    times, values = np.array([0, 1, 4, 6]), np.array([0.9, 0.7, 0.6, 0.1])
    assert slope(times, values) == pytest.approx(np.polyfit(times, values, 1)[0])
    assert slope(times, 1 - 0.1 * times) == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: permutation_test([1, 2], [1]), "same length"),
        (lambda: permutation_test([], []), "same length"),
        (lambda: permutation_test(np.ones(17), np.ones(17)), "at most 16 pairs, got 17"),
        (lambda: permutation_test([1], [2], draws=10), "a generator"),
        (lambda: permutation_test([1], [2], draws=-1, generator=philox(0)), "draws=-1"),
        (lambda: holm([0.1, 1.2]), "from 0 to 1"),
        (lambda: holm([-0.1]), "from 0 to 1"),
        (lambda: bootstrap_interval([], philox(0)), "at least one"),
        (lambda: bootstrap_interval([1], philox(0), level=1), "level is 1"),
        (lambda: cohen_kappa("ab", "a"), "got 2 and 1"),
        (lambda: cohen_kappa("", ""), "at least one"),
        (lambda: risk_coverage([1, 2], [1]), "same length"),
        (lambda: half_life([0, 1], [0.5, 1.5]), "from 0 to 1"),
        (lambda: half_life([0, 1], [0, 0]), "two different times"),
        (lambda: slope([1, 1], [0, 1]), "two different times"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
