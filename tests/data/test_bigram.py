import math

import numpy as np
import pytest

from mem_core.data.bigram import Bigram, facts_and_open, overlapping_languages
from mem_core.engine import philox


def language(**changes):
    sizes = {"facts": 128, "open_contexts": 8, "vocabulary": 8, "fact_share": 0.3} | changes
    return facts_and_open(philox(0, "language"), **sizes)


def test_facts_have_one_next_token_and_open_contexts_have_all():
    made = language()
    assert made.certain.tolist() == [True] * 128 + [False] * 8
    np.testing.assert_array_equal(made.next_token[:128].max(-1), 1)
    np.testing.assert_allclose(made.next_token[128:], 1 / 8)
    np.testing.assert_array_equal(made.entropy[:128], 0)
    np.testing.assert_allclose(made.entropy[128:], math.log(8), rtol=1e-14)


def test_each_group_has_its_share_of_the_examples():
    frequency = language().context_probability
    np.testing.assert_allclose(frequency[:128], 0.3 / 128)
    np.testing.assert_allclose(frequency[128:], 0.7 / 8)


def test_facts_can_follow_zipfs_law():
    frequency = language(zipf_exponent=1.0).context_probability[:128]
    np.testing.assert_allclose(frequency[0] / frequency, np.arange(1, 129), rtol=1e-12)
    assert frequency.sum() == pytest.approx(0.3)


def test_drawn_examples_have_the_right_frequencies():
    made = language(facts=5, open_contexts=2, vocabulary=3)
    contexts, tokens = made.draw(philox(1, "batches"), 2000, 50)
    pairs = np.zeros((7, 3))
    np.add.at(pairs, (contexts.ravel(), tokens.ravel()), 1 / contexts.size)
    joint = made.context_probability[:, None] * made.next_token
    np.testing.assert_allclose(pairs, joint, atol=4 * np.sqrt(0.25 / contexts.size))  # four standard deviations
    assert (pairs[joint == 0] == 0).all()


def test_draws_do_not_depend_on_how_the_steps_are_cut():
    made = language()
    whole = made.draw(philox(1, "batches"), 30, 7)
    generator = philox(1, "batches")
    pieces = [made.draw(generator, steps, 7) for steps in (1, 9, 20)]
    for at_once, *parts in zip(whole, *pieces, strict=True):
        np.testing.assert_array_equal(at_once, np.concatenate(parts))


def test_the_largest_uniform_number_still_names_an_example():
    class Edge:
        def random(self, shape):
            return np.full(shape, np.nextafter(1.0, 0.0))

    contexts, tokens = language().draw(Edge(), 1, 1)
    assert (contexts.item(), tokens.item()) == (135, 7)


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"facts": 0}, "facts"),
        ({"open_contexts": 0}, "open_contexts"),
        ({"vocabulary": 1}, "vocabulary"),
        ({"fact_share": 0.0}, "fact_share"),
        ({"fact_share": 1.0}, "fact_share"),
        ({"fact_share": math.nan}, "fact_share"),
    ],
)
def test_bad_sizes_are_named(changes, argument):
    with pytest.raises(ValueError, match=argument):
        language(**changes)


@pytest.mark.parametrize(
    ("frequency", "next_token", "argument"),
    [
        ([0.5, 0.4], [[1.0, 0.0], [0.5, 0.5]], "context_probability"),
        ([0.5, 0.5], [[1.0, 0.1], [0.5, 0.5]], "next_token"),
        ([0.5, 0.5], [[2.0, -1.0], [0.5, 0.5]], "next_token"),
        ([1.0], [[1.0, 0.0], [0.5, 0.5]], "shape"),
    ],
)
def test_numbers_that_are_no_probabilities_are_refused(frequency, next_token, argument):
    with pytest.raises(ValueError, match=argument):
        Bigram(np.array(frequency), np.array(next_token))


def several(**changes):
    sizes = {"languages": 3, "contexts": 40, "vocabulary": 30, "overlap": 0.6} | changes
    return overlapping_languages(philox(0, "languages"), **sizes)


def test_languages_that_overlap_share_a_part_of_every_row():
    first, second, third = several()
    alone = several(overlap=0.0)
    shared = several(overlap=1.0)[0].next_token
    for made, own in zip((first, second, third), alone, strict=True):
        np.testing.assert_allclose(made.next_token, 0.6 * shared + 0.4 * own.next_token, rtol=1e-12)
    assert np.abs(first.context_probability - second.context_probability).max() > 0.01


def test_rows_are_dirichlet_with_the_concentration_asked_for():
    made = several(languages=50, overlap=0.0)
    rows = np.concatenate([one.next_token for one in made])
    # The variance of one entry of Dirichlet(a·1_V) is (1/V)(1 - 1/V) / (a V + 1), here within five standard errors.
    assert rows.var() == pytest.approx((1 / 30) * (1 - 1 / 30) / (0.1 * 30 + 1), rel=0.05)
    assert rows.mean() == pytest.approx(1 / 30, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"languages": 0}, "languages"),
        ({"contexts": 0}, "contexts"),
        ({"vocabulary": 1}, "vocabulary"),
        ({"overlap": -0.1}, "overlap"),
        ({"overlap": 1.1}, "overlap"),
        ({"overlap": math.nan}, "overlap"),
        ({"concentration": 0.0}, "concentration"),
        ({"concentration": math.inf}, "concentration"),
    ],
)
def test_bad_sizes_of_languages_are_named(changes, argument):
    with pytest.raises(ValueError, match=argument):
        several(**changes)
