"""What five methods do against forgetting: for each iteration a plasticity and a stability gradient.

Every method learns the new batch with its cross-entropy (plasticity). What it adds for the earlier tasks (stability):

    finetune  nothing
    ER        cross-entropy on a batch of stored examples, as large as the new one; their mean is taken separately
    EWC       λ Σ F·(θ − θ*)²
    LwF       KL(answers before this task ‖ answers now) on the new pictures, over the classes known before
    GEM       what turns the plasticity gradient so that no remembered task gets worse

Source: De Lange et al. 2023, arXiv 2205.13452, Section 4 and its code, github.com/Mattdl/ContinualEvaluation.
Axes: N networks, n pictures, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from mem_core.data.replay import BalancedMemory
from mem_core.engine import Array, Engine
from mem_core.mechanisms.continual.stability_gap.settings import (
    DISTILLATION,
    ELASTIC,
    FINETUNE,
    PROJECTION,
    REPLAY,
    GapSettings,
)
from mem_core.mechanisms.continual.stability_gap.stream import Batch, Numbers, Stream
from mem_core.nn import relu_mlp
from mem_core.nn.relu_mlp import Parameters
from mem_core.training.elastic_weights import Anchor, penalty
from mem_core.training.gradient_projection import correction
from mem_core.training.tree_arithmetic import weighted_sum

TEMPERATURE = 2.0
"""Of LwF's answers (authors' code, configs)."""
MARGIN = 0.5
"""γ of GEM (authors' code)."""


class Gradients(NamedTuple):
    """Of one iteration.

    Attributes:
        loss: cross-entropy of the new batch, in nats, shape (N,).
        plasticity: gradient of that loss.
        stability: gradient for the earlier tasks; None where there is none, as in the first task.
        step: their weighted sum, which the weights follow.
    """

    loss: Array
    plasticity: Parameters
    stability: Parameters | None
    step: Parameters


class Finetune:
    """Learns the new task and does nothing for the old; the other methods build on it."""

    plasticity_weight = stability_weight = 1.0

    def __init__(self, settings: GapSettings, engine: Engine, stream: Stream) -> None:
        self.settings, self.engine, self.stream = settings, engine, stream

    def gradients(self, params: Parameters, batch: Batch, task: int) -> Gradients:
        """Return the gradients of one iteration."""
        activations = relu_mlp.forward(self.engine, params, batch.images)
        loss, error = relu_mlp.cross_entropy(self.engine, activations[-1], batch.targets)
        plasticity = relu_mlp.gradient(self.engine, params, activations, error)
        stability = self.stability(params, plasticity, batch, activations) if task else None
        if stability is None:
            return Gradients(loss, plasticity, None, weighted_sum([plasticity], [self.plasticity_weight]))
        step = weighted_sum([plasticity, stability], [self.plasticity_weight, self.stability_weight])
        return Gradients(loss, plasticity, stability, step)

    def stability(
        self, params: Parameters, plasticity: Parameters, batch: Batch, activations: Sequence[Array]
    ) -> Parameters | None:
        """Return the gradient for the earlier tasks, from the second task on."""
        return None

    def begin_task(self, params: Parameters, task: int) -> None:
        """Take note that a task after the first begins, and remember what the one before it leaves behind."""


class Replay(Finetune):
    """ER: stored examples of earlier tasks beside the new ones."""

    def __init__(self, settings: GapSettings, engine: Engine, stream: Stream) -> None:
        super().__init__(settings, engine, stream)
        self.plasticity_weight, self.stability_weight = settings.new_weight, 1 - settings.new_weight
        self._memories = Memories(settings, stream)

    def stability(
        self, params: Parameters, plasticity: Parameters, batch: Batch, activations: Sequence[Array]
    ) -> Parameters:
        replayed = self.stream.pictures(self._memories.draw(batch.images.shape[1]))
        return cross_entropy_gradient(self.engine, params, replayed)

    def begin_task(self, params: Parameters, task: int) -> None:
        self._memories.keep(task - 1)


class ElasticWeights(Finetune):
    """EWC: springs on the weights, as stiff as the weights were important."""

    _anchor: Anchor | None = None

    def stability(
        self, params: Parameters, plasticity: Parameters, batch: Batch, activations: Sequence[Array]
    ) -> Parameters:
        assert self._anchor is not None, "a task after the first begins with begin_task"
        _, gradient = penalty(self.engine, params, self._anchor, self.settings.stiffness)
        pulled: Parameters = gradient
        return pulled

    def begin_task(self, params: Parameters, task: int) -> None:
        learned = self.stream.whole(task - 1)
        activations = relu_mlp.forward(self.engine, params, learned.images)
        errors = self.engine.xp.exp(relu_mlp.log_softmax(self.engine, activations[-1])) - learned.targets
        importance = relu_mlp.squared_gradients(self.engine, params, activations, errors)
        self._anchor = Anchor.after(self._anchor, params, importance)


class Distillation(Finetune):
    """LwF: the network as it was before this task teaches the new one."""

    _teacher: Parameters | None = None
    _units = 0

    def stability(
        self, params: Parameters, plasticity: Parameters, batch: Batch, activations: Sequence[Array]
    ) -> Parameters:
        assert self._teacher is not None, "a task after the first begins with begin_task"
        answers = relu_mlp.forward(self.engine, self._teacher, batch.images)[-1]
        _, error = relu_mlp.distillation(
            self.engine, activations[-1], answers, temperature=TEMPERATURE, units=self._units
        )
        return relu_mlp.gradient(self.engine, params, activations, error)

    def begin_task(self, params: Parameters, task: int) -> None:
        self._teacher, self._units = params, self.stream.known_classes(task)


class Projection(Finetune):
    """GEM: no step that raises the loss on a remembered task."""

    def __init__(self, settings: GapSettings, engine: Engine, stream: Stream) -> None:
        super().__init__(settings, engine, stream)
        self._memories = Memories(settings, stream)
        self._remembered: list[Batch] = []

    def stability(
        self, params: Parameters, plasticity: Parameters, batch: Batch, activations: Sequence[Array]
    ) -> Parameters:
        references = [cross_entropy_gradient(self.engine, params, pictures) for pictures in self._remembered]
        turned: Parameters = correction(self.engine, plasticity, references, margin=MARGIN)
        return turned

    def begin_task(self, params: Parameters, task: int) -> None:
        self._memories.keep(task - 1)
        self._remembered = [self.stream.pictures(numbers) for numbers in self._memories.by_task()]


class Memories:
    """One memory for each network, shared equally by all classes of all tasks so far; filled at a task's end."""

    def __init__(self, settings: GapSettings, stream: Stream) -> None:
        self._stream = stream
        self._networks = [BalancedMemory[tuple[int, int]](settings.memory) for _ in range(settings.networks)]
        self._filling, self._replaying = stream.generators("kept"), stream.generators("replayed")

    def keep(self, task: int) -> None:
        """Store a part of every class of a task."""
        for memory, generator in zip(self._networks, self._filling, strict=True):
            memory.keep(self._stream.by_class(task), generator)

    def draw(self, size: int) -> Numbers:
        """Draw from each network's memory without replacement; all of it if it is smaller."""
        pairs = zip(self._networks, self._replaying, strict=True)
        return [memory.draw(generator, size) for memory, generator in pairs]

    def by_task(self) -> Iterator[Numbers]:
        """Give all that is stored, task by task."""
        for task in sorted({task for task, _ in self._networks[0].kept}):
            yield [
                [number for (of, _), kept in memory.kept.items() if of == task for number in kept]
                for memory in self._networks
            ]


def cross_entropy_gradient(engine: Engine, params: Parameters, batch: Batch) -> Parameters:
    """Return the gradient of the mean cross-entropy on some pictures."""
    activations = relu_mlp.forward(engine, params, batch.images)
    _, error = relu_mlp.cross_entropy(engine, activations[-1], batch.targets)
    return relu_mlp.gradient(engine, params, activations, error)


METHOD_CLASSES: Mapping[str, Callable[..., Finetune]] = MappingProxyType(
    {
        FINETUNE: Finetune,
        REPLAY: Replay,
        ELASTIC: ElasticWeights,
        DISTILLATION: Distillation,
        PROJECTION: Projection,
    }
)
