"""Grokking in three stages: memorise with random features, learn features one by one, let them share the work."""

from mem_core.mechanisms.learning.grokking_li2.definition import MECHANISM

__all__ = ["MECHANISM"]
