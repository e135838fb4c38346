"""The gated delta rule in Triton.

Axes: b batch, t time, h head; c chunk, K key width, V value width.

The triangular systems of all chunks are solved side by side; then a program for some values of one head's state walks
over the chunks, and keeps the states between them and what was written; from there on it is gated linear attention with
one gate a head and V' for values. Backward all of that is computed again.

Aims: for every position and head, at chunks of Q, 2 Q (3 K + 2 V) + 6 K V operations in matrix units forward and about
2.5 times that backward. Bytes at s bytes a number, β and g in float32: forward s (7 K + 6 V + 2 Q) + 20 and for the
states 2 s K V/Q; backward about 3 times that.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
from torch import Tensor

from mem_core.kernels.delta_rule import on_torch
from mem_core.kernels.delta_rule.triton_chunks import correct, correct_back, solve, solve_back
from mem_core.kernels.linear_attention.on_triton import key_gradients, outputs, similarities, value_gradients
from mem_core.kernels.linear_attention.triton_tiles import CHUNK, operands, tile
from mem_core.kernels.triton_functions import differentiable, launch

_LARGEST_TILE = 64
_LARGEST_KEY = 256  # a state's tile of all K and a few V has to fit into registers
_VALUES = 32  # of those, so that the walks over the chunks are many


def forward(
    q: Tensor, k: Tensor, v: Tensor, beta: Tensor, g: Tensor, initial_state: Tensor, *, scale: float
) -> tuple[Tensor, Tensor]:
    """Return `(o, final_state)`; q, k (b,t,h,K), v, o (b,t,h,V), beta, g (b,t,h), states (b,h,K,V).

    Raises:
        ValueError: if K is more than 256.
    """
    if q.shape[3] > _LARGEST_KEY:
        raise ValueError(
            f"gated_delta_rule: q must have a key width of at most {_LARGEST_KEY} in Triton, got {q.shape[3]}; "
            "float64 tensors run in PyTorch, which has no such limit."
        )
    q, k, v, beta, g = (array.contiguous() for array in (q, k, v, beta, g))
    _, U, W = _solved(k, v, beta, g, keep_inverses=False)
    states, written, final_state = _corrected(k, U, W, g, initial_state)
    return outputs(q, written, g, similarities(q, k, g, scale), states, scale).to(v.dtype), final_state


def backward(
    arrays: tuple[Tensor, ...], results: Sequence[Tensor], gradients: Sequence[Tensor], *, scale: float
) -> tuple[Tensor, ...]:
    """Return the gradients of q, k, v, beta, g and the initial state."""
    q, k, v, beta, g = (array.contiguous() for array in arrays[:5])
    do, dfinal = (gradient.contiguous() for gradient in gradients)
    inverses, U, W = _solved(k, v, beta, g, keep_inverses=True)
    states, written, _ = _corrected(k, U, W, g, arrays[5])
    inside_chunks = value_gradients(k, written, g, do, similarities(q, k, g, scale))
    dstates, dwritten, dinitial = _corrected_back(q, k, W, g, do, inside_chunks, dfinal, scale)
    dq, dk_reading, dg_reading = key_gradients(q, k, written, g, do, states, dstates, scale, torch.float32)

    dk, dv, dbeta, dg = (torch.empty_like(array) for array in (k, v, beta, g))
    ins = (k, v, beta, g, inverses, U, W, states, dwritten, dk_reading, dg_reading)
    grid = (q.shape[0] * q.shape[2] * triton.cdiv(q.shape[1], CHUNK),)
    blocks = {"BK": tile(q.shape[3], _LARGEST_KEY), "BV": _VALUES}
    launch(solve_back, grid, *ins, dk, dv, dbeta, dg, *_sizes(k, v), **operands(q).constants, **blocks)
    return dq, dk, dv, dbeta, dg, dinitial.to(arrays[5].dtype)


def _solved(k: Tensor, v: Tensor, beta: Tensor, g: Tensor, *, keep_inverses: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return M⁻¹ (b,t,h,BT), or nothing for it, U as v and W as k."""
    kept, constants = operands(k)
    inverses = torch.empty(*k.shape[:3], CHUNK if keep_inverses else 0, dtype=torch.float32, device=k.device)
    U, W = torch.empty_like(v, dtype=kept), torch.empty_like(k, dtype=kept)
    blocks = {"BK": tile(k.shape[3], _LARGEST_TILE), "BV": tile(v.shape[3], _LARGEST_TILE), "KEEP": keep_inverses}
    grid = (k.shape[0] * k.shape[2] * triton.cdiv(k.shape[1], CHUNK),)
    arrays = (k, v, beta, g, inverses, U, W)
    launch(solve, grid, *arrays, *_sizes(k, v), PRECISION=constants["PRECISION"], **blocks)
    return inverses, U, W


def _corrected(k: Tensor, U: Tensor, W: Tensor, g: Tensor, initial_state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the states between chunks (b·h, c+1, K, V), V' (b,t,h,V) and the final state."""
    states, last, grid = _states(k, U)
    written = torch.empty_like(U)
    arrays = (k, U, W, g, initial_state.contiguous(), states, written, last)
    launch(correct, grid, *arrays, *_sizes(k, U), **operands(k).constants, **_walking(k))
    return states, written, last


def _corrected_back(
    q: Tensor, k: Tensor, W: Tensor, g: Tensor, do: Tensor, inside_chunks: Tensor, dfinal: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of the states between chunks, of V' and of the initial state."""
    dstates, last, grid = _states(k, do)
    dwritten = torch.empty_like(inside_chunks)
    arrays = (q, k, W, g, do, inside_chunks, dfinal, dstates, dwritten, last)
    launch(correct_back, grid, *arrays, scale, *_sizes(k, do), **operands(q).constants, **_walking(k))
    return dstates, dwritten, last


def _states(k: Tensor, values: Tensor) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """Return room for the states between chunks and for the last one, and how many programs walk."""
    (batch, length, heads, K), V = k.shape, values.shape[3]
    chunks = triton.cdiv(length, CHUNK)
    states = torch.empty(batch * heads, chunks + 1, K, V, dtype=operands(k).kept, device=k.device)
    last = torch.empty(batch, heads, K, V, dtype=torch.float32, device=k.device)
    return states, last, (batch * heads, triton.cdiv(V, _VALUES))


def _walking(k: Tensor) -> dict[str, int]:
    return {"BK": tile(k.shape[3], _LARGEST_KEY), "BV": _VALUES}


def _sizes(k: Tensor, v: Tensor) -> tuple[int, ...]:
    return (*k.shape[1:], v.shape[3], triton.cdiv(k.shape[1], CHUNK))


chunked_rule = differentiable(
    "chunked_rule",
    forward,
    backward,
    join=(0, 0, 0, 0, 0, 0),
    join_results=(0, 0),
    options="float scale",
    plain=on_torch.chunked_rule,
)
"""(q, k, v, β, g, initial state; scale) → (o, final state)."""
