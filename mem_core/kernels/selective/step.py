"""`selective_scan_step`: one time step of Mamba-1, for a sequence that arrives bit by bit."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.arguments import Arguments
from mem_core.kernels.dispatch import namespace
from mem_core.kernels.gating import output, step_size
from mem_core.kernels.selective.arguments import check_same_groups, take_vectors


def selective_scan_step(
    u: Array,
    delta: Array,
    A: Array,
    B: Array,
    C: Array,
    state: Array,
    D: Array | None = None,
    z: Array | None = None,
    delta_bias: Array | None = None,
    delta_softplus: bool = False,
) -> tuple[Array, Array]:
    """Advance Mamba-1's state by one step.

        Δ = softplus(delta + delta_bias)                    or delta + delta_bias without delta_softplus
        h' = exp(Δ A) h + Δ u B
        y = (h' · C + D u) · silu(z)

    Args:
        u: inputs (batch, channels).
        delta: step sizes before bias and softplus (batch, channels).
        A: decay rates (channels, state), negative.
        B: what is written into the state (batch, state), or (batch, groups, state) where `groups` divides `channels`.
        C: what is read from the state, as B.
        state: h (batch, channels, state); left as it is.
        D: weight of the direct path (channels,); none if left out.
        z: gate (batch, channels); none if left out.
        delta_bias: added to delta (channels,).
        delta_softplus: make Δ positive by log(1 + exp).

    Returns:
        `(y, h')`: y (batch, channels) in u's type, h' float32, or float64 if u is.

    Raises:
        ValueError: if shapes, types or devices do not fit, or an axis is empty.

    Source:
        Gu & Dao 2023, "Mamba" (arXiv 2312.00752), equation 2a; `selective_state_update` in `mamba_ssm`.
    """
    given = Arguments("selective_scan_step")
    inputs = u
    u = given.take("u", u, "batch", "channels")
    delta = given.take("delta", delta, "batch", "channels")
    A = given.take("A", A, "channels", "state")
    B = take_vectors(given, "B", B)
    C = take_vectors(given, "C", C)
    check_same_groups(given, B, C, u.shape[1])
    state = given.take("state", state, "batch", "channels", "state")
    D = given.take_optional("D", D, "channels")
    z = given.take_optional("z", z, "batch", "channels")
    delta_bias = given.take_optional("delta_bias", delta_bias, "channels")

    xp = namespace(u, delta, A, B, C, state, D, z, delta_bias)
    step = step_size(delta, delta_bias, delta_softplus)
    B, C = (_per_channel(vectors, u.shape[1]) for vectors in (B, C))
    state = xp.exp(step[:, :, None] * A) * state + (step * u)[:, :, None] * B
    return output(xp.sum(state * C, axis=-1), u, D, z, like=inputs), state


def _per_channel(vectors: Array, channels: int) -> Array:
    """Repeat (b,g,n) for the channels of every group: (b,d,n)."""
    groups = vectors.shape[1]
    return vectors[:, [channel * groups // channels for channel in range(channels)]]
