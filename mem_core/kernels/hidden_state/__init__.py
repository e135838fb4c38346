"""The mixer of EfficientViM, which mixes an image's channels in a small hidden state instead of in its tokens."""

from mem_core.kernels.hidden_state.mixer import hidden_state_mixer

__all__ = ["hidden_state_mixer"]
