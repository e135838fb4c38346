import math

import numpy as np
import pytest

from mem_core.training.continual import TaskMatrix

LOSSES = [[1.0, 9.0, 9.0], [2.0, 3.0, 9.0], [4.0, 3.5, 2.0]]


def test_the_summaries_of_a_matrix_made_by_hand():
    matrix = TaskMatrix.of(LOSSES)
    assert matrix.average() == pytest.approx((4.0 + 3.5 + 2.0) / 3)
    assert matrix.forgetting() == pytest.approx(((4.0 - 1.0) + (3.5 - 3.0)) / 2)
    assert matrix.learning() == pytest.approx((1.0 + 3.0 + 2.0) / 3)


def test_accuracies_are_forgotten_downwards():
    accuracies = TaskMatrix.of([[0.9, 0.1], [0.6, 0.8]], lower_is_better=False)
    assert accuracies.forgetting() == pytest.approx(0.3)
    assert accuracies.average() == pytest.approx(0.7)


def test_part_of_the_tasks_can_be_summarised_without_those_to_come():
    unmeasured = [[1.0, math.nan, math.nan], [2.0, 3.0, math.nan]]
    matrix = TaskMatrix.of(unmeasured)
    assert matrix.learned == 2
    assert (matrix.average(), matrix.forgetting(), matrix.learning()) == (2.5, 1.0, 2.0)


def test_after_one_task_nothing_can_be_forgotten_yet():
    matrix = TaskMatrix.of(LOSSES[:1])
    assert math.isnan(matrix.forgetting())
    assert (matrix.average(), matrix.learning()) == (1.0, 1.0)


def test_later_tasks_that_help_give_a_negative_forgetting():
    assert TaskMatrix.of([[1.0, 2.0], [0.5, 1.0]]).forgetting() == -0.5


@pytest.mark.parametrize("shape", [(0, 2), (3, 2), (2,), (1, 2, 2)])
def test_matrices_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="shape"):
        TaskMatrix(np.zeros(shape))
