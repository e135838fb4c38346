"""The stream of tasks: which pictures come in which iteration, the same for every method.

Axes: N networks, B pictures a batch, I pixels, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from mem_core.data import digits
from mem_core.data.digit_tasks import DigitTask, inputs_and_targets, joined, pairs_of_digits, rotated_digits
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.continual.stability_gap.settings import PAIRS, ROTATIONS, TASKS, GapSettings
from mem_core.mechanisms.contract import RunError

TRAINING_PICTURES = 1297
"""The other 500 of the 1797 are the test set."""

Numbers = Sequence[Any]
"""For each network the numbers of some training pictures, counted through all tasks: NumPy arrays of one length."""


class Batch(NamedTuple):
    """Pictures of shape (N, B, I) and their classes as one-hot rows, (N, B, C); N is 1 where all networks share."""

    images: Array
    targets: Array


class Stream:
    """All tasks, with their pictures brought to the engine when asked for.

    Attributes:
        tasks: what is learned, in this order.
        tests: all test pictures of each task.
        iterations: how many each task takes.

    Raises:
        RunError: if the digits are not installed.
    """

    def __init__(self, settings: GapSettings, engine: Engine, seed: int) -> None:
        self.tasks = _tasks(settings)
        self._settings, self._engine, self._seed = settings, engine, seed
        self._training = joined([task.training for task in self.tasks])
        self._inputs, self._targets = inputs_and_targets(self._training)
        self._starts = [0, *accumulate(len(task.training) for task in self.tasks)]
        self.tests = [self._moved(*([part] for part in inputs_and_targets(task.test))) for task in self.tasks]
        self.iterations = [settings.epochs * -(-len(task.training) // settings.batch_size) for task in self.tasks]

    def batches(self, task: int) -> Iterator[Numbers]:
        """Give one batch for each iteration: every epoch in a new order, its last batch what is left."""
        first, beyond = self._starts[task : task + 2]
        size = self._settings.batch_size
        generators = self.generators("batches", task)
        for _ in range(self._settings.epochs):
            orders = [first + generator.permutation(beyond - first) for generator in generators]
            for start in range(0, beyond - first, size):
                yield [order[start : start + size] for order in orders]

    def generators(self, *name: str | int) -> list[Any]:
        """Return a random generator of one purpose for each network."""
        return [philox(self._seed, *name, network) for network in range(self._settings.networks)]

    def pictures(self, numbers: Numbers) -> Batch:
        """Bring training pictures to the engine, each network's own."""
        return self._moved([self._inputs[each] for each in numbers], [self._targets[each] for each in numbers])

    def whole(self, task: int) -> Batch:
        """Bring all training pictures of a task to the engine."""
        first, beyond = self._starts[task : task + 2]
        return self.pictures([slice(first, beyond)])

    def by_class(self, task: int) -> dict[tuple[int, int], Any]:
        """Return the numbers of a task's training pictures, class by class: a class of another rotation is another."""
        first, beyond = self._starts[task : task + 2]
        labels = self._training.labels[first:beyond]
        return {(task, digit): first + (labels == digit).nonzero()[0] for digit in self.tasks[task].classes}

    def known_classes(self, task: int) -> int:
        """Return how many classes there are in the tasks before this one."""
        return len({digit for earlier in self.tasks[:task] for digit in earlier.classes})

    def _moved(self, images: Sequence[Any], targets: Sequence[Any]) -> Batch:
        return Batch(self._engine.asarray(images), self._engine.asarray(targets))


def _tasks(settings: GapSettings) -> list[DigitTask]:
    try:
        training, test = digits.load().split(TRAINING_PICTURES)
    except digits.DigitsMissingError as error:
        raise RunError(str(error)) from error
    if settings.tasks == PAIRS:
        return pairs_of_digits(training, test)
    return rotated_digits(training, test, [settings.angle * number for number in range(TASKS[ROTATIONS])])
