"""Linear recurrences and their relatives: one public function each, the same on NumPy, PyTorch and under gradients.

| function | what it computes |
| --- | --- |
| `linear_scan` | h_t = a_t h_{t−1} + b_t |
| `selective_scan` | the scan of Mamba-1: one decay per number in the state |
| `ssd_scan` | the scan of Mamba-2: one decay per head, matrices as states |
| `gated_linear_attention` | attention without softmax, with a gate for every number of a key or every head |
| `delta_rule`, `gated_delta_rule` | the same, but a key's value is corrected instead of added to |
| `hidden_state_mixer` | the mixer of EfficientViM: an image's channels mixed in a small state |
| `causal_conv1d` | the short convolution in front of a state-space layer |
| `scatter_add` | sums of rows that share an index |

All but `hidden_state_mixer` and `scatter_add` have a `_step` for sequences that arrive bit by bit. In each folder
`reference.py` is the slow and obvious version that the others answer to; `dispatch.py` says which version runs when,
and `explain()` which of them run here.
"""

from mem_core.kernels.convolution import causal_conv1d, causal_conv1d_step
from mem_core.kernels.delta_rule import delta_rule, delta_rule_step, gated_delta_rule, gated_delta_rule_step
from mem_core.kernels.explanation import explain
from mem_core.kernels.hidden_state import hidden_state_mixer
from mem_core.kernels.linear_attention import gated_linear_attention, gated_linear_attention_step
from mem_core.kernels.linear_recurrence import linear_scan, linear_scan_step
from mem_core.kernels.scatter import scatter_add
from mem_core.kernels.selective import selective_scan, selective_scan_step
from mem_core.kernels.ssd import ssd_scan, ssd_step

__all__ = [
    "causal_conv1d",
    "causal_conv1d_step",
    "delta_rule",
    "delta_rule_step",
    "explain",
    "gated_delta_rule",
    "gated_delta_rule_step",
    "gated_linear_attention",
    "gated_linear_attention_step",
    "hidden_state_mixer",
    "linear_scan",
    "linear_scan_step",
    "scatter_add",
    "selective_scan",
    "selective_scan_step",
    "ssd_scan",
    "ssd_step",
]
