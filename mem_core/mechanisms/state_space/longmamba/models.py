"""The two tasks, the small models that solve them at 32 tokens, and where their weights come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Literal

from mem_core.data.needle import VALUES, VOCABULARY, Recall, marked_value, one_needle
from mem_core.engine import Array, Engine, philox
from mem_core.nn import checkpoint, mamba2_classifier
from mem_core.nn.mamba2 import Mamba2Shape
from mem_core.nn.mamba2_classifier import Params
from mem_core.training.optimizers import Adam
from mem_core.training.schedules import cosine
from mem_core.training.trainer import Update, train

Task = Literal["one needle", "marked value"]

TRAINED_LENGTH = 32
"""Tokens in a training sequence, L."""
MODELS = (0, 1, 2, 3)
"""Seeds of the shipped models."""
PEAK_RATE, WARMUP_STEPS, LARGEST_GRADIENT = 1e-2, 20, 1.0
BETAS = (0.9, 0.95)
BATCH = 32
"""Sequences in one step of training."""


@dataclass(frozen=True)
class Recipe:
    """How a model for one task is made.

    Attributes:
        draw: makes sequences, `draw(generator, batch, length, position=None)`.
        shape: sizes of the Mamba-2 block.
        own_token: how the convolution starts (see `mamba2.init`). "Each position passes its own token" leads to models
            that write a needle where its step size is; from a random mixture, part of a needle is written by the three
            tokens after it, whose step sizes say nothing about it.
        steps: of training.
        file: stem of the shipped weights.
    """

    draw: Callable[..., Recall]
    shape: Mamba2Shape
    own_token: bool
    steps: int
    file: str


RECIPES: dict[Task, Recipe] = {
    "one needle": Recipe(one_needle, Mamba2Shape(), True, 250, "needle"),
    "marked value": Recipe(marked_value, Mamba2Shape(width=16, heads=4), False, 600, "marked"),
}


@dataclass(frozen=True)
class Model:
    """A trained model: parameters of `mamba2_classifier`, and the loss at every step of its training."""

    params: Params
    losses: tuple[float, ...]


def shipped(engine: Engine, task: Task, seed: int) -> Model:
    """Load the weights that come with the package; `train.py` in this folder makes them."""
    file = files(__package__) / "weights" / f"{RECIPES[task].file}{seed}.npz"
    stored = checkpoint.load(engine, file.read_bytes())
    return Model(stored["params"], tuple(engine.to_numpy(stored["losses"]).tolist()))


def trained(engine: Engine, task: Task, seed: int) -> Iterator[Update]:
    """Train a model, yielding after every update.

    The decay rates A of the heads stay where they start: they set each head's time scale, and training finds Δ.

    Raises:
        DivergedError: if the loss stops being a number.
    """
    recipe = RECIPES[task]
    generator = philox(seed, "longmamba", task, "weights")
    start = mamba2_classifier.init(engine, recipe.shape, VOCABULARY, VALUES, generator, recipe.own_token)
    rates = start["block"].pop("A_log")

    def complete(params: Params) -> Params:
        return {**params, "block": {**params["block"], "A_log": rates}}

    updates = train(
        engine,
        lambda params, tokens, targets: loss(engine, complete(params), tokens, targets),
        start,
        _batches(engine, recipe, seed, task),
        optimizer=Adam(learning_rate=PEAK_RATE, betas=BETAS),
        rates=cosine(recipe.steps, PEAK_RATE, floor_ratio=0.0, warmup_steps=WARMUP_STEPS),
        largest_gradient=LARGEST_GRADIENT,
    )
    for update in updates:
        yield replace(update, params=complete(update.params))


def loss(engine: Engine, params: Params, tokens: Array, targets: Array) -> Array:
    """Cross-entropy, −Σ targets · log softmax(logits): tokens (b,l), targets (b,l,K) with a total of one."""
    xp = engine.xp
    scores = mamba2_classifier.logits(engine, params, tokens)
    scores = scores - xp.max(scores, axis=-1, keepdims=True)
    return -xp.sum(targets * (scores - xp.log(xp.sum(xp.exp(scores), axis=-1, keepdims=True))))


def _batches(engine: Engine, recipe: Recipe, seed: int, task: Task) -> Iterator[tuple[Any, Any]]:
    generator = philox(seed, "longmamba", task, "training")
    while True:
        drawn = recipe.draw(generator, BATCH, TRAINED_LENGTH)
        yield engine.asarray(drawn.tokens), _targets(engine, drawn)


def _targets(engine: Engine, drawn: Recall) -> Array:
    """Ask for the answer at every position from the value on, all of them with equal weight (b,l,K)."""
    xp = engine.xp
    positions, answers = engine.asarray(drawn.positions), engine.asarray(drawn.answers)
    asked = xp.arange(drawn.tokens.shape[1])[None, :] >= positions[:, None]
    right = answers[:, None] == xp.arange(VALUES)[None, :]
    targets = xp.astype(asked[:, :, None] & right[:, None, :], engine.float_dtype)
    return targets / xp.sum(targets)
