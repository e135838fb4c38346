"""`ssd_step`: one time step of Mamba-2, for a sequence that arrives bit by bit."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments
from mem_core.kernels.dispatch import namespace
from mem_core.kernels.gating import output, step_size
from mem_core.kernels.ssd.direct_path import take_direct_weight


def ssd_step(
    x: Array,
    dt: Array,
    A: Array,
    B: Array,
    C: Array,
    state: Array,
    D: Array | None = None,
    z: Array | None = None,
    dt_bias: Array | None = None,
    dt_softplus: bool = False,
) -> tuple[Array, Array]:
    """Advance Mamba-2's state by one step.

        Δ = softplus(dt + dt_bias)                          or dt + dt_bias without dt_softplus
        h' = exp(Δ A) h + Δ x ⊗ B
        y = (h' C + D x) · silu(z)

    Args:
        x: inputs (batch, heads, width).
        dt: step sizes before bias and softplus (batch, heads).
        A: decay rates (heads,), negative.
        B: what is written into the state (batch, groups, state); `groups` divides `heads`.
        C: what is read from the state, as B.
        state: h (batch, heads, width, state); left as it is.
        D: weight of the direct path (heads,) or (heads, width); none if left out.
        z: gate (batch, heads, width); none if left out.
        dt_bias: added to dt (heads,).
        dt_softplus: make Δ positive by log(1 + exp).

    Returns:
        `(y, h')`: y (batch, heads, width) in x's type, h' float32, or float64 if x is.

    Raises:
        ValueError: if shapes do not fit, an axis is empty, or numbers are not floating-point.

    Source:
        Dao & Gu 2024, "Transformers are SSMs" (arXiv 2405.21060), equation 1 with a scalar A.
    """
    given = Arguments("ssd_step")
    inputs = x
    x = given.take("x", x, "batch", "heads", "width")
    dt = given.take("dt", dt, "batch", "heads")
    A = given.take("A", A, "heads")
    B = given.take("B", B, "batch", "groups", "state")
    C = given.take("C", C, "batch", "groups", "state")
    state = given.take("state", state, "batch", "heads", "width", "state")
    D = take_direct_weight(given, D)
    z = given.take_optional("z", z, "batch", "heads", "width")
    dt_bias = given.take_optional("dt_bias", dt_bias, "heads")
    given.check_divides("groups", "heads")

    xp = namespace(x, dt, A, B, C, state, D, z, dt_bias)
    step = step_size(dt, dt_bias, dt_softplus)
    # (b,h,1,n)
    B, C = (_per_head(vectors, x.shape[1])[:, :, None, :] for vectors in (B, C))
    state = xp.exp(step * A)[..., None, None] * state + (step[..., None] * x)[..., None] * B
    y = xp.sum(state * C, axis=-1)
    return output(y, x, D, z, like=inputs), state


def _per_head(vectors: Array, heads: int) -> Array:
    """Repeat (b,g,n) for the heads of every group: (b,h,n)."""
    groups = vectors.shape[1]
    return vectors[:, [head * groups // heads for head in range(heads)]]
