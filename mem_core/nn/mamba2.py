"""One Mamba-2 block: parameters in a dict, plain functions over them.

Axes: b batch, l length, D model width, H heads, P head width, N state; `inner` is H·P, side by side. One group: all
heads share B and C.

A block can be run whole (`apply`), or in parts, so that the step sizes Δ can be looked at and changed between the
projection and the scan: `project`, `scan`, `finish`. Where only the answer at the last position matters, `write`,
`final_state` and `read` give it for a fraction of the work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from mem_core.engine import Array, Engine
from mem_core.kernels import causal_conv1d, ssd_scan
from mem_core.kernels.activations import softplus
from mem_core.nn.norms import gated_rms_norm

Params: TypeAlias = dict[str, Array]

A_RANGE = (1.0, 16.0)
"""Decay rates −A of the heads at the start, uniform."""
STEP_RANGE = (1e-3, 1e-1)
"""Step sizes Δ of the heads at the start, log-uniform; both ranges as in Mamba-2's code."""


@dataclass(frozen=True)
class Mamba2Shape:
    """Sizes of a block: model width D, heads H, head width P, state N, taps of the convolution."""

    width: int = 32
    heads: int = 8
    head_width: int = 8
    state: int = 8
    taps: int = 4


@dataclass(frozen=True)
class Projected:
    """What a block makes of its input before the scan.

    Attributes:
        z: gate (b,l,inner).
        x: values to write (b,l,H,P).
        B, C: where they are written and read (b,l,1,N).
        delta: step sizes Δ > 0, after bias and softplus (b,l,H).
    """

    z: Array
    x: Array
    B: Array
    C: Array
    delta: Array


@dataclass(frozen=True)
class Written:
    """What a block writes into its state: x (b,H,P,l), B (b,N,l) and Δ (b,l,H)."""

    x: Array
    B: Array
    delta: Array


def init(engine: Engine, shape: Mamba2Shape, generator: np.random.Generator, own_token: bool = False) -> Params:
    """Draw the parameters of a block.

    Linear maps are uniform in ±1/√(inputs), as PyTorch's `Linear`; `dt_bias` is the inverse softplus of a step size.

    Args:
        engine: where the parameters go.
        shape: sizes.
        generator: where the random numbers come from.
        own_token: start the convolution as "each position passes its own token" instead of a random mixture of the
            last few (uniform in ±1/√taps, as PyTorch's `Conv1d`).
    """
    inner, mixed = _sizes(shape)
    step = np.exp(generator.uniform(math.log(STEP_RANGE[0]), math.log(STEP_RANGE[1]), size=shape.heads))
    weight = _uniform(generator, shape.taps, mixed, shape.taps)
    bias = _uniform(generator, shape.taps, mixed)
    if own_token:
        weight, bias = np.zeros_like(weight), np.zeros_like(bias)
        weight[:, -1] = 1.0
    drawn = {
        "in_proj": _uniform(generator, shape.width, shape.width, inner + mixed + shape.heads),
        "conv_weight": weight,
        "conv_bias": bias,
        "dt_bias": step + np.log(-np.expm1(-step)),
        "A_log": np.log(generator.uniform(*A_RANGE, size=shape.heads)),
        "D": np.ones(shape.heads),
        "norm": np.ones(inner),
        "out_proj": _uniform(generator, inner, inner, shape.width),
    }
    return {name: engine.asarray(values) for name, values in drawn.items()}


def decay_rates(engine: Engine, params: Params) -> Array:
    """Return A = −exp(A_log), one negative rate per head (H,)."""
    return -engine.xp.exp(params["A_log"])


def apply(engine: Engine, params: Params, u: Array, delta: Array | None = None) -> Array:
    """Run a block: (b,l,D) to (b,l,D), without the residual path.

    Args:
        engine: where the arrays live.
        params: from `init`.
        u: inputs (b,l,D).
        delta: step sizes to use in place of the block's own (b,l,H).

    Source: Dao & Gu 2024, "Transformers are SSMs" (arXiv 2405.21060), figure 6 (sequential block).
    """
    projected = project(engine, params, u)
    return finish(engine, params, scan(engine, params, projected, delta), projected.z)


def project(engine: Engine, params: Params, u: Array) -> Projected:
    """Make gate, values, B, C and step sizes from the inputs (b,l,D).

    (x, B, C) = silu(conv(u W_xBC)),  z = u W_z,  Δ = softplus(u W_Δ + dt_bias)
    """
    heads, inner, state = _sizes_of(params)
    xp, batch, length = engine.xp, u.shape[0], u.shape[1]
    mixed = _mix(engine, params, u, 0, inner + 2 * state)
    mixed = xp.permute_dims(mixed, (0, 2, 1))
    # (b,l,inner + 2N)
    return Projected(
        z=u @ params["in_proj"][:, :inner],
        x=xp.reshape(mixed[:, :, :inner], (batch, length, heads, -1)),
        B=mixed[:, :, None, inner : inner + state],
        C=mixed[:, :, None, inner + state :],
        delta=step_sizes(params, u),
    )


def step_sizes(params: Params, u: Array) -> Array:
    """Return Δ = softplus(u W_Δ + dt_bias): (b,l,D) to (b,l,H). It sees one position at a time."""
    heads = params["A_log"].shape[0]
    return softplus(u @ params["in_proj"][:, -heads:] + params["dt_bias"])


def scan(engine: Engine, params: Params, projected: Projected, delta: Array | None = None) -> Array:
    """Run the recurrence: y (b,l,inner); `delta` replaces the block's own step sizes."""
    delta = projected.delta if delta is None else delta
    rates = decay_rates(engine, params)
    y = ssd_scan(projected.x, delta, rates, projected.B, projected.C, D=params["D"])
    return engine.xp.reshape(y, projected.z.shape)


def finish(engine: Engine, params: Params, y: Array, z: Array) -> Array:
    """Gate, normalise and project back: (…,inner) to (…,D)."""
    return gated_rms_norm(engine, y, z, params["norm"]) @ params["out_proj"]


def write(engine: Engine, params: Params, u: Array) -> Written:
    """Make only what enters the state: the x, B and Δ of `project`, time last in x and B."""
    heads, inner, state = _sizes_of(params)
    mixed = _mix(engine, params, u, 0, inner + state)
    x = engine.xp.reshape(mixed[:, :inner], (u.shape[0], heads, inner // heads, u.shape[1]))
    return Written(x, mixed[:, inner:], step_sizes(params, u))


def final_state(engine: Engine, params: Params, written: Written, delta: Array | None = None) -> Array:
    """Return the state after the last position (b,H,P,N), in one sum instead of a scan.

    h_l = Σ_t exp(A Σ_{s>t} Δ_s) Δ_t x_t ⊗ B_t: each write, weighted with what is left of it at the end. `delta`
    replaces the block's own step sizes.
    """
    xp = engine.xp
    delta = written.delta if delta is None else delta
    elapsed = xp.cumulative_sum(delta, axis=1)
    weight = xp.exp((elapsed[:, -1:] - elapsed) * decay_rates(engine, params)) * delta
    weight = xp.permute_dims(weight, (0, 2, 1))[:, :, None]
    # (b,H,1,l)
    rows = xp.reshape(written.x * weight, (written.x.shape[0], -1, written.x.shape[3]))
    state = rows @ xp.permute_dims(written.B, (0, 2, 1))
    return xp.reshape(state, (*written.x.shape[:3], -1))


def read(engine: Engine, params: Params, state: Array, u: Array) -> Array:
    """Return the block's output at the last position (b,D), from the state there and the inputs (b,l,D)."""
    taps = params["conv_weight"].shape[1]
    last = project(engine, params, u[:, -taps:])
    x = last.x[:, -1]
    y = (state @ last.C[:, -1, 0, :, None][:, None])[..., 0] + x * params["D"][:, None]
    z = last.z[:, -1]
    return finish(engine, params, engine.xp.reshape(y, z.shape), z)


def _mix(engine: Engine, params: Params, u: Array, first: int, last: int) -> Array:
    """Project to channels `first` to `last` of (x, B, C) and convolve them: (b,l,D) to (b,channels,l)."""
    _, inner, _ = _sizes_of(params)
    channels = slice(first, last)
    mixed = u @ params["in_proj"][:, inner + first : inner + last]
    mixed = engine.xp.permute_dims(mixed, (0, 2, 1))
    return causal_conv1d(mixed, params["conv_weight"][channels], params["conv_bias"][channels], activation="silu")


def _sizes(shape: Mamba2Shape) -> tuple[int, int]:
    """Return inner, and how many channels pass the convolution."""
    inner = shape.heads * shape.head_width
    return inner, inner + 2 * shape.state


def _sizes_of(params: Params) -> tuple[int, int, int]:
    """Read heads, inner and state from the parameters."""
    inner = params["out_proj"].shape[0]
    return params["A_log"].shape[0], inner, (params["conv_weight"].shape[0] - inner) // 2


def _uniform(generator: np.random.Generator, inputs: int, *shape: int) -> np.ndarray:
    bound = 1 / math.sqrt(inputs)
    return generator.uniform(-bound, bound, size=shape)
