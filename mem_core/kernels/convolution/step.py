"""`causal_conv1d_step`: one time step of the short convolution, for a sequence that arrives bit by bit."""

from __future__ import annotations

from mem_core.engine import Array
from mem_core.kernels.activations import silu
from mem_core.kernels.arguments import Arguments, cast_like
from mem_core.kernels.convolution.activation import check_activation
from mem_core.kernels.dispatch import namespace


def causal_conv1d_step(
    x: Array, state: Array, weight: Array, bias: Array | None = None, activation: str | None = None
) -> tuple[Array, Array]:
    """Mix one input with the few before it, each channel by itself.

        y = f(bias + Σ_i weight_i window_i),  window = the W − 1 earlier inputs and x

    Args:
        x: the present input (batch, channels).
        state: the earlier inputs, oldest first (batch, channels, taps − 1); left as it is.
        weight: (channels, taps), W = taps.
        bias: (channels,); zero if left out.
        activation: None or "silu".

    Returns:
        `(y, new state)`: y (batch, channels) in x's type, the state float32, or float64 if x is.

    Raises:
        ValueError: if shapes do not fit, an axis is empty, numbers are not floating-point, or there is no such
            activation.

    Source:
        Gu & Dao 2023, "Mamba" (arXiv 2312.00752), section 3.4.
    """
    given = Arguments("causal_conv1d_step")
    check_activation(given, activation)
    inputs = x
    x = given.take("x", x, "batch", "channels")
    weight = given.take("weight", weight, "channels", "taps")
    given.know("taps - 1", weight.shape[1] - 1)
    state = given.take("state", state, "batch", "channels", "taps - 1")
    bias = given.take_optional("bias", bias, "channels")

    xp = namespace(x, state, weight, bias)
    # (batch, channels, taps)
    window = xp.concatenate([state, x[:, :, None]], axis=2)
    y = xp.sum(window * weight, axis=-1)
    if bias is not None:
        y = y + bias
    if activation == "silu":
        y = silu(y)
    return cast_like(y, inputs), window[:, :, 1:]
