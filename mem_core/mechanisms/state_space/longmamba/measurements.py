"""From a model to tables: one calibrated model at one length, looked at closely and tested.

Axes: n sequences, S tokens, H heads. Heads are numbered 1 … H from the one that forgets least at the trained length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from mem_core.data.needle import VALUES, Recall
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.state_space.longmamba.calibration import Plan, calibrate, plan
from mem_core.mechanisms.state_space.longmamba.filters import Mode, filtered
from mem_core.mechanisms.state_space.longmamba.models import RECIPES, TRAINED_LENGTH, Model, Task
from mem_core.nn import mamba2, mamba2_classifier
from mem_core.nn.mamba2_classifier import LastPosition

CALIBRATION_SEQUENCES = 16
TOKENS_AT_ONCE = 32_768
"""Tokens of one batch in a test; bounds the memory, about 25 MB in float32."""


class Laboratory:
    """A model with its calibration.

    Args:
        engine: where the arrays live.
        task, model: what is tested.
        clamp, theta: see `calibration`.
        seed: of all data. Calibration has a stream of its own, so no threshold has seen a test sequence.
    """

    def __init__(self, engine: Engine, task: Task, model: Model, clamp: float, theta: float, seed: int) -> None:
        self.engine, self.task, self.params, self.seed, self.theta = engine, task, model.params, seed, theta
        self.rates: Array = mamba2.decay_rates(engine, model.params["block"])
        drawn = self.draw(CALIBRATION_SEQUENCES, TRAINED_LENGTH, "calibration")
        delta = mamba2_classifier.step_sizes(engine, self.params, engine.asarray(drawn.tokens))
        self.calibration = calibrate(engine, delta, self.rates, clamp)

    def draw(self, count: int, length: int, *stream: str | int, position: int | None = None) -> Recall:
        """Draw sequences of the task from a named stream of the seed."""
        generator = philox(self.seed, "longmamba", self.task, *stream, length)
        return RECIPES[self.task].draw(generator, count, length, position)

    @cached_property
    def order(self) -> list[int]:
        """Heads from the one that forgets least."""
        decay = self.engine.to_numpy(self.calibration.decay).tolist()
        return sorted(range(len(decay)), key=lambda head: -decay[head])

    def plan(self, length: int) -> Plan:
        """Thresholds at a length."""
        return plan(self.engine, self.calibration, length, self.theta)

    def filtered(self, mode: Mode, delta: Array, plan: Plan, *stream: str | int) -> Array:
        """Step sizes that the scan gets (n,S,H); the model's own, unchanged, up to the trained length."""
        if delta.shape[1] <= TRAINED_LENGTH:
            return delta
        chance = None
        if mode == "random skip":
            generator = philox(self.seed, "longmamba", "chance", *stream, delta.shape[1])
            chance = self.engine.asarray(generator.random(tuple(delta.shape)))
        return filtered(self.engine, mode, delta, plan, chance)

    def accuracies(self, modes: Sequence[Mode], count: int, length: int, stream: str = "test") -> list[float]:
        """Share of sequences answered right at the last token, for each mode on the same sequences."""
        engine, plan = self.engine, self.plan(length)
        right = [0.0] * len(modes)
        step = max(1, TOKENS_AT_ONCE // length)
        drawn = self.draw(count, length, stream)
        for first in range(0, count, step):
            last = LastPosition(engine, self.params, engine.asarray(drawn.tokens[first : first + step]))
            answers = drawn.answers[first : first + step]
            for index, mode in enumerate(modes):
                delta = self.filtered(mode, last.delta, plan, stream, first)
                answered = engine.to_numpy(engine.xp.argmax(last.logits(delta), axis=-1))
                right[index] += float((answered == answers).sum())
        return [number / count for number in right]


class CloseLook:
    """A few sequences with the needle at one place, under one mode; the first of them is drawn.

    Attributes:
        delta, changed: step sizes before and after the filter, NumPy (n,S,H), heads in the laboratory's order.
        left_before, left_after: log₁₀ of what is left of the first token after each token (n,S,H).
        decay: δ of each head; global_heads, threshold, kept_share, curve: of the plan, heads in order.
    """

    def __init__(self, laboratory: Laboratory, mode: Mode, length: int, position: float, count: int) -> None:
        engine, order = laboratory.engine, laboratory.order
        first = 1 if laboratory.task == "marked value" else 0
        place = max(first, round(position * (length - 1)))
        self.drawn = laboratory.draw(count, length, "shown", position=place)
        self.place, self.length, self.mode = place, length, mode
        last = LastPosition(engine, laboratory.params, engine.asarray(self.drawn.tokens))
        plan = laboratory.plan(length)
        changed = laboratory.filtered(mode, last.delta, plan, "shown")
        self.probabilities = {
            name: _softmax(engine, last.logits(delta))[0] for name, delta in (("off", last.delta), (mode, changed))
        }

        def ordered(array: Array) -> Any:
            return engine.to_numpy(array)[..., order]

        self.delta, self.changed = ordered(last.delta), ordered(changed)
        self.left_before = ordered(_left(engine, last.delta, laboratory.rates)) / math.log(10)
        self.left_after = ordered(_left(engine, changed, laboratory.rates)) / math.log(10)
        self.decay = ordered(laboratory.calibration.decay)
        self.global_heads = ordered(plan.global_heads)
        self.threshold, self.kept_share = ordered(plan.threshold), ordered(plan.kept_share)
        self.curve = engine.to_numpy(plan.curve)[order]
        heads = plan.global_heads if bool(self.global_heads.any()) else laboratory.calibration.decay >= self.decay.max()
        self.retention_before = self._retention(engine, last.delta, laboratory.rates, heads)
        self.retention_after = self._retention(engine, changed, laboratory.rates, heads)

    def _retention(self, engine: Engine, delta: Array, rates: Array, heads: Array) -> list[float]:
        """Share of the needle that is left 0, 1, … tokens after it: mean over the sequences and the global heads."""
        xp = engine.xp
        left = xp.exp(_left(engine, delta[:, self.place + 1 :], rates))
        weight = xp.astype(heads, left.dtype)
        mean = xp.sum(xp.mean(left, axis=0) * weight, axis=-1) / xp.sum(weight)
        later: list[float] = engine.to_numpy(mean).tolist()
        return [1.0, *later]


def _left(engine: Engine, delta: Array, rates: Array) -> Array:
    """Natural logarithm of the cumulative decay, A Σ Δ (n,S,H)."""
    return engine.xp.cumulative_sum(delta, axis=1) * rates


def _softmax(engine: Engine, logits: Array) -> Any:
    shifted = engine.xp.exp(logits - engine.xp.max(logits, axis=-1, keepdims=True))
    return engine.to_numpy(shifted / engine.xp.sum(shifted, axis=-1, keepdims=True))


CHANCE = 1 / VALUES
"""Accuracy of guessing."""
