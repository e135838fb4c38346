"""Levenberg–Marquardt least squares, many starts and many data sets at once.

Axes: G data sets, B starts, P parameters, N measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mem_core.engine import Array, Engine

Predict = Callable[[Array], Array]
"""Maps parameters (..., P) to predictions (..., N)."""

FIRST_DAMPING = 1e-2
LARGEST_DAMPING = 1e12
"""A start whose damping has grown to this cannot go downhill any further."""
ACCEPTED, REJECTED = 0.2, 4.0
"""What a good and a bad step multiply the damping by."""
LONGEST_STEP = 3.0
"""Bound on the change of one parameter in one step; parameters are logarithms, so this is a factor of 20."""
DIFFERENCE = 1e-6
"""Half the distance of the two points from which a derivative is taken."""
EXACT = 1e-26
"""A cost below this share of the squared measurements is nothing but rounding: the fit is exact."""
SMALLEST_CURVATURE = 1e-14
"""Added to the diagonal, so that a parameter without any effect leaves the equations solvable."""


@dataclass(frozen=True)
class LeastSquaresFit:
    """The best start of each data set.

    Attributes:
        parameters: (G, P).
        cost: sum of squared differences, (G,).
        converged: whether the best start met the tolerance, (G,).
        steps: steps taken in all.
    """

    parameters: Array
    cost: Array
    converged: Array
    steps: int


def fit_least_squares(
    predict: Predict,
    measured: Array,
    starts: Array,
    engine: Engine,
    *,
    bound: float = 40.0,
    tolerance: float = 1e-12,
    scouting_steps: int = 12,
    survivors: int = 4,
    most_steps: int = 300,
) -> LeastSquaresFit:
    """Minimise Σ (measured − predict(p))² over p by damped Gauss–Newton steps from every start.

        (JᵀJ + μ diag(JᵀJ)) δ = Jᵀ r,   r = measured − predict(p)

    The damping μ falls after a step that lowers the cost and grows after one that does not, which is then undone.
    J comes from central differences. All starts take the first few steps together; the best few of each data set
    then go on until their cost changes by less than `tolerance` relative to itself.

    Args:
        predict: maps parameters (..., P) to predictions (..., N), in double precision.
        measured: (G, N).
        starts: (B, P), the same for every data set.
        engine: the engine of the arrays.
        bound: parameters stay in [-bound, bound].
        tolerance: relative change of the cost at which a start has converged.
        scouting_steps: steps that all starts take.
        survivors: how many starts go on.
        most_steps: the end in any case.

    Returns:
        the best fit per data set.

    Raises:
        ValueError: if there are no measurements, or no more of them than parameters.

    Source: Levenberg 1944, Marquardt 1963.
    """
    xp = engine.xp
    count, parameters = measured.shape[-1], starts.shape[-1]
    if count <= parameters:
        raise ValueError(
            f"A curve with {parameters} parameters needs at least {parameters + 1} measurements, got {count}."
        )
    descent = _Descent(predict, measured[:, None, :], engine, bound, tolerance)
    first = xp.broadcast_to(starts, (measured.shape[0], *starts.shape)) + xp.zeros_like(measured[:, :1, None])
    state = descent.begin(first)
    steps = 0
    while steps < scouting_steps and not state.all_done(xp):
        state, steps = descent.step(state), steps + 1
    state = state.best(survivors, xp)
    while steps < most_steps and not state.all_done(xp):
        state, steps = descent.step(state), steps + 1
    state = state.best(1, xp)
    return LeastSquaresFit(state.parameters[:, 0, :], state.cost[:, 0], state.converged[:, 0], steps)


@dataclass(frozen=True)
class _State:
    parameters: Array  # (G, B, P)
    cost: Array  # (G, B)
    damping: Array  # (G, B)
    converged: Array  # (G, B)

    def all_done(self, xp: Any) -> bool:
        return bool(xp.all(self.converged))

    def best(self, count: int, xp: Any) -> _State:
        order = xp.argsort(self.cost, axis=-1)[:, :count]
        return _State(
            xp.stack([xp.take_along_axis(column, order, axis=-1) for column in _columns(self.parameters)], axis=-1),
            *(xp.take_along_axis(item, order, axis=-1) for item in (self.cost, self.damping, self.converged)),
        )


def _columns(parameters: Array) -> list[Array]:
    return [parameters[..., index] for index in range(parameters.shape[-1])]


class _Descent:
    """One damped step for all starts, and what it needs to know."""

    def __init__(self, predict: Predict, measured: Array, engine: Engine, bound: float, tolerance: float) -> None:
        self.predict, self.measured, self.xp = predict, measured, engine.xp
        self.bound, self.tolerance = bound, tolerance
        self.rounding = EXACT * engine.xp.sum(measured * measured, axis=-1)  # (G, 1)

    def begin(self, parameters: Array) -> _State:
        cost = self._cost(parameters)
        return _State(parameters, cost, self.xp.ones_like(cost) * FIRST_DAMPING, cost < 0)

    def step(self, state: _State) -> _State:
        xp = self.xp
        slopes = self._slopes(state.parameters)  # (G, B, P, N)
        rest = self.measured - self.predict(state.parameters)  # (G, B, N)
        curvature = slopes @ xp.matrix_transpose(slopes)  # (G, B, P, P)
        identity = xp.eye(curvature.shape[-1], dtype=curvature.dtype)
        diagonal = xp.sum(curvature * identity, axis=-1)
        damped = state.damping[..., None] * diagonal + SMALLEST_CURVATURE
        move = xp.linalg.solve(curvature + damped[..., None] * identity, slopes @ rest[..., None])[..., 0]
        tried = xp.clip(state.parameters + xp.clip(move, -LONGEST_STEP, LONGEST_STEP), -self.bound, self.bound)
        cost = self._cost(tried)
        better = (cost < state.cost) & ~state.converged
        settled = state.cost - cost <= self.tolerance * state.cost
        over = (state.damping > LARGEST_DAMPING) | (state.cost <= self.rounding)
        return _State(
            xp.where(better[..., None], tried, state.parameters),
            xp.where(better, cost, state.cost),
            state.damping * xp.where(better, ACCEPTED, REJECTED),
            state.converged | (better & settled) | over,
        )

    def _cost(self, parameters: Array) -> Array:
        rest = self.measured - self.predict(parameters)
        return self.xp.sum(rest * rest, axis=-1)

    def _slopes(self, parameters: Array) -> Array:
        xp = self.xp
        shift = DIFFERENCE * xp.eye(parameters.shape[-1], dtype=parameters.dtype)
        around = xp.concat([parameters[..., None, :] + shift, parameters[..., None, :] - shift], axis=-2)
        values = self.predict(around)  # (G, B, 2 P, N)
        half = parameters.shape[-1]
        return (values[..., :half, :] - values[..., half:, :]) / (2 * DIFFERENCE)
