"""How the state-space dual scan cuts up its work: the length of a chunk, and the sequences taken at once."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.kernels.cache_blocks import blocks


def default_chunk_size(width: int, state: int) -> int:
    """Return the chunk length Q for a state of `width`·`state` numbers a head.

    A position costs about Q operations inside its chunk and P·N/Q for the states between chunks. Measured on one core,
    on NumPy and PyTorch, from P = N = 4 to 64: 16 is best below 32·32 numbers, 32 above. Mamba-2's 256 suits a GPU.
    """
    return 16 if width * state < 32 * 32 else 32


def scan_blocks(shape: tuple[int, ...], chunk_size: int) -> Iterator[slice]:
    """Cut the batch of X (b,l,H,P) by the largest intermediate array: the decays between the positions of a chunk."""
    batch, length, heads, _ = shape
    return blocks(batch, length * heads * min(chunk_size, length))
