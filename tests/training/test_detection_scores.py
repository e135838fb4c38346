"""Rates and the area under the curve against scikit-learn's and closed forms."""

import numpy as np
import pytest

from mem_core.engine import philox
from mem_core.training.detection_scores import area_under_curve, detection_rates


def drawn(seed=0, count=200):
    generator = philox(seed, "scores")
    truth = generator.random(count) < 0.3
    return generator.normal(size=count).round(1) + truth, truth  # rounded, so that some tie


@pytest.mark.parametrize("seed", range(3))
def test_they_are_scikit_learns(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    scores, truth = drawn(seed)
    assert area_under_curve(scores, truth) == pytest.approx(metrics.roc_auc_score(truth, scores))
    rates = detection_rates(scores > 0.5, truth)
    assert rates.balanced == pytest.approx(metrics.balanced_accuracy_score(truth, scores > 0.5))
    assert rates.accuracy == pytest.approx(metrics.accuracy_score(truth, scores > 0.5))
    assert rates.true_positive == pytest.approx(metrics.recall_score(truth, scores > 0.5))


def test_the_area_counts_pairs_and_a_tie_is_half_a_pair():
    scores, truth = drawn(count=40)
    pairs = [(a > b) + (a == b) / 2 for a in scores[truth] for b in scores[~truth]]
    assert area_under_curve(scores, truth) == pytest.approx(np.mean(pairs))


def test_the_area_of_the_opposite_score_is_what_is_missing_and_no_scale_matters():
    scores, truth = drawn()
    found = area_under_curve(scores, truth)
    assert area_under_curve(-scores, truth) == pytest.approx(1 - found)
    assert area_under_curve(np.exp(3 * scores), truth) == pytest.approx(found)
    assert area_under_curve(np.zeros(len(truth)), truth) == 0.5


def test_a_verdict_that_does_not_look_is_at_chance():
    _, truth = drawn()
    rates = detection_rates(np.ones(len(truth)), truth)
    assert (rates.true_positive, rates.true_negative, rates.balanced) == (1, 0, 0.5)
    assert rates.accuracy == pytest.approx(truth.mean())


@pytest.mark.parametrize("measure", [area_under_curve, detection_rates])
def test_bad_input_is_named(measure):
    with pytest.raises(ValueError, match="positives and negatives, got 3 of 3"):
        measure(np.arange(3.0), np.ones(3))
    with pytest.raises(ValueError, match="positives and negatives, got 0 of 0"):
        measure(np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="one length"):
        measure(np.arange(3.0), np.array([1, 0]))


def test_a_score_that_is_not_a_number_is_named():
    with pytest.raises(ValueError, match="NaN"):
        area_under_curve(np.array([1.0, np.nan]), np.array([1, 0]))
