"""Training networks side by side on modular addition, some of whose training labels are wrong: AdamW.

Axes: N networks, P = p² pairs, n of them for training, p residues, K neurons.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mem_core.data.label_noise import redraw_labels
from mem_core.data.modular_arithmetic import Pairs, all_pairs, split, stacked
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.learning.grok_or_not import network
from mem_core.mechanisms.learning.grok_or_not.settings import ALL_PAIRS, BATCH_NORM, CorruptionSettings
from mem_core.nn import batch_norm, quadratic_mlp
from mem_core.nn.batch_norm import Statistics
from mem_core.nn.quadratic_mlp import PairRows, Parameters
from mem_core.training.optimizers import Adam

LEARNING_RATE = 0.01
"""For all pairs at once, and for batches of `USUAL_BATCH`; arXiv 2310.13061, App. A."""
USUAL_BATCH = 256
"""Pairs; smaller batches take √(pairs/256) of the rate. The same."""
BETAS = (0.9, 0.98)
"""Of AdamW; the same."""
LARGEST_LOSS = 1e3
"""Mean squared error from which on training counts as diverged; a network that says nothing has 1/p."""


@dataclass(frozen=True)
class Labels:
    """What one network is told about all p² pairs, ordered by the first number and then by the second.

    Attributes:
        true: the sums, whole numbers of shape (P,).
        given: the sums with the wrong labels in place, the same shape.
        trained, corrupted: which pairs are trained on, and which of those drew a label at random; (P,).
    """

    true: Any
    given: Any
    trained: Any
    corrupted: Any


@dataclass(frozen=True)
class Classroom:
    """Networks before training, with their pairs and labels."""

    params: Parameters
    labels: tuple[Labels, ...]
    pairs: Pairs
    targets: Array
    every_row: PairRows


@dataclass(frozen=True)
class Moment:
    """The networks after `step` updates; `answers` (N, P) and `features` (N, P, K) are for all pairs, in order."""

    step: int
    params: Parameters
    features: Array
    answers: Any


def label_pairs(settings: CorruptionSettings, seed: int) -> tuple[Pairs, Labels]:
    """Split the pairs and draw the wrong labels; return the training pairs and what is told about all pairs.

    Pairs and labels come from separate streams: more wrong labels do not change which pairs are trained on.
    """
    everything = all_pairs(settings.modulus)
    pairs, _ = split(settings.modulus, settings.data_share, philox(seed, "pairs"))
    noisy = redraw_labels(pairs.labels, settings.modulus, settings.corruption, philox(seed, "labels"))
    trained = pairs.present.reshape(-1)
    given, corrupted = everything.labels, trained & False
    given[trained], corrupted[trained] = noisy.given, noisy.redrawn
    return pairs, Labels(everything.labels, given, trained, corrupted)


def prepare(engine: Engine, each: Sequence[CorruptionSettings], seed: int) -> Classroom:
    """Draw pairs, labels and weights of networks that differ in their corruption only."""
    first = each[0]
    told = [label_pairs(settings, seed) for settings in each]
    weights = [philox(seed, "weights") for _ in each]
    params = quadratic_mlp.normal_parameters(engine, first.modulus, first.hidden, weights)
    if first.regulariser == BATCH_NORM:
        params = network.with_normalisation(engine, params)
    given = engine.xp.stack([engine.asarray(labels.given[labels.trained]) for _, labels in told])
    return Classroom(
        params,
        tuple(labels for _, labels in told),
        stacked([pairs for pairs, _ in told]),
        engine.xp.eye(first.modulus)[given],
        _rows(engine, stacked([all_pairs(first.modulus)] * len(each)), for_gradient=False),
    )


def _rows(engine: Engine, pairs: Pairs, *, for_gradient: bool) -> PairRows:
    return quadratic_mlp.pair_rows(engine, pairs.modulus, pairs.first, pairs.second, for_gradient=for_gradient)


def _batches(
    engine: Engine, classroom: Classroom, settings: CorruptionSettings, seed: int
) -> Iterator[tuple[PairRows, Array]]:
    """Give the pairs and the targets of one step after the other, for ever."""
    pairs, targets = classroom.pairs, classroom.targets
    size = pairs.count if settings.batch == ALL_PAIRS else min(int(settings.batch), pairs.count)
    if size == pairs.count:
        everything = _rows(engine, pairs, for_gradient=True)
        while True:
            yield everything, targets
    draws = philox(seed, "batches")
    while True:
        order = draws.permutation(pairs.count)
        for start in range(0, pairs.count - size + 1, size):
            chosen = order[start : start + size]
            batch = Pairs(pairs.modulus, pairs.first[:, chosen], pairs.second[:, chosen])
            yield _rows(engine, batch, for_gradient=True), engine.xp.take(targets, engine.asarray(chosen), axis=1)


def optimizer_of(settings: CorruptionSettings) -> Adam:
    """Return AdamW: decay acts on the weights directly, times the learning rate, and never meets the gradient."""
    rate = LEARNING_RATE
    if settings.batch != ALL_PAIRS:
        rate *= math.sqrt(int(settings.batch) / USUAL_BATCH)
    return Adam(learning_rate=rate, betas=BETAS, weight_decay=settings.acting_decay, decoupled=True)


def train(
    engine: Engine, classroom: Classroom, settings: CorruptionSettings, seed: int, measured: Collection[int]
) -> Iterator[Moment]:
    """Train with the decay or the dropout of the settings and give the networks at the steps in `measured`.

    Raises:
        RunError: if the loss is no longer a number, or above 1000.
    """
    params = classroom.params
    optimizer = optimizer_of(settings)
    state = optimizer.init(params)
    statistics = _first_statistics(engine, params)
    draws = philox(seed, "dropout")
    batches = _batches(engine, classroom, settings, seed)
    for step in range(settings.steps + 1):
        if step in measured:
            yield _moment(engine, classroom, step, params, statistics)
        if step == settings.steps:
            return
        rows, targets = next(batches)
        kept = _kept(engine, draws, (rows.networks, rows.count, settings.hidden), settings.acting_dropout)
        passed = network.training_pass(engine, params, rows, kept)
        loss, output_gradient = quadratic_mlp.squared_loss(engine, passed.outputs, targets)
        if step in measured:
            _check_loss(engine, step, loss)
        found = network.gradient(engine, params, rows, passed, output_gradient)
        params, state = optimizer.update(params, found, state)
        if passed.batch is not None and statistics is not None:
            statistics = statistics.after(passed.batch.statistics)


def _first_statistics(engine: Engine, params: Parameters) -> Statistics | None:
    if network.GAIN not in params:
        return None
    networks, _, neurons = params["hidden"].shape
    return batch_norm.initial_statistics(engine, networks, neurons)


def _kept(engine: Engine, draws: Any, shape: tuple[int, ...], rate: float) -> Array | None:
    """Return dropout's factors: 0 with probability `rate`, else 1/(1 − rate), so that the mean stays 1."""
    if rate == 0:
        return None
    return engine.asarray((draws.random(shape) >= rate) / (1.0 - rate))


def _moment(
    engine: Engine, classroom: Classroom, step: int, params: Parameters, statistics: Statistics | None
) -> Moment:
    features = network.features(engine, params, classroom.every_row, statistics)
    answers = engine.to_numpy(engine.xp.argmax(features @ params["output"], axis=-1))
    return Moment(step, params, features, answers)


def _check_loss(engine: Engine, step: int, loss: Array) -> None:
    largest = max(float(value) for value in engine.to_numpy(loss))
    if not largest < LARGEST_LOSS:
        raise RunError(
            f"Training diverged at step {step}: the loss is {largest:g}. Choose another regulariser or fewer neurons."
        )
