import math

import numpy as np
import pytest

from mem_core.training.logistic_regression import fit_logistic_regression


def drawn(count=200, features=3, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((count, features))
    return x, x @ np.arange(1.0, features + 1) + generator.logistic(size=count) > 1.5


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("penalty", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("features", [1, 3])
def test_it_finds_the_optimum_that_scikit_learn_finds(balanced, penalty, features):
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = drawn(features=features)
    found = fit_logistic_regression(x, y, balanced=balanced, penalty=penalty)
    theirs = linear_model.LogisticRegression(C=1 / penalty, class_weight="balanced" if balanced else None, tol=1e-10)
    theirs.fit(x, y)
    np.testing.assert_allclose(found.weights, theirs.coef_[0], rtol=1e-4)
    assert found.offset == pytest.approx(theirs.intercept_[0], rel=1e-4)
    assert ((found.scores(x) > 0) == theirs.predict(x)).all()


def test_without_information_the_offset_is_the_log_odds_and_zero_if_balanced():
    x, y = np.zeros((10, 1)), np.arange(10) < 7
    assert fit_logistic_regression(x, y).offset == pytest.approx(math.log(7 / 3))
    assert fit_logistic_regression(x, y, balanced=True).offset == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e3])
def test_classes_that_a_line_parts_are_told_apart(spread):
    x = np.linspace(-spread, spread, 20)[:, None]
    found = fit_logistic_regression(x, x[:, 0] > 0)
    assert np.isfinite(found.weights).all()
    assert ((found.scores(x) > 0) == (x[:, 0] > 0)).all()


@pytest.mark.parametrize(
    ("features", "labels", "penalty", "words"),
    [
        (np.zeros((3, 1)), np.array([True, True, True]), 1.0, "labels must hold both classes"),
        (np.zeros(3), np.array([True, False, True]), 1.0, r"features must be \(n, F\)"),
        (np.zeros((3, 1)), np.array([True, False]), 1.0, r"got \(3, 1\) and \(2,\)"),
        (np.zeros((2, 1)), np.array([True, False]), 0.0, "penalty is 0.0"),
    ],
)
def test_bad_input_is_refused_by_name(features, labels, penalty, words):
    with pytest.raises(ValueError, match=words):
        fit_logistic_regression(features, labels, penalty=penalty)
