"""Every way to forget that is compared, and what each leaves behind.

Axes: n rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mem_core.data.digit_tasks import CLASSES
from mem_core.engine import Array, Engine, map_tree, philox
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.editing.synaptic_dampening.classifier import Classifier
from mem_core.mechanisms.editing.synaptic_dampening.dampening import (
    Mode,
    Selection,
    fisher_diag,
    mia_entropy,
    select_weights,
)
from mem_core.mechanisms.editing.synaptic_dampening.rows import Rows, Task
from mem_core.mechanisms.editing.synaptic_dampening.settings import (
    ALL_LAYERS,
    AS_RELEASED,
    FIRST_LAYER,
    PER_ROW,
    DampeningSettings,
)
from mem_core.mechanisms.editing.synaptic_dampening.training import Learned, train_epoch
from mem_core.nn import relu_mlp
from mem_core.nn.relu_mlp import Parameters

BEFORE, DAMPENED, SHUFFLED = "before", "dampened", "shuffled"
FINE_TUNED, ASCENT, RETRAINED = "tuned", "ascent", "retrained"
HARDEST = 0.01
"""Share of the training rows that counts as the hardest."""
METHODS = (BEFORE, DAMPENED, SHUFFLED, ASCENT, FINE_TUNED, RETRAINED)


@dataclass(frozen=True, eq=False)
class Importances:
    """How much every weight matters.

    Attributes:
        whole: for all training rows, I(D).
        forget: for the rows to forget, I(D_f); zero in layers that are left alone.
    """

    whole: Parameters
    forget: Parameters


@dataclass(frozen=True)
class Accuracies:
    """Shares of right answers.

    Attributes:
        retain_rows, forget_rows: on the two parts of the training rows.
        retain_test, forget_test: on the two parts of the test rows; NaN for a part that is empty.
    """

    retain_rows: float
    forget_rows: float
    retain_test: float
    forget_test: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a method left behind.

    Attributes:
        method: which.
        params: the network after it.
        accuracies: of that network.
        members: share of the forgotten rows that an attacker takes for training rows.
        seconds: how long it took.
    """

    method: str
    params: Parameters
    accuracies: Accuracies
    members: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Subject:
    """One trained network and what it is to forget.

    Attributes:
        engine: where it is.
        classifier, params: the network.
        task: what is to be forgotten.
        settings: of the run.
        seed: of the run.
    """

    engine: Engine
    classifier: Classifier
    params: Parameters
    task: Task
    settings: DampeningSettings
    seed: int

    def importances(self, whole: Parameters | None = None) -> Importances:
        """Measure how much every weight matters for all rows, unless that is known, and for those to forget."""
        forget = self.importance_of(self.task.forget_rows)
        if whole is None or self.settings.importance == AS_RELEASED:  # there it depends on the order of the rows
            whole = self.importance_of(self.task.training)
        return Importances(whole, chosen_layers(forget, self.settings.layers))

    def importance_of(self, rows: Rows) -> Parameters:
        """Measure how much every weight matters for some rows."""
        mode: Mode = "sample" if self.settings.importance == PER_ROW else "batch"
        return fisher_diag(self.engine, self.classifier, self.params, rows.x, rows.y, mode)

    def accuracies(self, params: Parameters) -> Accuracies:
        """Return the shares of right answers of other weights."""
        task = self.task
        parts = (task.retain_rows, task.forget_rows, task.retain_test, task.forget_test)
        return Accuracies(*(self.accuracy(params, part) for part in parts))

    def accuracy(self, params: Parameters, rows: Rows) -> float:
        """Return the share of right answers of other weights on some rows; NaN if there are none."""
        return float(self._right(params, rows).mean()) if len(rows) else math.nan

    def accuracy_by_digit(self, params: Parameters) -> list[float]:
        """Return the share of right answers on the test rows of every digit."""
        test = self.task.test
        right, labels = self._right(params, test), test.pictures.labels
        return [float(right[labels == digit].mean()) for digit in range(CLASSES)]

    def outcome(self, method: str, params: Parameters, seconds: float) -> Outcome:
        """Measure what a method left behind."""
        task = self.task
        members = mia_entropy(self.engine, self.classifier, params, task.retain_rows.x, task.test.x, task.forget_rows.x)
        return Outcome(method, params, self.accuracies(params), members, seconds)

    def _right(self, params: Parameters, rows: Rows) -> Any:
        """Return which answers are right, as NumPy booleans."""
        answers = self.engine.xp.argmax(self.classifier.logits(self.engine, params, rows.x[None])[0], axis=-1)
        return self.engine.to_numpy(answers) == rows.pictures.labels


def hardest_rows(subject: Subject) -> tuple[Rows, int]:
    """Return the hundredth of the training rows on which the loss is highest, and how many of them are to forget."""
    engine, rows = subject.engine, subject.task.training
    logs = relu_mlp.log_softmax(engine, subject.classifier.logits(engine, subject.params, rows.x[None])[0])
    losses = engine.to_numpy(-engine.xp.sum(rows.y * logs, axis=-1))
    numbers = losses.argsort()[-round(HARDEST * len(rows)) :].tolist()
    return rows.at(numbers), sum(number >= len(subject.task.retain_rows) for number in numbers)


def chosen_layers(importance: Parameters, layers: str) -> Parameters:
    """Set the importance to zero in layers that are to be left alone: nothing is selected there."""
    kept = {ALL_LAYERS: range(len(importance)), FIRST_LAYER: [0]}.get(layers, [len(importance) - 1])
    return [
        layer if number in kept else map_tree(lambda leaf: 0.0 * leaf, layer) for number, layer in enumerate(importance)
    ]


def quick_outcomes(subject: Subject, importances: Importances) -> Iterator[Outcome]:
    """Forget in every way that starts from the trained network."""
    yield timed(subject, DAMPENED, lambda: dampened(subject, subject.importances()))
    yield timed(subject, SHUFFLED, lambda: shuffled_control(subject, importances))
    yield timed(subject, ASCENT, lambda: by_ascent(subject))
    yield timed(subject, FINE_TUNED, lambda: by_fine_tuning(subject))


def timed(subject: Subject, method: str, forget: Callable[[], Parameters]) -> Outcome:
    """Forget, look at the clock, and measure what is left."""
    started = time.perf_counter()
    params = forget()
    return subject.outcome(method, params, time.perf_counter() - started)


def selection_of(subject: Subject, importances: Importances) -> Selection:
    """Select with the α and λ that are set."""
    settings, whole, forget = subject.settings, importances.whole, importances.forget
    return select_weights(subject.engine, whole, forget, settings.alpha, settings.dampening)


def dampened(subject: Subject, importances: Importances) -> Parameters:
    """Dampen with the α and λ that are set."""
    return _multiplied(subject.params, selection_of(subject, importances).betas)


def shuffled_control(subject: Subject, importances: Importances) -> Parameters:
    """Multiply by the same multipliers, dealt to other weights of the same tensor: as hard a blow, not aimed."""
    generator, engine = philox(subject.seed, "shuffled multipliers"), subject.engine

    def shuffled(beta: Array) -> Array:
        flat = engine.xp.reshape(beta, (-1,))
        order = engine.asarray(generator.permutation(flat.shape[0]))
        return engine.xp.reshape(engine.xp.take(flat, order, axis=0), beta.shape)

    return _multiplied(subject.params, map_tree(shuffled, selection_of(subject, importances).betas))


def _multiplied(params: Parameters, betas: Parameters) -> Parameters:
    product: Parameters = map_tree(lambda weight, beta: weight * beta, params, betas)
    return product


def by_fine_tuning(subject: Subject) -> Parameters:
    """Train on, on the rows to keep alone."""
    engine, rows = subject.engine, subject.task.retain_rows
    learned = Learned(subject.params, None, math.nan, 0.0)
    for epoch in range(subject.settings.fine_tune_epochs):
        order = engine.asarray(philox(subject.seed, "fine-tuning", epoch).permutation(len(rows)))
        learned = train_epoch(engine, subject.classifier, subject.settings, learned, rows.x[None], rows.y[None], order)
    return learned.params


def by_ascent(subject: Subject) -> Parameters:
    """Raise the loss on the rows to forget by a few steps of plain gradient ascent."""
    params, rows, rate = subject.params, subject.task.forget_rows, subject.settings.ascent_rate
    for _ in range(subject.settings.ascent_steps):
        loss, gradient = subject.classifier.gradient(subject.engine, params, rows.x[None], rows.y[None])
        if not math.isfinite(subject.engine.item(loss)):
            raise RunError("Gradient ascent left the range of numbers. Lower ascent_rate.")
        params = map_tree(lambda weight, slope: weight + rate * slope, params, gradient)
    return params
