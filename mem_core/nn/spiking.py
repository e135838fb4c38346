"""Leaky integrate-and-fire neurons: spikes, the traces that synapses keep of them, and a slope for learning.

A layer gets its input current for every step at once; a network without recurrent connections can therefore run layer
by layer, each over all of its time.

Axes: T time steps, B examples, K neurons; further axes in front are networks of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mem_core.engine import Array, Engine

SURROGATE_STEEPNESS = 4.0
"""Of the sigmoid whose slope stands in for that of the step (arXiv 2402.11984, code)."""


class LifStep(NamedTuple):
    """One step: membrane potential after the reset, spikes (0 or 1), and potential minus threshold before the reset."""

    potential: Array
    spikes: Array
    excess: Array


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """What a layer did, each of shape (..., T, B, K).

    Attributes:
        spikes: 0 or 1.
        excess: potential minus threshold, before the reset.
        traces: a[t] = (1 − 1/τ)·a[t−1] + s[t], what a synapse remembers of the spikes that reached it.
    """

    spikes: Array
    excess: Array
    traces: Array


def lif_step(engine: Engine, potential: Array, current: Array, *, tau: float, threshold: float) -> LifStep:
    """Advance leaky integrate-and-fire neurons by one step, with a soft reset.

        v ← (1 − 1/τ)·v + I,   s = 1 where v ≥ threshold, else 0,   v ← v − threshold·s

    Without spikes and with a constant current, v approaches τ·I.

    Args:
        engine: whose arrays these are.
        potential, current: v and I, of one shape.
        tau: τ in steps, at least 1.
        threshold: above 0.

    Source: Xiao et al. 2024 (arXiv 2402.11984), code.
    """
    charged = potential * (1.0 - 1.0 / tau) + current
    excess = charged - threshold
    spikes = engine.xp.astype(excess >= 0, engine.float_dtype)
    return LifStep(charged - threshold * spikes, spikes, excess)


def spike_trains(engine: Engine, currents: Sequence[Array], *, tau: float, threshold: float) -> SpikeTrains:
    """Run a layer that starts at rest.

    Args:
        engine: whose arrays these are.
        currents: I of every step, T arrays of shape (..., B, K).
        tau: τ of membrane and trace, in steps, at least 1.
        threshold: above 0.

    Raises:
        ValueError: if there is no step, or τ or the threshold is out of its range.
    """
    if not currents:
        raise ValueError("currents must have at least one step.")
    if not tau >= 1:
        raise ValueError(f"tau must be 1 step or more, got {tau}.")
    if not threshold > 0:
        raise ValueError(f"threshold must be above 0, got {threshold}.")
    potential = trace = engine.xp.zeros_like(currents[0])
    steps = []
    for current in currents:
        step = lif_step(engine, potential, current, tau=tau, threshold=threshold)
        potential, trace = step.potential, trace * (1.0 - 1.0 / tau) + step.spikes
        steps.append((step.spikes, step.excess, trace))
    return SpikeTrains(*(engine.xp.stack(parts, axis=-3) for parts in zip(*steps, strict=True)))


def surrogate_slope(engine: Engine, excess: Array) -> Array:
    """Return k·σ(k·u)·(1 − σ(k·u)) with k = 4, which learning takes for the slope of the step from silence to spike.

    Args:
        engine: whose array this is.
        excess: u, potential minus threshold, any shape.
    """
    away = engine.xp.exp(-SURROGATE_STEEPNESS * engine.xp.abs(excess))  # ≤ 1: no overflow
    return SURROGATE_STEEPNESS * away / ((1.0 + away) * (1.0 + away))
