"""Launching the kernels of the selective scan: sizes, room for results, and the cutting of long sequences.

Axes: b batch, g group of channels, d channel, t time, n state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import triton
from torch import Tensor
from torch.nn import functional

from mem_core.kernels.gating import step_size
from mem_core.kernels.linear_recurrence import on_triton as first_order
from mem_core.kernels.selective.triton_gradient import scan_back
from mem_core.kernels.selective.triton_scan import scan
from mem_core.kernels.triton_functions import launch, multiprocessors

BLOCK = 64  # steps between states that are kept
SHORTEST_CHUNK = 512  # a multiple of a block
# Channels of a program. Backward its share of dB and dC goes to memory, 8 N/32 bytes for every channel and step.
_FORWARD, _BACKWARD = 16, 32
_PROGRAMS = 4  # for every multiprocessor, to hide the waits of one behind others


class Launches:
    """The arrays of one call, contiguous; a missing D, z or delta_bias is None.

    Args:
        arrays: u, delta (b,d,t), A (d,n), B, C (b,g,n,t) or (1,d,n,1), D (d,), z (b,d,t), delta_bias (d,),
            initial_state (b,d,n).
        softplus: whether Δ is the softplus of delta.
    """

    def __init__(self, arrays: Sequence[Tensor | None], softplus: bool) -> None:
        ready = [array if array is None else array.contiguous() for array in arrays]
        self.u, self.delta, self.A, self.B, self.C = (array for array in ready[:5] if array is not None)
        self.D, self.z, self.bias, initial_state = ready[5:]
        assert initial_state is not None
        self.initial_state, self.softplus = initial_state, softplus
        self.batch, self.channels, self.length = self.u.shape
        self.state, self.blocks = self.A.shape[1], triton.cdiv(self.length, BLOCK)
        fixed = (1, self.channels, self.state, 1)
        self.varying = {name: vectors.shape != fixed for name, vectors in (("B", self.B), ("C", self.C))}
        self.groups = next((vectors.shape[1] for vectors in (self.B, self.C) if vectors.shape != fixed), 1)
        self.each = self.channels // self.groups
        self.width = min(triton.next_power_of_2(self.each), _BACKWARD)

    def room(self, *shape: int) -> Tensor:
        """Return room for float32 numbers."""
        return torch.empty(shape, dtype=torch.float32, device=self.u.device)

    def states(self, *axes: int) -> Tensor:
        """Return room for states (b,…,d,n)."""
        return self.room(self.batch, *axes, self.channels, self.state)

    def scan(self, y: Tensor, leaving: Tensor) -> None:
        """Compute y and the states that leave the blocks (b,blocks,d,n)."""
        chunk = self._chunk(_FORWARD)
        chunks, entering = triton.cdiv(self.length, chunk), self.initial_state.float()
        if chunks > 1:
            self._launch_scan(torch.zeros_like(self.states(chunks)), y, leaving, chunk, states_only=True)
            ends = leaving[:, chunk // BLOCK - 1 :: chunk // BLOCK][:, : chunks - 1]
            following = _over_chunks(self._factors(chunk)[:, :-1], ends, entering)
            entering = torch.cat([entering[:, None], following], dim=1)
        self._launch_scan(entering, y, leaving, chunk, states_only=False)

    def scan_back(self, leaving: Tensor, dy: Tensor, dlast: Tensor, found: Sequence[Tensor]) -> Tensor:
        """Fill what the gradients are found from, see the kernel; return the initial state's gradient."""
        chunk = self._chunk(_BACKWARD)
        chunks, entering = triton.cdiv(self.length, chunk), dlast
        carried = self.states(chunks, 2)
        if chunks > 1:
            nothing = torch.zeros_like(self.states(chunks))
            self._launch_scan_back(leaving, dy, nothing, carried, found, chunk, carries_only=True)
            local = self._leaving_left(carried, chunk)[:, 1:].flip(1)
            earlier = _over_chunks(self._factors(chunk)[:, 1:].flip(1), local, dlast).flip(1)
            entering = torch.cat([earlier, dlast[:, None]], dim=1)
        self._launch_scan_back(leaving, dy, entering, carried, found, chunk, carries_only=False)
        return self._leaving_left(carried, chunk)[:, 0]

    def chunks_back(self) -> int:
        """Count the chunks of `scan_back`."""
        return int(triton.cdiv(self.length, self._chunk(_BACKWARD)))

    def _chunk(self, channels: int) -> int:
        """Return how many steps a program takes: all of them if the channels of the batch keep the GPU busy."""
        programs = self.batch * self.groups * triton.cdiv(self.each, channels)
        wanted = triton.cdiv(_PROGRAMS * multiprocessors(self.u), programs)
        chunks = max(1, min(wanted, self.length // SHORTEST_CHUNK))
        return int(triton.cdiv(triton.cdiv(self.length, chunks), SHORTEST_CHUNK) * SHORTEST_CHUNK)

    def _factors(self, chunk: int) -> Tensor:
        """Return what is left of a state after every chunk, exp(A Σ Δ) (b,chunks,d,n)."""
        bias = None if self.bias is None else self.bias.float()[:, None]
        step = step_size(self.delta.float(), bias, self.softplus)
        padded = functional.pad(step, (0, -self.length % chunk))
        total = padded.reshape(self.batch, self.channels, -1, chunk).sum(dim=3)
        return (total[..., None] * self.A.float()[:, None]).exp().transpose(1, 2)

    def _leaving_left(self, carried: Tensor, chunk: int) -> Tensor:
        """Pick what left the chunks to the left (b,chunks,d,n) from where it was kept in turns."""
        blocks = [triton.cdiv(min(chunk, self.length - start), BLOCK) for start in range(0, self.length, chunk)]
        return torch.stack([carried[:, number, count % 2] for number, count in enumerate(blocks)], dim=1)

    def _launch_scan(self, entering: Tensor, y: Tensor, leaving: Tensor, chunk: int, *, states_only: bool) -> None:
        def grid(block: dict[str, Any]) -> tuple[int]:
            programs = self.batch * triton.cdiv(self.length, chunk) * self.groups
            return (programs * triton.cdiv(self.each, block["BD"]),)

        arrays = (*self._pointers(), entering.contiguous(), y, leaving)
        launch(scan, grid, *arrays, *self._sizes(chunk), **self._constants(), STATES_ONLY=states_only)

    def _launch_scan_back(
        self,
        leaving: Tensor,
        dy: Tensor,
        entering: Tensor,
        carried: Tensor,
        found: Sequence[Tensor],
        chunk: int,
        *,
        carries_only: bool,
    ) -> None:
        programs = self.batch * carried.shape[1] * self.groups * triton.cdiv(self.each, self.width)
        arrays = (*self._pointers(), self.initial_state, leaving, dy, entering.contiguous(), carried, *found)
        constants = {**self._constants(), "CARRIES_ONLY": carries_only, "BD": self.width}
        launch(scan_back, (programs,), *arrays, *self._sizes(chunk), **constants)

    def _pointers(self) -> list[Tensor]:
        # A kernel does not read what is missing.
        around = (self.u if array is None else array for array in (self.D, self.z, self.bias))
        return [self.u, self.delta, self.A, self.B, self.C, *around]

    def _sizes(self, chunk: int) -> tuple[int, ...]:
        return (self.groups, self.each, self.length, self.state, chunk)

    def _constants(self) -> dict[str, Any]:
        return {
            "BLOCK": BLOCK,
            "SOFTPLUS": self.softplus,
            "HAS_D": self.D is not None,
            "HAS_Z": self.z is not None,
            "HAS_BIAS": self.bias is not None,
            "VARYING_B": self.varying["B"],
            "VARYING_C": self.varying["C"],
        }


def _over_chunks(factors: Tensor, states: Tensor, entering: Tensor) -> Tensor:
    """Scan (b,chunks,d,n) from a state (b,d,n) on."""
    (scanned,) = first_order.forward(factors.flatten(2), states.flatten(2), entering.flatten(1))
    return scanned.reshape(states.shape)
