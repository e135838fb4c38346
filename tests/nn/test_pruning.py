"""Pruning by score: which units go, at both ends, and how many."""

import numpy as np
import pytest

from mem_core.engine import philox
from mem_core.nn.pruning import kept_units

SCORES = np.array([[0.3, 0.1, 0.9, 0.5], [4.0, 3.0, 2.0, 1.0]])


def test_the_units_with_the_lowest_or_the_highest_scores_go_first(engine):
    scores = engine.asarray(SCORES)
    lowest = engine.to_numpy(kept_units(engine, scores, 0.5, lowest_first=True))
    highest = engine.to_numpy(kept_units(engine, scores, 0.25, lowest_first=False))
    assert lowest.tolist() == [[0, 0, 1, 1], [1, 1, 0, 0]]
    assert highest.tolist() == [[1, 1, 0, 1], [0, 1, 1, 1]]


@pytest.mark.parametrize("lowest_first", [True, False])
def test_a_share_of_nothing_keeps_all_and_a_share_of_one_none(engine, lowest_first):
    for share, left in ((0, 4), (1, 0)):
        kept = kept_units(engine, engine.asarray(SCORES), share, lowest_first=lowest_first)
        assert engine.to_numpy(kept).sum(-1).tolist() == [left, left]


def test_the_number_of_removed_units_is_rounded(engine):
    scores = engine.asarray(philox(0, "scores").normal(size=128))
    for share, removed in ((0.05, 6), (0.3, 38), (0.5, 64)):
        assert 128 - engine.to_numpy(kept_units(engine, scores, share, lowest_first=True)).sum() == removed


def test_of_equal_scores_the_earlier_count_as_lower(engine):
    equal = engine.asarray(np.ones(4))
    assert engine.to_numpy(kept_units(engine, equal, 0.5, lowest_first=True)).tolist() == [0, 0, 1, 1]
    assert engine.to_numpy(kept_units(engine, equal, 0.5, lowest_first=False)).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(engine, share):
    with pytest.raises(ValueError, match="share is"):
        kept_units(engine, engine.asarray(SCORES), share, lowest_first=True)
