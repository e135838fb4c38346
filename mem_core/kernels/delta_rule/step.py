"""`delta_rule_step` and `gated_delta_rule_step`: one time step, for a sequence that arrives bit by bit."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, cast_like
from mem_core.kernels.dispatch import namespace
from mem_core.kernels.linear_attention.heads import scale_of


def delta_rule_step(
    q: Array, k: Array, v: Array, beta: Array, state: Array, scale: float | None = None
) -> tuple[Array, Array]:
    """Correct once what the memory answers to a key, and read it.

        S' = S + β k (v − Sᵀ k)ᵀ
        o = S'ᵀ (scale q)

    Args:
        q: query (batch, heads, key width).
        k: key, as q.
        v: value (batch, heads, value width).
        beta: β (batch, heads).
        state: S (batch, heads, key width, value width); left as it is.
        scale: multiplies the query; key width^−1/2 if left out.

    Returns:
        `(o, S')`: o (batch, heads, value width) in v's type, S' float32, or float64 if q is.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, or scale is not finite.

    Source:
        Yang et al. 2024 (arXiv 2406.06484), section 2.
    """
    return _step(Arguments("delta_rule_step"), q, k, v, beta, None, state, scale)


def gated_delta_rule_step(
    q: Array, k: Array, v: Array, beta: Array, g: Array, state: Array, scale: float | None = None
) -> tuple[Array, Array]:
    """Let the memory fade once, correct what it answers to a key, and read it.

        S_d = exp(g) S
        S' = S_d + β k (v − S_dᵀ k)ᵀ
        o = S'ᵀ (scale q)

    Args:
        q: query (batch, heads, key width).
        k: key, as q.
        v: value (batch, heads, value width).
        beta: β (batch, heads).
        g: logarithm of the gate (batch, heads).
        state: S (batch, heads, key width, value width); left as it is.
        scale: multiplies the query; key width^−1/2 if left out.

    Returns:
        `(o, S')`: o (batch, heads, value width) in v's type, S' float32, or float64 if q is.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, or scale is not finite.

    Source:
        Yang et al. 2025 (arXiv 2412.06464), section 3.
    """
    return _step(Arguments("gated_delta_rule_step"), q, k, v, beta, g, state, scale)


def _step(
    given: Arguments,
    q: Array,
    k: Array,
    v: Array,
    beta: Array,
    g: Array | None,
    state: Array,
    scale: float | None,
) -> tuple[Array, Array]:
    inputs = v
    q = given.take("q", q, "batch", "heads", "key width")
    k = given.take("k", k, "batch", "heads", "key width")
    v = given.take("v", v, "batch", "heads", "value width")
    beta = given.take("beta", beta, "batch", "heads")
    g = given.take_optional("g", g, "batch", "heads")
    state = given.take("state", state, "batch", "heads", "key width", "value width")

    xp = namespace(q, k, v, beta, g, state)
    if g is not None:
        state = xp.exp(g)[..., None, None] * state
    error = v - xp.sum(state * k[..., None], axis=-2)
    state = state + (beta[..., None] * k)[..., None] * error[:, :, None]
    o = xp.sum(state * (scale_of(given, scale, q) * q)[..., None], axis=-2)
    return cast_like(o, inputs), state
