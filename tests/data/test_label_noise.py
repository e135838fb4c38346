"""Label noise: how many, which, and how many of those are right by accident."""

import numpy as np
import pytest

from mem_core.data.label_noise import redraw_labels
from mem_core.engine import philox

LABELS = philox(0, "labels").integers(7, size=7000)


def test_as_many_examples_as_the_share_says_draw_a_label_and_no_other_changes():
    for share, count in ((0.0, 0), (0.2, 1400), (0.3333, 2333)):
        noisy = redraw_labels(LABELS, 7, share, philox(1, "noise"))
        assert noisy.redrawn.sum() == count
        assert np.array_equal(noisy.given[~noisy.redrawn], LABELS[~noisy.redrawn])


def test_one_label_in_as_many_as_there_are_classes_is_right_by_accident():
    noisy = redraw_labels(LABELS, 7, 0.9, philox(1, "noise"))
    right = np.mean(noisy.given[noisy.redrawn] == LABELS[noisy.redrawn])
    assert right == pytest.approx(1 / 7, abs=0.015)
    assert np.bincount(noisy.given[noisy.redrawn], minlength=7).min() > 800


def test_the_labels_given_are_a_copy():
    before = LABELS.copy()
    redraw_labels(LABELS, 7, 0.5, philox(1, "noise"))
    assert np.array_equal(LABELS, before)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="share is"):
        redraw_labels(LABELS, 7, share, philox(1, "noise"))
