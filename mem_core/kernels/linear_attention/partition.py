"""How linear attention cuts up its work: the length of a chunk, and the sequences taken at once."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.kernels.cache_blocks import blocks
from mem_core.kernels.ssd.partition import default_chunk_size


def chunk_size_for(length: int, key_width: int, value_width: int) -> int:
    """Return the chunk length Q, a power of two: chunks are halved down to single positions."""
    return min(default_chunk_size(value_width, key_width), 1 << (length - 1).bit_length())


def attention_blocks(shape: tuple[int, ...], chunk_size: int) -> Iterator[slice]:
    """Cut the batch of k (b,l,h,K) by the largest intermediate array."""
    batch, length, heads, width = shape
    return blocks(batch, length * heads * max(width, min(chunk_size, length)))
