import math

import numpy as np
import pytest

from mem_core.engine import philox
from mem_core.training.continual import TaskMatrix
from mem_core.training.continual_evaluation import continual_metrics, largest_drop, stacked

NAN = math.nan
WINDOWS = (2, 10, 100)


def curves(seed, evaluations=40, tasks=3):
    """Draw accuracies; task k is seen from row k * evaluations / tasks on."""
    drawn = philox(seed, "accuracies").uniform(size=(evaluations, tasks))
    length = evaluations // tasks
    for task in range(tasks):
        drawn[: task * length, task] = NAN
    return drawn, [*((task + 1) * length - 1 for task in range(tasks - 1)), evaluations - 1]


def test_constant_curves_neither_fall_nor_rise():
    metrics = continual_metrics(np.tile([0.7, 0.3], (30, 1)), [14, 29], WINDOWS)
    assert set(metrics.wf.values()) == set(metrics.wp.values()) == {0.0}
    assert (metrics.acc, metrics.forg, metrics.min_acc) == (0.5, 0.0, 0.7)
    assert metrics.wc_acc == pytest.approx(0.5)


def test_rising_curves_have_plasticity_and_no_forgetting():
    metrics = continual_metrics(np.linspace(0, 1, 11)[:, None] * [1.0, 0.5], [5, 10], (2, 4, 100))
    assert set(metrics.wf.values()) == {0.0}
    assert [metrics.wp[window] for window in (2, 4, 100)] == pytest.approx([0.075, 0.225, 0.75])
    assert metrics.forg == pytest.approx(-0.5)


def test_a_curve_made_by_hand():
    accuracies = np.array([[0.9, NAN], [0.8, NAN], [0.1, 0.4], [0.5, 0.9], [0.6, 0.8]])
    metrics = continual_metrics(accuracies, [1, 4], (2, 3))
    assert metrics.acc == pytest.approx(0.7)
    assert metrics.forg == pytest.approx(0.2)
    assert metrics.min_acc == 0.1
    assert metrics.wc_acc == pytest.approx(0.5 * 0.8 + 0.5 * 0.1)
    assert metrics.wf == {2: pytest.approx((0.7 + 0.1) / 2), 3: pytest.approx((0.8 + 0.1) / 2)}
    assert metrics.wp == {2: pytest.approx((0.4 + 0.5) / 2), 3: pytest.approx((0.5 + 0.5) / 2)}


def test_the_dip_before_a_tasks_end_does_not_count_for_its_worst_case():
    metrics = continual_metrics(np.array([[0.0, NAN], [0.9, NAN], [0.6, 0.5]]), [1, 2], (2,))
    assert metrics.min_acc == 0.6


def test_with_one_task_there_is_nothing_to_forget():
    metrics = continual_metrics(np.array([[0.2], [0.8]]), [1], (2,))
    assert math.isnan(metrics.forg)
    assert math.isnan(metrics.min_acc)
    assert metrics.wc_acc == metrics.acc == 0.8


def test_a_single_evaluation_has_no_windows():
    metrics = continual_metrics(np.array([[0.4]]), [0], WINDOWS)
    assert set(metrics.wf.values()) == set(metrics.wp.values()) == {0.0}


@pytest.mark.parametrize("seed", range(4))
def test_wider_windows_see_more_and_the_widest_the_whole_drawdown(seed):
    accuracies, ends = curves(seed)
    metrics = continual_metrics(accuracies, ends, (2, 3, 5, 10, 39, 40, 1000))
    assert list(metrics.wf.values()) == sorted(metrics.wf.values())
    seen = [column[~np.isnan(column)] for column in accuracies.T]
    drawdown = np.mean([(np.maximum.accumulate(column) - column).max() for column in seen])
    assert metrics.wf[40] == metrics.wf[1000] == pytest.approx(drawdown)


@pytest.mark.parametrize("window", [2, 3, 7, 40, 41])
def test_the_largest_drop_is_that_of_all_pairs_in_a_window(window):
    curve = philox(5, "curve").uniform(size=40)
    pairs = [curve[m] - curve[n] for m in range(40) for n in range(m + 1, min(m + window, 40))]
    assert largest_drop(curve, window) == pytest.approx(max(pairs))


@pytest.mark.parametrize("seed", range(4))
def test_what_can_be_relied_on_is_never_more_than_the_end(seed):
    metrics = continual_metrics(*curves(seed))
    assert metrics.wc_acc <= metrics.acc
    assert 0 <= metrics.min_acc <= 1


def test_measured_at_task_ends_the_worst_case_is_that_of_the_matrix():
    accuracies, ends = curves(7)
    at_ends = continual_metrics(accuracies[ends], [0, 1, 2], (2,))
    matrix = TaskMatrix.of(accuracies[ends].tolist(), lower_is_better=False)
    assert at_ends.acc == pytest.approx(matrix.average())
    assert at_ends.forg == pytest.approx(matrix.forgetting())
    assert at_ends.min_acc == pytest.approx(np.mean([accuracies[ends][1:, 0].min(), accuracies[ends][2, 1]]))
    assert at_ends.min_acc >= continual_metrics(accuracies, ends, (2,)).min_acc


def test_more_evaluations_never_raise_the_worst_case():
    accuracies, ends = curves(8)
    worst = []
    for every in (1, 2, 4, 8, 40):
        rows = sorted({*range(0, 40, every), *ends})
        worst.append(continual_metrics(accuracies[rows], [rows.index(end) for end in ends], (2,)).min_acc)
    assert worst == sorted(worst)


@pytest.mark.parametrize(
    ("accuracies", "ends", "windows", "named"),
    [
        ([[0.5, 1.2]], [0], (2,), "accuracies must be between 0 and 1"),
        ([[-0.1]], [0], (2,), "accuracies must be between 0 and 1"),
        ([[0.5, NAN], [0.5, NAN]], [0, 1], (2,), "accuracies of task 2 are all NaN"),
        ([[0.5, 0.5], [NAN, 0.5]], [0, 1], (2,), "accuracies must not become NaN"),
        (np.zeros((0, 2)), [0, 1], (2,), "accuracies must have shape"),
        ([[0.5, 0.5], [0.5, 0.5]], [1, 1], (2,), "ends must be increasing"),
        ([[0.5, 0.5], [0.5, 0.5]], [-1, 1], (2,), "ends must be increasing"),
        ([[0.5, 0.5], [0.5, 0.5]], [1], (2,), "ends must have one row for each of 2 tasks"),
        ([[0.5], [0.5]], [0], (2,), "ends must reach the last row, 1"),
        ([[0.5]], [0], (1,), "windows must each be 2"),
    ],
)
def test_what_cannot_be_summarised_is_refused_by_name(accuracies, ends, windows, named):
    with pytest.raises(ValueError, match=named):
        continual_metrics(np.array(accuracies, dtype=float), ends, windows)


@pytest.mark.parametrize("evaluations", [[], [[0.5, 0.5], [0.5]]])
def test_evaluations_of_fewer_and_fewer_tasks_are_refused(evaluations):
    with pytest.raises(ValueError, match="evaluations"):
        stacked(evaluations)
