"""Lateral neurons that learn the principal subspace of an activity by local plasticity, block after block.

Neurons y = H·x hear the activity x and send −Hᵀ·y back. A Hebbian term y·xᵀ pulls H towards what is active, the
anti-Hebbian −y·x̂ᵀ away from what is covered already; together they are Oja's subspace rule. Rows that are finished stay
as they are, and new rows hear what those leave.

Axes: B examples, n inputs, k rows.

Source: Xiao et al. 2024, "Hebbian Learning based Orthogonal Projection for Continual Learning of Spiking Neural
Networks", arXiv 2402.11984, and its code (github.com/pkuxmq/HLOP-SNN); Oja 1989 for the rule without blocks.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine

LARGEST_CHANGE = 10.0
"""Every entry of a Hebbian change is clipped to ± this (code)."""
SPIKE_RANGE = 20.0
"""A lateral neuron that spikes can say ± this at most (code)."""
ENERGY_MEMORY = 0.99
"""Of the running mean of ‖x‖² that a relative step is divided by, per update."""


class HebbianSubspace:
    """The lateral neurons of one layer.

    Args:
        engine: where the rows live.
        width: n, number of inputs.
        step: learning rate of the rule; where `normalise`, over the running mean of ‖x‖².
        generator: draws new rows.
        momentum: μ of V ← μ·V + (1 − μ)·Δ.
        normalise: whether the step is relative to the activity's energy. An absolute step that is good for one layer
            is a thousand times too small for another.
        levels: lateral neurons that spike this often say whole multiples of SPIKE_RANGE / levels; None lets them say
            any number.
        name: of the layer, for errors.

    Raises:
        ValueError: if a number is out of its range.

    >>> from mem_core.engine import select
    >>> subspace = HebbianSubspace(select("numpy"), 6, 0.6, generator=np.random.default_rng(0))
    >>> subspace.add(2)
    >>> subspace.H.shape, subspace.n_fixed
    ((2, 6), 0)
    """

    def __init__(
        self,
        engine: Engine,
        width: int,
        step: float,
        *,
        generator: np.random.Generator,
        momentum: float = 0.9,
        normalise: bool = True,
        levels: int | None = None,
        name: str = "this layer",
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be 1 or more, got {width}.")
        if not step > 0:
            raise ValueError(f"step must be above 0, got {step}.")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be at least 0 and below 1, got {momentum}.")
        if levels is not None and levels < 1:
            raise ValueError(f"levels must be 1 or more, got {levels}.")
        self.width, self.step, self.momentum, self.normalise = width, step, momentum, normalise
        self.levels, self.name = levels, name
        self._engine, self._generator = engine, generator
        self._fixed: Array = engine.xp.zeros((0, width))
        self._free: Array = engine.xp.zeros((0, width))
        self._velocity: Array = self._free
        self._mean_energy = math.nan

    @property
    def H(self) -> Array:  # noqa: N802 - the literature's name
        """All rows, the finished ones first, shape (k, n)."""
        return self._engine.xp.concat([self._fixed, self._free], axis=0)

    @property
    def n_fixed(self) -> int:
        """How many rows are finished."""
        return len(self._fixed)

    def add(self, count: int, *, orthogonal_to_existing: bool = True) -> None:
        """Add rows that may learn, orthonormal among themselves.

        Args:
            count: how many.
            orthogonal_to_existing: whether they begin orthogonal to the rows there are. In the authors' code they do
                not, and until they have learned, what several rows cover is taken away more than once.

        Raises:
            ValueError: if there is no room for so many.
        """
        existing = self._engine.to_numpy(self.H).astype(np.float64)
        if not 0 <= count <= self.width - len(existing):
            raise ValueError(
                f"The subspace of {self.name} is full: {count} rows beside {len(existing)} do not fit into "
                f"{self.width} inputs."
            )
        drawn = self._generator.normal(size=(count, self.width))
        if orthogonal_to_existing and len(existing):
            drawn = _outside(drawn, existing)
        rows = self._engine.asarray(np.linalg.qr(drawn.T)[0].T)
        self._free = self._engine.xp.concat([self._free, rows], axis=0)
        self._velocity = self._engine.xp.concat([self._velocity, rows * 0.0], axis=0)

    def merge(self) -> None:
        """Declare all rows finished: from now on they project and do not learn."""
        self._fixed, self._free = self.H, self._free[:0]
        self._velocity = self._free

    def update(self, activity: Array, iterations: int = 5) -> None:
        """Let the rows that may learn hear a batch several times.

        For each iteration, with y = H·x for all rows, x̂ = Hᵀ·y, and Δ for the free rows alone::

            Δ = clip(Yᵀ·(X − X̂) / B, ±10),   V ← μ·V + (1 − μ)·Δ,   H ← H + η·V

        Args:
            activity: X, shape (B, n).
            iterations: how often.

        Raises:
            ValueError: if the width is another.
            RuntimeError: if the rows are no longer finite numbers.
        """
        self._require_width(activity)
        if not len(self._free):
            return
        xp = self._engine.xp
        rate = self._rate(activity)
        uncovered = self.project_out(activity)  # finished rows do not change while the others learn
        for _ in range(iterations):
            answers = self._say(activity @ xp.matrix_transpose(self._free))
            surprise = uncovered - answers @ self._free
            change = xp.matrix_transpose(answers) @ surprise / len(activity)
            change = xp.clip(change, -LARGEST_CHANGE, LARGEST_CHANGE)
            self._velocity = self.momentum * self._velocity + (1.0 - self.momentum) * change
            self._free = self._free + rate * self._velocity
        if not math.isfinite(self._engine.item(xp.sum(self._free))):
            raise RuntimeError(f"Hebbian learning diverged in {self.name}: take a smaller step than {self.step:g}.")

    def project_out(self, activity: Array) -> Array:
        """Return x − Hᵀ·H·x with the finished rows alone, shape (..., B, n)."""
        self._require_width(activity)
        if not self.n_fixed:
            return activity
        answers = self._say(activity @ self._engine.xp.matrix_transpose(self._fixed))
        return activity - answers @ self._fixed

    def _say(self, answers: Array) -> Array:
        """Return what the lateral neurons say: y, or in spikes round(clip(y, ±s)·T/s)·s/T."""
        if self.levels is None:
            return answers
        xp, unit = self._engine.xp, SPIKE_RANGE / self.levels
        return xp.round(xp.clip(answers, -SPIKE_RANGE, SPIKE_RANGE) / unit) * unit

    def _rate(self, activity: Array) -> float:
        """Return η: the step, or the step over the running mean of ‖x‖²."""
        if not self.normalise:
            return self.step
        energy = self._engine.item(self._engine.xp.sum(activity * activity)) / len(activity)
        if math.isnan(self._mean_energy):
            self._mean_energy = energy
        self._mean_energy = ENERGY_MEMORY * self._mean_energy + (1.0 - ENERGY_MEMORY) * energy
        return self.step / self._mean_energy if self._mean_energy > 0 else 0.0

    def _require_width(self, activity: Array) -> None:
        if activity.shape[-1] != self.width:
            raise ValueError(
                f"The activity of {self.name} must have {self.width} inputs, got {activity.shape[-1]}: shape "
                f"{tuple(activity.shape)}."
            )


def _outside(drawn: NDArray[np.float64], existing: NDArray[np.float64]) -> NDArray[np.float64]:
    """Remove from drawn rows what lies in the span of existing ones, whose rows are only nearly orthonormal."""
    basis = np.linalg.qr(existing.T)[0]
    for _ in range(2):  # the second time removes what rounding left of the first
        drawn = drawn - (drawn @ basis) @ basis.T
    return drawn
