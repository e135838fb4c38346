"""Two memories in one network: periodic neurons keep the rule, aperiodic ones the wrong labels."""

from mem_core.mechanisms.learning.grok_or_not.definition import MECHANISM

__all__ = ["MECHANISM"]
