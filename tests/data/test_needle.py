"""Sequences with one thing to remember."""

import numpy as np
import pytest

from mem_core.data.needle import MARKER, VALUES, VOCABULARY, marked_value, one_needle
from mem_core.engine import philox


def test_one_needle_is_the_only_value_and_stands_in_the_first_half():
    drawn = one_needle(philox(0, "needle"), 500, 33)
    is_value = drawn.tokens < VALUES
    assert (is_value.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(is_value.argmax(axis=1), drawn.positions)
    np.testing.assert_array_equal(drawn.tokens.min(axis=1), drawn.answers)
    assert drawn.positions.max() == 33 // 2 - 1
    assert drawn.positions.min() == 0


def test_all_values_fillers_and_places_occur():
    drawn = one_needle(philox(1, "needle"), 2000, 20)
    assert set(np.unique(drawn.tokens)) == set(range(VOCABULARY))
    assert set(drawn.answers) == set(range(VALUES))
    assert set(drawn.positions) == set(range(10))


def test_marked_value_stands_after_the_only_marker():
    drawn = marked_value(philox(0, "marked"), 500, 32)
    is_marker = drawn.tokens == MARKER
    assert (is_marker.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(is_marker.argmax(axis=1) + 1, drawn.positions)
    np.testing.assert_array_equal(drawn.tokens[np.arange(500), drawn.positions], drawn.answers)
    assert is_marker.argmax(axis=1).max() < 16


def test_marked_value_has_other_values_around_it():
    drawn = marked_value(philox(0, "marked"), 500, 32)
    values = (drawn.tokens < VALUES).sum(axis=1)
    assert values.mean() == pytest.approx(1 + 30 * VALUES / (VOCABULARY - 1), rel=0.05)


@pytest.mark.parametrize("draw", [one_needle, marked_value])
def test_a_given_position_holds_for_all(draw):
    drawn = draw(philox(0, "place"), 5, 16, position=15)
    assert (drawn.positions == 15).all()
    np.testing.assert_array_equal(drawn.tokens[:, 15], drawn.answers)


@pytest.mark.parametrize("draw", [one_needle, marked_value])
def test_the_same_stream_gives_the_same_sequences(draw):
    first, second = (draw(philox(7, "same"), 4, 12) for _ in range(2))
    np.testing.assert_array_equal(first.tokens, second.tokens)


@pytest.mark.parametrize(
    ("draw", "arguments", "message"),
    [
        (one_needle, (0, 10), "batch must be at least 1, got 0"),
        (one_needle, (1, 1), "length must be at least 2, got 1"),
        (one_needle, (1, 10, 10), "position must be from 0 to 9, got 10"),
        (marked_value, (1, 3), "length must be at least 4, got 3"),
        (marked_value, (1, 10, 0), "position must be from 1 to 9, got 0"),
    ],
)
def test_bad_input_is_named(draw, arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(philox(0, "bad"), *arguments)
