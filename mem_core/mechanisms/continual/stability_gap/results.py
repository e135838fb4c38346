"""The tables of a run: what was measured, as means over the networks.

Axes: N networks, K tasks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from statistics import fmean, stdev
from typing import Any

from mem_core.mechanisms.continual.stability_gap.settings import TASKS, GapSettings
from mem_core.mechanisms.continual.stability_gap.training import History
from mem_core.mechanisms.tables import Table
from mem_core.training.continual_evaluation import ContinualMetrics, continual_metrics, stacked

ACC, FORG, MIN_ACC, WC_ACC, WF, WP = "ACC", "FORG", "min-ACC", "WC-ACC", "WF", "WP"
MEASURES = (ACC, FORG, MIN_ACC, WC_ACC, WF, WP)
TASK_NAMES = tuple(f"task {number + 1}" for number in range(max(TASKS.values())))
PLASTICITY, STABILITY = "plasticity", "stability"
CLOSE_UP = 30
"""Iterations after a switch."""

Histories = Mapping[str, History]
Rows = Iterable[Sequence[Any]]


class Tables:
    """Builds the tables of one frame from what was measured so far.

    Args:
        settings: of the run.
        iterations: how many each task takes.
        histories: by method, the one that is looked at first.
    """

    def __init__(self, settings: GapSettings, iterations: Sequence[int], histories: Histories) -> None:
        self._settings, self._histories = settings, histories
        self._main = histories[settings.method]
        self._ends = [*accumulate(iterations)]
        self._begins = [0, *self._ends[:-1]]

    def all(self) -> dict[str, Table]:
        """Return every table by name."""
        scores = self.scores()
        return {
            "switches": self.switches(),
            "curves": self.curves(),
            "ends": self.ends(),
            "worst": self.worst(scores),
            "first_steps": self.first_steps(),
            "gradients": self.gradients(),
            "closeup": self.closeup(),
            "closeup_gradients": self.closeup_gradients(),
            "old_tasks": self.old_tasks(),
            "scores": scores,
            "retention": self.retention(),
        }

    def switches(self) -> Table:
        """Lay out the last iteration before each switch."""
        return _table(("iteration", "label"), list(zip(self._begins[1:], TASK_NAMES[1:], strict=False)), _ITERATION)

    def curves(self) -> Table:
        """Lay out the accuracy on every task seen, with a standard deviation over the networks to either side."""
        rows = [
            (TASK_NAMES[task], item.iteration, mean, max(mean - deviation, 0.0), min(mean + deviation, 1.0))
            for item in self._main.accuracies
            for task, (mean, deviation) in enumerate(zip(item.means, item.deviations, strict=True))
        ]
        return _table(("task", "iteration", "accuracy", "low", "high"), rows, _ITERATION)

    def ends(self) -> Table:
        """Lay out the accuracy on every task at its own end."""
        rows = [
            (TASK_NAMES[task], item.iteration, item.means[task])
            for item in self._main.accuracies
            for task, end in enumerate(self._ends)
            if item.iteration == end
        ]
        return _table(("task", "iteration", "accuracy"), rows, _ITERATION)

    def worst(self, scores: Table) -> Table:
        """Lay out min-ACC, with its name."""
        found = scores.where(method=self._settings.method, measure=MIN_ACC)["value"].tolist()
        return _table(("accuracy", "label"), [(value, f"{MIN_ACC} {value:.2f}") for value in found])

    def first_steps(self) -> Table:
        """Lay out both lengths at the first step of each task after the first; NaN where there is no stability."""
        names = {begin + 1: name for begin, name in zip(self._begins[1:], TASK_NAMES[1:], strict=False)}
        rows = [
            (names[item.iteration], item.iteration, item.plasticity, item.stability)
            for item in self._main.norms
            if item.iteration in names
        ]
        return _table(("task", "iteration", "plasticity", "stability"), rows, _ITERATION)

    def gradients(self) -> Table:
        """Lay out the lengths of both gradients before each update, where they are above zero, for a log axis."""
        return _table(("gradient", "iteration", "norm"), self._lengths(), _ITERATION)

    def closeup(self) -> Table:
        """Lay out the accuracies around the chosen switch; 0 is just before the first update of the new task."""
        switch, last = self._close_up
        rows = [
            (TASK_NAMES[task], item.iteration - switch, mean)
            for item in self._main.accuracies
            if switch <= item.iteration <= last
            for task, mean in enumerate(item.means)
        ]
        begun = any(after > 0 for _, after, _ in rows)
        return _table(("task", "after", "accuracy"), rows if begun else [], _SINCE_SWITCH)

    def closeup_gradients(self) -> Table:
        """Lay out both gradients after the chosen switch; 1 is the first update of the new task."""
        switch, last = self._close_up
        rows = [
            (TASK_NAMES[self._settings.switch], name, iteration - switch, length)
            for name, iteration, length in self._lengths()
            if switch < iteration <= last
        ]
        return _table(("task", "gradient", "after", "norm"), rows, _SINCE_SWITCH)

    def old_tasks(self) -> Table:
        """Lay out the mean accuracy over all earlier tasks, task by task from the end of the one before."""
        rows: list[Sequence[Any]] = []
        for method, history in self._histories.items():
            for number in range(1, len(self._ends)):
                stretch = [item for item in history.accuracies if self._begins[number] <= item.iteration]
                rows += [
                    (method, TASK_NAMES[number], item.iteration, fmean(item.means[:number]))
                    for item in stretch
                    if item.iteration <= self._ends[number]
                ]
        return _table(("method", "during", "iteration", "accuracy"), rows, _ITERATION)

    def scores(self) -> Table:
        """Lay out the summaries of every method, their mean and standard deviation over the networks."""
        rows: list[Sequence[Any]] = []
        for method, history in self._histories.items():
            if not history.accuracies:
                continue
            by_measure = zip(*map(self._values, self._metrics(history)), strict=True)
            for measure, values in zip(MEASURES, by_measure, strict=True):
                if not math.isnan(values[0]):  # with one task, nothing can be forgotten yet
                    rows.append((method, measure, fmean(values), stdev(values) if len(values) > 1 else 0.0))
        rows.sort(key=lambda row: MEASURES.index(row[1]))
        return _table(("method", "measure", "value", "deviation"), rows)

    def retention(self) -> Table:
        """Lay out how much of task 1 is left, by the iterations since it ended.

        retention = accuracy on task 1 over that when it ended, at most 1.
        """
        first = {item.iteration: item.means[0] for item in self._main.accuracies}
        end = self._ends[0]
        learned = first.get(end, 0.0)
        rows = [
            (iteration - end, min(accuracy / learned, 1.0))
            for iteration, accuracy in first.items()
            if iteration >= end and learned > 0
        ]
        return _table(("lag", "retention"), rows, {"lag": "iterations"})

    @property
    def _close_up(self) -> tuple[int, int]:
        """The last iterations before the chosen switch, and of what is shown after it."""
        switch, end = self._ends[self._settings.switch - 1 : self._settings.switch + 1]
        return switch, min(switch + CLOSE_UP, end)

    def _lengths(self) -> Iterator[tuple[str, int, float]]:
        """Give name, iteration and length of every gradient that is not zero."""
        for item in self._main.norms:
            for name, length in ((PLASTICITY, item.plasticity), (STABILITY, item.stability)):
                if length > 0:
                    yield name, item.iteration, length

    def _metrics(self, history: History) -> Iterator[ContinualMetrics]:
        """Give the summaries of each network after the last measurement."""
        measured = history.accuracies
        rows = {item.iteration: row for row, item in enumerate(measured)}
        seen = len(measured[-1].values)
        ends = [*(rows[end] for end in self._ends[: seen - 1]), len(measured) - 1]
        for network in range(self._settings.networks):
            curves = stacked([[values[network] for values in item.values] for item in measured])
            yield continual_metrics(curves, ends, [self._settings.window])

    def _values(self, metrics: ContinualMetrics) -> tuple[float, ...]:
        """Give the summaries in the order of `MEASURES`."""
        window = self._settings.window
        return metrics.acc, metrics.forg, metrics.min_acc, metrics.wc_acc, metrics.wf[window], metrics.wp[window]


_ITERATION = {"iteration": "iterations"}
_SINCE_SWITCH = {"after": "iterations"}


def _table(names: Sequence[str], rows: Rows, units: Mapping[str, str] | None = None) -> Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return Table.of(units, **dict(zip(names, columns, strict=True)))
