"""Reading a burst out of a neuron that was never trained: random dendrites, and a readout fitted by ridge regression.

One simulation of the longest delay holds the memory at every shorter one, so a whole forgetting curve costs one.

Axes: T time steps, b trials, M memory units, D delays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.architectures.elm_neuron.recipes import DECODED
from mem_core.mechanisms.architectures.elm_neuron.settings import ElmSettings
from mem_core.nn import elm_neuron
from mem_core.training.ridge_readout import fit_ridge_readout, readout_accuracy

FITTED, TESTED = 400, 800
"""Trials that the readout is fitted on, and others that it is tested on."""
PENALTY = 0.1
"""Of the ridge regression, on standardised memory."""
LONGEST_DELAY = 160
"""In ms, which here are time steps."""
TRACED = 64
"""Trials that the trace of a burst is averaged over."""
CHANCE = DECODED.chance


class Decoder:
    """The trials of one seed, seen through neurons of different sizes and speeds."""

    def __init__(self, engine: Engine, settings: ElmSettings, seed: int, *, longest_delay: int = LONGEST_DELAY) -> None:
        self._engine, self._settings, self._seed = engine, settings, seed
        trials = DECODED.draw_patterns(seed).one_burst(philox(seed, "trials"), FITTED + TESTED, longest_delay)
        self.spikes, self.labels = trials
        self._trace = self._leaked(self.spikes)

    def accuracies(self, delays: Sequence[int], tau_max: float, units: int, neuron: int = 0) -> list[float]:
        """Measure how often the pattern is read out right after each delay.

        Args:
            delays: ms from the end of the burst.
            tau_max: time constant of the slowest unit.
            units: M.
            neuron: which of the random neurons of this size.
        """
        ends = [DECODED.burst + delay - 1 for delay in delays]
        memory = self._memory(self._trace[: max(ends) + 1], tau_max, units, neuron)
        read = self._engine.xp.take(memory, self._engine.asarray(ends), axis=0)  # (D,b,M)
        readout = fit_ridge_readout(self._engine, read[:, :FITTED], self.labels[:FITTED], DECODED.patterns, PENALTY)
        right = readout_accuracy(self._engine, readout, read[:, FITTED:], self.labels[FITTED:])
        return [float(share) for share in right]

    def memory_of_first_trial(self, steps: int) -> Any:
        """Return the memory of the neuron in its first trial as NumPy, (T,M)."""
        memory = self._memory(self._trace[:steps, :1], self._settings.tau_max, self._settings.units)
        return self._engine.to_numpy(memory[:, 0])

    def trace_of_burst(self, steps: int) -> Any:
        """Return what the burst has left in each unit as NumPy, (T,M).

        The root mean square over trials of m − m°, where m° is the memory of the same trial with the same stray
        spikes and without the burst.
        """
        without = self.spikes[:TRACED, :steps].copy()
        without[:, : DECODED.burst] = False
        memory = [
            self._memory(trace, self._settings.tau_max, self._settings.units)
            for trace in (self._trace[:steps, :TRACED], self._leaked(without))
        ]
        difference = self._engine.to_numpy(memory[0] - memory[1])
        return (difference**2).mean(axis=1) ** 0.5

    def _leaked(self, spikes: Any) -> Array:
        moved = self._engine.asarray(spikes, dtype=self._engine.float_dtype)
        return elm_neuron.synaptic_trace(self._engine, moved, self._settings.tau_synapse)

    def _memory(self, trace: Array, tau_max: float, units: int, neuron: int = 0) -> Array:
        shape = self._settings.shape(DECODED.channels, DECODED.patterns, units)
        params = elm_neuron.init(self._engine, shape, [philox(self._seed, "neuron", units, neuron)])
        timing = self._settings.timing(tau_max)
        memory = elm_neuron.apply(self._engine, params, trace, [timing], reads_memory=self._settings.feedback)
        return memory[:, 0]
