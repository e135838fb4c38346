import numpy as np
import pytest
from scipy.stats import entropy

from mem_core.training.membership_inference import answer_entropy, share_called_members


def logits(count, sure, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 10)) * sure


def test_the_entropy_is_that_of_the_softmax():
    given = logits(50, 3.0)
    probabilities = np.exp(given) / np.exp(given).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answer_entropy(given), entropy(probabilities, axis=1), rtol=1e-12)


def test_large_logits_do_not_overflow():
    np.testing.assert_allclose(answer_entropy(np.array([[2000.0, 0.0, -2000.0]], dtype=np.float32)), [0.0])


def test_it_is_scikit_learns_classifier_on_the_entropy():
    linear_model = pytest.importorskip("sklearn.linear_model")
    members, outsiders, asked = logits(400, 4.0), logits(100, 2.0, 1), logits(80, 3.0, 2)
    known = np.concatenate([answer_entropy(members), answer_entropy(outsiders)])[:, None]
    theirs = linear_model.LogisticRegression(class_weight="balanced").fit(known, np.arange(500) < 400)
    expected = theirs.predict(answer_entropy(asked)[:, None]).mean()
    assert share_called_members(members, outsiders, asked) == pytest.approx(expected, abs=1 / 80)


def test_answers_as_sure_as_those_to_members_are_called_members():
    members, outsiders = logits(300, 9.0), logits(300, 0.5, 1)
    assert share_called_members(members, outsiders, logits(100, 9.0, 2)) > 0.95
    assert share_called_members(members, outsiders, logits(100, 0.5, 3)) < 0.05


@pytest.mark.parametrize("empty", ["members", "outsiders", "asked"])
def test_an_empty_set_is_named(empty):
    given = {name: logits(0 if name == empty else 5, 1.0) for name in ("members", "outsiders", "asked")}
    with pytest.raises(ValueError, match=f"{empty} must hold at least one example"):
        share_called_members(**given)
