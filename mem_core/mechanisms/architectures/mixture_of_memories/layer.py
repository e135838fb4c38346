"""Experiment B: one layer with a mixture of memories whose router, keys and gates are learned.

Axes: b sequences, l tokens, D width, K key width, V value width, m memories, h matrices (the memories, and the shared
one last), c values to choose from.

    x = embedding[token],  s = softmax(x W_router),  g = the k largest of s, scaled to a sum of 1
    q_t = unit(silu(x_t W_q)),  k_t = unit(silu(x_{t−1} W_k^h)),  v_t = x_t W_v^h
    β = σ(x W_β^h),  α = exp(−exp(A_log) · softplus(x W_α^h + dt))        for the matrices that are written to, only
    S ← α S,  S ← S + β k (v − Sᵀk)ᵀ                                      the gated delta rule
    o = Σ_m g_m S_mᵀ q + S_sharedᵀ q
    logits = (x + norm(o) W_o) W_head

Queries are the same for all matrices; keys, values and gates have weights of their own for each. The key comes from the
token before, so that a value can be written at the key in front of it. The paper's layer reaches four tokens back, and
gates its output; both are left out here.

Source: arXiv 2502.13685, section 3 and its code, `mom/layers/mom.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from mem_core.engine import Array, Engine, philox
from mem_core.kernels import causal_conv1d, gated_delta_rule
from mem_core.kernels.activations import silu, softplus
from mem_core.nn.mamba2_classifier import embed
from mem_core.nn.norms import rms_norm
from mem_core.nn.router import Routing, load_balance_loss, route

Params: TypeAlias = dict[str, Array]

FIRST_DECAY_RATE, FIRST_STEP = 1.0, 0.01
"""exp(A_log) and softplus(dt) before training, so that α ≈ 0.99. The paper draws them anew for each of many heads, from
0 to 16 and from 0.001 to 0.1; one head alone would often start with half of everything gone after four tokens."""
SMALLEST_SQUARE = 1e-6
"""Added to a squared length, so that a vector of zeros stays zero."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a layer.

    Attributes:
        width, key_width, value_width: D, K and V.
        memories: m, those that the router chooses from.
        top_k: how many of them each token is sent to.
        shared: whether there is a memory beside them that every token is sent to.
        vocabulary: different tokens.
        classes: c, different answers.
    """

    width: int
    key_width: int
    value_width: int
    memories: int
    top_k: int
    shared: bool
    vocabulary: int
    classes: int

    @property
    def matrices(self) -> int:
        """All memories, the shared one among them."""
        return self.memories + self.shared


class Answer(NamedTuple):
    """What a layer says: a score for each value at the last tokens (b,last,c), and where all tokens went."""

    scores: Array
    routing: Routing


def init(engine: Engine, shape: Shape, seed: int) -> Params:
    """Draw the parameters: embeddings standard normal, linear maps uniform in ±1/√fan-in, as PyTorch's `Linear`."""
    generator = philox(seed, "mixture of memories", "layer")

    def linear(rows: int, columns: int) -> Array:
        bound = 1 / math.sqrt(rows)
        return engine.asarray(generator.uniform(-bound, bound, (rows, columns)))

    return {
        "embedding": engine.asarray(generator.standard_normal((shape.vocabulary, shape.width))),
        "router": linear(shape.width, shape.memories),
        "query": linear(shape.width, shape.key_width),
        "key": linear(shape.width, shape.matrices * shape.key_width),
        "value": linear(shape.width, shape.matrices * shape.value_width),
        "strength": linear(shape.width, shape.matrices),
        "decay": linear(shape.width, shape.matrices),
        "log_rate": engine.xp.full((1,), math.log(FIRST_DECAY_RATE)),
        "step_bias": engine.xp.full((1,), math.log(math.expm1(FIRST_STEP))),
        "norm": engine.xp.ones(shape.value_width),
        "out": linear(shape.value_width, shape.width),
        "head": linear(shape.width, shape.classes),
    }


def answer(engine: Engine, shape: Shape, params: Params, tokens: Array, last: int) -> Answer:
    """Read sequences and score the values at the last tokens: (b,l) whole numbers to (b,last,c)."""
    x = embed(engine, params, tokens)
    routing = route(engine, x @ params["router"], shape.top_k)
    read = rms_norm(engine, _read(engine, shape, params, x, routing), params["norm"])
    return Answer((x + read @ params["out"])[:, -last:] @ params["head"], routing)


def loss(engine: Engine, shape: Shape, balance: float, params: Params, tokens: Array, right: Array) -> Array:
    """Cross-entropy at the queries, in nats, and the balance loss of the router, weighted.

    Args:
        engine: where the arrays live.
        shape: of the layer.
        balance: weight of the balance loss.
        params: from `init`.
        tokens: whole numbers (b,l).
        right: 1 for the right answer to each query, else 0 (b,queries,c).
    """
    xp = engine.xp
    scores, routing = answer(engine, shape, params, tokens, right.shape[1])
    scores = scores - xp.max(scores, axis=-1, keepdims=True)
    likelihood = scores - xp.log(xp.sum(xp.exp(scores), axis=-1, keepdims=True))
    return balance * load_balance_loss(engine, routing) - xp.mean(xp.sum(right * likelihood, axis=-1))


def _read(engine: Engine, shape: Shape, params: Params, x: Array, routing: Routing) -> Array:
    """Write all tokens and read after each: (b,l,D) to (b,l,V)."""
    xp, leading = engine.xp, x.shape[:2]
    written, weights = (_with_shared(xp, shape, part) for part in (routing.chosen, routing.weights))
    query = xp.expand_dims(_unit(xp, silu(x @ params["query"])), axis=2)
    key = xp.reshape(_token_before(engine, x) @ params["key"], (*leading, shape.matrices, shape.key_width))
    value = xp.reshape(x @ params["value"], (*leading, shape.matrices, shape.value_width))
    strength = 0.5 + 0.5 * xp.tanh(0.5 * (x @ params["strength"]))
    gate = -xp.exp(params["log_rate"]) * softplus(x @ params["decay"] + params["step_bias"])
    reads = gated_delta_rule(
        xp.broadcast_to(query, key.shape), _unit(xp, silu(key)), value, strength * written, gate * written
    )
    return xp.sum(xp.expand_dims(weights, axis=-1) * reads, axis=2)


def _with_shared(xp: Any, shape: Shape, of_memories: Array) -> Array:
    """Add the shared memory: every token is written to it, and its answer counts in full."""
    if not shape.shared:
        return of_memories
    return xp.concat([of_memories, xp.ones_like(of_memories[..., :1])], axis=-1)


def _token_before(engine: Engine, x: Array) -> Array:
    """Shift by one token: the short convolution with weight 1 on the token before and 0 on the present one."""
    xp = engine.xp
    taps = xp.stack([xp.ones(x.shape[-1]), xp.zeros(x.shape[-1])], axis=1)  # (D, 2)
    return xp.permute_dims(causal_conv1d(xp.permute_dims(x, (0, 2, 1)), taps), (0, 2, 1))


def _unit(xp: Any, vectors: Array) -> Array:
    return vectors * (xp.sum(vectors * vectors, axis=-1, keepdims=True) + SMALLEST_SQUARE) ** -0.5
