"""The hidden state mixer of EfficientViM: a picture remembered in a few states (arXiv 2411.15241)."""

from mem_core.mechanisms.state_space.efficientvim.mechanism import MECHANISM

__all__ = ["MECHANISM"]
