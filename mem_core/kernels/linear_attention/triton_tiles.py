"""What the Triton kernels of linear attention and of the delta rule are made of: loads, decays, products.

Axes: b batch, t time, h head; c chunk, i and j positions in a chunk of BT, K key width, V value width. Gates are
(BT,BK), or (BT,1) if there is one a head (PER_HEAD). Positions beyond the end have zeros for keys, values and
log-gates, which leave the state as it is. Blocks are powers of two from 16 on, as matrix units want them; the rest is
masked.
"""

from __future__ import annotations

from typing import Any, NamedTuple, no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

CHUNK = 32 if triton.knobs.runtime.interpret else 64  # a tile of the matrix units of a Hopper GPU
BT = tl.constexpr(CHUNK)
HALVINGS = tl.constexpr(CHUNK.bit_length() - 1)
_SMALLEST_TILE = 16

# exp(−100) is 0 in float32, and differences of 64 such numbers keep enough digits; for log-gates of −∞.
_FORGOTTEN = tl.constexpr(-100.0)


class Operands(NamedTuple):
    """The type in which matrix units take their operands, and how many passes they make.

    float16 reaches no further than 65504, and a state may: tf32 has its digits and float32's range. Three passes of
    tf32 keep nearly all digits of float32.
    """

    kept: torch.dtype
    constants: dict[str, Any]


_OPERANDS = {
    torch.bfloat16: Operands(torch.bfloat16, {"DOT": tl.bfloat16, "PRECISION": "tf32"}),
    torch.float16: Operands(torch.float32, {"DOT": tl.float32, "PRECISION": "tf32"}),
    torch.float32: Operands(torch.float32, {"DOT": tl.float32, "PRECISION": "tf32x3"}),
}


def operands(tensor: Tensor) -> Operands:
    """Return what the matrix units are given for inputs of the tensor's type."""
    return _OPERANDS[tensor.dtype]


def tile(size: int, largest: int) -> int:
    """Return the block for an axis: a power of two that holds it, but no more than `largest`."""
    return min(max(int(triton.next_power_of_2(size)), _SMALLEST_TILE), largest)


@triton.jit
@no_type_check
def product(left: tl.tensor, right: tl.tensor, DOT: tl.constexpr, PRECISION: tl.constexpr) -> tl.tensor:
    """Multiply two matrices in matrix units and add up in float32."""
    return tl.dot(left.to(DOT), right.to(DOT), input_precision=PRECISION)


@triton.jit
@no_type_check
def rows_of_chunk(sequence: tl.tensor, chunk: int, length: int, heads: int) -> Any:
    """Return where a chunk of sequence b·h begins in (b·t·h, width), its rows (BT,) from there, and which are there.

    Only the first is in 64 bits: 64-bit places for every number of a tile would take most of the registers.
    """
    first = ((sequence // heads).to(tl.int64) * length + chunk * BT) * heads + sequence % heads
    return first, tl.arange(0, BT) * heads, tl.arange(0, BT) + chunk * BT < length


@triton.jit
@no_type_check
def load(array: tl.pointer_type, row: tl.tensor, inside: tl.tensor, column: tl.tensor, width: int) -> tl.tensor:
    """Load rows and columns of a matrix as float32, 0 outside."""
    place = row[:, None] * width + column[None, :]
    return tl.load(array + place, inside[:, None] & (column < width)[None, :], 0.0).to(tl.float32)


@triton.jit
@no_type_check
def store(
    array: tl.pointer_type, row: tl.tensor, inside: tl.tensor, column: tl.tensor, width: int, numbers: tl.tensor
) -> None:
    """Undo `load`."""
    place = row[:, None] * width + column[None, :]
    tl.store(array + place, numbers, inside[:, None] & (column < width)[None, :])


@triton.jit
@no_type_check
def load_gates(
    g: tl.pointer_type,
    begin: tl.tensor,
    row: tl.tensor,
    inside: tl.tensor,
    column: tl.tensor,
    width: int,
    PER_HEAD: tl.constexpr,
) -> tl.tensor:
    """Load log-gates (BT,BK) or (BT,1), none of them −∞."""
    if PER_HEAD:
        gates = tl.load(g + begin + row, inside, 0.0).to(tl.float32)[:, None]
    else:
        gates = load(g + begin * width, row, inside, column, width)
    return tl.maximum(gates, _FORGOTTEN)


@triton.jit
@no_type_check
def state_at(sequence: tl.tensor, number: int, numbers: int, K: int, V: int) -> tl.tensor:
    """Return where state `number` of a sequence begins in (b·h, numbers, K, V)."""
    return (sequence.to(tl.int64) * numbers + number) * K * V


@triton.jit
@no_type_check
def load_state(state: tl.pointer_type, key: tl.tensor, value: tl.tensor, K: int, V: int) -> tl.tensor:
    """Load a tile of a state (K,V), 0 outside."""
    return tl.load(state + (key[:, None] * V + value[None, :]), (key < K)[:, None] & (value < V)[None, :], 0.0)


@triton.jit
@no_type_check
def store_state(state: tl.pointer_type, key: tl.tensor, value: tl.tensor, K: int, V: int, numbers: tl.tensor) -> None:
    """Undo `load_state`."""
    tl.store(state + (key[:, None] * V + value[None, :]), numbers, (key < K)[:, None] & (value < V)[None, :])


@triton.jit
@no_type_check
def decays_between(elapsed: tl.tensor) -> tl.tensor:
    """L_ij = exp(G_i − G_j) for j ≤ i, else 0, from G (BT,1)."""
    i, j = tl.arange(0, BT)[:, None], tl.arange(0, BT)[None, :]
    # −∞ goes in before exp: for j after i the exponent is positive and could overflow.
    return tl.exp(tl.where(i >= j, elapsed - tl.trans(elapsed), float("-inf")))


@triton.jit
@no_type_check
def to_border(elapsed: tl.tensor, half: int, BK: tl.constexpr) -> Any:
    """Cut a chunk into blocks of 2·`half` positions and look at the border in the middle of each.

    Returns:
        the decays between each position and the border (BT,BK), from G of that shape: no exponent is positive if no
        log-gate is; which positions lie after it (BT,1); where i lies after and j before the same border (BT,BT).
    """
    position = tl.arange(0, BT)
    block, later = position // (2 * half), position // half % 2 == 1
    last_before = block * (2 * half) + half - 1
    since = elapsed - tl.gather(elapsed, tl.broadcast_to(last_before[:, None], (BT, BK)), 0)
    across = (block[:, None] == block[None, :]) & later[:, None] & (position // half % 2 == 0)[None, :]
    return tl.exp(tl.where(later[:, None], since, -since)), later[:, None], across
