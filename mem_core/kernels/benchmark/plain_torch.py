"""Each kernel as one would first write it in PyTorch: a loop over time where there is one, left to autograd.

Axes as in the public functions. Every loop takes its sequences apart once, by `unbind`. What one may well write first
is to index them at every step; autograd then makes a gradient as long as the sequence at every step. `selective_scan`
can be had that way too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def linear_scan(a: Tensor, b: Tensor) -> Tensor:
    """Return h (b,t,d)."""
    h, states = torch.zeros_like(b[:, 0]), []
    for a_t, b_t in zip(a.unbind(1), b.unbind(1), strict=True):
        h = a_t * h + b_t
        states.append(h)
    return torch.stack(states, dim=1)


def selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    z: Tensor,
    delta_bias: Tensor,
    delta_softplus: bool,
    steps: Callable[[Tensor], Iterable[Tensor]] = lambda sequence: sequence.unbind(2),
) -> Tensor:
    """Return y (b,d,t); `steps` takes a sequence apart."""
    assert delta_softplus
    step = functional.softplus(delta + delta_bias[:, None])
    h, outputs = torch.zeros(*u.shape[:2], A.shape[1], dtype=A.dtype, device=u.device), []
    for step_t, input_t, B_t, C_t in zip(*map(steps, (step, step * u, B, C)), strict=True):
        h = torch.exp(step_t[..., None] * A) * h + input_t[..., None] * B_t[:, None]
        outputs.append((h * C_t[:, None]).sum(dim=2))
    y = torch.stack(outputs, dim=2) + D[:, None] * u
    return (y * functional.silu(z)).to(u.dtype)


def selective_scan_that_indexes(**given: Any) -> Tensor:
    """Return y (b,d,t)."""
    return selective_scan(**given, steps=lambda sequence: (sequence[:, :, t] for t in range(sequence.shape[2])))


def ssd_scan(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """Return y (b,t,h,p)."""
    B, C = (vectors.repeat_interleave(x.shape[2] // vectors.shape[2], dim=2) for vectors in (B, C))
    h, outputs = torch.zeros(x.shape[0], *x.shape[2:], B.shape[3], dtype=dt.dtype, device=x.device), []
    sequences = (torch.exp(dt * A).unbind(1), (dt[..., None] * x).unbind(1), B.unbind(1), C.unbind(1))
    for decay_t, x_t, B_t, C_t in zip(*sequences, strict=True):
        h = decay_t[..., None, None] * h + x_t[..., None] * B_t[:, :, None]
        outputs.append((h * C_t[:, :, None]).sum(dim=3))
    return torch.stack(outputs, dim=1).to(x.dtype)


def gated_linear_attention(q: Tensor, k: Tensor, v: Tensor, g: Tensor) -> Tensor:
    """Return o (b,t,h,V)."""
    state, outputs = _empty_state(k, v), []
    sequences = (_scaled(q).unbind(1), k.unbind(1), v.unbind(1), g.float().exp().unbind(1))
    for q_t, k_t, v_t, decay_t in zip(*sequences, strict=True):
        state = decay_t[..., None] * state + k_t[..., None] * v_t[:, :, None]
        outputs.append((q_t[..., None] * state).sum(dim=2))
    return torch.stack(outputs, dim=1).to(v.dtype)


def delta_rule(q: Tensor, k: Tensor, v: Tensor, beta: Tensor) -> Tensor:
    """Return o (b,t,h,V)."""
    return gated_delta_rule(q, k, v, beta, torch.zeros_like(beta, dtype=torch.float32))


def gated_delta_rule(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, g: Tensor) -> Tensor:
    """Return o (b,t,h,V)."""
    state, outputs = _empty_state(k, v), []
    sequences = (_scaled(q).unbind(1), k.unbind(1), v.unbind(1), beta.unbind(1), g.exp().unbind(1))
    for q_t, k_t, v_t, beta_t, decay_t in zip(*sequences, strict=True):
        state = decay_t[..., None, None] * state
        error = v_t - (k_t[..., None] * state).sum(dim=2)
        state = state + k_t[..., None] * (beta_t[..., None] * error)[:, :, None]
        outputs.append((q_t[..., None] * state).sum(dim=2))
    return torch.stack(outputs, dim=1).to(v.dtype)


def causal_conv1d(x: Tensor, weight: Tensor, bias: Tensor, activation: str) -> Tensor:
    """Return y (b,d,t)."""
    assert activation == "silu"
    channels, taps = weight.shape
    padded = functional.pad(x, (taps - 1, 0))
    return functional.silu(functional.conv1d(padded, weight[:, None], bias, groups=channels))


def hidden_state_mixer(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, hz_weight: Tensor, out_weight: Tensor
) -> Tensor:
    """Return y (b,d,l)."""
    shares = functional.softmax(dt + A[:, None], dim=2).to(x.dtype)
    h, z = (hz_weight @ (x @ (shares * B).transpose(1, 2))).chunk(2, dim=1)
    mixed = (h * (functional.silu(z) + D)).to(x.dtype)
    return out_weight @ mixed @ C


def scatter_add(rows: Tensor, index: Tensor, size: int) -> Tensor:
    """Return sums (s,w)."""
    return torch.zeros(size, rows.shape[1], dtype=rows.dtype, device=rows.device).index_put((index,), rows, True)


def _empty_state(k: Tensor, v: Tensor) -> Tensor:
    return torch.zeros(k.shape[0], *k.shape[2:], v.shape[3], dtype=torch.float32, device=k.device)


def _scaled(q: Tensor) -> Tensor:
    return torch.mul(q, q.shape[-1] ** -0.5)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "linear_scan": linear_scan,
    "selective_scan": selective_scan,
    "ssd_scan": ssd_scan,
    "gated_linear_attention": gated_linear_attention,
    "delta_rule": delta_rule,
    "gated_delta_rule": gated_delta_rule,
    "causal_conv1d": causal_conv1d,
    "hidden_state_mixer": hidden_state_mixer,
    "scatter_add": scatter_add,
}
"""By the names of the public functions, whose arguments they take."""

LOOPS = frozenset(FUNCTIONS) - {"causal_conv1d", "hidden_state_mixer", "scatter_add"}
"""Those that are loops over time."""
