"""Gated linear attention in Triton.

Axes: b batch, t time, h head; c chunk, K key width, V value width.

The states between chunks come first, one program for a tile of one head's state, in the type in which matrix units take
them; then every chunk has its own programs. Backward the states are computed again from the left, their gradients from
the right.

Aims: for every position and head, at chunks of Q, 2 Q (K log2 Q + V) + 4 K V operations in matrix units forward and
about 2.5 times that backward, and (log2 Q + 2) K exponentials forward; with one gate a head 2 Q (K + V) + 4 K V and
Q + 2. Bytes at s bytes a number, g in float32: forward s (4 K + 3 V + 2 Q) + 12 K and for the states 2 s K V/Q;
backward s (8 K + 6 V + 2 Q) + 24 K and for the states 5 s K V/Q.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
from torch import Tensor

from mem_core.kernels.linear_attention import on_torch
from mem_core.kernels.linear_attention.triton_chunks import carry, compare, gradients_of_keys, gradients_of_values, read
from mem_core.kernels.linear_attention.triton_tiles import CHUNK, operands, tile
from mem_core.kernels.triton_functions import differentiable, launch

_LARGEST_TILE = 64
_LARGEST_KEYS = 32  # where chunks are halved: with 64 key numbers registers run out


def forward(
    q: Tensor, k: Tensor, v: Tensor, g: Tensor, initial_state: Tensor, *, scale: float
) -> tuple[Tensor, Tensor]:
    """Return `(o, final_state)`; q, k (b,t,h,K), v, o (b,t,h,V), g as q or (b,t,h), states (b,h,K,V)."""
    q, k, v, g = (array.contiguous() for array in (q, k, v, g))
    states, final_state = carried(k, v, g, initial_state, operands(q).kept)
    return outputs(q, v, g, similarities(q, k, g, scale), states, scale), final_state


def backward(
    arrays: tuple[Tensor, ...], results: Sequence[Tensor], gradients: Sequence[Tensor], *, scale: float
) -> tuple[Tensor, ...]:
    """Return the gradients of q, k, v, g and the initial state."""
    q, k, v, g = (array.contiguous() for array in arrays[:4])
    do, dfinal = (gradient.contiguous() for gradient in gradients)
    kept = operands(q).kept
    states, _ = carried(k, v, g, arrays[4], kept)
    dstates, dinitial = carried(q, do, g, dfinal, kept, scale, backward=True)
    dq, dk, dg = key_gradients(q, k, v, g, do, states, dstates, scale, k.dtype)
    dv = value_gradients(k, v, g, do, similarities(q, k, g, scale), dstates)
    return dq, dk, dv, dg.to(g.dtype), dinitial.to(arrays[4].dtype)


def carried(
    rows: Tensor,
    values: Tensor,
    g: Tensor,
    edge: Tensor,
    kept: torch.dtype,
    scale: float = 1.0,
    *,
    backward: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return all states between chunks (b·h, c+1, K, V) of type `kept`, and the last in float32.

    From keys and values and the initial state; or, backward, their gradients from queries and the gradients of outputs
    and of the final state.
    """
    batch, length, heads, K = rows.shape
    V = values.shape[3]
    chunks = triton.cdiv(length, CHUNK)
    states = torch.empty(batch * heads, chunks + 1, K, V, dtype=kept, device=rows.device)
    last = torch.empty(batch, heads, K, V, dtype=torch.float32, device=rows.device)
    blocks = _tiles(rows, values)
    grid = (batch * heads, triton.cdiv(K, blocks["BK"]) * triton.cdiv(V, blocks["BV"]))
    arrays = (rows, values, g, edge.contiguous(), states, last)
    constants = {"PER_HEAD": g.ndim == 3, "BACKWARD": backward, **operands(rows).constants, **blocks}
    launch(carry, grid, *arrays, scale, length, heads, K, V, chunks, **constants)
    return states, last


def similarities(q: Tensor, k: Tensor, g: Tensor, scale: float) -> Tensor:
    """Return A (b,t,h,BT): for every position its chunk's positions up to it."""
    alike = torch.empty(*q.shape[:3], CHUNK, dtype=operands(q).kept, device=q.device)
    constants = {"PER_HEAD": g.ndim == 3, **operands(q).constants, "BK": tile(q.shape[3], _LARGEST_KEYS)}
    launch(compare, (_programs(q),), q, k, g, alike, scale, *_sizes(q, k), **constants)
    return alike


def outputs(q: Tensor, v: Tensor, g: Tensor, alike: Tensor, states: Tensor, scale: float) -> Tensor:
    """Return o (b,t,h,V) from A and the states between chunks, in v's type."""
    o = torch.empty_like(v)
    blocks = _tiles(q, v)
    constants = {"PER_HEAD": g.ndim == 3, **operands(q).constants, **blocks}
    grid = (_programs(q), triton.cdiv(v.shape[3], blocks["BV"]))
    launch(read, grid, q, v, g, alike, states, o, scale, *_sizes(q, v), **constants)
    return o


def value_gradients(
    k: Tensor, v: Tensor, g: Tensor, do: Tensor, alike: Tensor, dstates: Tensor | None = None
) -> Tensor:
    """Return dv, in v's type; without gradients of the states what comes from inside each chunk."""
    dv = torch.empty_like(v)
    blocks = _tiles(k, v)
    constants = {"PER_HEAD": g.ndim == 3, "INSIDE": dstates is None, **operands(k).constants, **blocks}
    grid = (_programs(k), triton.cdiv(v.shape[3], blocks["BV"]))
    arrays = (k, g, do, alike, alike if dstates is None else dstates, dv)
    launch(gradients_of_values, grid, *arrays, *_sizes(k, v), **constants)
    return dv


def key_gradients(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    do: Tensor,
    states: Tensor,
    dstates: Tensor,
    scale: float,
    dk_type: torch.dtype,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return dq in q's type, dk in `dk_type`, dg in g's type or, with one gate a head, in float32."""
    per_head = g.ndim == 3
    dq, dk = torch.empty_like(q), torch.empty_like(k, dtype=dk_type)
    blocks = {**_tiles(q, v), "BK": tile(q.shape[3], _LARGEST_KEYS)}
    parts = triton.cdiv(q.shape[3], blocks["BK"])
    dg = torch.empty(parts, *g.shape, dtype=torch.float32, device=g.device) if per_head else torch.empty_like(g)
    constants = {"PER_HEAD": per_head, **operands(q).constants, **blocks}
    arrays = (q, k, v, g, do, states, dstates, dq, dk, dg)
    rows = q.shape[0] * q.shape[1] * q.shape[2]
    launch(gradients_of_keys, (_programs(q), parts), *arrays, scale, rows, *_sizes(q, v), **constants)
    return dq, dk, dg.sum(dim=0) if per_head else dg


def _tiles(k: Tensor, v: Tensor) -> dict[str, int]:
    return {"BK": tile(k.shape[3], _LARGEST_TILE), "BV": tile(v.shape[3], _LARGEST_TILE)}


def _programs(q: Tensor) -> int:
    return int(q.shape[0] * q.shape[2] * triton.cdiv(q.shape[1], CHUNK))


def _sizes(q: Tensor, v: Tensor) -> tuple[int, ...]:
    return (*q.shape[1:], v.shape[3], triton.cdiv(q.shape[1], CHUNK))


chunked_attention = differentiable(
    "chunked_attention",
    forward,
    backward,
    join=(0, 0, 0, 0, 0),
    join_results=(0, 0),
    options="float scale",
    plain=on_torch.chunked_attention,
)
"""(q, k, v, g, initial state; scale) → (o, final state)."""
