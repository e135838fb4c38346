"""Training the chosen methods side by side on one stream, measured all along.

Axes: N networks, K tasks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import NamedTuple

from mem_core.data.digit_tasks import CLASSES
from mem_core.data.digits import SIDE
from mem_core.engine import Engine
from mem_core.mechanisms.continual.stability_gap.methods import METHOD_CLASSES
from mem_core.mechanisms.continual.stability_gap.settings import ELASTIC, ENDS, TENTH, GapSettings
from mem_core.mechanisms.continual.stability_gap.stream import Batch, Stream
from mem_core.mechanisms.contract import RunError
from mem_core.nn import relu_mlp
from mem_core.training.optimizers import SGD, Tree
from mem_core.training.tree_arithmetic import norms

MOMENTUM = 0.9
"""The velocity is kept from task to task (authors' code, configs)."""
LARGEST_LOSS = 1000.0
"""On a new batch, in nats; above it a run counts as diverged. Guessing among ten classes costs 2.3."""
LARGEST_LENGTH = 1e5
"""Of a gradient; above it a run counts as diverged. The pull of EWC can grow where no loss shows it."""


class Norms(NamedTuple):
    """Mean lengths of the gradients over the networks, before an iteration's update; NaN where there is none."""

    iteration: int
    plasticity: float
    stability: float


class Accuracies(NamedTuple):
    """Accuracies after an iteration on every task seen so far.

    Attributes:
        iteration: after how many.
        values: of every task and network, K lists of N numbers.
        means, deviations: over the networks, for every task; the standard deviation of one network is 0.
    """

    iteration: int
    values: Sequence[Sequence[float]]
    means: Sequence[float]
    deviations: Sequence[float]


@dataclass(eq=False)
class History:
    """What was measured of one method, in order of iterations."""

    norms: list[Norms] = field(default_factory=list)
    accuracies: list[Accuracies] = field(default_factory=list)


class Trainer:
    """One method's networks and what was measured of them."""

    def __init__(self, method: str, settings: GapSettings, engine: Engine, stream: Stream) -> None:
        self.history = History()
        self._name, self._engine, self._stream = method, engine, stream
        self._method = METHOD_CLASSES[method](settings, engine, stream)
        self._optimizer = SGD(learning_rate=settings.learning_rate, momentum=MOMENTUM)
        widths = (SIDE**2, settings.hidden, settings.hidden, CLASSES)
        self.params = relu_mlp.initial(engine, stream.generators("weights"), widths)
        self._state = self._optimizer.init(self.params)

    def begin_task(self, task: int) -> None:
        """Let the method take note that a task after the first begins."""
        self._method.begin_task(self.params, task)

    def step(self, iteration: int, batch: Batch, task: int) -> None:
        """Update the weights once.

        Raises:
            RunError: if the loss is no longer a finite number, or very large.
        """
        found = self._method.gradients(self.params, batch, task)
        lengths = Norms(
            iteration,
            self._length(found.plasticity),
            math.nan if found.stability is None else self._length(found.stability),
        )
        loss = float(self._engine.to_numpy(found.loss).max())
        # Asked so that NaN counts as diverged too, but for the stability that a first task does not have.
        if not (loss <= LARGEST_LOSS and lengths.plasticity <= LARGEST_LENGTH) or lengths.stability > LARGEST_LENGTH:
            way_out = "learning_rate or stiffness" if self._name == ELASTIC else "learning_rate"
            raise RunError(f"{self._name} diverged at iteration {iteration}: lower {way_out}.")
        self.history.norms.append(lengths)
        self.params, self._state = self._optimizer.update(self.params, found.step, self._state)

    def measure(self, iteration: int, task: int) -> None:
        """Measure the accuracy on every task seen so far; nothing that is trained takes notice."""
        values = [self._accuracies(test) for test in self._stream.tests[: task + 1]]
        deviations = [stdev(of_task) if len(of_task) > 1 else 0.0 for of_task in values]
        self.history.accuracies.append(Accuracies(iteration, values, [*map(fmean, values)], deviations))

    def _length(self, gradient: Tree) -> float:
        return float(self._engine.to_numpy(norms(self._engine, gradient)).mean())

    def _accuracies(self, test: Batch) -> list[float]:
        """Return the share of a test set that every network gets right."""
        xp = self._engine.xp
        logits = relu_mlp.forward(self._engine, self.params, test.images)[-1]
        right = self._engine.to_numpy(xp.argmax(logits, axis=-1) == xp.argmax(test.targets, axis=-1))
        return [float(share) for share in right.mean(axis=-1)]


def train(settings: GapSettings, engine: Engine, stream: Stream) -> Iterator[tuple[int, Mapping[str, History]]]:
    """Train all methods side by side; after each iteration yield their number so far and every method's history.

    Raises:
        RunError: if a method diverges.
    """
    trainers = {method: Trainer(method, settings, engine, stream) for method in settings.trained}
    histories = {method: trainer.history for method, trainer in trainers.items()}
    done = 0
    for task, iterations in enumerate(stream.iterations):
        if task:
            for trainer in trainers.values():
                trainer.begin_task(task)
        end = done + iterations
        for numbers in stream.batches(task):
            done += 1
            batch = stream.pictures(numbers)
            for trainer in trainers.values():
                trainer.step(done, batch, task)
                if done == end or is_measured(settings, done):
                    trainer.measure(done, task)
            yield done, histories


def is_measured(settings: GapSettings, iteration: int) -> bool:
    """Whether an iteration inside a task is followed by a measurement; the last of a task always is."""
    return settings.evaluation != ENDS and (settings.evaluation != TENTH or iteration % 10 == 0)
