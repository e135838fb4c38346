"""Linear recurrences and their relatives: one public function each, the same on NumPy, PyTorch and under gradients.

| function | what it computes |
| --- | --- |
| `linear_scan` | h_t = a_t h_{t−1} + b_t |
| `ssd_scan` | the scan of Mamba-2: one decay per head, matrices as states |
| `causal_conv1d` | the short convolution in front of a state-space layer |
| `scatter_add` | sums of rows that share an index |

`reference.py` is the slow and obvious version that the others answer to; `dispatch.py` says which version runs when,
and `explain()` which of them run here.
"""

from mem_core.kernels.convolution import causal_conv1d, causal_conv1d_step
from mem_core.kernels.explanation import explain
from mem_core.kernels.linear_recurrence import linear_scan, linear_scan_step
from mem_core.kernels.scatter import scatter_add
from mem_core.kernels.ssd import ssd_scan, ssd_step

__all__ = [
    "causal_conv1d",
    "causal_conv1d_step",
    "explain",
    "linear_scan",
    "linear_scan_step",
    "scatter_add",
    "ssd_scan",
    "ssd_step",
]
