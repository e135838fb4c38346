"""Selective synaptic dampening: forgetting by shrinking the weights that serve only the forget set (2308.07707)."""

from mem_core.mechanisms.editing.synaptic_dampening.mechanism import MECHANISM

__all__ = ["MECHANISM"]
