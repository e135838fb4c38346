"""Training neurons end to end to add two bursts, the second some time after the first.

Neurons that differ in their slowest time constant are trained side by side, from the same weights on the same batches.

Axes: N neurons, b batch, T time steps, K sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mem_core.data.spike_patterns import BurstPatterns
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.architectures.elm_neuron.recipes import Recipe
from mem_core.mechanisms.architectures.elm_neuron.settings import ElmSettings
from mem_core.nn import elm_neuron
from mem_core.nn.elm_neuron import Params
from mem_core.training.optimizers import Adam, clip_by_global_norm
from mem_core.training.trainer import descend


@dataclass(frozen=True)
class Report:
    """Where training stands.

    Attributes:
        step: steps so far.
        loss: of each neuron, the mean over the steps since the last report, in nats (N,).
        answers: of each neuron to the test sequences (N, tested).
        truth: the right answers (tested,).
    """

    step: int
    loss: list[float]
    answers: Any
    truth: Any

    @property
    def accuracy(self) -> list[float]:
        """Share of right answers of each neuron (N,)."""
        return (self.answers == self.truth).mean(axis=-1).tolist()  # type: ignore[no-any-return]


class Addition:
    """Neurons that learn to add two bursts.

    Args:
        engine: where they are trained.
        settings: of the neuron.
        recipe: of the task.
        tau_maxes: slowest time constant of each neuron.
        seed: of patterns, weights and sequences.
    """

    def __init__(
        self, engine: Engine, settings: ElmSettings, recipe: Recipe, tau_maxes: Sequence[float], seed: int
    ) -> None:
        self._engine, self._settings, self._recipe, self._seed = engine, settings, recipe, seed
        self._timings = [settings.timing(tau_max, recipe.step) for tau_max in tau_maxes]
        self._patterns: BurstPatterns = recipe.draw_patterns(seed)

    def train(self, reports: int) -> Iterator[Report]:
        """Train and report so many times.

        Raises:
            DivergedError: if the loss stops being a number.
        """
        recipe, engine = self._recipe, self._engine
        shape = self._settings.shape(recipe.channels, recipe.sums)
        params = elm_neuron.init(engine, shape, [philox(self._seed, "to be trained") for _ in self._timings])
        trace, truth = self._sequences(philox(self._seed, "test"), recipe.tested)
        losses: list[Any] = []
        updates = descend(
            engine,
            self._gradient(losses),
            params,
            self._batches(),
            optimizer=Adam(learning_rate=recipe.rate),
            rates=[recipe.rate] * recipe.steps,
        )
        turns = {recipe.steps * number // reports for number in range(1, reports + 1)}
        for update in updates:
            if update.step in turns:
                answers = engine.to_numpy(engine.xp.argmax(self._scores(update.params, trace), axis=-1))
                mean_loss = (sum(losses) / len(losses)).tolist()
                losses.clear()
                yield Report(update.step, mean_loss, answers, truth)

    def _gradient(self, losses: list[Any]) -> Any:
        """Return the function that gives loss and gradient, and notes the loss of every neuron in `losses`."""
        evaluate = self._engine.value_and_grad(self._loss, has_aux=True)
        largest = self._recipe.largest_gradient

        def value_and_grad(params: Params, trace: Array, wanted: Array) -> tuple[Array, Params]:
            (total, each), gradient = evaluate(params, trace, wanted)
            losses.append(self._engine.to_numpy(each))
            if largest is not None:  # each neuron's own norm: none may hold another back
                gradient = self._engine.vmap(lambda one: clip_by_global_norm(one, largest))(gradient)
            return total, gradient

        return value_and_grad

    def _loss(self, params: Params, trace: Array, wanted: Array) -> tuple[Array, Array]:
        """Return the cross-entropy of the neurons' answers, summed over neurons, and each neuron's own."""
        xp = self._engine.xp
        scores = self._scores(params, trace)
        scores = scores - xp.max(scores, axis=-1, keepdims=True)
        each = xp.mean(xp.log(xp.sum(xp.exp(scores), axis=-1)) - xp.sum(scores * wanted, axis=-1), axis=-1)
        return xp.sum(each), each

    def _scores(self, params: Params, trace: Array) -> Array:
        """Score the sums at the last step, (N,b,K)."""
        memory = elm_neuron.apply(self._engine, params, trace, self._timings, reads_memory=self._settings.feedback)
        return elm_neuron.read_out(params, memory[-1])

    def _batches(self) -> Iterator[tuple[Array, Array]]:
        generator = philox(self._seed, "training")
        one_hot = self._engine.xp.eye(self._recipe.sums)
        while True:
            trace, sums = self._sequences(generator, self._recipe.batch)
            yield trace, self._engine.xp.take(one_hot, self._engine.asarray(sums), axis=0)

    def _sequences(self, generator: Any, count: int) -> tuple[Array, Any]:
        """Draw sequences: their synaptic trace (T,b,C), and the sums (b,)."""
        recipe, engine = self._recipe, self._engine
        between = round(self._settings.delay / recipe.step)
        spikes, sums = self._patterns.two_bursts(generator, count, between, recipe.after)
        moved = engine.asarray(spikes, dtype=engine.float_dtype)
        return elm_neuron.synaptic_trace(engine, moved, self._settings.tau_synapse, recipe.step), sums
