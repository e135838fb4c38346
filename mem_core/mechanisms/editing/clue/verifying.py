"""The memory of past traces, two means, and the verdict on new ones.

Axes: N traces, L layers, D units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.editing.clue.problems import EXPERIENCE, TEST
from mem_core.mechanisms.editing.clue.reasoner import Course
from mem_core.mechanisms.editing.clue.settings import ClueSettings
from mem_core.mechanisms.editing.clue.traces import Traces, traces_of
from mem_core.nn.nearest_centroid import (
    centroids,
    layer_curve,
    layer_distance,
    layer_distances,
    means_of_subsets,
    separation,
    verify,
)
from mem_core.training.detection_scores import DetectionRates, area_under_curve, detection_rates

TRIED_SIZES = (10, 30, 100, 300, 1000)
"""Experience per class that is tried, as far as there is so much, and all there is."""
DRAWS = 4
"""How often each size is drawn."""


@dataclass(frozen=True, eq=False)
class Experience:
    """Labelled past traces of one reasoner, as many right ones as wrong ones, and the two means that are kept.

    Attributes:
        engine: whose arrays these are.
        deltas: Δh of all past traces, shape (N, L, D).
        successes, failures: numbers of the right and of the wrong ones, as NumPy, in a random order.
        per_class: how many of each are used.
    """

    engine: Engine
    deltas: Array
    successes: Any
    failures: Any
    per_class: int

    @classmethod
    def of(cls, course: Course, settings: ClueSettings) -> Experience:
        """Let the reasoner gather experience, and label it by whether each answer was right.

        Raises:
            RunError: if it was never wrong or never right.
        """
        traces = traces_of(course, EXPERIENCE)
        order = philox(course.seed, "clue", "experience", course.model).permutation(traces.right.size)
        right = traces.right.reshape(-1)[order]
        successes, failures = order[right], order[~right]
        smaller = min(len(successes), len(failures))
        if not smaller:
            raise RunError(
                "All past traces ended alike, so there is no mean of the other class: change distraction or steps."
            )
        per_class = min(settings.experience, smaller)
        return cls(course.engine, traces.deltas(settings.subtract), successes, failures, per_class)

    @cached_property
    def used(self) -> tuple[Array, Array]:
        """Δh of the traces that are used, those that succeeded first, and their labels."""
        count, xp = self.per_class, self.engine.xp
        numbers = [*self.successes[:count].tolist(), *self.failures[:count].tolist()]
        chosen = xp.take(self.deltas, xp.asarray(numbers), axis=0)
        return chosen, xp.asarray([1] * count + [0] * count)

    @cached_property
    def means(self) -> tuple[Array, Array]:
        """V_succ and V_fail, shape (L, D)."""
        return centroids(self.engine, *self.used)

    @property
    def curve(self) -> Any:
        """The distance d(l) between the means, as NumPy, shape (L,)."""
        return self.engine.to_numpy(layer_curve(self.engine, *self.means))

    @property
    def separations(self) -> Any:
        """The distance in units of the spread of success, sep(l), as NumPy, shape (L,)."""
        return self.engine.to_numpy(separation(self.engine, *self.used, *self.means))

    @property
    def most(self) -> int:
        """How many of each class there are."""
        return min(len(self.successes), len(self.failures))

    def other_means(self, sizes: Sequence[int], draws: int, seed: int) -> Array:
        """Return the means of smaller draws: for each size and draw V_succ and V_fail, shape (2·sizes·draws, L, D)."""
        subsets = [
            philox(seed, "clue", "draw", size, draw, name).choice(numbers, size, replace=False)
            for size in sizes
            for draw in range(draws)
            for name, numbers in (("successes", self.successes), ("failures", self.failures))
        ]
        return means_of_subsets(self.engine, self.deltas, subsets)


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What the memory says of new traces.

    Attributes:
        traces: the new ones.
        to_success, to_failure: distances to the two means, as NumPy, shape (P, k).
        said: 1 where a trace is called right, as NumPy, shape (P, k).
    """

    traces: Traces
    to_success: Any
    to_failure: Any
    said: Any

    @property
    def margin(self) -> Any:
        """Distance to the mean of successes minus that to the mean of failures; below 0 is called right."""
        return self.to_success - self.to_failure

    @property
    def rates(self) -> DetectionRates:
        """How often the verdict is right."""
        return detection_rates(self.said.reshape(-1), self.traces.right.reshape(-1))

    def ranks_right_first(self, scores: Any) -> float:
        """Return how often a right trace has a lower score than a wrong one, in all problems together."""
        return area_under_curve(-scores.reshape(-1), self.traces.right.reshape(-1))


def judge(experience: Experience, traces: Traces, settings: ClueSettings, layers: range | None = None) -> Verdicts:
    """Judge traces by the nearer mean over the layers that are used, or those given.

    Raises:
        RunError: if all traces are right, or all wrong, so that there is nothing to tell apart.
    """
    require_both(traces)
    engine = experience.engine
    looked_at = settings.looked_at if layers is None else layers
    part = slice(looked_at.start, looked_at.stop)
    deltas = traces.deltas(settings.subtract)[:, part]
    success, failure = (mean[part] for mean in experience.means)
    distances = [layer_distance(engine, deltas, mean) for mean in (success, failure)]
    said = verify(engine, deltas, success, failure)
    return Verdicts(traces, *(engine.to_numpy(each).reshape(traces.right.shape) for each in (*distances, said)))


def require_both(traces: Traces) -> None:
    """Raise `RunError` if all traces are right or all are wrong."""
    if traces.right.all() or not traces.right.any():
        raise RunError(
            "All test traces ended alike, so there is nothing to tell apart: change distraction, candidates or steps."
        )


def by_experience(
    experience: Experience, traces: Traces, settings: ClueSettings, seed: int
) -> list[tuple[int, list[float]]]:
    """Return the balanced accuracy with so much experience per class, for each size and draw."""
    engine, looked_at = experience.engine, settings.looked_at
    sizes = [size for size in TRIED_SIZES if size < experience.most]
    part = slice(looked_at.start, looked_at.stop)
    deltas = traces.deltas(settings.subtract)[:, part]
    means = experience.other_means(sizes, DRAWS, seed)
    everything = experience.other_means([experience.most], 1, seed)
    distances = layer_distances(engine, deltas, engine.xp.concat([means, everything], axis=0)[:, part])
    said = engine.to_numpy(distances[:, 0::2] < distances[:, 1::2])
    right = traces.right.reshape(-1)
    found = [detection_rates(column, right).balanced for column in said.T]
    grouped = [(size, found[DRAWS * place : DRAWS * (place + 1)]) for place, size in enumerate(sizes)]
    return [*grouped, (experience.most, found[-1:])]


def traces_to_judge(course: Course, settings: ClueSettings) -> Traces:
    """Return the traces of the test problems, so many of each as are asked for."""
    return traces_of(course, TEST).first(settings.candidates)
