"""CLUE: judging a trace by where its hidden state moved, from the means of past successes and failures (2510.01591)."""

from mem_core.mechanisms.editing.clue.mechanism import MECHANISM

__all__ = ["MECHANISM"]
