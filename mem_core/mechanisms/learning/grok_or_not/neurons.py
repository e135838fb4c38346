"""Which neuron keeps which memory: how periodic its weights are, and what is left without it.

Axes: K neurons, P pairs, p residues; one network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mem_core.engine import Array, Engine
from mem_core.nn.pruning import kept_units
from mem_core.nn.quadratic_mlp import Parameters
from mem_core.nn.spectra import inverse_participation_ratio


def periodicity(engine: Engine, params: Parameters, network: int = 0) -> Array:
    """Return each neuron's inverse participation ratio, shape (K,): the mean of those of its U, V and W weights.

    1 is a pure wave. Noise over the ⌊p/2⌋ + 1 frequencies has about two over their number.

    Source: arXiv 2310.13061, Eqs. 3 and 4.
    """
    xp = engine.xp
    hidden, output = params["hidden"][network], params["output"][network]
    halves = xp.reshape(hidden, (2, output.shape[-1], -1))
    of_inputs = inverse_participation_ratio(engine, halves, axis=1)
    of_outputs = inverse_participation_ratio(engine, output, axis=-1)
    return (of_inputs[0] + of_inputs[1] + of_outputs) / 3.0


def answers_without(
    engine: Engine, features: Array, output: Array, scores: Array, share: float, *, lowest_first: bool
) -> Any:
    """Return the answers to all pairs, shape (P,), with a share of the neurons cut out and no further training.

    Silencing a neuron's output weights is the same as setting all its weights to zero.

    Args:
        engine: whose arrays these are.
        features: what the output weights see, (P, K).
        output: the output weights, (K, p).
        scores: the neurons' IPR, (K,).
        share: of the neurons to cut out.
        lowest_first: whether those with the lowest scores go first.
    """
    kept = kept_units(engine, scores, share, lowest_first=lowest_first)
    return engine.to_numpy(engine.xp.argmax((features * kept) @ output, axis=-1))


def pruning_curve(
    engine: Engine, features: Array, output: Array, scores: Array, cuts: int, *, lowest_first: bool
) -> Iterator[tuple[float, Any]]:
    """Give (share cut out, answers) for the shares 0, 1/cuts … 1."""
    for cut in range(cuts + 1):
        share = cut / cuts
        yield share, answers_without(engine, features, output, scores, share, lowest_first=lowest_first)


def matrix_norms(engine: Engine, params: Parameters, network: int = 0) -> tuple[float, float, float]:
    """Return the Frobenius norms of U, V and W."""
    xp = engine.xp
    hidden, output = params["hidden"][network], params["output"][network]
    halves = xp.reshape(hidden, (2, output.shape[-1], -1))
    u, v = engine.to_numpy(xp.sqrt(xp.sum(halves * halves, axis=(1, 2)))).tolist()
    return u, v, engine.item(xp.sqrt(xp.sum(output * output)))
