"""The scan of Mamba-2, whose state-space recurrence is also an attention with decaying weights (dual)."""

from mem_core.kernels.ssd.scan import ssd_scan
from mem_core.kernels.ssd.step import ssd_step

__all__ = ["ssd_scan", "ssd_step"]
