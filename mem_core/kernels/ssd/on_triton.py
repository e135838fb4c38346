"""The state-space dual scan in Triton.

Axes: b batch, l length, c chunk, H heads, G groups, P head width, N state.

Forward there are two ways. Where sequences and heads are many enough to fill a GPU, a program walks over the chunks of
one head with the state in registers, and nothing but x, Δ, Δ A, B, C is read and nothing but y written. Else the states
between chunks come first, in the type of x, and then every chunk has its own program. Backward always takes the second
way: the states are computed again from the left, their gradients from the right, and then every chunk has its own
program.

Aims: 2 Q (N + P) + 4 N P operations for every position and head forward, at a chunk of Q, and about 2.5 times that
backward, in matrix units. Bytes for every position and head at s bytes a number, B and C shared by H/G heads: forward
s (2 P + 2 N G/H) + 8, and 2 s N P/Q more for the states between chunks; backward s (3 P + 4 N G/H) + 16 and 4 s N P/Q.
"""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from mem_core.kernels.ssd import on_torch
from mem_core.kernels.ssd.triton_chunks import outputs_of_chunks, states_between_chunks, walk
from mem_core.kernels.ssd.triton_gradients import gradients_of_inputs, gradients_of_vectors
from mem_core.kernels.triton_functions import differentiable, launch, multiprocessors

_SMALLEST_TILE = 16  # that matrix units take
_LARGEST_TILE = {2: 64, 4: 32}  # by bytes a number: what the registers of a program can hold
_LARGEST_STATE = {2: 128, 4: 32}  # N that a walking program can hold beside so many rows


def forward(
    x: Tensor, step: Tensor, log_decay: Tensor, B: Tensor, C: Tensor, initial_state: Tensor, *, chunk_size: int | None
) -> tuple[Tensor, Tensor]:
    """Return `(y, final_state)`; x, y (b,l,H,P), step, log_decay (b,l,H), B, C (b,l,G,N), states (b,H,P,N)."""
    inputs = [array.contiguous() for array in (x, step, log_decay, B, C, initial_state)]
    x, B, initial_state = inputs[0], inputs[3], inputs[5]
    y, final_state = torch.empty_like(x), torch.empty_like(initial_state, dtype=torch.float32)
    sizes, tiles = _sizes(x, B), _tiles(x, B, chunk_size)
    columns = triton.cdiv(x.shape[3], tiles["BP"])
    sequences = x.shape[0] * x.shape[2]
    largest = _LARGEST_STATE[x.element_size()]
    if B.shape[3] <= largest and sequences * columns >= multiprocessors(x):
        whole = {**tiles, "BN": _tile(B.shape[3], largest)}
        launch(walk, (sequences, columns), *inputs, y, final_state, *sizes, **whole)
        return y, final_state
    entering = _states(x, inputs[1], inputs[2], B, initial_state, final_state, tiles, backwards=False)
    chunks = entering.shape[1]
    launch(outputs_of_chunks, (sequences * chunks, columns), *inputs[:5], entering, y, *sizes, **tiles)
    return y, final_state


def backward(
    arrays: tuple[Tensor, ...],
    results: tuple[Tensor, Tensor],
    gradients: tuple[Tensor, Tensor],
    *,
    chunk_size: int | None,
) -> tuple[Tensor, ...]:
    """Return the gradients of x, step, log_decay, B, C and the initial state."""
    x, step, log_decay, B, C, initial_state = inputs = [array.contiguous() for array in arrays]
    dy, dfinal = (gradient.contiguous() for gradient in gradients)
    tiles = _tiles(x, B, chunk_size)
    dinitial = torch.empty_like(initial_state)
    entering = _states(x, step, log_decay, B, initial_state, torch.empty_like(dfinal), tiles, backwards=False)
    dleaving = _states(dy.to(x.dtype), step, log_decay, C, dfinal, dinitial, tiles, backwards=True)

    batch, length, heads, width = x.shape
    groups, state, chunks = *B.shape[2:], entering.shape[1]
    sizes = (batch * length, *_sizes(x, B))
    columns, parts = triton.cdiv(width, tiles["BP"]), triton.cdiv(state, tiles["BN"])
    dx, dB, dC = (torch.empty_like(array) for array in (x, B, C))
    dstep = torch.empty(columns, *step.shape, dtype=torch.float32, device=x.device)
    dlog_decay = torch.empty(parts, *step.shape, dtype=torch.float32, device=x.device)
    launch(
        gradients_of_inputs,
        (batch * chunks * heads, columns),
        *(*inputs[:5], dy, dleaving, dx, dstep, *sizes),
        **tiles,
    )
    launch(
        gradients_of_vectors,
        (batch * chunks * groups, parts),
        *(*inputs[:5], dy, entering, dleaving, dB, dC, dlog_decay, *sizes),
        **tiles,
    )
    return dx, dstep.sum(dim=0).to(step.dtype), dlog_decay.sum(dim=0).to(log_decay.dtype), dB, dC, dinitial


def _states(
    x: Tensor,
    step: Tensor,
    log_decay: Tensor,
    B: Tensor,
    edge: Tensor,
    last: Tensor,
    tiles: dict[str, int],
    *,
    backwards: bool,
) -> Tensor:
    """Return what stands between the chunks (b,c,H,P,N) in the type of x; `last` gets what comes after all of them."""
    batch, length, heads, width = x.shape
    state = B.shape[3]
    between = torch.empty(batch, triton.cdiv(length, tiles["Q"]), heads, width, state, dtype=x.dtype, device=x.device)
    grid = (batch * heads, triton.cdiv(width, tiles["BP"]) * triton.cdiv(state, tiles["BN"]))
    arrays = (x, step, log_decay, B, edge, between, last)
    launch(states_between_chunks, grid, *arrays, *_sizes(x, B), **tiles, BACKWARDS=backwards)
    return between


def _sizes(x: Tensor, B: Tensor) -> tuple[int, ...]:
    return (x.shape[1], x.shape[2], B.shape[2], x.shape[3], B.shape[3])


def _tiles(x: Tensor, B: Tensor, chunk_size: int | None) -> dict[str, int]:
    largest = _LARGEST_TILE[x.element_size()]
    chunk = _tile(min(chunk_size or largest, x.shape[1]), largest)
    return {"Q": chunk, "BP": _tile(x.shape[3], largest), "BN": _tile(B.shape[3], largest)}


def _tile(size: int, largest: int) -> int:
    return min(max(int(triton.next_power_of_2(size)), _SMALLEST_TILE), largest)


chunked_scan = differentiable(
    "chunked_scan",
    forward,
    backward,
    join=(0, 0, 0, 0, 0, 0),
    join_results=(0, 0),
    options="int? chunk_size",
    plain=on_torch.chunked_scan,
)
"""(x, Δ, Δ A, B, C, initial state; chunk_size) → (y, final state)."""
