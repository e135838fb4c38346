"""A valley in two dimensions: a river that falls gently along x, between walls that are steep along y.

Loss L(x, y) = c(x) + 1/2 gamma (y - a sin x)^2 with the river's height c(x) = 1 / (1 + max(x, 0)): a two-dimensional
instance of the river valley assumption of arXiv 2410.05192. Gradient noise acts across the valley alone.
Axes: S schedules, P particles, T steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from mem_core.engine import Array, Engine
from mem_core.training.schedules import Rates

START_X, START_Y = 0.0, 1.0
"""Where every particle begins: at the river's spring, up on the wall."""
HOPELESS = 100.0
"""A mean hill loss this high is never seen in a stable valley; the walk is ended there."""
STABLE_BELOW = 2.0
"""The bounce on a quadratic hill dies out only if rate times steepness is below this."""


@dataclass(frozen=True)
class Valley:
    """The landscape.

    Attributes:
        steepness: curvature gamma across the valley.
        bend: how far the river swings to each side, a.
        noise: standard deviation sigma of the gradient noise across the valley.
    """

    steepness: float
    bend: float
    noise: float

    def height(self, x: float) -> float:
        """Return the loss in the river bed, c(x)."""
        return 1 / (1 + max(x, 0.0))

    def bed(self, x: float) -> float:
        """Return the y of the river bed, a sin x."""
        return self.bend * math.sin(x)

    def unstable(self, rate: float) -> bool:
        """Say whether the bounce grows without limit at this rate."""
        return rate * self.steepness >= STABLE_BELOW

    def stationary_hill_loss(self, rate: float) -> float:
        """Return the hill loss at which noise and pull balance: rate sigma^2 / (2 (2 - rate gamma))."""
        if self.unstable(rate):
            return math.inf
        return rate * self.noise**2 / (2 * (STABLE_BELOW - rate * self.steepness))

    def next_variance(self, variance: float, rate: float) -> float:
        """Return E[d^2] after one step for the distance d from a straight river.

        v <- (1 - rate gamma)^2 v + rate^2 sigma^2
        """
        return (1 - rate * self.steepness) ** 2 * variance + (rate * self.noise) ** 2

    def fastest_drain(self, variance: float) -> float:
        """Return the rate that makes the next variance smallest: gamma v / (gamma^2 v + sigma^2).

        Taking it step after step lets 1/rate grow by exactly gamma each time: the inverse decay.
        """
        return self.steepness * variance / (self.steepness**2 * variance + self.noise**2)

    def contour(self, level: float, x: float) -> tuple[float, float] | None:
        """Return the two y at which the loss has this level, or None where even the bed lies higher."""
        above_bed = level - self.height(x)
        if above_bed < 0:
            return None
        distance = math.sqrt(2 * above_bed / self.steepness)
        return self.bed(x) - distance, self.bed(x) + distance


class Average(NamedTuple):
    """Mean losses over all particles after a step, one number a schedule."""

    step: int
    river: list[float]
    hill: list[float]


@dataclass(frozen=True)
class Walk:
    """Where the particles went.

    Attributes:
        averages: mean losses at the steps that were asked for.
        path_x, path_y: positions of the first particle after 0, 1, 2, ... steps; a list a schedule.
        ended_early: whether the walk was ended because the hill loss grew beyond all bounds.
    """

    averages: list[Average]
    path_x: list[list[float]]
    path_y: list[list[float]]
    ended_early: bool


def walk(engine: Engine, valley: Valley, rates: Sequence[Rates], noise: Array, log_steps: Sequence[int]) -> Walk:
    """Let the particles descend by stochastic gradient descent, one group for each schedule, on the same noise.

    x <- x - rate dL/dx, y <- y - rate (dL/dy + sigma xi).

    Args:
        engine: where to compute.
        valley: the landscape.
        rates: one array of T rates for each of the S schedules.
        noise: standard normal numbers xi, shape (T, P).
        log_steps: steps after which to take averages, ascending from 0 to T.
    """
    xp = engine.xp
    every_rate = xp.stack([engine.asarray(schedule) for schedule in rates], axis=1)[:, :, None]  # (T, S, 1)
    kicks = engine.asarray(noise)[:, None, :] * valley.noise  # (T, 1, P)
    x = xp.full((len(rates), noise.shape[1]), START_X)  # (S, P)
    y = xp.full((len(rates), noise.shape[1]), START_Y)
    path = [(x[:, 0], y[:, 0])]
    averages = [_average(engine, valley, x, y, 0)]
    for start, stop in pairwise(log_steps):
        for rate, kick in zip(every_rate[start:stop], kicks[start:stop], strict=True):
            x, y = _step(engine, valley, x, y, rate, kick)
            path.append((x[:, 0], y[:, 0]))
        averages.append(_average(engine, valley, x, y, stop))
        if not max(averages[-1].hill) < HOPELESS:
            break
    path_x, path_y = (engine.to_numpy(xp.stack(list(part), axis=1)).tolist() for part in zip(*path, strict=True))
    return Walk(averages, path_x, path_y, averages[-1].step < log_steps[-1])


def _step(engine: Engine, valley: Valley, x: Array, y: Array, rate: Array, kick: Array) -> tuple[Array, Array]:
    xp = engine.xp
    downhill = 1 / (1 + xp.abs(x)) ** 2 * (x >= 0)  # -c'(x); flat before the spring
    if valley.bend == 0:
        return x + rate * downhill, y - rate * (valley.steepness * y + kick)
    push = valley.steepness * (y - valley.bend * xp.sin(x))  # dL/dy
    return x + rate * (downhill + push * (valley.bend * xp.cos(x))), y - rate * (push + kick)


def _average(engine: Engine, valley: Valley, x: Array, y: Array, step: int) -> Average:
    xp = engine.xp
    river = 1 / (1 + xp.where(x > 0, x, xp.zeros_like(x)))
    hill = valley.steepness / 2 * (y - valley.bend * xp.sin(x)) ** 2
    return Average(step, *(engine.to_numpy(xp.mean(part, axis=1)).tolist() for part in (river, hill)))
