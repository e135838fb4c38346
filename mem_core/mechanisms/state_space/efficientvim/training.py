"""Training on handwritten digits, and what a trained model gets right.

Axes: n picture, l token, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mem_core.data.digits import Digits, DigitsMissingError, load
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.state_space.efficientvim.model import (
    CLASSES,
    TOKENS,
    Params,
    Shape,
    answers,
    init,
    logits,
    neighbourhoods,
    shifted,
)
from mem_core.nn.flat_parameters import flatten
from mem_core.training.optimizers import Adam
from mem_core.training.schedules import cosine
from mem_core.training.trainer import DivergedError, train

TRAINING_PICTURES, TEST_PICTURES = 1297, 500
"""All 1797 of them."""
BATCH = 64
STEPS_AN_EPOCH = TRAINING_PICTURES // BATCH
"""Whole batches; the few pictures left over are other ones in every epoch."""
FULL_EPOCHS = 12
"""After so many the accuracies stand still; all accuracies that are compared are taken here."""
HOPELESS_LOSS = 20.0
"""In nats; guessing costs ln 10 = 2.3, and no run that went on to learn was ever seen above 5."""


@dataclass(frozen=True)
class Recipe:
    """How a model is made: its shape, how often it sees every picture, and the highest learning rate."""

    shape: Shape
    epochs: int
    learning_rate: float

    @property
    def steps(self) -> int:
        """How many updates that takes."""
        return self.epochs * STEPS_AN_EPOCH


@dataclass(frozen=True, eq=False)
class Pictures:
    """Some of the digits on an engine.

    Attributes:
        digits: brightness and labels as they come.
        nearby: every pixel with its neighbours (n,9,l).
        targets: one-hot labels (n,K).
    """

    digits: Digits
    nearby: Array
    targets: Array


@dataclass(frozen=True)
class Score:
    """What a model gets right on the test pictures.

    Attributes:
        accuracy: share of right answers.
        loss: mean cross-entropy, in nats.
        heads: share of right answers of every head alone.
    """

    accuracy: float
    loss: float
    heads: tuple[float, ...]


def pictures(engine: Engine) -> tuple[Pictures, Pictures]:
    """Return the pictures for training and for testing.

    Raises:
        RunError: if the package that brings them is not installed.
    """
    try:
        digits = load()
    except DigitsMissingError as error:
        raise RunError(str(error)) from error
    training, test = digits.split(TRAINING_PICTURES)
    return _moved(engine, training), _moved(engine, test)


def trained(engine: Engine, recipe: Recipe, seed: int, data: Pictures) -> Iterator[tuple[int, float, Params]]:
    """Train a model and yield step, loss and parameters after every update.

    Raises:
        RunError: if the loss grows beyond all bounds.
    """
    xp = engine.xp
    start, layout = flatten(engine, init(engine, recipe.shape, seed))

    def loss(vector: Array, nearby: Array, targets: Array) -> Array:
        return cross_entropy(engine, logits(engine, layout.tree(vector), recipe.shape, nearby), targets)

    def batches() -> Iterator[tuple[Any, Any]]:
        generator = philox(seed, "efficientvim", "batches")
        while True:
            order = generator.permutation(TRAINING_PICTURES)[: STEPS_AN_EPOCH * BATCH]
            for chosen in map(engine.asarray, order.reshape(STEPS_AN_EPOCH, BATCH)):
                yield xp.take(data.nearby, chosen, axis=0), xp.take(data.targets, chosen, axis=0)

    adam = Adam(learning_rate=recipe.learning_rate)
    rates = cosine(recipe.steps, recipe.learning_rate, floor_ratio=0.0)
    try:
        for update in train(engine, loss, start, batches(), optimizer=adam, rates=rates):
            if update.loss > HOPELESS_LOSS:
                raise DivergedError(f"The loss is {update.loss:.3g} at step {update.step}.")
            yield update.step, update.loss, layout.tree(update.params)
    except DivergedError as error:
        raise RunError(f"Training diverged: {error} Lower learning_rate, which is {recipe.learning_rate:g}.") from error


def cross_entropy(engine: Engine, scores: Array, targets: Array) -> Array:
    """Return −mean over the pictures of log softmax(scores) at the right class, in nats: scores, targets (n,K)."""
    xp = engine.xp
    scores = scores - xp.max(scores, axis=-1, keepdims=True)
    log_total = xp.log(xp.sum(xp.exp(scores), axis=-1))
    return xp.mean(log_total - xp.sum(targets * scores, axis=-1))


def measure(engine: Engine, params: Params, shape: Shape, test: Pictures) -> Score:
    """Let a model and each of its heads name all test pictures."""
    head_logits, together = answers(engine, params, shape, test.nearby)
    return Score(
        accuracy=_right(engine, together, test),
        loss=engine.item(cross_entropy(engine, together, test.targets)),
        heads=tuple(_right(engine, head, test) for head in head_logits),
    )


def final_score(engine: Engine, recipe: Recipe, seed: int, training: Pictures, test: Pictures) -> Score:
    """Train a model to its end and measure it.

    Raises:
        RunError: as `trained` does.
    """
    *_, (_, _, params) = trained(engine, recipe, seed, training)
    return measure(engine, params, recipe.shape, test)


def change_by_shift(engine: Engine, params: Params, shape: Shape, test: Pictures, shift: float) -> float:
    """Return the largest change of any logit of any test picture when every A is moved by `shift`."""
    xp = engine.xp
    before, after = (logits(engine, given, shape, test.nearby) for given in (params, shifted(params, shift)))
    return engine.item(xp.max(xp.abs(after - before)))


def slope_by_shift(engine: Engine, params: Params, shape: Shape, test: Pictures) -> float:
    """Return the largest |∂ loss / ∂ A| over the states of all blocks, on the first batch of test pictures."""

    def loss(everything: Params) -> Array:
        return cross_entropy(engine, logits(engine, everything, shape, test.nearby[:BATCH]), test.targets[:BATCH])

    gradient = engine.value_and_grad(loss)(params)[1]
    largest = (engine.xp.max(engine.xp.abs(block["mixer"]["A"])) for block in gradient["blocks"])
    return max(map(engine.item, largest))


def _moved(engine: Engine, digits: Digits) -> Pictures:
    images = engine.asarray(digits.images.reshape(len(digits), TOKENS))
    labels = engine.asarray(digits.labels)
    targets = engine.xp.astype(labels[:, None] == engine.xp.arange(CLASSES)[None, :], engine.float_dtype)
    return Pictures(digits, neighbourhoods(engine, images), targets)


def _right(engine: Engine, scores: Array, test: Pictures) -> float:
    named = engine.to_numpy(engine.xp.argmax(scores, axis=-1))
    return float((named == test.digits.labels).mean())
