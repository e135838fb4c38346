"""The first-order recurrence in Triton, one pass over memory where there are channels enough to fill a GPU.

Axes: b batch, t time, d channel, c chunk.

Long sequences with few channels are cut into chunks, in three launches: what every chunk does to a state, (A, B) with
h → A h + B; the states that enter the chunks, which is this same recurrence over chunks; then the chunks side by side.

Aims at the bandwidth of memory, as there are 2 operations for 3 numbers moved (forward) and 4 for 5 (backward):
forward 3 s·B·L·D bytes at s bytes a number, backward 5; in chunks 5 and 7, because a and b are read twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import triton
from torch import Tensor

from mem_core.kernels.linear_recurrence import on_torch
from mem_core.kernels.linear_recurrence.triton_tiles import scan, scan_back, what_chunks_do
from mem_core.kernels.triton_functions import differentiable, launch, multiprocessors

_CHANNELS = 32  # a program's share when counting programs; the tuner may give it another
_PROGRAMS = 4  # for every multiprocessor, to hide the waits for memory
_SHORTEST_CHUNK = 256


def forward(a: Tensor, b: Tensor, initial_state: Tensor) -> list[Tensor]:
    """Return [h] (b,t,d) for a and b of that shape, initial_state (b,d)."""
    a, b, initial_state = a.contiguous(), b.contiguous(), initial_state.contiguous()
    batch, length, channels = b.shape
    h = torch.empty_like(b)
    chunk = _chunk_length(b)
    entering = initial_state
    if chunk < length:
        entering = _states_between(a, b, initial_state, chunk, backward=False)
    programs = batch * triton.cdiv(length, chunk)
    launch(scan, _grid(programs, channels), a, b, entering, h, length, channels, chunk)
    return [h]


def backward(
    arrays: tuple[Tensor, Tensor, Tensor], results: tuple[Tensor], gradients: tuple[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of a, b and the initial state: the same recurrence, run backwards in time.

    g_t = dh_t + a_{t+1} g_{t+1};  db_t = g_t,  da_t = g_t h_{t−1},  dh_0 = a_1 g_1
    """
    a, initial_state, h, dh = (tensor.contiguous() for tensor in (arrays[0], arrays[2], *results, *gradients))
    batch, length, channels = h.shape
    da, db, dinitial = torch.empty_like(a), torch.empty_like(arrays[1]), torch.empty_like(initial_state)
    chunk = _chunk_length(h)
    entering = torch.zeros(batch, channels, dtype=torch.float32, device=h.device)
    if chunk < length:
        entering = _states_between(a, dh, entering, chunk, backward=True)
    programs = batch * triton.cdiv(length, chunk)
    arguments = (a, h, dh, initial_state, entering, da, db, dinitial, length, channels, chunk)
    launch(scan_back, _grid(programs, channels), *arguments)
    return da, db, dinitial


def _chunk_length(sequence: Tensor) -> int:
    """Return how many steps a program takes: all of them if the channels of the batch keep the GPU busy."""
    batch, length, channels = sequence.shape
    wanted = -(-_PROGRAMS * multiprocessors(sequence) // (batch * triton.cdiv(channels, _CHANNELS)))
    chunks = max(1, min(wanted, length // _SHORTEST_CHUNK))
    return int(triton.cdiv(length, chunks))


def _states_between(a: Tensor, b: Tensor, initial_state: Tensor, chunk: int, *, backward: bool) -> Tensor:
    """Return the states that enter the chunks (b,c,d), in float32; in the order of the scan."""
    batch, length, channels = b.shape
    chunks = triton.cdiv(length, chunk)
    factors, states = (torch.empty(batch, chunks, channels, dtype=torch.float32, device=b.device) for _ in range(2))
    arguments = (a, b, initial_state, factors, states, length, channels, chunk)
    launch(what_chunks_do, _grid(batch * chunks, channels), *arguments, BACKWARD=backward)
    entering, nothing = torch.empty_like(states), torch.zeros_like(states[:, 0])
    launch(scan, _grid(batch, channels), factors, states, nothing, entering, chunks, channels, chunks)
    return entering


def _grid(programs: int, channels: int) -> Callable[[dict[str, Any]], tuple[int]]:
    return lambda blocks: (programs * triton.cdiv(channels, blocks["BD"]),)


first_order_scan = differentiable(
    "first_order_scan", forward, backward, join=(0, 0, 0), join_results=(0,), plain=on_torch.first_order_scan
)
"""(a, b, initial state) → h."""
