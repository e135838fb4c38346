"""A memory whose weights are what it remembers: reading a pair into it is one step of gradient descent.

The memory M maps a key to a value. It has one layer, M(k) = W k, or two, M(k) = W₂ silu(W₁ k), and learns while it
reads, token by token:

    S_t = η_t S_{t−1} − θ_t ∇‖M_{t−1}(k_t) − v_t‖²      surprise, with momentum
    M_t = (1 − α_t) M_{t−1} + S_t                       decay acts on the memory, not on the surprise

Axes: … any leading axes (sequences, variants side by side), n tokens, K key width, H hidden width, V value width.

Source: Behrouz, Zhong & Mirrokni 2024, "Titans: Learning to Memorize at Test Time" (arXiv 2501.00663), section 3.1. The
loss is the sum over the V numbers of a value, without a factor ½, so its gradient has a factor 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mem_core.engine import Array, Engine
from mem_core.kernels import linear_scan

Weights: TypeAlias = tuple[Array, ...]
"""(W,) with W (…,V,K), or (W₁, W₂) with W₁ (…,H,K) and W₂ (…,V,H)."""

DEPTHS = (1, 2)
OUTPUT_SCALE = 0.3
"""W₂ starts this much smaller than √(1/H), so that an untouched deep memory answers with little."""


@dataclass(frozen=True)
class MemoryState:
    """What a memory knows, M, and where it is moving, S: of the same shapes."""

    weights: Weights
    surprise: Weights


@dataclass(frozen=True, kw_only=True)
class Gates:
    """Fixed gates of a memory.

    Attributes:
        forget: α, the share of the memory that every token takes away, in [0, 1].
        momentum: η, the share of the surprise that lasts to the next token, in [0, 1).
        step_size: θ, how far a token moves the memory down its gradient, 0 or more.

    Raises:
        ValueError: naming the gate that is out of its range.
    """

    forget: float
    momentum: float
    step_size: float

    def __post_init__(self) -> None:
        if not 0 <= self.forget <= 1:
            raise ValueError(f"forget is {self.forget!r}, but it must be from 0 to 1.")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum is {self.momentum!r}, but it must be at least 0 and below 1.")
        if not 0 <= self.step_size < math.inf:
            raise ValueError(f"step_size is {self.step_size!r}, but it must be zero or a positive number.")


def empty(engine: Engine, leading: tuple[int, ...], key_width: int, value_width: int) -> MemoryState:
    """Return a memory of one layer that knows nothing: W = 0, S = 0."""
    weights = (engine.xp.zeros((*leading, value_width, key_width)),)
    return MemoryState(weights, weights)


def untrained(
    engine: Engine,
    generator: np.random.Generator,
    leading: tuple[int, ...],
    key_width: int,
    hidden: int,
    value_width: int,
) -> MemoryState:
    """Return a memory of two layers with random weights, W₁ ~ N(0, 1) and W₂ ~ 0.3 N(0, 1) / √H; S = 0.

    Of two layers that are zero neither has a gradient, so a deep memory cannot start empty.
    """
    first = generator.standard_normal((*leading, hidden, key_width))
    second = generator.standard_normal((*leading, value_width, hidden)) * OUTPUT_SCALE / math.sqrt(hidden)
    weights = (engine.asarray(first), engine.asarray(second))
    return MemoryState(weights, tuple(matrix * 0.0 for matrix in weights))


def recall(engine: Engine, weights: Weights, keys: Array) -> Array:
    """Return what the memory answers, M(k), without changing it: keys (…,n,K) to (…,n,V)."""
    xp = engine.xp
    if len(weights) == 1:
        return keys @ xp.matrix_transpose(weights[0])
    features, _ = _silu(xp, keys @ xp.matrix_transpose(weights[0]))
    return features @ xp.matrix_transpose(weights[1])


def gradient(engine: Engine, weights: Weights, key: Array, value: Array) -> Weights:
    """Return ∇‖M(k) − v‖² by the weights, for one pair in each of the leading places.

    With e = M(k) − v:  ∇W = 2 e kᵀ;  or with z = W₁ k:  ∇W₂ = 2 e silu(z)ᵀ,  ∇W₁ = 2 (W₂ᵀ e ⊙ silu'(z)) kᵀ.

    Args:
        engine: where the arrays live.
        weights: of the memory (…,V,K), or (…,H,K) and (…,V,H).
        key, value: (…,K) and (…,V); their leading axes may be fewer or of size 1.

    Returns:
        One matrix for each of `weights`, of its shape.
    """
    xp = engine.xp
    if len(weights) == 1:
        error = _apply(weights[0], key) - value
        return (_outer(2.0 * error, key),)
    first, second = weights
    features, slope = _silu(xp, _apply(first, key))
    error = 2.0 * (_apply(second, features) - value)
    return _outer(_apply(xp.matrix_transpose(second), error) * slope, key), _outer(error, features)


def absorb(state: MemoryState, gradient: Weights, forget: Any, momentum: Any, step_size: Any) -> MemoryState:
    """Move the memory: S ← η S − θ ∇,  M ← (1 − α) M + S.

    Args:
        state: before the token.
        gradient: of the token's loss, at the memory before it or, in chunks, at the memory before its chunk.
        forget, momentum, step_size: α, η, θ; numbers, or arrays that fit to the matrices, (…,1,1).
    """
    surprise = tuple(momentum * old - step_size * new for old, new in zip(state.surprise, gradient, strict=True))
    weights = tuple((1.0 - forget) * old + new for old, new in zip(state.weights, surprise, strict=True))
    return MemoryState(weights, surprise)


@dataclass(frozen=True)
class Shares:
    """How much of everything before is in the memory and in the surprise after each token of a chunk.

    Both (b,n,2 + n). Along the last axis: of the memory before the chunk, of the surprise before it, and of the step
    −θ_i ∇_i of each token i.
    """

    memory: Array
    surprise: Array


def shares(engine: Engine, forget: Array, momentum: Array) -> Shares:
    """Solve the two recursions of a chunk, which are linear in what is written, once for all weights.

    With β_t = Π_{j≤t} (1 − α_j):  S_t = Σ_i (Π_{j=i+1..t} η_j) (−θ_i ∇_i),  M_t = β_t M_0 + Σ_i (β_t/β_i) S_i.

    Args:
        engine: where the arrays live.
        forget, momentum: α and η (b,n).
    """
    xp = engine.xp
    batch, length = forget.shape
    unit = xp.eye(length + 2)
    same = xp.ones((batch, 1, 1))
    surprise = linear_scan(momentum[..., None] + 0.0 * unit[0], same * unit[2:], same[:, 0] * unit[1])
    memory = linear_scan(1.0 - forget[..., None] + 0.0 * unit[0], surprise, same[:, 0] * unit[0])
    return Shares(memory, surprise)


def read_and_write(
    engine: Engine,
    state: MemoryState,
    queries: Array,
    keys: Array,
    values: Array,
    forget: Array,
    momentum: Array,
    step_size: Array,
) -> tuple[Array, MemoryState]:
    """Write one chunk into a memory of one layer, all tokens at once, and read it after every token.

    All gradients are taken at the memory before the chunk. Then what a query reads of token i is −2 θ_i (k_i·q) e_i
    times that token's share, as in attention, and no memory in between is ever built.

    Args:
        engine: where the arrays live.
        state: before the chunk, one layer, W (b,V,K).
        queries, keys: (b,n,K).
        values: (b,n,V).
        forget, momentum, step_size: α, η, θ (b,n).

    Returns:
        What the queries read, M_t q_t (b,n,V), and the state after the chunk. Differentiable in every array.

    Source: arXiv 2501.00663, section 3.2, equations 16 to 18, with the factor 2 and both key and value in the gradient.
    """
    xp = engine.xp
    (before,), (moving,) = state.weights, state.surprise
    left = shares(engine, forget, momentum)
    error = 2.0 * step_size[..., None] * (recall(engine, (before,), keys) - values)
    matches = queries @ xp.matrix_transpose(keys) * left.memory[..., 2:]
    read = (
        left.memory[..., :1] * recall(engine, (before,), queries)
        + left.memory[..., 1:2] * recall(engine, (moving,), queries)
        - matches @ error
    )
    return read, MemoryState(
        (_after(xp, left.memory, before, moving, error, keys),),
        (_after(xp, left.surprise, before, moving, error, keys),),
    )


def _after(xp: Any, share: Array, before: Array, moving: Array, error: Array, keys: Array) -> Array:
    """Sum up what is left of everything after the last token of a chunk."""
    last = share[:, -1]
    written = xp.matrix_transpose(error * last[:, 2:, None]) @ keys
    return last[:, :1, None] * before + last[:, 1:2, None] * moving - written


def _apply(matrix: Array, vector: Array) -> Array:
    return (matrix @ vector[..., None])[..., 0]


def _outer(left: Array, right: Array) -> Array:
    return left[..., :, None] * right[..., None, :]


def _silu(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return x σ(x) and its derivative; σ by way of tanh, which cannot overflow."""
    gate = 0.5 + 0.5 * xp.tanh(0.5 * x)
    return x * gate, gate * (1.0 + x * (1.0 - gate))
