"""A common map of memory: types, quadruples, regimes and an evaluation card (arXiv 2509.18868)."""

from mem_core.mechanisms.overview.memory_in_llms.mechanism import MECHANISM

__all__ = ["MECHANISM"]
