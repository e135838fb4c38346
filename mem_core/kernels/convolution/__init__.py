"""The short causal convolution in front of a state-space layer."""

from mem_core.kernels.convolution.convolve import causal_conv1d
from mem_core.kernels.convolution.step import causal_conv1d_step

__all__ = ["causal_conv1d", "causal_conv1d_step"]
