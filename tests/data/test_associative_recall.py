"""Multi-query associative recall: what is asked was told, once."""

import numpy as np
import pytest

from mem_core.data.associative_recall import BLANK, AssociativeRecall
from mem_core.engine import philox

TASK = AssociativeRecall(pairs=6, queries=4, keys=9, values=5, blanks=3)


def test_pairs_come_first_then_blanks_then_queries():
    tokens = TASK.draw(philox(0, "recall"), 200).tokens
    assert tokens.shape == (200, 19) == (200, TASK.length)
    keys, values, blanks, queries = tokens[:, 0:12:2], tokens[:, 1:12:2], tokens[:, 12:15], tokens[:, 15:]
    assert set(np.unique(keys)) == set(range(1, 10)) == set(np.unique(queries))
    assert set(np.unique(values)) == set(range(10, 15))
    assert np.all(blanks == BLANK)
    assert tokens.max() == TASK.vocabulary - 1


def test_every_answer_is_the_value_that_followed_the_key():
    drawn = TASK.draw(philox(1, "recall"), 100)
    for tokens, answers, lags in zip(drawn.tokens, drawn.answers, drawn.lags, strict=True):
        told = dict(zip(tokens[0:12:2], tokens[1:12:2], strict=True))
        assert len(told) == 6
        for place, answer, lag in zip(range(15, 19), answers, lags, strict=True):
            assert told[tokens[place]] == 1 + TASK.keys + answer
            assert tokens[place - lag - 1] == tokens[place]
            assert tokens[place - lag] == 1 + TASK.keys + answer


def test_no_pair_is_asked_for_twice_and_every_place_is():
    drawn = TASK.draw(philox(2, "recall"), 500)
    assert all(len(set(row)) == 4 for row in drawn.tokens[:, 15:])
    told = 15 - drawn.lags[:, 0]
    counts = np.bincount(told, minlength=12)[1::2]
    assert counts.min() > 50


def test_keys_and_values_are_even():
    drawn = TASK.draw(philox(3, "recall"), 3000)
    for part, kinds in ((drawn.tokens[:, 0:12:2], 9), (drawn.tokens[:, 1:12:2], 5)):
        shares = np.unique(part, return_counts=True)[1] / part.size
        np.testing.assert_allclose(shares, 1 / kinds, rtol=0.06)


def test_the_same_stream_gives_the_same_sequences():
    first, second = (TASK.draw(philox(7, "same"), 5) for _ in range(2))
    np.testing.assert_array_equal(first.tokens, second.tokens)


def test_all_pairs_can_be_asked_for_without_blanks():
    task = AssociativeRecall(pairs=16, queries=16)
    assert (task.length, task.vocabulary) == (48, 49)
    drawn = task.draw(philox(0, "all"), 3)
    np.testing.assert_array_equal(np.sort(drawn.tokens[:, 32:]), np.sort(drawn.tokens[:, 0:32:2]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pairs": 0}, "pairs must be from 1 to 9, got 0"),
        ({"pairs": 10}, "pairs must be from 1 to 9, got 10"),
        ({"queries": 7}, "queries must be from 1 to 6, got 7"),
        ({"keys": 0}, "keys must be at least 1, got 0"),
        ({"values": 1}, "values must be at least 2, got 1"),
        ({"blanks": -1}, "blanks must be at least 0, got -1"),
    ],
)
def test_numbers_that_do_not_fit_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        AssociativeRecall(**{"pairs": 6, "queries": 4, "keys": 9, "values": 5, "blanks": 3, **changes})


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="batch must be at least 1, got 0"):
        TASK.draw(philox(0, "none"), 0)
