"""The Expressive Leaky Memory neuron: leaky synapses, leaky memory of many speeds, and a small network between them.

    s_t = κ_s ⊙ s_{t−1} + max(0, w) ⊙ x_t                 synapses
    b_t = sum of s_t over the synapses of each branch       branches
    Δ_t = f(MLP([b_t ; κ_m ⊙ m_{t−1}]))                     dendrites, f(x) = 1.7159·tanh(2x/3)
    m_t = κ_m ⊙ m_{t−1} + g ⊙ Δ_t,   y_t = m_t·W_y + b_y    memory and output

with κ = exp(−dt/τ). The gain is g = λ(1 − κ_m) in the first version of the neuron and g = 1 − exp(−λ·dt/τ_m) in the
second, which stays bounded for every λ. The second version also leaks on the branch and not on the synapse; with one
τ_s for all synapses that is the same, because a sum commutes with a leak.

Axes: b batch, T time steps, N neurons side by side, C channels (one synapse each), S branches, H hidden units,
M memory units, O outputs.

Source: Spieler et al. 2023, "The Expressive Leaky Memory Neuron" (arXiv 2306.16922), and its code
(github.com/AaronSpieler/elmneuron), whose MLP has one hidden layer of 2·M rectified units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine
from mem_core.kernels import linear_scan
from mem_core.nn.leaky_memory import leaky_memory

Params: TypeAlias = dict[str, Any]
Version = Literal["v1", "v2"]

FIRST_SYNAPSE = 0.5
"""Weight of every synapse before training."""


@dataclass(frozen=True, kw_only=True)
class ElmShape:
    """Sizes of a neuron.

    Attributes:
        channels: C, inputs, each with one synapse.
        units: M, memory units.
        outputs: O.
        branches: S; None gives every synapse its own.

    Raises:
        ValueError: if a size is below 1, or the branches do not share the synapses evenly.
    """

    channels: int
    units: int
    outputs: int
    branches: int | None = None

    def __post_init__(self) -> None:
        for name in ("channels", "units", "outputs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but it must be at least 1.")
        if self.branches is not None and (self.branches < 1 or self.channels % self.branches):
            raise ValueError(f"branches is {self.branches}, but it must divide the {self.channels} channels.")

    @property
    def inputs(self) -> int:
        """What the MLP sees from outside: the branches."""
        return self.channels if self.branches is None else self.branches

    @property
    def hidden(self) -> int:
        """H, units of the MLP's hidden layer."""
        return 2 * self.units

    @property
    def parameters(self) -> int:
        """Number of weights that can be trained."""
        mlp = (self.inputs + self.units) * self.hidden + self.hidden + self.hidden * self.units + self.units
        return self.channels + mlp + self.units * self.outputs + self.outputs


@dataclass(frozen=True, kw_only=True)
class ElmTiming:
    """How fast a neuron's memory leaks and is written.

    Attributes:
        tau_min, tau_max: time constants of the fastest and the slowest unit, in ms. A single unit has tau_min.
        strength: λ, how strongly Δ is written.
        step: dt, length of a time step in ms.
        version: which of the two gains.

    Raises:
        ValueError: if a number is not positive, or tau_max does not exceed tau_min.
    """

    tau_min: float
    tau_max: float
    strength: float = 5.0
    step: float = 1.0
    version: Version = "v1"

    def __post_init__(self) -> None:
        for name in ("tau_min", "strength", "step"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value!r}, but it must be a positive number.")
        if not (math.isfinite(self.tau_max) and self.tau_max > self.tau_min):
            raise ValueError(f"tau_max is {self.tau_max!r}, but it must be above tau_min, {self.tau_min!r}.")
        if self.version not in ("v1", "v2"):
            raise ValueError(f"version is {self.version!r}, but it must be 'v1' or 'v2'.")

    def tau(self, units: int) -> NDArray[np.float64]:
        """Time constants of the memory units in ms, evenly spaced on a logarithmic scale (M,)."""
        return np.geomspace(self.tau_min, self.tau_max, units)

    def keep(self, units: int) -> NDArray[np.float64]:
        """κ_m, the share of a unit that is left after a step (M,)."""
        return np.exp(-self.step / self.tau(units))

    def gain(self, units: int) -> NDArray[np.float64]:
        """g, the share of Δ that is written in a step (M,)."""
        if self.version == "v1":
            return self.strength * (1 - self.keep(units))
        return 1 - np.exp(-self.strength * self.step / self.tau(units))


def init(engine: Engine, shape: ElmShape, generators: Sequence[np.random.Generator]) -> Params:
    """Draw the weights of N neurons, one generator each, as the paper's code does.

    Linear layers, weights and biases alike, are uniform within ±1/√(number of inputs); synapses start at 0.5.
    """
    drawn = [_draw(shape, generator) for generator in generators]
    return {name: engine.asarray(np.stack([neuron[name] for neuron in drawn])) for name in drawn[0]}


def _draw(shape: ElmShape, generator: np.random.Generator) -> dict[str, NDArray[Any]]:
    def uniform(inputs: int, *size: int) -> NDArray[Any]:
        return generator.uniform(-1, 1, size) / math.sqrt(inputs)

    read = shape.inputs + shape.units
    return {
        "synapses": np.full(shape.channels, FIRST_SYNAPSE),
        "from_branches": uniform(read, shape.inputs, shape.hidden),
        "from_memory": uniform(read, shape.units, shape.hidden),
        "hidden_bias": uniform(read, shape.hidden),
        "to_memory": uniform(shape.hidden, shape.hidden, shape.units),
        "memory_bias": uniform(shape.hidden, shape.units),
        "output": uniform(shape.units, shape.units, shape.outputs),
        "output_bias": uniform(shape.units, shape.outputs),
    }


def synaptic_trace(engine: Engine, spikes: Array, tau: float, step: float = 1.0) -> Array:
    """Leak the spikes of every channel with one time constant, time first: (b,T,C) to (T,b,C).

    r_t = exp(−dt/τ)·r_{t−1} + x_t; a synapse of weight w holds w·r_t.

    Args:
        engine: where the arrays live.
        spikes: x, 0 or 1, or −1 where a channel inhibits.
        tau: τ_s in ms.
        step: dt in ms.

    Raises:
        ValueError: if tau or step is not positive.
    """
    for name, value in (("tau", tau), ("step", step)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value!r}, but it must be a positive number.")
    kept = engine.xp.zeros_like(spikes) + math.exp(-step / tau)
    return engine.xp.permute_dims(linear_scan(kept, spikes), (1, 0, 2))


def apply(
    engine: Engine, params: Params, trace: Array, timings: Sequence[ElmTiming], *, reads_memory: bool = True
) -> Array:
    """Run N neurons over the same input and return their memory at every step (T,N,b,M).

    Args:
        engine: where the arrays live.
        params: from `init`.
        trace: from `synaptic_trace` (T,b,C).
        timings: one for each neuron.
        reads_memory: whether the MLP sees the memory. Without it the memory is passive: each unit is a leaky sum of
            what came in, and nothing can keep it from fading.
    """
    xp = engine.xp
    steps, batch, channels = trace.shape
    neurons, inputs, hidden = params["from_branches"].shape
    units = params["from_memory"].shape[1]
    # The sums over branches are folded into the weights: each synapse reaches the MLP through its branch's row.
    synapses = xp.reshape(params["synapses"] * (params["synapses"] > 0), (neurons, inputs, -1, 1))
    weights = xp.reshape(synapses * params["from_branches"][:, :, None], (neurons, channels, hidden))
    drive = xp.reshape(trace, (1, steps * batch, channels)) @ weights + params["hidden_bias"][:, None]
    drive = xp.permute_dims(xp.reshape(drive, (neurons, steps, batch, hidden)), (1, 0, 2, 3))
    return leaky_memory(
        drive,
        params["from_memory"] * float(reads_memory),
        params["to_memory"],
        params["memory_bias"],
        keep=engine.asarray(np.stack([timing.keep(units) for timing in timings])),
        gain=engine.asarray(np.stack([timing.gain(units) for timing in timings])),
    )


def read_out(params: Params, memory: Array) -> Array:
    """Return y = m·W_y + b_y of the memory at one time: (N,b,M) to (N,b,O)."""
    return memory @ params["output"] + params["output_bias"][:, None]
