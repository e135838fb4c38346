"""The network that remembers: its answers, its gradient, and how much every weight matters for some rows.

Parameters are a list of layers, each with `weight` (N, inputs, outputs) and `bias` (N, 1, outputs).
Axes: N networks side by side, n rows, 10 digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from mem_core.data.digit_tasks import CLASSES
from mem_core.data.digits import SIDE
from mem_core.engine import Array, Engine
from mem_core.mechanisms.editing.synaptic_dampening.settings import DENSE, DampeningSettings
from mem_core.nn import relu_mlp
from mem_core.nn.convolution3x3 import TAPS, convolution3x3, halved
from mem_core.nn.fisher_information import fisher_diagonal
from mem_core.nn.relu_mlp import Parameters

PIXELS = SIDE * SIDE
HE_FACTOR = math.sqrt(6)
"""From weights uniform within ±1/√inputs to those of He et al. 2015 (arXiv 1502.01852), within ±√(6/inputs)."""


class Classifier(Protocol):
    """A network that tells digits apart."""

    def initial(self, engine: Engine, generators: Sequence[Any]) -> Parameters:
        """Return the first weights, one network for each generator."""

    def logits(self, engine: Engine, params: Parameters, x: Array) -> Array:
        """Return the logits (N, n, 10) of rows (N, n, 64), or of (1, n, 64) for the same rows in every network."""

    def gradient(self, engine: Engine, params: Parameters, x: Array, y: Array) -> tuple[Array, Parameters]:
        """Return the mean cross-entropy of every network, (N,), and its gradient."""

    def squared_gradients(self, engine: Engine, params: Parameters, x: Array, y: Array) -> Parameters:
        """Return the mean over rows of each row's squared gradient, of one network; x is (n, 64) and y (n, 10)."""


@dataclass(frozen=True)
class DenseClassifier:
    """Pixels, one hidden layer with max(0, ·), logits."""

    hidden: int

    def initial(self, engine: Engine, generators: Sequence[Any]) -> Parameters:
        return he_initial(engine, generators, (PIXELS, self.hidden, CLASSES))

    def logits(self, engine: Engine, params: Parameters, x: Array) -> Array:
        return relu_mlp.forward(engine, params, x)[-1]

    def gradient(self, engine: Engine, params: Parameters, x: Array, y: Array) -> tuple[Array, Parameters]:
        activations = relu_mlp.forward(engine, params, x)
        losses, error = relu_mlp.cross_entropy(engine, activations[-1], y)
        return losses, relu_mlp.gradient(engine, params, activations, error)

    def squared_gradients(self, engine: Engine, params: Parameters, x: Array, y: Array) -> Parameters:
        activations = relu_mlp.forward(engine, params, x[None])
        errors = relu_mlp.cross_entropy(engine, activations[-1], y[None])[1] * len(x)  # each row's own
        return relu_mlp.squared_gradients(engine, params, activations, errors)


def he_initial(engine: Engine, generators: Sequence[Any], widths: Sequence[int]) -> Parameters:
    """Draw weights uniform within ±√(6/inputs), as suits max(0, ·), and biases of zero."""
    drawn = relu_mlp.initial(engine, generators, widths)
    return [{"weight": HE_FACTOR * layer["weight"], "bias": 0.0 * layer["bias"]} for layer in drawn]


@dataclass(frozen=True)
class ConvolutionalClassifier:
    """Two 3 × 3 convolutions, each with max(0, ·) and halved afterwards, and a dense layer."""

    channels: tuple[int, int] = (16, 32)

    def initial(self, engine: Engine, generators: Sequence[Any]) -> Parameters:
        first, second = self.channels
        left = (SIDE // 4) ** 2 * second  # numbers after both halvings
        shapes = ((TAPS, first), (TAPS * first, second), (left, CLASSES))
        return [layer for shape in shapes for layer in he_initial(engine, generators, shape)]

    def logits(self, engine: Engine, params: Parameters, x: Array) -> Array:
        pictures = engine.xp.reshape(x, (*x.shape[:2], SIDE, SIDE, 1))
        for layer in params[:-1]:
            sums = convolution3x3(engine, pictures, layer["weight"], layer["bias"])
            pictures = halved(engine, sums * (sums > 0))
        features = engine.xp.reshape(pictures, (*pictures.shape[:2], -1))
        return features @ params[-1]["weight"] + params[-1]["bias"]

    def gradient(self, engine: Engine, params: Parameters, x: Array, y: Array) -> tuple[Array, Parameters]:
        (_, losses), gradient = engine.value_and_grad(partial(self._losses, engine), has_aux=True)(params, x, y)
        return losses, gradient

    def squared_gradients(self, engine: Engine, params: Parameters, x: Array, y: Array) -> Parameters:
        def loss(params: Parameters, x: Array, y: Array) -> Array:
            return self._losses(engine, params, x[None, None], y[None, None])[0]

        found: Parameters = fisher_diagonal(engine, loss, params, (x, y))
        return found

    def _losses(self, engine: Engine, params: Parameters, x: Array, y: Array) -> tuple[Array, Array]:
        """Return the sum over networks, so that each gets its own gradient, and the mean loss of each."""
        logs = relu_mlp.log_softmax(engine, self.logits(engine, params, x))
        losses = -engine.xp.mean(engine.xp.sum(y * logs, axis=-1), axis=-1)
        return engine.xp.sum(losses), losses


def classifier_of(settings: DampeningSettings) -> Classifier:
    """Return the network that the settings ask for."""
    return DenseClassifier(settings.hidden) if settings.network == DENSE else ConvolutionalClassifier()
