"""Learning-rate schedules: why the loss drops when the rate decays, seen in a river valley (arXiv 2410.05192)."""

from mem_core.mechanisms.learning.river_valley.mechanism import MECHANISM

__all__ = ["MECHANISM"]
