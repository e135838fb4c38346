"""The ELM neuron: one cell whose memory units leak at many speeds (arXiv 2306.16922)."""

from mem_core.mechanisms.architectures.elm_neuron.mechanism import MECHANISM

__all__ = ["MECHANISM"]
