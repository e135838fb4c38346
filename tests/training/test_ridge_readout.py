import numpy as np
import pytest

from mem_core.engine import philox, select
from mem_core.training.ridge_readout import fit_ridge_readout, readout_accuracy


def clouds(engine, apart=2.0, count=300, fits=()):
    generator = philox(0, "clouds")
    labels = generator.integers(3, size=count)
    centres = apart * generator.standard_normal((*fits, 3, 4))
    features = centres[..., labels, :] + generator.standard_normal((*fits, count, 4))
    return engine.asarray(features), labels


def test_the_fit_is_ridge_regression_with_a_free_constant(engine):
    features, labels = clouds(engine)
    readout = fit_ridge_readout(engine, features, labels, 3, 0.1)
    x, y = engine.to_numpy(features), np.eye(3)[labels]
    x = (x - x.mean(0)) / x.std(0)
    # The same as least squares with √η rows of the identity below the features, the constant left out of them.
    stacked = np.concatenate([np.c_[x, np.ones(len(x))], np.c_[np.sqrt(0.1) * np.eye(4), np.zeros(4)]])
    expected = np.linalg.lstsq(stacked, np.concatenate([y, np.zeros((4, 3))]))[0]
    found = engine.to_numpy(readout.scores(engine, features))
    np.testing.assert_allclose(found, np.c_[x, np.ones(len(x))] @ expected, atol=1e-10)


def test_classes_far_apart_are_told_apart_and_equal_ones_are_not(engine):
    for apart, low, high in ((20.0, 0.99, 1.0), (0.0, 0.2, 0.5)):
        features, labels = clouds(engine, apart, 600)
        readout = fit_ridge_readout(engine, features[:300], labels[:300], 3, 0.1)
        assert low <= readout_accuracy(engine, readout, features[300:], labels[300:]) <= high


def test_several_fits_at_once_are_the_same_as_one_after_another(engine):
    features, labels = clouds(engine, fits=(2,))
    together = readout_accuracy(engine, fit_ridge_readout(engine, features, labels, 3, 0.1), features, labels)
    alone = [
        readout_accuracy(engine, fit_ridge_readout(engine, one, labels, 3, 0.1), one, labels)
        for one in (features[0], features[1])
    ]
    np.testing.assert_array_equal(together, alone)


def test_a_feature_that_never_changes_does_no_harm(engine):
    features, labels = clouds(engine)
    padded = engine.xp.concat([features, features[:, :1] * 0.0 + 7.0], axis=-1)
    plain, more = (fit_ridge_readout(engine, x, labels, 3, 0.1).scores(engine, x) for x in (features, padded))
    np.testing.assert_allclose(engine.to_numpy(more), engine.to_numpy(plain), atol=1e-10)


@pytest.mark.parametrize(
    ("labels", "penalty", "words"),
    [
        (np.arange(4), 0.1, "4 labels for 300 examples"),
        (np.full(300, 3), 0.1, "labels run from 3 to 3"),
        (np.zeros(300, dtype=int), 0.0, "penalty is 0.0"),
    ],
)
def test_what_cannot_be_fitted_is_named(labels, penalty, words):
    engine = select("numpy")
    with pytest.raises(ValueError, match=words):
        fit_ridge_readout(engine, clouds(engine)[0], labels, 3, penalty)
