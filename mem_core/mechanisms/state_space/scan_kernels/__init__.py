"""One scan in three ways: h_t = a_t h_{t−1} + b_t as a loop, as a tree and in chunks."""

from mem_core.mechanisms.state_space.scan_kernels.mechanism import MECHANISM

__all__ = ["MECHANISM"]
