"""Gated linear attention: attention without softmax is a memory that every step adds to, and here also fades."""

from mem_core.kernels.linear_attention.attention import gated_linear_attention
from mem_core.kernels.linear_attention.step import gated_linear_attention_step

__all__ = ["gated_linear_attention", "gated_linear_attention_step"]
