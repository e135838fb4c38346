import numpy as np
import pytest

from mem_core.data.markov_text import MarkovLanguage, dirichlet_language, distinct_texts, random_texts
from mem_core.engine import philox


def test_tokens_follow_one_another_as_often_as_the_language_says():
    language = dirichlet_language(philox(0, "language"), 5, 0.5)
    texts = language.draw(philox(0, "texts"), 20_000, 6)
    first = np.bincount(texts[:, 0], minlength=5) / len(texts)
    np.testing.assert_allclose(first, language.first, atol=0.015)  # four standard errors of a share of one half
    pairs = np.zeros((5, 5))
    np.add.at(pairs, (texts[:, :-1].ravel(), texts[:, 1:].ravel()), 1)
    np.testing.assert_allclose(pairs / pairs.sum(axis=1, keepdims=True), language.successors, atol=0.02)


def test_a_token_that_cannot_follow_never_does():
    language = MarkovLanguage(np.array([0.0, 1.0, 0.0]), np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]))
    texts = language.draw(philox(0, "texts"), 500, 8)
    assert set(texts[:, 0]) == {1}
    assert (language.successors[texts[:, :-1], texts[:, 1:]] > 0).all()


def test_a_small_concentration_leaves_few_likely_successors():
    def effective(concentration):
        successors = dirichlet_language(philox(0, "language"), 64, concentration).successors
        logs = np.log(np.where(successors > 0, successors, 1.0))
        return np.exp(-(successors * logs).sum(axis=1).mean())

    # exp(ψ(V·a + 1) − ψ(a + 1)), from the mean entropy of a draw from Dirichlet(a).
    assert effective(0.1) == pytest.approx(10.5, rel=0.1)
    assert effective(0.02) < effective(0.1) < effective(10.0) < 64


def test_successors_are_listed_by_likelihood():
    language = dirichlet_language(philox(0, "language"), 9, 0.3)
    ordered = np.take_along_axis(language.successors, language.by_likelihood, axis=1)
    assert (np.diff(ordered, axis=1) <= 0).all()
    assert (np.sort(language.by_likelihood, axis=1) == np.arange(9)).all()


def test_random_texts_have_no_order():
    texts = random_texts(philox(0, "texts"), 4, 20_000, 3)
    pairs = np.zeros((4, 4))
    np.add.at(pairs, (texts[:, :-1].ravel(), texts[:, 1:].ravel()), 1)
    np.testing.assert_allclose(pairs / pairs.sum(), 1 / 16, atol=0.005)


def test_distinct_texts_are_distinct_and_avoid_the_others():
    generator = philox(0, "texts")
    avoided = np.array([[0, 0], [1, 1]])
    texts = distinct_texts(lambda count: random_texts(generator, 3, count, 2), 7, avoiding=[avoided[:1], avoided[1:]])
    found = set(map(tuple, texts.tolist()))
    assert len(found) == 7 == 3 * 3 - 2
    assert not found & set(map(tuple, avoided.tolist()))


def test_no_texts_at_all_keep_their_length():
    generator = philox(0, "texts")
    assert distinct_texts(lambda count: random_texts(generator, 3, count, 5), 0).shape == (0, 5)


def test_a_language_with_too_few_texts_is_refused():
    generator = philox(0, "texts")
    with pytest.raises(ValueError, match="gave 4 different texts in 20 draws, but 5 are needed"):
        distinct_texts(lambda count: random_texts(generator, 2, count, 2), 5)


def test_what_is_no_language_is_refused():
    with pytest.raises(ValueError, match=r"successors \(V, V\), got \(2,\) and \(2, 3\)"):
        MarkovLanguage(np.array([0.5, 0.5]), np.full((2, 3), 1 / 3))
    with pytest.raises(ValueError, match="successors must be probabilities"):
        MarkovLanguage(np.array([0.5, 0.5]), np.full((2, 2), 0.4))
    with pytest.raises(ValueError, match="vocabulary must be at least 2"):
        dirichlet_language(philox(0, "language"), 1, 0.1)
    with pytest.raises(ValueError, match="concentration positive, got 3 and 0"):
        dirichlet_language(philox(0, "language"), 3, 0)
