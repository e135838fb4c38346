"""Optimizers as plain functions of a tree of parameters: the same code on every engine.

An optimizer is a frozen dataclass with `init(params) -> state` and
`update(params, gradient, state, learning_rate=None) -> (params, state)`. Nothing is updated in place, and only
operators touch the arrays, so NumPy arrays and torch tensors of any shape (also with a leading axis of seeds) do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

from mem_core.engine import leaves, map_tree

Tree: TypeAlias = Any
"""Nested dicts, lists and tuples of arrays."""


@dataclass(frozen=True)
class AdamState:
    """Number of updates so far, and the running means of the gradient and of its square."""

    step: int
    mean: Tree
    mean_square: Tree


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam with weight decay, coupled (plain Adam with an L2 penalty) or decoupled (AdamW).

    With gradient g, decay η, learning rate λ and step t counted from 1::

        coupled:    g ← g + η·θ              decoupled:  θ ← (1 − λη)·θ
        m ← β₁m + (1−β₁)g,   s ← β₂s + (1−β₂)g²
        θ ← θ − λ·m̂ / (√ŝ + ε),   m̂ = m/(1−β₁ᵗ),  ŝ = s/(1−β₂ᵗ)

    Attributes:
        learning_rate: λ, used where `update` is not given another one.
        betas: β₁ and β₂, each in [0, 1).
        epsilon: ε, added to the root mean square.
        weight_decay: η.
        decoupled: whether decay acts on the parameters directly. Decoupled decay is multiplied by the learning rate;
            coupled decay passes through the normalisation, so the same η means very different strengths.

    Raises:
        ValueError: if a number is out of its range.

    Source: Kingma and Ba 2015 (Algorithm 1); Loshchilov and Hutter 2019 (Algorithm 2).
    """

    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False

    def __post_init__(self) -> None:
        _require_positive("learning_rate", self.learning_rate)
        _require_positive("epsilon", self.epsilon)
        _require_at_least_zero("weight_decay", self.weight_decay)
        for beta in self.betas:
            _require_share("betas", beta)

    def init(self, params: Tree) -> AdamState:
        """Return the state before the first update."""
        zeros = map_tree(lambda parameter: parameter * 0.0, params)
        return AdamState(0, zeros, zeros)

    def update(
        self, params: Tree, gradient: Tree, state: AdamState, learning_rate: float | None = None
    ) -> tuple[Tree, AdamState]:
        """Return the parameters and the state after one update; `learning_rate` overrides the optimizer's own."""
        rate = self.learning_rate if learning_rate is None else learning_rate
        first, second = self.betas
        step = state.step + 1
        if self.weight_decay and self.decoupled:
            keep = 1.0 - rate * self.weight_decay
            params = map_tree(lambda parameter: parameter * keep, params)
        elif self.weight_decay:
            gradient = map_tree(lambda grad, parameter: grad + parameter * self.weight_decay, gradient, params)
        mean = map_tree(lambda old, grad: old * first + grad * (1.0 - first), state.mean, gradient)
        mean_square = map_tree(
            lambda old, grad: old * second + grad * grad * (1.0 - second), state.mean_square, gradient
        )
        scale = rate / (1.0 - first**step)
        root = 1.0 / math.sqrt(1.0 - second**step)
        params = map_tree(
            lambda parameter, m, s: parameter - m * scale / (s**0.5 * root + self.epsilon), params, mean, mean_square
        )
        return params, AdamState(step, mean, mean_square)


@dataclass(frozen=True)
class SGDState:
    """The velocity: the decaying sum of gradients, or None before the first update and without momentum."""

    velocity: Tree


@dataclass(frozen=True, kw_only=True)
class SGD:
    """Gradient descent with momentum: v ← μv + g (first step v = g), θ ← θ − λv.

    Attributes:
        learning_rate: λ, used where `update` is not given another one.
        momentum: μ in [0, 1).
        weight_decay: η of an L2 penalty, g ← g + η·θ.

    Raises:
        ValueError: if a number is out of its range.

    Source: Sutskever et al. 2013, in the form that torch.optim.SGD uses.
    """

    learning_rate: float
    momentum: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _require_positive("learning_rate", self.learning_rate)
        _require_share("momentum", self.momentum)
        _require_at_least_zero("weight_decay", self.weight_decay)

    def init(self, params: Tree) -> SGDState:
        """Return the state before the first update."""
        return SGDState(map_tree(lambda parameter: parameter * 0.0, params) if self.momentum else None)

    def update(
        self, params: Tree, gradient: Tree, state: SGDState, learning_rate: float | None = None
    ) -> tuple[Tree, SGDState]:
        """Return the parameters and the state after one update; `learning_rate` overrides the optimizer's own."""
        rate = self.learning_rate if learning_rate is None else learning_rate
        if self.weight_decay:
            gradient = map_tree(lambda grad, parameter: grad + parameter * self.weight_decay, gradient, params)
        if self.momentum:
            gradient = map_tree(lambda old, grad: old * self.momentum + grad, state.velocity, gradient)
            state = SGDState(gradient)
        return map_tree(lambda parameter, grad: parameter - grad * rate, params, gradient), state


def clip_by_global_norm(gradient: Tree, largest: float) -> Tree:
    """Scale a gradient so that its norm over all leaves together is at most `largest`; shorter ones are unchanged.

    g ← g · min(1, largest / (‖g‖ + 1e-6)), as torch.nn.utils.clip_grad_norm_ does. The factor stays an array of the
    engine, so a gradient can be taken through it.

    Raises:
        ValueError: if `largest` is not positive.
    """
    _require_positive("largest", largest)
    total: Any = sum((leaf * leaf).sum() for leaf in leaves(gradient))
    excess = (total**0.5 + NORM_FLOOR) / largest - 1.0
    factor = 1.0 / (1.0 + excess * (excess > 0.0))  # min(1, ·) from operators alone, in the gradient's own float type
    return map_tree(lambda leaf: leaf * factor, gradient)


NORM_FLOOR = 1e-6
"""Keeps the clipping factor finite for a zero gradient; torch.nn.utils.clip_grad_norm_ uses the same."""


def _require_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value!r}, but it must be a positive number.")


def _require_at_least_zero(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} is {value!r}, but it must be zero or a positive number.")


def _require_share(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value!r}, but it must be at least 0 and below 1.")
