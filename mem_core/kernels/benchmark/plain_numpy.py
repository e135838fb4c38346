"""The slow and obvious references, under the arguments of the public functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.kernels.convolution import reference as convolution
from mem_core.kernels.delta_rule import reference as correcting
from mem_core.kernels.gating import output, step_size
from mem_core.kernels.hidden_state import reference as mixing
from mem_core.kernels.linear_attention import reference as attention
from mem_core.kernels.linear_recurrence import reference as recurrence
from mem_core.kernels.scatter import reference as scatter
from mem_core.kernels.selective import reference as selective
from mem_core.kernels.ssd import reference as ssd

Floats = NDArray[np.floating]


def linear_scan(a: Floats, b: Floats) -> Floats:
    """Return h (b,t,d)."""
    return recurrence.linear_scan(a, b, np.zeros((b.shape[0], b.shape[2])))


def selective_scan(
    u: Floats,
    delta: Floats,
    A: Floats,
    B: Floats,
    C: Floats,
    D: Floats,
    z: Floats,
    delta_bias: Floats,
    delta_softplus: bool,
) -> Floats:
    """Return y (b,d,t)."""
    step = step_size(delta, delta_bias[:, None], delta_softplus)
    y, _ = selective.selective_scan(u, step, A, B, C, np.zeros((*u.shape[:2], A.shape[1])))
    return np.asarray(output(y, u, D[:, None], z, like=u))


def ssd_scan(x: Floats, dt: Floats, A: Floats, B: Floats, C: Floats) -> Floats:
    """Return y (b,t,h,p)."""
    return ssd.ssd_scan(x, dt, A, B, C, np.zeros((x.shape[0], *x.shape[2:], B.shape[3])))[0]


def gated_linear_attention(q: Floats, k: Floats, v: Floats, g: Floats) -> Floats:
    """Return o (b,t,h,V)."""
    return attention.gated_linear_attention(q, k, v, g, _empty_state(k, v), _scale(k))[0]


def delta_rule(q: Floats, k: Floats, v: Floats, beta: Floats) -> Floats:
    """Return o (b,t,h,V)."""
    return gated_delta_rule(q, k, v, beta, np.zeros_like(beta))


def gated_delta_rule(q: Floats, k: Floats, v: Floats, beta: Floats, g: Floats) -> Floats:
    """Return o (b,t,h,V)."""
    return correcting.gated_delta_rule(q, k, v, beta, g, _empty_state(k, v), _scale(k))[0]


def causal_conv1d(x: Floats, weight: Floats, bias: Floats, activation: str) -> Floats:
    """Return y (b,d,t)."""
    assert activation == "silu"
    y = convolution.causal_conv1d(x, weight, bias, np.zeros((*x.shape[:2], weight.shape[1] - 1)))
    return y / (1.0 + np.exp(-y))


def hidden_state_mixer(
    x: Floats, dt: Floats, A: Floats, B: Floats, C: Floats, D: Floats, hz_weight: Floats, out_weight: Floats
) -> Floats:
    """Return y (b,d,l)."""
    return mixing.hidden_state_mixer(x, dt, A, B, C, D, hz_weight, out_weight)[0]


def _empty_state(k: Floats, v: Floats) -> Floats:
    return np.zeros((k.shape[0], *k.shape[2:], v.shape[3]))


def _scale(k: Floats) -> float:
    return float(k.shape[-1] ** -0.5)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "linear_scan": linear_scan,
    "selective_scan": selective_scan,
    "ssd_scan": ssd_scan,
    "gated_linear_attention": gated_linear_attention,
    "delta_rule": delta_rule,
    "gated_delta_rule": gated_delta_rule,
    "causal_conv1d": causal_conv1d,
    "hidden_state_mixer": hidden_state_mixer,
    "scatter_add": scatter.scatter_add,
}
"""By the names of the public functions, whose arguments they take; none has a gradient."""
