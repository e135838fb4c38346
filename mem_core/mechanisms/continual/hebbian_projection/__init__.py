"""Hebbian projection: lateral neurons that keep new learning away from old activity (arXiv 2402.11984)."""

from mem_core.mechanisms.continual.hebbian_projection.mechanism import MECHANISM

__all__ = ["MECHANISM"]
