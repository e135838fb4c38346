"""The training loop: one generator that yields after every update, so that a run can show frames and be stopped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mem_core.engine import Engine
from mem_core.training.optimizers import SGD, Adam, Tree, clip_by_global_norm


class DivergedError(ArithmeticError):
    """A loss that stopped being a number; the message names the step."""


@dataclass(frozen=True)
class Update:
    """One update of the parameters.

    Attributes:
        step: which one, counted from 1.
        loss: on this step's batch, before the update.
        learning_rate: that was used.
        params: after the update.
    """

    step: int
    loss: float
    learning_rate: float
    params: Tree


def train(
    engine: Engine,
    loss: Callable[..., Any],
    params: Tree,
    batches: Iterable[tuple[Any, ...]],
    *,
    optimizer: Adam | SGD,
    rates: Iterable[float],
    largest_gradient: float | None = None,
) -> Iterator[Update]:
    """Update the parameters once per learning rate, and yield after each.

    θ ← optimizer(θ, clip(∇ loss(θ, *batch)), rate)

    Args:
        engine: where the parameters live.
        loss: `loss(params, *batch)`, one number.
        params: where training starts; left as they are.
        batches: the data, one tuple for each step; drawn only as far as there are rates.
        optimizer: from `mem_core.training.optimizers`.
        rates: learning rates, one for each step, as `mem_core.training.schedules` gives them.
        largest_gradient: longer gradients are shortened to this norm; left out, none is.

    Raises:
        DivergedError: if the loss is infinite or not a number.
        ValueError: if there are fewer batches than rates.
    """
    return descend(
        engine,
        engine.value_and_grad(loss),
        params,
        batches,
        optimizer=optimizer,
        rates=rates,
        largest_gradient=largest_gradient,
    )


def descend(
    engine: Engine,
    value_and_grad: Callable[..., tuple[Any, Tree]],
    params: Tree,
    batches: Iterable[tuple[Any, ...]],
    *,
    optimizer: Adam | SGD,
    rates: Iterable[float],
    largest_gradient: float | None = None,
) -> Iterator[Update]:
    """Do what `train` does with a gradient written by hand.

    Args:
        engine: where the parameters live.
        value_and_grad: `value_and_grad(params, *batch)` returns the loss, one number, and its gradient.
        params, batches, optimizer, rates, largest_gradient: as in `train`.

    Raises:
        DivergedError: if the loss is infinite or not a number.
        ValueError: if there are fewer batches than rates.
    """
    state: Any = optimizer.init(params)
    source = iter(batches)
    for step, rate in enumerate(map(float, rates), start=1):
        batch = next(source, None)
        if batch is None:
            raise ValueError(f"batches ended before step {step}; there must be one for every learning rate.")
        value, gradient = value_and_grad(params, *batch)
        now = engine.item(value)
        if not math.isfinite(now):
            raise DivergedError(f"The loss is {now} at step {step}, at a learning rate of {rate:g}.")
        if largest_gradient is not None:
            gradient = clip_by_global_norm(gradient, largest_gradient)
        params, state = optimizer.update(params, gradient, state, rate)
        yield Update(step, now, rate, params)
