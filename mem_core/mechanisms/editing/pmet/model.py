"""The model that is edited: a small transformer trained on the facts of a world.

A model is trained once and remembered: what edits it does not change it, so runs that differ only in the edit share it.

Axes: B prompts, O answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from mem_core.data.fact_world import ANSWERS, PROMPT_LENGTH, FactWorld, draw_world
from mem_core.engine import Array, Engine, philox, select
from mem_core.engine.base import Kind, Precision
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.editing.pmet.settings import TRAINING_SETTINGS, EditSettings
from mem_core.nn import parallel_transformer as transformer
from mem_core.nn.relu_mlp import log_softmax
from mem_core.training.optimizers import Adam, AdamState
from mem_core.training.schedules import cosine

Params = transformer.Parameters

BLOCKS = 4
HEADS = 2
BETAS = (0.9, 0.99)
WARMUP = 50
"""Steps in which the learning rate climbs to its peak."""
STAGES = 16
"""Parts of training, after each of which the model is shown and remembered."""
REMEMBERED_STAGES = 3 * (STAGES + 1)
"""Of the last few trainings; each is about a third of a megabyte in the browser."""


@dataclass(frozen=True)
class Course:
    """One training: all that its result depends on, `settings` with what comes into play later as it is by default."""

    kind: Kind
    precision: Precision
    settings: EditSettings
    seed: int

    @classmethod
    def of(cls, engine: Engine, settings: EditSettings, seed: int) -> Course:
        """Return the training that a run with these settings begins with."""
        learned = {name: getattr(settings, name) for name in TRAINING_SETTINGS}
        return cls(engine.kind, engine.precision, EditSettings(edits=1).changed(**learned), seed)


class Learned(NamedTuple):
    """A model after some steps: its weights, its optimizer's state, and the loss of the last batch in nats."""

    params: Params
    state: AdamState
    loss: float

    @property
    def step(self) -> int:
        """How many steps it has learned."""
        return self.state.step


def make_world(settings: EditSettings, seed: int) -> FactWorld:
    """Draw the people and what is true of them."""
    return draw_world(philox(seed, "pmet", "world"), people=settings.people, names=settings.names)


def learn(engine: Engine, settings: EditSettings, seed: int) -> Iterator[Learned]:
    """Train a fresh model on random prompts, and yield it after each stage.

    Raises:
        RunError: if the loss is no longer a finite number.
    """
    course = Course.of(engine, settings, seed)
    for stage in range(1, STAGES + 1):
        yield _learned(course, stage)


@lru_cache(maxsize=REMEMBERED_STAGES)
def _learned(course: Course, stage: int) -> Learned:
    """Go on from the stage before."""
    engine, settings = select(course.kind, course.precision), course.settings
    world = make_world(settings, course.seed)
    adam = Adam(learning_rate=settings.rate, betas=BETAS)
    if stage == 0:
        shape = transformer.TransformerShape(world.vocabulary, PROMPT_LENGTH, ANSWERS, settings.width, BLOCKS, HEADS)
        params = transformer.initial_parameters(engine, shape, philox(course.seed, "pmet", "weights"))
        return Learned(params, adam.init(params), math.nan)
    params, state, loss = _learned(course, stage - 1)
    rates = cosine(settings.training_steps, settings.rate, floor_ratio=0.0, warmup_steps=WARMUP)
    generator = philox(course.seed, "pmet", "batches", stage)
    for rate in rates[state.step : stage * settings.training_steps // STAGES].tolist():
        tokens, right = world.draw(generator, settings.batch_size)
        value, gradient = transformer.loss_and_gradient(
            engine, params, engine.asarray(tokens), one_hot(engine, right), HEADS
        )
        loss = engine.item(value)
        if not math.isfinite(loss):
            raise RunError(f"Training diverged at step {state.step + 1}: lower rate, which is {settings.rate:g}.")
        params, state = adam.update(params, gradient, state, rate)
    return Learned(params, state, loss)


def log_probabilities(engine: Engine, params: Params, prompts: Any) -> Any:
    """Return ln p of every answer to NumPy prompts (…, 4), as NumPy (…, O)."""
    tokens = engine.asarray(prompts.reshape(-1, PROMPT_LENGTH))
    logs = log_softmax(engine, transformer.logits(engine, params, tokens, HEADS))
    return engine.to_numpy(logs).reshape(*prompts.shape[:-1], ANSWERS)


def one_hot(engine: Engine, answers: Any) -> Array:
    """Turn NumPy numbers of answers (…,) into rows with a single 1, (…, O)."""
    xp = engine.xp
    return xp.astype(engine.asarray(answers)[..., None] == xp.arange(ANSWERS), engine.float_dtype)
