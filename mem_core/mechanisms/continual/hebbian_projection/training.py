"""Training all networks side by side, task after task, on the same batches from the same first weights.

Axes: N networks, T time steps, B pictures, n inputs and m outputs of a layer, K tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mem_core.data.digit_tasks import CLASSES
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.continual.hebbian_projection.network import (
    Response,
    answers,
    errors,
    heard,
    initial_weights,
    respond,
)
from mem_core.mechanisms.continual.hebbian_projection.protection import Activities, Protection, protection_named
from mem_core.mechanisms.continual.hebbian_projection.settings import HEBBIAN, LAYERS, ProjectionSettings
from mem_core.mechanisms.continual.hebbian_projection.stream import Pictures, Stream
from mem_core.mechanisms.contract import RunError
from mem_core.nn.subspaces import captured_energy, principal_rows
from mem_core.training.optimizers import SGD

FRAMES = 24
"""Of a run, not counting the first."""
PROBED = 128
"""Training pictures of the task at hand on which the captured energy is measured."""
LARGEST_LOSS = 100.0
"""Of a batch, nats; ten classes drawn at random have 2.3."""


class Captured(NamedTuple):
    """Which share of its task's activity all rows of a layer capture, and which the best choice of the new ones would.

    The rows that were finished before stay in both.
    """

    batch: int
    task: int
    layer: str
    captured: float
    best: float


class Protected(NamedTuple):
    """Which share of a task's activity the rows of a layer capture when the task has ended."""

    protection: str
    task: int
    layer: str
    captured: float


class LateralRows(NamedTuple):
    """The rows of one layer's lateral neurons, each of shape (k, n), and what they hear.

    Attributes:
        old: finished before the task at hand; these project.
        new: of the task at hand.
        best: as many as are new, the best there are beside the old ones.
        activity: of the task's pictures, (T, B, n).
    """

    old: Array
    new: Array
    best: Array
    activity: Array


@dataclass(eq=False)
class History:
    """What was measured so far.

    Attributes:
        first_task: batches so far, and every network's accuracy on the first task.
        checkpoints: after each task the accuracy of every network on every task, (K, N, K).
        captured: by the lateral neurons of the task at hand, all the way.
        protected: by every protection of each finished task.
    """

    first_task: list[tuple[int, list[float]]] = field(default_factory=list)
    checkpoints: list[list[list[float]]] = field(default_factory=list)
    captured: list[Captured] = field(default_factory=list)
    protected: list[Protected] = field(default_factory=list)


class Networks:
    """All networks with their protections, and what was measured of them.

    Attributes:
        names: of the protections, in the order of the networks.
        protections: by name.
        history: what was measured so far.
        batch: updates so far.
        task: the one at hand, counted from 0.
        lateral: the rows of every layer when last measured; nothing without lateral neurons.
    """

    def __init__(self, engine: Engine, settings: ProjectionSettings, stream: Stream, seed: int) -> None:
        self.names = settings.protections
        self.protections = {name: protection_named(name, engine, settings, seed) for name in self.names}
        self.history, self.batch, self.task = History(), 0, 0
        self.lateral: list[LateralRows] = []
        self._engine, self._settings, self._stream = engine, settings, stream
        widths = (*settings.inputs, CLASSES)
        self._weights = initial_weights(engine, philox(seed, "weights"), widths, len(self.names))
        self._optimizer = SGD(learning_rate=settings.learning_rate)
        self._old_rows = [0] * len(LAYERS)

    def begin_task(self, task: int) -> None:
        """Let every protection make room for a task."""
        self.task = task
        if HEBBIAN in self.protections:
            self._old_rows = [len(self.protections[HEBBIAN].rows(number)) for number in range(len(LAYERS))]
        for protection in self.protections.values():
            protection.begin_task(task)

    def learn(self, batch: Pictures) -> None:
        """Update weights and protections on one batch.

        Raises:
            RunError: if a loss is not a finite number, or very large.
        """
        response = self._respond(batch.images)
        loss, deltas = errors(self._engine, self._weights, response, batch.targets)
        self._require_sound(loss)
        gradients = []
        for number, protection in enumerate(self.protections.values()):
            activities = heard(self._engine, batch.images, response, number)
            gradients.append(self._gradient(protection, [delta[number] for delta in deltas], activities))
            protection.learn(activities)
        gradient = [self._engine.xp.stack(parts) for parts in zip(*gradients, strict=True)]
        state = self._optimizer.init(self._weights)  # without momentum there is nothing to carry on
        self._weights, _ = self._optimizer.update(self._weights, gradient, state)
        self.batch += 1

    def measure(self) -> None:
        """Write down the accuracy on the first task, and what the lateral neurons capture of the task at hand."""
        first_task = self.history.first_task
        if not first_task or first_task[-1][0] < self.batch:  # a task begins with the weights of the last one's end
            first_task.append((self.batch, self._accuracies(self._stream.tests[0])))
        self.lateral = self._lateral_rows()
        for number, found in enumerate(self.lateral):
            energies = [
                captured_energy(self._engine, found.activity, self._engine.xp.concat([found.old, new], axis=0))
                for new in (found.new, found.best)
            ]
            self.history.captured.append(Captured(self.batch, self.task, LAYERS[number], *energies))

    def finish_task(self) -> None:
        """Finish what the protections learned, and write down the checkpoint."""
        activities = self._activities(self._stream.training[self.task].images)
        for name, protection in self.protections.items():
            protection.finish_task(activities[name])
            self.history.protected += [
                Protected(name, self.task, layer, captured_energy(self._engine, activity, protection.rows(number)))
                for number, (layer, activity) in enumerate(zip(LAYERS, activities[name], strict=True))
            ]
        by_task = [self._accuracies(test) for test in self._stream.tests]
        self.history.checkpoints.append([list(of_network) for of_network in zip(*by_task, strict=True)])

    def hidden_layer(self, images: Array, name: str, layer: int) -> tuple[Array, Array]:
        """Return spikes and traces of a hidden layer, counted from 0, of one network, (T, B, K)."""
        trains, network = self._respond(images).hidden[layer], self.names.index(name)
        return trains.spikes[network], trains.traces[network]

    def _lateral_rows(self) -> list[LateralRows]:
        if HEBBIAN not in self.protections:
            return []
        activities = self._activities(self._stream.training[self.task].images[:PROBED])[HEBBIAN]
        found = []
        for number, (activity, count) in enumerate(zip(activities, self._old_rows, strict=True)):
            rows = self.protections[HEBBIAN].rows(number)
            old, new = rows[:count], rows[count:]
            found.append(LateralRows(old, new, principal_rows(self._engine, activity, len(new), old), activity))
        return found

    def _activities(self, images: Array) -> dict[str, Activities]:
        """Return what the weights of each layer hear in every network, (T, B, n), by the protection's name."""
        response = self._respond(images)
        return {name: heard(self._engine, images, response, number) for number, name in enumerate(self.names)}

    def _respond(self, images: Array) -> Response:
        return respond(self._engine, self._weights, images, self._settings.time_steps)

    def _gradient(self, protection: Protection, deltas: Sequence[Array], activities: Activities) -> list[Array]:
        """Return δᵀ·x_⊥ for every layer: the weights learn from that part alone, what they answer is not touched."""
        xp = self._engine.xp
        allowed = [protection.project_out(layer, activity) for layer, activity in enumerate(activities)]
        return [
            xp.matrix_transpose(delta) @ xp.reshape(activity, (len(delta), -1))
            for delta, activity in zip(deltas, allowed, strict=True)
        ]

    def _accuracies(self, test: Pictures) -> list[float]:
        xp = self._engine.xp
        given = answers(self._engine, self._weights, test.images, self._settings.time_steps)
        right = given == xp.argmax(test.targets, axis=-1)
        shares: list[float] = self._engine.to_numpy(right).mean(axis=-1).tolist()
        return shares

    def _require_sound(self, loss: Array) -> None:
        largest = self._engine.item(self._engine.xp.max(loss))
        if not largest <= LARGEST_LOSS:  # false for NaN too
            raise RunError(
                f"Training diverged in batch {self.batch + 1} with a loss of {largest:.3g}: lower learning_rate; or, "
                f"if the lateral neurons' rows have grown too long, lower step or switch normalise on."
            )


def train(networks: Networks, stream: Stream, tasks: int) -> Iterator[None]:
    """Learn all tasks and stop wherever there is something new to show.

    Raises:
        RunError: if training diverges.
    """
    every = -(-stream.batches_a_task * tasks // FRAMES)
    for task in range(tasks):
        networks.begin_task(task)
        for done, batch in enumerate(stream.batches(task)):
            if done % every == 0:
                networks.measure()
                yield
            networks.learn(batch)
        networks.measure()
        networks.finish_task()
        yield
