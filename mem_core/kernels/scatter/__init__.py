"""Sums of rows that share an index."""

from mem_core.kernels.scatter.add import scatter_add

__all__ = ["scatter_add"]
