"""The tasks: the same digits, their pixels in another order for each task, all classes in every one.

Nobody tells the network which task a picture belongs to, neither in training nor in the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mem_core.data import digits
from mem_core.data.digit_tasks import DigitTask, inputs_and_targets
from mem_core.data.digits import Digits
from mem_core.data.permuted_digits import permuted_digits
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.continual.hebbian_projection.settings import ProjectionSettings
from mem_core.mechanisms.contract import RunError

TRAINING_PICTURES = 1297
"""The other 500 of the 1797 are the test set."""
BRIGHTNESS = 2.0
"""Of a full pixel, so that pictures make the first layer spike."""


class Pictures(NamedTuple):
    """Pictures (B, pixels) and their classes as one-hot rows (B, C)."""

    images: Array
    targets: Array


class Stream:
    """All tasks in order.

    Attributes:
        tests: each task's whole test set.
        training: each task's training pictures.
        batches_a_task: updates in each task.

    Raises:
        RunError: if the digits are not installed.
    """

    def __init__(self, settings: ProjectionSettings, engine: Engine, seed: int) -> None:
        tasks = _tasks(settings, seed)
        self.tests = [_pictures(engine, task.test) for task in tasks]
        self.training = [_pictures(engine, task.training) for task in tasks]
        self._settings, self._seed, self._engine = settings, seed, engine
        self.batches_a_task = settings.epochs * len(self._starts)

    def batches(self, task: int) -> Iterator[Pictures]:
        """Give the batches of a task: every epoch in a new order, its last batch what is left."""
        pictures, xp = self.training[task], self._engine.xp
        generator = philox(self._seed, "batches", task)
        for _ in range(self._settings.epochs):
            order = generator.permutation(self._settings.pictures)
            for start in self._starts:
                chosen = self._engine.asarray(order[start : start + self._settings.batch_size])
                yield Pictures(*(xp.take(part, chosen, axis=0) for part in pictures))

    @property
    def _starts(self) -> range:
        return range(0, self._settings.pictures, self._settings.batch_size)


def _tasks(settings: ProjectionSettings, seed: int) -> list[DigitTask]:
    try:
        every = digits.load()
    except digits.DigitsMissingError as error:
        raise RunError(str(error)) from error
    training, test = every.split(TRAINING_PICTURES)
    used = Digits(training.images[: settings.pictures], training.labels[: settings.pictures])
    return permuted_digits(used, test, settings.tasks, philox(seed, "orders of pixels"))


def _pictures(engine: Engine, part: Digits) -> Pictures:
    images, targets = inputs_and_targets(part)
    return Pictures(engine.asarray(BRIGHTNESS * images), engine.asarray(targets))
