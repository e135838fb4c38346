"""The network with what may regularise it: dropout before the square, batch normalisation after it.

f(m, n) = W·φ(U e_m + V e_n) with φ(z) = z², no biases; with normalisation W·(γ ⊙ norm(z²) + β).

Axes: N networks side by side, n pairs, p residues, K neurons.

Source: arXiv 2310.13061, Eqs. 1 and 5, App. A.
"""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Array, Engine
from mem_core.nn import batch_norm, quadratic_mlp
from mem_core.nn.batch_norm import NormalisedBatch, Statistics
from mem_core.nn.quadratic_mlp import PairRows, Parameters

GAIN, SHIFT = "gain", "shift"
"""γ and β, shape (N, 1, K); parameters that only a network with batch normalisation has."""


@dataclass(frozen=True)
class TrainingPass:
    """What the gradient needs from a forward pass in training.

    Attributes:
        inputs: z after dropout, (N, n, K).
        kept: factor of dropout on z, 0 or 1/(1 − rate), (N, n, K); None without dropout.
        batch: the normalised squares; None without normalisation.
        features: what the output weights see, (N, n, K).
        outputs: (N, n, p).
    """

    inputs: Array
    kept: Array | None
    batch: NormalisedBatch | None
    features: Array
    outputs: Array


def with_normalisation(engine: Engine, params: Parameters) -> Parameters:
    """Add γ = 1 and β = 0 for every neuron."""
    networks, _, neurons = params["hidden"].shape
    shape = (networks, 1, neurons)
    return {**params, GAIN: engine.xp.ones(shape), SHIFT: engine.xp.zeros(shape)}


def training_pass(engine: Engine, params: Parameters, rows: PairRows, kept: Array | None) -> TrainingPass:
    """Return the outputs in training: with dropout, and normalised by the batch's own statistics."""
    inputs = quadratic_mlp.hidden_inputs(engine, params, rows)
    if kept is not None:
        inputs = inputs * kept
    features, batch = inputs * inputs, None
    if GAIN in params:
        batch = batch_norm.standardise_batch(engine, features)
        features = batch.standardised * params[GAIN] + params[SHIFT]
    return TrainingPass(inputs, kept, batch, features, features @ params["output"])


def gradient(
    engine: Engine, params: Parameters, rows: PairRows, passed: TrainingPass, output_gradient: Array
) -> Parameters:
    """Return the gradient by the parameters, from the gradient G by the outputs.

    dW = featuresᵀ G;  d features = G Wᵀ;  through the normalisation if there is one;  d z = 2z ⊙ d z² ⊙ kept;
    dU, dV = sums of d z over the pairs that share a residue.
    """
    xp = engine.xp
    found = {"output": xp.matrix_transpose(passed.features) @ output_gradient}
    slope = output_gradient @ xp.matrix_transpose(params["output"])
    if passed.batch is not None:
        found[GAIN] = xp.sum(slope * passed.batch.standardised, axis=-2, keepdims=True)
        found[SHIFT] = xp.sum(slope, axis=-2, keepdims=True)
        slope = batch_norm.standardise_gradient(engine, passed.batch, slope * params[GAIN])
    slope = 2.0 * slope * passed.inputs
    if passed.kept is not None:
        slope = slope * passed.kept
    return {**found, "hidden": quadratic_mlp.hidden_gradient(engine, rows, slope)}


def features(engine: Engine, params: Parameters, rows: PairRows, statistics: Statistics | None) -> Array:
    """Return what the output weights of a trained network see: no dropout, normalised by running statistics."""
    inputs = quadratic_mlp.hidden_inputs(engine, params, rows)
    squares = inputs * inputs
    if statistics is None:
        return squares
    return batch_norm.standardise(squares, statistics) * params[GAIN] + params[SHIFT]
