"""The infinite learning-rate schedule: why warming up again for new data burns the old (arXiv 2503.02844)."""

from mem_core.mechanisms.learning.infinite_lr.mechanism import MECHANISM

__all__ = ["MECHANISM"]
