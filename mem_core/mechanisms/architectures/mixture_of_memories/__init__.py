"""Mixture-of-Memories: several memories and a router instead of one memory for all (arXiv 2502.13685)."""

from mem_core.mechanisms.architectures.mixture_of_memories.mechanism import MECHANISM

__all__ = ["MECHANISM"]
