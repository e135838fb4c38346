"""PMET: editing facts in the feed-forward memories of a transformer (arXiv 2308.08742)."""

from mem_core.mechanisms.editing.pmet.mechanism import MECHANISM

__all__ = ["MECHANISM"]
