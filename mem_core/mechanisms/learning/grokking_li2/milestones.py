"""When each network has memorised its training pairs, and when it has understood the rule."""

from __future__ import annotations

from statistics import median

from mem_core.mechanisms.learning.grokking_li2.training import Moment

MEMORISED = 0.99
"""Share of the training pairs right from which on they count as memorised."""
GROKKED = 0.95
"""Share of the test pairs right from which on the rule counts as understood."""
UNDERSTOOD = 0.99
"""Share of the test pairs right at which training may end early."""


class Milestones:
    """The first measured steps with 99 % of the training pairs and 95 % of the test pairs right, per network.

    Attributes:
        memorised, grokked: one step per network, None where not reached yet.
        train_accuracy, test_accuracy: as last measured.
    """

    def __init__(self, networks: int) -> None:
        self.memorised: list[int | None] = [None] * networks
        self.grokked: list[int | None] = [None] * networks
        self.train_accuracy = [0.0] * networks
        self.test_accuracy = [0.0] * networks

    def see(self, moment: Moment) -> None:
        """Take one measurement into account; measurements come in the order of their steps."""
        self.train_accuracy, self.test_accuracy = moment.train.accuracy, moment.test.accuracy
        for steps, accuracy, level in (
            (self.memorised, self.train_accuracy, MEMORISED),
            (self.grokked, self.test_accuracy, GROKKED),
        ):
            for network, reached in enumerate(accuracy):
                if steps[network] is None and reached >= level:
                    steps[network] = moment.step

    @property
    def all_understood(self) -> bool:
        """Whether every network has 99 % of its test pairs right."""
        return min(self.test_accuracy) >= UNDERSTOOD

    def verdict(self, network: int) -> str:
        """Say in words how far one network has come."""
        if self.grokked[network] is not None:
            return "grokked"
        return "memorised only" if self.memorised[network] is not None else "not memorised"


VERDICTS = ("grokked", "memorised only", "not memorised")


def middle(steps: list[int | None]) -> float | None:
    """Return the median over the networks that have reached a step; None if none has."""
    reached = [step for step in steps if step is not None]
    return float(median(reached)) if reached else None
