"""Training a layer for each kind of memory on associative recall, and what it recalls.

Axes: b sequences, l tokens, q queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

from mem_core.data.associative_recall import AssociativeRecall
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.architectures.mixture_of_memories.layer import Params, Shape, answer, init, loss
from mem_core.mechanisms.architectures.mixture_of_memories.settings import MIXTURE, SHARED, WIDE, MixtureSettings
from mem_core.nn import checkpoint
from mem_core.training.optimizers import Adam
from mem_core.training.trainer import Update, train

ANSWERS = 16
"""Different values, so that guessing is right one time in 16."""
VALUE_WIDTH = 16
MOST_QUERIES = 16
"""Queries in a sequence that is trained on. Fewer than pairs, so that the sequence fits into one chunk of 64 tokens."""
BATCH, RATE, LARGEST_GRADIENT = 32, 5e-3, 1.0
TEST_SEQUENCES = 32
TEST_SHARES = (1 / 3, 2 / 3, 1.0, 4 / 3)
"""How many pairs are tested, as a share of those trained on."""


FILE = "layers.npz"
AS_SHIPPED = MixtureSettings()
"""Settings of the layers whose weights come with the package; `train.py` in this folder makes them."""


@dataclass(frozen=True)
class Model:
    """A trained layer: its parameters, and the loss at every step of its training."""

    params: Params
    losses: tuple[float, ...]


@dataclass(frozen=True)
class Recalled:
    """What a trained layer answers in fresh sequences.

    Attributes:
        pairs: in a sequence, all of them asked for.
        recall: share of queries answered right.
        met: share of queries that are sent to at least one memory that the value was sent to.
        recall_met, recall_missed: share answered right of those, and of the others; 0 if there is none.
    """

    pairs: int
    recall: float
    met: float
    recall_met: float
    recall_missed: float


def task_of(settings: MixtureSettings) -> AssociativeRecall:
    """The task that is trained on."""
    queries = min(MOST_QUERIES, settings.layer_pairs)
    return AssociativeRecall(pairs=settings.layer_pairs, queries=queries, keys=settings.layer_keys, values=ANSWERS)


def shape_of(settings: MixtureSettings, arm: str) -> Shape:
    """The layer with that kind of memory; a single memory is a mixture of one."""
    mixture = arm in (MIXTURE, SHARED)
    activated = settings.layer_top_k + 1
    return Shape(
        width=settings.layer_width,
        key_width=settings.layer_key_width,
        value_width=VALUE_WIDTH * (activated if arm == WIDE else 1),
        memories=settings.memories if mixture else 1,
        top_k=settings.layer_top_k if mixture else 1,
        shared=arm == SHARED,
        vocabulary=task_of(settings).vocabulary,
        classes=ANSWERS,
    )


def shipped(engine: Engine) -> dict[str, Model]:
    """Load the layers that come with the package, by kind of memory."""
    stored = checkpoint.load(engine, (files(__package__) / "weights" / FILE).read_bytes())
    return {
        arm: Model(layer["params"], tuple(engine.to_numpy(layer["losses"]).tolist())) for arm, layer in stored.items()
    }


def trained(settings: MixtureSettings, engine: Engine, seed: int, arm: str) -> Iterator[Update]:
    """Train a layer, yielding after every update. All kinds of memory see the same sequences.

    Raises:
        DivergedError: if the loss stops being a number.
    """
    shape = shape_of(settings, arm)
    return train(
        engine,
        partial(loss, engine, shape, settings.balance),
        init(engine, shape, seed),
        _batches(settings, engine, seed),
        optimizer=Adam(learning_rate=RATE),
        rates=[RATE] * settings.layer_steps,
        largest_gradient=LARGEST_GRADIENT,
    )


def tested_pairs(settings: MixtureSettings) -> tuple[int, ...]:
    """Numbers of pairs that are tested, as far as there are keys."""
    return tuple(sorted({min(settings.layer_keys, round(share * settings.layer_pairs)) for share in TEST_SHARES}))


def tests(settings: MixtureSettings, engine: Engine, seed: int, arm: str, params: Params) -> list[Recalled]:
    """Ask a layer for all pairs of fresh sequences, with fewer and with more pairs than it was trained on."""
    return [_test(settings, engine, seed, arm, params, pairs) for pairs in tested_pairs(settings)]


def _test(settings: MixtureSettings, engine: Engine, seed: int, arm: str, params: Params, pairs: int) -> Recalled:
    task = AssociativeRecall(pairs=pairs, queries=pairs, keys=settings.layer_keys, values=ANSWERS)
    drawn = task.draw(philox(seed, "mixture of memories", "test", pairs), TEST_SEQUENCES)
    scores, routing = answer(engine, shape_of(settings, arm), params, engine.asarray(drawn.tokens), pairs)
    right = engine.to_numpy(engine.xp.argmax(scores, axis=-1)) == drawn.answers
    met = _met(engine, routing.chosen, task, drawn.lags)
    return Recalled(
        pairs=pairs,
        recall=float(right.mean()),
        met=float(met.mean()),
        recall_met=_mean(right[met]),
        recall_missed=_mean(right[~met]),
    )


def _met(engine: Engine, chosen: Array, task: AssociativeRecall, lags: Any) -> Any:
    """Say which queries share a memory with the value they ask for: booleans (b,q)."""
    sent = engine.to_numpy(chosen)
    queries = sent[:, task.length - task.queries :]
    place = engine.to_numpy(engine.xp.arange(task.length - task.queries, task.length)) - lags
    written = sent[engine.to_numpy(engine.xp.arange(len(sent)))[:, None], place]
    return (queries * written).sum(axis=-1) > 0


def _mean(right: Any) -> float:
    return float(right.mean()) if len(right) else 0.0


def _batches(settings: MixtureSettings, engine: Engine, seed: int) -> Iterator[tuple[Array, Array]]:
    task, generator = task_of(settings), philox(seed, "mixture of memories", "training")
    classes = engine.to_numpy(engine.xp.arange(ANSWERS))
    while True:
        drawn = task.draw(generator, BATCH)
        right = drawn.answers[..., None] == classes
        yield engine.asarray(drawn.tokens), engine.asarray(right.astype("float64"))
