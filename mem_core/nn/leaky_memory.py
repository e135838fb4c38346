"""Memory units that leak at fixed rates, written to by a small network that reads them.

    k_t = κ ⊙ m_{t−1},   h_t = max(0, d_t + k_t·W_in),   m_t = k_t + g ⊙ f(h_t·W_out + c),   m_0 = 0

with f(x) = 1.7159·tanh(2x/3), the scaled tanh of LeCun et al. 1998. A loop over time, so the gradient is written by
hand for NumPy: traced step by step it would take ten times as long, most of it in Python.

Axes: T time steps, N neurons side by side, b batch, H hidden units, M memory units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array
from mem_core.kernels.dispatch import Kernel

HEIGHT, SLOPE = 1.7159, 2 / 3
"""f(x) = HEIGHT·tanh(SLOPE·x): f(±1) is about ±1, and f stays below HEIGHT."""

Floats = NDArray[Any]


def _forward(drive: Floats, inward: Floats, outward: Floats, bias: Floats, *, keep: Floats, gain: Floats) -> Floats:
    keep, scale = keep[:, None], HEIGHT * gain[:, None]  # (N,1,M)
    outward, bias = SLOPE * outward, SLOPE * bias[:, None]
    memory = np.empty((*drive.shape[:-1], outward.shape[-1]), drive.dtype)
    before = np.zeros_like(memory[0])
    for now, drive_now in zip(memory, drive, strict=True):
        kept = keep * before
        hidden = kept @ inward
        hidden += drive_now
        np.maximum(hidden, 0.0, out=hidden)
        np.matmul(hidden, outward, out=now)
        now += bias
        np.tanh(now, out=now)
        now *= scale
        now += kept
        before = now
    return memory


def _backward(
    arrays: tuple[Floats, Floats, Floats, Floats],
    outputs: Floats,
    gradient: Floats,
    *,
    keep: Floats,
    gain: Floats,
) -> tuple[Floats, ...]:
    """Return the gradients of drive, inward, outward and bias.

    Once m is known, h and the tanh follow for all steps at once; only the gradient itself runs back in time::

        e_t = dm_t + κ ⊙ (e_{t+1} + dd_{t+1}·W_inᵀ),   dz_t = e_t ⊙ g ⊙ f′(z_t),   dd_t = [h_t > 0] ⊙ dz_t·W_outᵀ
    """
    drive, inward, outward, bias = arrays
    keep, gain = keep[:, None], gain[:, None]
    kept = np.zeros_like(outputs)
    np.multiply(outputs[:-1], keep, out=kept[1:])
    hidden = np.maximum(kept @ inward + drive, 0.0)
    raised = np.tanh(SLOPE * (hidden @ outward + bias[:, None]))
    slope = (HEIGHT * SLOPE * gain) * (1.0 - raised * raised)
    open_ = (hidden > 0).astype(drive.dtype)
    before_tanh, before_relu = np.empty_like(slope), np.empty_like(hidden)
    to_hidden, to_memory = np.swapaxes(outward, -1, -2), np.swapaxes(inward, -1, -2)
    later = np.zeros_like(outputs[0])
    for t in range(len(outputs) - 1, -1, -1):
        error = gradient[t] + later
        np.multiply(error, slope[t], out=before_tanh[t])
        np.matmul(before_tanh[t], to_hidden, out=before_relu[t])
        before_relu[t] *= open_[t]
        later = before_relu[t] @ to_memory
        later += error
        later *= keep
    return (
        before_relu,
        _by_neuron(kept).swapaxes(-1, -2) @ _by_neuron(before_relu),
        _by_neuron(hidden).swapaxes(-1, -2) @ _by_neuron(before_tanh),
        before_tanh.sum(axis=(0, 2)),
    )


def _by_neuron(sequence: Floats) -> Floats:
    """Lay (T,N,b,·) out as (N,T·b,·)."""
    return np.moveaxis(sequence, 1, 0).reshape(sequence.shape[1], -1, sequence.shape[-1])


def _load_torch() -> Callable[..., Any]:
    from mem_core.nn import leaky_memory_on_torch

    return leaky_memory_on_torch.leaky_memory


_kernel = Kernel(_forward, _backward, _load_torch)


def leaky_memory(drive: Array, inward: Array, outward: Array, bias: Array, *, keep: Array, gain: Array) -> Array:
    """Run N neurons through T steps and return their memory m at every step (T,N,b,M).

    Args:
        drive: d, what reaches the hidden units from outside (T,N,b,H).
        inward: W_in, how the hidden units read the memory (N,M,H).
        outward: W_out, how they write to it (N,H,M).
        bias: c (N,M).
        keep: κ, the share of each unit that is left after a step (N,M); not differentiated.
        gain: g, how much of what is proposed is written (N,M); not differentiated.

    Raises:
        ValueError: if the shapes do not fit.

    Source: the memory of the ELM neuron, Spieler et al. 2023 (arXiv 2306.16922).
    """
    neurons, units, hidden = inward.shape
    wanted = {
        "drive": (*drive.shape[:1], neurons, *drive.shape[2:3], hidden),
        "outward": (neurons, hidden, units),
        **dict.fromkeys(("bias", "keep", "gain"), (neurons, units)),
    }
    given = {"drive": drive, "outward": outward, "bias": bias, "keep": keep, "gain": gain}
    for name, shape in wanted.items():
        if tuple(given[name].shape) != shape:
            raise ValueError(f"{name} has shape {tuple(given[name].shape)}, but beside inward it must be {shape}.")
    return _kernel(drive, inward, outward, bias, keep=keep, gain=gain)
