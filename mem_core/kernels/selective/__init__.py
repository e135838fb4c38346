"""The selective scan of Mamba-1: what is kept, written and read changes from step to step."""

from mem_core.kernels.selective.scan import selective_scan
from mem_core.kernels.selective.step import selective_scan_step

__all__ = ["selective_scan", "selective_scan_step"]
