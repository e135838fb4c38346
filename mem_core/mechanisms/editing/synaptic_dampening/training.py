"""Training from scratch, in stages that are remembered: a learner who moves α asks for the same network again.

Axes: N networks side by side, n rows, 10 digits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from mem_core.engine import Array, Engine, Kind, Precision, philox, select
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.editing.synaptic_dampening.classifier import Classifier, classifier_of
from mem_core.mechanisms.editing.synaptic_dampening.rows import chosen_task, splits
from mem_core.mechanisms.editing.synaptic_dampening.settings import DampeningSettings
from mem_core.nn.relu_mlp import Parameters
from mem_core.training.optimizers import SGD, SGDState

MOMENTUM = 0.9
BATCH = 64
STAGES = 6
"""A training has so many parts, after each of which it can be shown."""
REMEMBERED_STAGES = 128
"""A stage of the default network takes 40 kB."""
LARGEST_LOSS = 50.0
"""Nats a row; above it a training counts as diverged. Guessing costs 2.3."""


@dataclass(frozen=True)
class Learned:
    """A network at the end of a stage.

    Attributes:
        params: its weights; read-only, for others may be given the same.
        velocity: of gradient descent with momentum.
        loss: mean over the last epoch's batches and the networks, nats.
        seconds: training time until here.
    """

    params: Parameters
    velocity: Parameters | None
    loss: float
    seconds: float


@dataclass(frozen=True)
class Course:
    """Which training: all that its outcome depends on.

    Attributes:
        kind, precision: of the engine.
        settings: of which only those count that `for_training` leaves.
        seed: of the run.
        without_forgotten: whether the first network alone is trained, on the rows that are to be kept.
    """

    kind: Kind
    precision: Precision
    settings: DampeningSettings
    seed: int
    without_forgotten: bool


def train_all(engine: Engine, settings: DampeningSettings, seed: int) -> Iterator[Learned]:
    """Train every network on its training rows, and give it after each stage.

    Raises:
        RunError: if training diverges, or the digits are not installed.
    """
    default = DampeningSettings()
    unused = settings.changed(digit=default.digit, forget=default.forget, rows=default.rows)
    return _stages(Course(engine.kind, engine.precision, for_training(unused), seed, without_forgotten=False))


def retrain(engine: Engine, settings: DampeningSettings, seed: int) -> Iterator[Learned]:
    """Train the first network from scratch on the rows to keep: what forgetting should come out like.

    Raises:
        RunError: if training diverges, or the digits are not installed.
    """
    alone = for_training(settings.changed(networks=1))
    return _stages(Course(engine.kind, engine.precision, alone, seed, without_forgotten=True))


def for_training(settings: DampeningSettings) -> DampeningSettings:
    """Reset every setting that comes into play only after training, so that equal trainings have equal settings."""
    default = DampeningSettings()
    later = ("alpha", "dampening", "importance", "layers", "fine_tune_epochs", "ascent_steps", "ascent_rate")
    return settings.changed(**{name: getattr(default, name) for name in later})


def epochs_of_stage(settings: DampeningSettings, stage: int) -> range:
    """Return the numbers of a stage's epochs; stages are counted from 1."""
    return range((stage - 1) * settings.epochs // STAGES, stage * settings.epochs // STAGES)


def _stages(course: Course) -> Iterator[Learned]:
    for stage in range(1, STAGES + 1):
        yield _learned(course, stage)


@lru_cache(maxsize=REMEMBERED_STAGES)
def _learned(course: Course, stage: int) -> Learned:
    """Go on from the stage before."""
    engine, settings = select(course.kind, course.precision), course.settings
    classifier = classifier_of(settings)
    if stage == 0:
        names = range(settings.networks)
        params = classifier.initial(engine, [philox(course.seed, "weights", name) for name in names])
        return Learned(params, None, float("nan"), 0.0)
    learned = _learned(course, stage - 1)
    x, y = _side_by_side(engine, course)
    started = time.perf_counter()
    for epoch in epochs_of_stage(settings, stage):
        order = philox(course.seed, "batches", epoch).permutation(x.shape[1])
        learned = train_epoch(engine, classifier, settings, learned, x, y, engine.asarray(order))
    return replace(learned, seconds=learned.seconds + time.perf_counter() - started)


def _side_by_side(engine: Engine, course: Course) -> tuple[Array, Array]:
    """Return the rows that each network learns, (N, n, 64) and (N, n, 10)."""
    dealt = splits(engine, course.seed, course.settings.networks)
    if course.without_forgotten:
        rows = [chosen_task(course.settings, dealt[0], course.seed).retain_rows]
    else:
        rows = [training for training, _ in dealt]
    return engine.xp.stack([one.x for one in rows]), engine.xp.stack([one.y for one in rows])


def train_epoch(
    engine: Engine,
    classifier: Classifier,
    settings: DampeningSettings,
    learned: Learned,
    x: Array,
    y: Array,
    order: Array,
) -> Learned:
    """See every row once, in mini-batches of 64.

    Args:
        engine: where to train.
        classifier: the network.
        settings: of the training.
        learned: weights and velocity to go on from; its time is kept.
        x, y: rows of every network, (N, n, 64) and (N, n, 10).
        order: of the rows, the same for all networks, (n,).

    Raises:
        RunError: if the loss is not a number, or above 50 nats.
    """
    optimizer = SGD(learning_rate=settings.learning_rate, momentum=MOMENTUM, weight_decay=settings.weight_decay)
    params = learned.params
    state = optimizer.init(params) if learned.velocity is None else SGDState(learned.velocity)
    x, y = (engine.xp.take(part, order, axis=1) for part in (x, y))
    losses = []
    for start in range(0, x.shape[1], BATCH):
        batch = slice(start, start + BATCH)
        loss, gradient = classifier.gradient(engine, params, x[:, batch], y[:, batch])
        losses.append(engine.xp.mean(loss))
        params, state = optimizer.update(params, gradient, state)
    mean = engine.item(engine.xp.mean(engine.xp.stack(losses)))
    if not mean <= LARGEST_LOSS:  # false for NaN too
        raise RunError(f"Training diverged: the loss is {mean:.3g} nats a row. Lower learning_rate.")
    return Learned(params, state.velocity, mean, learned.seconds)
