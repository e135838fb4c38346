"""As many exponentials as a GPU can do, for the ceiling that a selective scan is near."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from mem_core.kernels.triton_functions import jit, launch

BLOCK = 1024
"""Numbers in a program, side by side."""


@jit
def _exponentials(numbers_ptr, repeats, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    places = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(numbers_ptr + places)
    for _ in range(repeats):
        x = tl.exp2(-x)  # stays between 0 and 1
    tl.store(numbers_ptr + places, x)


def exponentials(numbers: torch.Tensor, repeats: int) -> None:
    """Replace every number x, `repeats` times, by 2 to the power of −x; a multiple of BLOCK numbers between 0 and 1."""
    launch(_exponentials, (triton.cdiv(numbers.numel(), BLOCK),), numbers, repeats, BLOCK=BLOCK)
