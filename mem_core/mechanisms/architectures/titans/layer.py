"""A layer around the memory whose gates are learned: outer training goes through the memory's own learning.

Axes: b sequences, l tokens, D width, c values to choose from.

    x = embedding[token],  k_t = unit(silu(x_{t−1} W_K)),  q_t = unit(silu(x_t W_Q)),  v_t = x_t W_V
    (α, η, θ)_t = σ(x_t W + b)
    logits = (x + norm(M_t(q_t)) W_O) W_head

Keys are made from the token before, so that a value can be written at the key in front of it; the paper reaches
further back with a short convolution.

Source: arXiv 2501.00663, sections 3.1 and 4.4.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from mem_core.engine import Array, Engine, philox
from mem_core.kernels.activations import silu
from mem_core.nn import neural_memory
from mem_core.nn.mamba2_classifier import embed
from mem_core.nn.norms import rms_norm

Params: TypeAlias = dict[str, Array]

WIDTH = 32
CHUNK = 16
GATES = ("α forget", "η momentum", "θ step size")
FIRST_GATES = (-4.0, -2.0, -1.0)
"""Before the sigmoid, so α = 0.02, η = 0.12, θ = 0.27. A whole step θ/(1 − η) then stays below the ½ that stores a pair
exactly; from θ = η = ½, four times as much, one in two trainings learns nothing in 400 steps."""
GATE_SCALE = 0.1
"""Gates start almost the same for all tokens; what tells tokens apart is learned."""
SMALLEST_SQUARE = 1e-6
"""Added to a squared length, so that a vector of zeros stays zero."""


def init(engine: Engine, vocabulary: int, classes: int, seed: int) -> Params:
    """Draw the parameters: embeddings standard normal, linear maps uniform in ±1/√D, as PyTorch's `Linear`."""
    generator = philox(seed, "titans", "layer")
    bound = 1 / math.sqrt(WIDTH)
    drawn = {name: generator.uniform(-bound, bound, (WIDTH, WIDTH)) for name in ("query", "key", "value", "out")}
    drawn |= {
        "embedding": generator.standard_normal((vocabulary, WIDTH)),
        "gates": generator.uniform(-bound, bound, (WIDTH, len(GATES))) * GATE_SCALE,
        "head": generator.uniform(-bound, bound, (WIDTH, classes)),
    }
    params = {name: engine.asarray(values) for name, values in drawn.items()}
    return params | {"gate_bias": engine.asarray(list(FIRST_GATES)), "norm": engine.xp.ones(WIDTH)}


def gates(engine: Engine, params: Params, x: Array) -> Array:
    """Return α, η and θ of tokens with embeddings x: (…,D) to (…,3), each in (0, 1)."""
    return 0.5 + 0.5 * engine.xp.tanh(0.5 * (x @ params["gates"] + params["gate_bias"]))


def logits(engine: Engine, params: Params, tokens: Array, last: int) -> Array:
    """Score the values at the last tokens: (b,l) whole numbers to (b,last,c)."""
    x = embed(engine, params, tokens)
    read = _read_all(engine, params, x)[:, -last:]
    return (x[:, -last:] + rms_norm(engine, read, params["norm"]) @ params["out"]) @ params["head"]


def loss(engine: Engine, params: Params, tokens: Array, right: Array) -> Array:
    """Cross-entropy at the queries: tokens (b,l), right answers as zeros and ones (b,queries,c); mean over queries."""
    xp = engine.xp
    scores = logits(engine, params, tokens, right.shape[1])
    scores = scores - xp.max(scores, axis=-1, keepdims=True)
    likelihood = scores - xp.log(xp.sum(xp.exp(scores), axis=-1, keepdims=True))
    return -xp.mean(xp.sum(right * likelihood, axis=-1))


def _read_all(engine: Engine, params: Params, x: Array) -> Array:
    """Write all tokens into an empty memory, chunk by chunk, and read it after each: (b,l,D) to (b,l,D)."""
    xp = engine.xp
    before = xp.concat([0.0 * x[:, :1], x[:, :-1]], axis=1)
    queries, keys = _unit(xp, silu(x @ params["query"])), _unit(xp, silu(before @ params["key"]))
    values, opened = x @ params["value"], gates(engine, params, x)
    state = neural_memory.empty(engine, (x.shape[0],), WIDTH, WIDTH)
    reads = []
    for first in range(0, x.shape[1], CHUNK):
        part = slice(first, first + CHUNK)
        forget, momentum, step_size = (opened[:, part, index] for index in range(len(GATES)))
        read, state = neural_memory.read_and_write(
            engine, state, queries[:, part], keys[:, part], values[:, part], forget, momentum, step_size
        )
        reads.append(read)
    return xp.concat(reads, axis=1)


def _unit(xp: Any, vectors: Array) -> Array:
    return vectors * (xp.sum(vectors * vectors, axis=-1, keepdims=True) + SMALLEST_SQUARE) ** -0.5
