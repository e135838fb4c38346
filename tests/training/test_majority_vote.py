"""Rankings and majority votes against a count by hand."""

from collections import Counter

import numpy as np
import pytest

from mem_core.engine import philox
from mem_core.training.majority_vote import majority, ranked


def drawn(seed=0, problems=30, candidates=12):
    generator = philox(seed, "votes")
    return generator.integers(4, size=(problems, candidates)), generator.normal(size=(problems, candidates))


def by_hand(answers, voters):
    counts = Counter(answers[:voters])
    return next(answer for answer in answers if counts[answer] == max(counts.values()))


@pytest.mark.parametrize("voters", [1, 2, 5, 12])
def test_the_majority_is_counted_and_ties_go_to_the_better_ranked(voters):
    answers, _ = drawn()
    assert majority(answers, voters).tolist() == [by_hand(row, voters) for row in answers.tolist()]


def test_one_voter_is_the_first_and_the_order_of_all_matters_only_for_ties():
    answers, scores = drawn()
    order = ranked(answers, scores)
    assert (majority(order, 1) == answers[np.arange(30), scores.argmin(axis=1)]).all()
    sizes = np.sort(np.apply_along_axis(np.bincount, 1, answers, minlength=4), axis=1)
    clear = sizes[:, -1] > sizes[:, -2]
    assert 0 < clear.sum() < 30
    assert (majority(order, 12) == majority(answers, 12))[clear].all()


def test_equal_scores_keep_their_order():
    assert ranked(np.array([[1, 2, 3, 4]]), np.array([[1.0, 0.0, 1.0, 0.0]])).tolist() == [[2, 4, 1, 3]]


@pytest.mark.parametrize("voters", [0, 13])
def test_a_vote_of_nobody_or_of_more_than_there_are_is_named(voters):
    with pytest.raises(ValueError, match="voters must be from 1 to the 12 candidates"):
        majority(drawn()[0], voters)


def test_bad_input_is_named():
    answers, scores = drawn()
    with pytest.raises(ValueError, match="both have the shape"):
        ranked(answers, scores[:, :3])
    with pytest.raises(ValueError, match="one candidate or more"):
        ranked(answers[:, :0], scores[:, :0])
    scores[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        ranked(answers, scores)
