"""Experiment C: training the layer on associative recall, and what its gates have learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from mem_core.data.associative_recall import BLANK, AssociativeRecall
from mem_core.engine import Engine, philox
from mem_core.mechanisms.architectures.titans import layer
from mem_core.mechanisms.architectures.titans.layer import Params
from mem_core.nn import checkpoint
from mem_core.training.optimizers import Adam
from mem_core.training.schedules import cosine
from mem_core.training.trainer import Update, train

TASK = AssociativeRecall(pairs=16, queries=16, blanks=16)
"""What the layer is trained on: sequences of 64 tokens, 49 different ones."""
STEPS, BATCH = 400, 32
PEAK_RATE, FLOOR_RATIO, WARMUP_STEPS, LARGEST_GRADIENT = 5e-3, 0.1, 20, 1.0
TESTED_PAIRS = (4, 8, 12, 16, 20, 24, 28, 32)
TEST_SEQUENCES = 64
FILE = "layer.npz"

KEY, VALUE, EMPTY = "key", "value", "blank"
KINDS = (KEY, VALUE, EMPTY)


@dataclass(frozen=True)
class Model:
    """A trained layer: its parameters, and the loss at every step of its training."""

    params: Params
    losses: tuple[float, ...]


def shipped(engine: Engine) -> Model:
    """Load the weights that come with the package; `train.py` in this folder makes them."""
    stored = checkpoint.load(engine, (files(__package__) / "weights" / FILE).read_bytes())
    return Model(stored["params"], tuple(engine.to_numpy(stored["losses"]).tolist()))


def trained(engine: Engine, seed: int) -> Iterator[Update]:
    """Train the layer, yielding after every update.

    Raises:
        DivergedError: if the loss stops being a number.
    """
    return train(
        engine,
        lambda params, tokens, right: layer.loss(engine, params, tokens, right),
        layer.init(engine, TASK.vocabulary, TASK.values, seed),
        _batches(engine, seed),
        optimizer=Adam(learning_rate=PEAK_RATE),
        rates=cosine(STEPS, PEAK_RATE, floor_ratio=FLOOR_RATIO, warmup_steps=WARMUP_STEPS),
        largest_gradient=LARGEST_GRADIENT,
    )


def recalled(engine: Engine, params: Params, pairs: int, seed: int) -> float:
    """Return the share of queries answered right in fresh sequences with so many pairs."""
    task = AssociativeRecall(pairs=pairs, queries=pairs, blanks=TASK.blanks)
    drawn = task.draw(philox(seed, "titans", "test", pairs), TEST_SEQUENCES)
    scores = layer.logits(engine, params, engine.asarray(drawn.tokens), pairs)
    answered = engine.to_numpy(engine.xp.argmax(scores, axis=-1))
    return float((answered == drawn.answers).mean())


def gates_by_kind(engine: Engine, params: Params) -> dict[str, list[float]]:
    """Return the mean gates of all tokens of a kind, in the order of `layer.GATES`.

    A gate sees one token at a time, so a query, which is a key again, has the gates of a key.
    """
    found: Any = engine.to_numpy(layer.gates(engine, params, params["embedding"]))
    first_value = BLANK + 1 + TASK.keys
    parts = {KEY: found[BLANK + 1 : first_value], VALUE: found[first_value:], EMPTY: found[BLANK : BLANK + 1]}
    return {kind: part.mean(axis=0).tolist() for kind, part in parts.items()}


def _batches(engine: Engine, seed: int) -> Iterator[tuple[Any, Any]]:
    generator = philox(seed, "titans", "training")
    while True:
        drawn = TASK.draw(generator, BATCH)
        right = drawn.answers[..., None] == engine.to_numpy(engine.xp.arange(TASK.values))
        yield engine.asarray(drawn.tokens), engine.asarray(right.astype("float64"))
