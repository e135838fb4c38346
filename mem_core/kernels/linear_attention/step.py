"""`gated_linear_attention_step`: one time step of gated linear attention, for a sequence that arrives bit by bit."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments, cast_like
from mem_core.kernels.dispatch import namespace
from mem_core.kernels.linear_attention.heads import scale_of, take_gates


def gated_linear_attention_step(
    q: Array, k: Array, v: Array, g: Array, state: Array, scale: float | None = None
) -> tuple[Array, Array]:
    """Write to and read from the fading memory once.

        S' = diag(exp g) S + k vᵀ
        o = S'ᵀ (scale q)

    Args:
        q: query (batch, heads, key width).
        k: key, as q.
        v: value (batch, heads, value width).
        g: logarithms of the gates, as q, or (batch, heads) for one gate a head.
        state: S (batch, heads, key width, value width); left as it is.
        scale: multiplies the query; key width^−1/2 if left out.

    Returns:
        `(o, S')`: o (batch, heads, value width) in v's type, S' float32, or float64 if q is.

    Raises:
        ValueError: if shapes, types or devices do not fit, an axis is empty, or scale is not finite.

    Source:
        Yang et al. 2024 (arXiv 2312.06635), section 4.
    """
    given = Arguments("gated_linear_attention_step")
    inputs = v
    q = given.take("q", q, "batch", "heads", "key width")
    k = given.take("k", k, "batch", "heads", "key width")
    v = given.take("v", v, "batch", "heads", "value width")
    g = take_gates(given, g, "batch", "heads")
    state = given.take("state", state, "batch", "heads", "key width", "value width")

    xp = namespace(q, k, v, g, state)
    # (b,h,1,1) or (b,h,K,1)
    gate = xp.exp(g)[..., None, None] if g.ndim == 2 else xp.exp(g)[..., None]
    state = gate * state + k[..., None] * v[:, :, None]
    o = xp.sum(state * (scale_of(given, scale, q) * q)[..., None], axis=-2)
    return cast_like(o, inputs), state
