"""Scan filters: a frozen state-space model remembers for longer when tokens that do not matter are skipped."""

from mem_core.mechanisms.state_space.longmamba.mechanism import MECHANISM

__all__ = ["MECHANISM"]
