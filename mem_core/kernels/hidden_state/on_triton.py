"""Weighted sums of tokens in Triton: softmax, product with B and sum in one pass, as in flash attention.

Axes: b image, d channel, l token, n state. Forward a program takes BD channels of an image and walks over its tokens in
tiles of BL; what it has summed so far is made smaller whenever a larger exponent turns up. Backward a program takes BL
tokens and walks over the channels: the shares P come back from the logarithm of their sum, which forward keeps, and

    dx = dh (P ∘ B),  W = dhᵀ x,  dB = W ∘ P,  dΔ = P ∘ (W ∘ B − Σ_d dh ∘ h)

Aims at the bandwidth of memory, as there are 2 N operations in matrix units for a number of x: forward s (D + 2 N) B·L
bytes at s bytes a number, once more 2 N for every further BD channels, and backward s (2 D + 4 N) B·L.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from mem_core.kernels.hidden_state import on_torch
from mem_core.kernels.triton_functions import differentiable, jit, launch, tuned

_LOG2_E = tl.constexpr(math.log2(math.e))
_SMALLEST_TILE = 16  # that matrix units take


def forward(x: Tensor, dt: Tensor, A: Tensor, B: Tensor) -> tuple[Tensor, Tensor]:
    """Return `(h, log2 of the sums of exponentials)`; h (b,d,n) for x (b,d,l), dt and B (b,n,l), A (b,n).

    A makes no difference to h.
    """
    x, dt, B = (array.contiguous() for array in (x, dt, B))
    batch, channels, length = x.shape
    state = dt.shape[1]
    h = torch.empty(batch, channels, state, dtype=torch.float32, device=x.device)
    sums = torch.empty(batch, state, dtype=torch.float32, device=x.device)

    def grid(block: dict[str, Any]) -> tuple[int]:
        return (batch * triton.cdiv(channels, block["BD"]),)

    launch(_sum, grid, x, dt, B, h, sums, channels, length, state, BN=_padded(state))
    return h, sums


def backward(
    arrays: tuple[Tensor, Tensor, Tensor, Tensor], results: tuple[Tensor, Tensor], gradients: tuple[Tensor]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of x, dt, A (which is 0, see `hidden_state_mixer`) and B."""
    x, dt, B = (arrays[number].contiguous() for number in (0, 1, 3))
    h, sums = results
    dh = gradients[0].contiguous()
    batch, channels, length = x.shape
    dx, ddt, dB = (torch.empty_like(array) for array in (x, dt, B))

    def grid(block: dict[str, Any]) -> tuple[int]:
        return (batch * triton.cdiv(length, block["BL"]),)

    arguments = (x, dt, B, sums, dh, (dh * h).sum(dim=1), dx, ddt, dB, channels, length, dt.shape[1])
    launch(_sum_back, grid, *arguments, BN=_padded(dt.shape[1]))
    return dx, ddt, torch.zeros_like(arrays[2]), dB


def _padded(state: int) -> int:
    return max(int(triton.next_power_of_2(state)), _SMALLEST_TILE)


def _tuned(*tiles: tuple[int, int, int]) -> Callable[[Any], Any]:
    configs = [triton.Config({"BD": channels, "BL": tokens}, num_warps=warps) for channels, tokens, warps in tiles]
    return tuned(configs, ["channels", "length", "state"], interpreted={"BD": 16, "BL": 16})


@_tuned((16, 128, 4), (32, 64, 4), (64, 64, 4), (64, 128, 8))
@jit
def _sum(
    x: tl.pointer_type,
    dt: tl.pointer_type,
    B: tl.pointer_type,
    h: tl.pointer_type,
    sums: tl.pointer_type,
    channels: int,
    length: int,
    state: int,
    BN: tl.constexpr,
    BD: tl.constexpr,
    BL: tl.constexpr,
) -> None:
    blocks, program = tl.cdiv(channels, BD), tl.program_id(0)
    # In 64 bits, for more than 2³¹ numbers.
    batch = (program // blocks).to(tl.int64)
    d, n = (program % blocks * BD + tl.arange(0, BD))[:, None], tl.arange(0, BN)
    x += (batch * channels + d) * length
    vectors = (batch * state + n[:, None]) * length
    largest, total = tl.full((BN,), float("-inf"), tl.float32), tl.zeros((BN,), tl.float32)
    collected = tl.zeros((BD, BN), tl.float32)
    for first in range(0, length, BL):
        tokens = first + tl.arange(0, BL)[None, :]
        here = (n < state)[:, None] & (tokens < length)
        exponents = tl.load(dt + vectors + tokens, here, 0.0).to(tl.float32) * _LOG2_E
        exponents = tl.where(tokens < length, exponents, float("-inf"))
        larger = tl.maximum(largest, tl.max(exponents, 1))
        shares, smaller = tl.exp2(exponents - larger[:, None]), tl.exp2(largest - larger)
        total, largest = total * smaller + tl.sum(shares, 1), larger
        inputs = tl.load(x + tokens, (d < channels) & (tokens < length), 0.0)
        weights = shares * tl.load(B + vectors + tokens, here, 0.0).to(tl.float32)
        added = tl.dot(inputs, tl.trans(weights).to(inputs.dtype), input_precision="tf32x3")
        collected = collected * smaller[None, :] + added
    tl.store(h + (batch * channels + d) * state + n[None, :], collected / total, (d < channels) & (n < state)[None, :])
    if program % blocks == 0:
        tl.store(sums + batch * state + n, largest + tl.log2(total), n < state)


@_tuned((16, 128, 4), (32, 64, 4), (64, 64, 4), (64, 32, 4))
@jit
def _sum_back(
    x: tl.pointer_type,
    dt: tl.pointer_type,
    B: tl.pointer_type,
    sums: tl.pointer_type,
    dh: tl.pointer_type,
    totals: tl.pointer_type,
    dx: tl.pointer_type,
    ddt: tl.pointer_type,
    dB: tl.pointer_type,
    channels: int,
    length: int,
    state: int,
    BN: tl.constexpr,
    BD: tl.constexpr,
    BL: tl.constexpr,
) -> None:
    tiles, program = tl.cdiv(length, BL), tl.program_id(0)
    batch = (program // tiles).to(tl.int64)
    tokens, n = program % tiles * BL + tl.arange(0, BL)[None, :], tl.arange(0, BN)
    here = (n < state)[:, None] & (tokens < length)
    vectors = (batch * state + n[:, None]) * length + tokens
    exponents = tl.load(dt + vectors, here, 0.0).to(tl.float32) * _LOG2_E
    shares = tl.exp2(exponents - tl.load(sums + batch * state + n, n < state, 0.0)[:, None])
    written = tl.load(B + vectors, here, 0.0).to(tl.float32)
    dweights = tl.zeros((BN, BL), tl.float32)
    for first in range(0, channels, BD):
        d = (first + tl.arange(0, BD))[:, None]
        there, held = (d < channels) & (tokens < length), (d < channels) & (n < state)[None, :]
        place = (batch * channels + d) * length + tokens
        inputs = tl.load(x + place, there, 0.0)
        gradient = tl.load(dh + (batch * channels + d) * state + n[None, :], held, 0.0).to(inputs.dtype)
        found = tl.dot(gradient, (shares * written).to(inputs.dtype), input_precision="tf32x3")
        tl.store(dx + place, found, there)
        dweights += tl.dot(tl.trans(gradient), inputs, input_precision="tf32x3")
    total = tl.load(totals + batch * state + n, n < state, 0.0)[:, None]
    tl.store(dB + vectors, dweights * shares, here)
    tl.store(ddt + vectors, shares * (dweights * written - total), here)


weighted_sums = differentiable(
    "weighted_sums",
    forward,
    backward,
    join=(0, 0, 0, 0),
    join_results=(0, 0),
    kept=1,
    plain=on_torch.weighted_sums,
)
"""(x, Δ, A for every image, B) → h."""
