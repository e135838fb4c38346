"""Training N networks side by side on modular addition: full batches, Adam with coupled weight decay.

Axes: N networks, n pairs, M residues, K hidden units.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from mem_core.data.modular_arithmetic import Pairs, split, stacked
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.learning.grokking_li2.settings import GrokkingSettings
from mem_core.nn import quadratic_mlp
from mem_core.nn.quadratic_mlp import Activations, PairRows, Parameters
from mem_core.training.optimizers import Adam


@dataclass(frozen=True)
class Examples:
    """The training or the test pairs of all networks, on the engine."""

    pairs: Pairs
    rows: PairRows
    labels: Array
    targets: Array


@dataclass(frozen=True)
class Classroom:
    """N networks before training, each with its own split of the pairs."""

    params: Parameters
    train: Examples
    test: Examples


@dataclass(frozen=True)
class Score:
    """Accuracy and loss of each network, shape (N,), as plain numbers."""

    accuracy: list[float]
    loss: list[float]


@dataclass(frozen=True)
class Moment:
    """The networks after `step` updates."""

    step: int
    params: Parameters
    activations: Activations
    train: Score
    test: Score


def prepare(engine: Engine, settings: GrokkingSettings, seed: int, stream: tuple[str | int, ...] = ()) -> Classroom:
    """Draw the pairs and the weights of the networks; network i is the same however many there are.

    Pairs and weights come from separate streams of the seed, so a change of one setting changes one of them alone.
    """
    indices = range(settings.networks)
    halves = [split(settings.modulus, settings.train_share, philox(seed, "pairs", *stream, i)) for i in indices]
    weights = [philox(seed, "weights", *stream, i) for i in indices]
    return Classroom(
        quadratic_mlp.initial_parameters(engine, settings.modulus, settings.hidden, weights, settings.output_scale),
        _examples(engine, [train for train, _ in halves], for_gradient=True),
        _examples(engine, [test for _, test in halves], for_gradient=False),
    )


def optimizer_of(settings: GrokkingSettings) -> Adam:
    """Return Adam with coupled decay; decoupled decay of this size, times the rate, would do almost nothing."""
    return Adam(learning_rate=settings.learning_rate, weight_decay=settings.weight_decay)


def _examples(engine: Engine, each: list[Pairs], *, for_gradient: bool) -> Examples:
    pairs = stacked(each)
    rows = quadratic_mlp.pair_rows(engine, pairs.modulus, pairs.first, pairs.second, for_gradient=for_gradient)
    targets = quadratic_mlp.centred_targets(engine, pairs.labels, pairs.modulus)
    return Examples(pairs, rows, engine.asarray(pairs.labels), targets)


def train(
    engine: Engine, classroom: Classroom, optimizer: Adam, steps: int, measured: Collection[int]
) -> Iterator[Moment]:
    """Train for `steps` updates and give the networks at the steps in `measured`.

    The whole gradient is by hand; decay is added to it on both layers before Adam's moments (coupled).

    Raises:
        RunError: if the loss is no longer a number.
    """
    params, train_set = classroom.params, classroom.train
    state = optimizer.init(params)
    for step in range(steps + 1):
        activations = quadratic_mlp.forward(engine, params, train_set.rows)
        loss, output_gradient = quadratic_mlp.centred_loss(engine, activations.outputs, train_set.targets)
        if step in measured:
            yield _moment(engine, classroom, step, params, activations, loss)
        if step < steps:
            gradient = quadratic_mlp.gradient(engine, params, train_set.rows, activations, output_gradient)
            params, state = optimizer.update(params, gradient, state)


def _moment(
    engine: Engine, classroom: Classroom, step: int, params: Parameters, activations: Activations, loss: Array
) -> Moment:
    if not engine.to_numpy(engine.xp.isfinite(loss)).all():
        raise RunError(f"Training diverged at step {step}: the loss is no longer a number. Lower the learning rate.")
    outputs = quadratic_mlp.forward(engine, params, classroom.test.rows).outputs
    test_loss, _ = quadratic_mlp.centred_loss(engine, outputs, classroom.test.targets)
    return Moment(
        step,
        params,
        activations,
        Score(_accuracy(engine, activations.outputs, classroom.train.labels), _numbers(engine, loss)),
        Score(_accuracy(engine, outputs, classroom.test.labels), _numbers(engine, test_loss)),
    )


def _accuracy(engine: Engine, outputs: Array, labels: Array) -> list[float]:
    xp = engine.xp
    right = xp.argmax(outputs, axis=-1) == labels
    return _numbers(engine, xp.mean(xp.astype(right, engine.float_dtype), axis=-1))


def _numbers(engine: Engine, array: Array) -> list[float]:
    values: Any = engine.to_numpy(array).tolist()
    return [float(value) for value in values]
