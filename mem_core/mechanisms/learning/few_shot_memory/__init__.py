"""Recognition, recall and retention of sentences seen a few times (arXiv 2303.17557)."""

from mem_core.mechanisms.learning.few_shot_memory.mechanism import MECHANISM

__all__ = ["MECHANISM"]
