"""The stability gap: old tasks are lost at every switch and then learned again (arXiv 2205.13452)."""

from mem_core.mechanisms.continual.stability_gap.mechanism import MECHANISM

__all__ = ["MECHANISM"]
