"""What keeps new learning away from old activity: nothing, lateral neurons that learn, or exact principal components.

Axes: T time steps, B pictures, n inputs of a layer, k rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.continual.hebbian_projection.settings import (
    EVERY_STEP,
    HEBBIAN,
    LAYERS,
    PCA,
    ProjectionSettings,
)
from mem_core.nn.hebbian_subspace import HebbianSubspace
from mem_core.nn.subspaces import principal_rows, project_out

Activities = Sequence[Array]
"""What the weights of each layer hear, (T, B, n)."""


class Protection(Protocol):
    """One way to protect a network's weights; the layers are counted from the input."""

    def begin_task(self, task: int) -> None:
        """Make room for what a task, counted from 0, will add."""

    def project_out(self, layer: int, activity: Array) -> Array:
        """Return the part of an activity from which the weights may learn."""

    def learn(self, activities: Activities) -> None:
        """Hear one batch."""

    def finish_task(self, activities: Activities) -> None:
        """Finish what was learned; `activities` are those of all the task's pictures in the trained network."""

    def rows(self, layer: int) -> Array:
        """Return all rows of a layer, the unfinished ones last, shape (k, n)."""


class NoProtection:
    """Plain gradient descent."""

    def __init__(self, engine: Engine, settings: ProjectionSettings) -> None:
        self._empty = [engine.xp.zeros((0, inputs)) for inputs in settings.inputs]

    def begin_task(self, task: int) -> None:
        """Nothing to prepare."""

    def project_out(self, layer: int, activity: Array) -> Array:
        return activity

    def learn(self, activities: Activities) -> None:
        """Nothing to learn."""

    def finish_task(self, activities: Activities) -> None:
        """Nothing to finish."""

    def rows(self, layer: int) -> Array:
        return self._empty[layer]


class HebbianProtection:
    """Lateral neurons beside every layer, which learn in a task what they protect after it."""

    def __init__(self, engine: Engine, settings: ProjectionSettings, seed: int) -> None:
        self.subspaces = [
            HebbianSubspace(
                engine,
                inputs,
                settings.step,
                generator=philox(seed, "lateral", layer),
                normalise=settings.normalise,
                levels=settings.levels if settings.spiking_lateral else None,
                name=f"layer {layer}",
            )
            for layer, inputs in zip(LAYERS, settings.inputs, strict=True)
        ]
        self._engine, self._settings = engine, settings

    def begin_task(self, task: int) -> None:
        for subspace, count in zip(self.subspaces, self._settings.rows_for(task), strict=True):
            free = subspace.width - len(subspace.H)
            subspace.add(min(count, free), orthogonal_to_existing=self._settings.orthogonal_start)

    def project_out(self, layer: int, activity: Array) -> Array:
        return self.subspaces[layer].project_out(activity)

    def learn(self, activities: Activities) -> None:
        for subspace, activity in zip(self.subspaces, activities, strict=True):
            every_step = self._settings.listening == EVERY_STEP
            for batch in activity if every_step else [self._engine.xp.mean(activity, axis=0)]:
                subspace.update(batch, self._settings.iterations)

    def finish_task(self, activities: Activities) -> None:
        for subspace in self.subspaces:
            subspace.merge()

    def rows(self, layer: int) -> Array:
        return self.subspaces[layer].H


class ExactProtection:
    """Principal components of each task's activity, computed once the task is learned."""

    def __init__(self, engine: Engine, settings: ProjectionSettings) -> None:
        self._rows = [engine.xp.zeros((0, inputs)) for inputs in settings.inputs]
        self._engine, self._settings, self._task = engine, settings, 0

    def begin_task(self, task: int) -> None:
        self._task = task

    def project_out(self, layer: int, activity: Array) -> Array:
        return project_out(self._engine, activity, self._rows[layer])

    def learn(self, activities: Activities) -> None:
        """Nothing to learn before the task's end."""

    def finish_task(self, activities: Activities) -> None:
        counts = self._settings.rows_for(self._task)
        self._rows = [
            self._more(rows, activity, count)
            for rows, activity, count in zip(self._rows, activities, counts, strict=True)
        ]

    def rows(self, layer: int) -> Array:
        return self._rows[layer]

    def _more(self, rows: Array, activity: Array, count: int) -> Array:
        count = min(count, activity.shape[-1] - len(rows))
        return self._engine.xp.concat([rows, principal_rows(self._engine, activity, count, rows)], axis=0)


def protection_named(name: str, engine: Engine, settings: ProjectionSettings, seed: int) -> Protection:
    """Return the protection of that name, with nothing protected yet."""
    if name == HEBBIAN:
        return HebbianProtection(engine, settings, seed)
    return ExactProtection(engine, settings) if name == PCA else NoProtection(engine, settings)
