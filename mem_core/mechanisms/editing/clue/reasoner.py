"""The reasoner: a small network that learns to answer, and, with feedback, to tell whether its answer is right.

    loss = cross-entropy of the answer + w · binary cross-entropy of (correctness head, current answer is right)

The correctness head is an eleventh output, linear in the last hidden layer, that starts at zero. Whether the answer is
right is taken as given: no gradient passes through it. The paper's models got their feedback by reinforcement learning;
this is supervised and only an analogue.

A reasoner is trained once and remembered: a slider that needs no training asks for the same one again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from mem_core.engine import Array, Engine, philox, select
from mem_core.engine.base import Kind, Precision
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.editing.clue.problems import (
    CLASSES,
    INPUTS,
    TRAIN,
    Pictures,
    dealt,
    end_inputs,
    evidence_for,
    prompts_for,
)
from mem_core.mechanisms.editing.clue.settings import TRAINING_SETTINGS, ClueSettings
from mem_core.nn import relu_mlp
from mem_core.nn.relu_mlp import Parameters
from mem_core.training.optimizers import Adam, AdamState

LEARNING_RATE = 2e-3
BATCH = 128
STAGES = 6
"""Parts of training, after each of which it is shown."""
REMEMBERED_STAGES = 6 * 3 * (STAGES + 1)
"""Of the last few runs, three feedbacks each; with Adam's state about 140 kB for a default reasoner."""


@dataclass(frozen=True)
class Course:
    """One training: all that its result depends on, `settings` with what comes into play later as it is by default."""

    kind: Kind
    precision: Precision
    settings: ClueSettings
    seed: int
    model: int
    feedback: int

    @classmethod
    def of(cls, engine: Engine, settings: ClueSettings, seed: int, model: int, feedback: int) -> Course:
        """Return the training of one reasoner of a run."""
        learned = {name: getattr(settings, name) for name in TRAINING_SETTINGS}
        reduced = ClueSettings().changed(layer=1, **learned)
        return cls(engine.kind, engine.precision, reduced, seed, model, feedback)

    @property
    def engine(self) -> Engine:
        """Where it runs."""
        return select(self.kind, self.precision)


class Learned(NamedTuple):
    """A reasoner after some steps, with the mean of its last stage: loss in nats, share of right answers."""

    params: Parameters
    state: AdamState
    loss: float
    right: float


def learn(course: Course) -> Iterator[Learned]:
    """Train a fresh reasoner, and yield it after each stage.

    Raises:
        RunError: if training diverges, or the digits are not installed.
    """
    for stage in range(1, STAGES + 1):
        yield _learned(course, stage)


def trained(course: Course) -> Learned:
    """Return the reasoner at the end of its training."""
    return _learned(course, STAGES)


@lru_cache(maxsize=REMEMBERED_STAGES)
def _learned(course: Course, stage: int) -> Learned:
    """Go on from the stage before."""
    engine, settings = course.engine, course.settings
    adam = Adam(learning_rate=LEARNING_RATE)
    if stage == 0:
        params = initial(engine, settings, course.seed, course.model)
        return Learned(params, adam.init(params), math.nan, math.nan)
    params, state, _, _ = _learned(course, stage - 1)
    pictures = dealt(course.seed, course.model)[TRAIN]
    generator = philox(course.seed, "clue", "batches", course.model, stage)  # the same for every feedback
    losses, rights = [], []
    for _ in range(state.step, stage * settings.steps // STAGES):
        chosen = generator.integers(len(pictures.labels), size=BATCH)
        drawn = Pictures(*(part[chosen] for part in pictures))
        prompts = prompts_for(generator, drawn)
        inputs = end_inputs(engine, prompts, evidence_for(settings, generator, drawn, 1))
        loss, right, gradient = loss_and_gradient(engine, params, inputs, drawn.labels, course.feedback)
        losses.append(loss)
        rights.append(right)
        params, state = adam.update(params, gradient, state)
    loss, right = (engine.item(engine.xp.mean(engine.xp.stack(each))) for each in (losses, rights))
    if not math.isfinite(loss):
        raise RunError("Training diverged: the loss is no longer a number. Lower width or depth.")
    return Learned(params, state, loss, right)


def initial(engine: Engine, settings: ClueSettings, seed: int, model: int) -> Parameters:
    """Draw the first weights so that sizes are kept from layer to layer; the correctness head starts at zero.

    N(0, 2/inputs) before max(0, ·), which takes away half, and N(0, 1/inputs) for the linear outputs; biases are zero.

    Source: He et al. 2015 (arXiv 1502.01852), section 2.2.
    """
    generator = philox(seed, "clue", "weights", model)
    widths = (INPUTS, *[settings.width] * settings.depth, CLASSES + 1)
    params = []
    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        gain = 2 if number < settings.depth else 1
        weight = generator.normal(scale=math.sqrt(gain / inputs), size=(1, inputs, outputs))
        params.append({"weight": weight, "bias": 0.0 * weight[:, :1]})
    params[-1]["weight"][..., CLASSES:] = 0.0
    return [{name: engine.asarray(part) for name, part in layer.items()} for layer in params]


def loss_and_gradient(
    engine: Engine, params: Parameters, inputs: Array, labels: Array, feedback: int
) -> tuple[Array, Array, Parameters]:
    """Return the loss in nats, the share of right answers, and the gradient of the loss by the weights.

    Args:
        engine: whose arrays these are.
        params: the weights of one reasoner.
        inputs: shape (n, 81).
        labels: the right answers as NumPy, shape (n,).
        feedback: w, at least 0.
    """
    xp, count = engine.xp, inputs.shape[0]
    activations = relu_mlp.forward(engine, params, inputs[None])
    logits, belief = activations[-1][..., :CLASSES], activations[-1][..., CLASSES:]
    truth = engine.asarray(labels)
    wanted = xp.astype(truth[:, None] == xp.arange(CLASSES), engine.float_dtype)[None]
    answer_loss, answer_error = relu_mlp.cross_entropy(engine, logits, wanted)
    right = xp.astype(xp.argmax(logits, axis=-1) == truth, engine.float_dtype)[..., None]
    # −ln σ(z) where right and −ln σ(−z) where wrong: max(z, 0) − z·y + ln(1 + e^−|z|)
    costs = belief * (belief > 0) - belief * right + xp.log(1.0 + xp.exp(-xp.abs(belief)))
    belief_error = (1.0 / (1.0 + xp.exp(-belief)) - right) * (feedback / count)
    loss = answer_loss[0] + feedback * xp.mean(costs)
    error = xp.concat([answer_error, belief_error], axis=-1)
    return loss, xp.mean(right), relu_mlp.gradient(engine, params, activations, error)
