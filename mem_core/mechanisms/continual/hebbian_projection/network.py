"""A spiking network and its gradient in space alone: two layers of neurons, and outputs summed over time.

Every neuron's error reaches it from the layer above at the same time step, never from a later one; what a weight keeps
of the past is the trace of the spikes that it heard. Its gradient is error times trace; only the trace is projected.

Axes: N networks side by side, T time steps, B pictures, K neurons of a layer, C classes.

Source: Xiao et al. 2022, "Online Training Through Time for Spiking Neural Networks", arXiv 2210.04195.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mem_core.engine import Array, Engine
from mem_core.nn.relu_mlp import cross_entropy
from mem_core.nn.spiking import SpikeTrains, lif_step, spike_trains, surrogate_slope

TAU = 2.0
"""Time constant of membranes and traces, steps."""
THRESHOLD = 1.0
INITIAL_RANGE = 2.0
"""First weights are uniform within ± this over the root of the number of inputs."""

Weights = Sequence[Array]
"""One array (N, outputs, inputs) for each layer; there are no biases, which no projection could protect."""


@dataclass(frozen=True, eq=False)
class Response:
    """What the network did with some pictures.

    Attributes:
        hidden: spikes, excess and traces of each hidden layer, (N, T, B, K).
        outputs: what reaches the classes, (N, T, B, C).
    """

    hidden: Sequence[SpikeTrains]
    outputs: Array


def initial_weights(engine: Engine, generator: Any, widths: Sequence[int], networks: int) -> list[Array]:
    """Draw the first weights, the same for every network; `widths` lists pixels, neurons of each layer and classes."""
    drawn = [
        generator.uniform(-1, 1, (outputs, inputs)) * INITIAL_RANGE / math.sqrt(inputs)
        for inputs, outputs in pairwise(widths)
    ]
    return [engine.asarray(weight[None].repeat(networks, axis=0)) for weight in drawn]


def respond(engine: Engine, weights: Weights, images: Array, time_steps: int) -> Response:
    """Show pictures of shape (B, pixels) for some steps, starting from rest."""
    first, *later = [engine.xp.matrix_transpose(weight) for weight in weights]
    currents = [images @ first] * time_steps  # the picture stands still
    hidden = []
    for weight in later:
        hidden.append(spike_trains(engine, currents, tau=TAU, threshold=THRESHOLD))
        onward = hidden[-1].spikes @ weight[:, None]
        currents = [onward[:, step] for step in range(time_steps)]
    return Response(hidden, onward)


def answers(engine: Engine, weights: Weights, images: Array, time_steps: int) -> Array:
    """Return the class with the largest output, summed over time, for pictures of shape (B, pixels): shape (N, B).

    What `respond` does, without keeping anything of what happens on the way.
    """
    xp = engine.xp
    first, *later, last = [xp.matrix_transpose(weight) for weight in weights]
    drive = images @ first
    potentials: list[Array] = [0.0] * (len(later) + 1)
    counts = 0.0
    for _ in range(time_steps):
        current = drive
        for number, onward in enumerate([*later, None]):
            step = lif_step(engine, potentials[number], current, tau=TAU, threshold=THRESHOLD)
            potentials[number] = step.potential
            current = step.spikes if onward is None else step.spikes @ onward
        counts = counts + current
    return xp.argmax(counts @ last, axis=-1)


def errors(engine: Engine, weights: Weights, response: Response, targets: Array) -> tuple[Array, list[Array]]:
    """Return the loss of every network and the error δ of every layer.

    The loss is the cross-entropy of every step's output, averaged over steps and pictures, and with u the excess::

        δ_L = gradient by the outputs,   δ_l = (δ_(l+1)·W_(l+1)) ⊙ 4σ(4u)(1 − σ(4u))

    Args:
        engine: whose arrays these are.
        weights: W, plain and not projected: errors travel as they would without protection.
        response: as `respond` gave it.
        targets: one-hot, shape (B, C).

    Returns:
        Loss of shape (N,) in nats, and for each layer δ of shape (N, T·B, K), first layer first.
    """
    xp = engine.xp
    outputs = _together(xp, response.outputs)
    loss, error = cross_entropy(engine, outputs, xp.tile(targets, (response.outputs.shape[1], 1)))
    found = [error]
    for trains, weight in zip(response.hidden[::-1], weights[:0:-1], strict=True):
        found.append(found[-1] @ weight * surrogate_slope(engine, _together(xp, trains.excess)))
    return loss, found[::-1]


def heard(engine: Engine, images: Array, response: Response, network: int) -> list[Array]:
    """Return what the weights of every layer hear in one network: the picture itself, then traces, each (T, B, K)."""
    traces = [trains.traces[network] for trains in response.hidden]
    return [engine.xp.broadcast_to(images[None], (len(traces[0]), *images.shape)), *traces]


def _together(xp: Any, sequence: Array) -> Array:
    """Lay (N, T, B, K) out as (N, T·B, K)."""
    return xp.reshape(sequence, (sequence.shape[0], -1, sequence.shape[-1]))
