"""The first-order linear recurrence, the inner loop of every fading memory."""

from mem_core.kernels.linear_recurrence.scan import linear_scan
from mem_core.kernels.linear_recurrence.step import linear_scan_step

__all__ = ["linear_scan", "linear_scan_step"]
