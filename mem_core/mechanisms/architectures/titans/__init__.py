"""Titans: a memory that learns while it reads, with surprise, momentum and forgetting (arXiv 2501.00663)."""

from mem_core.mechanisms.architectures.titans.mechanism import MECHANISM

__all__ = ["MECHANISM"]
