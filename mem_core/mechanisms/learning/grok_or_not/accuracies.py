"""How well a network keeps each of its two memories, and the phase that this makes.

Source: arXiv 2310.13061, §2 and Table 2 (App. C).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mem_core.mechanisms.learning.grok_or_not.training import Labels

COEXISTENCE, PARTIAL, FULL = "Coexistence", "Partial inversion", "Full inversion"
MEMORIZATION, FORGETTING, CONFUSION = "Memorization", "Forgetting", "Confusion"
PHASES = (COEXISTENCE, PARTIAL, FULL, MEMORIZATION, FORGETTING, CONFUSION)
HIGH_ACCURACY = 0.9
"""Share of pairs right from which on the training labels count as fitted, or the rule as understood."""
ABOVE_CLEAN = 0.05
"""A network follows the rule alone if it fits less than this above the share 1 − ξ of right labels."""
SMALLEST_TABLE_CORRUPTION = 0.15
"""Below it 0.9 is less than 1.05 − ξ and the table's bands overlap; recall of the wrong labels then decides."""
RECALLED, GIVEN_UP = 0.8, 0.2
"""Recall of the wrong labels from which on they count as kept, and below which as given up, where ξ is small."""


@dataclass(frozen=True)
class Accuracies:
    """Shares of pairs answered as stated; NaN where there are no such pairs.

    Attributes:
        train: training pairs, as they were labelled.
        test: test pairs, right.
        given: corrupted pairs, with the label they were given.
        true: the same pairs, with the true sum ("inversion").
        clean: training pairs that kept their label.
    """

    train: float
    test: float
    given: float
    true: float
    clean: float


def accuracies(answers: Any, labels: Labels) -> Accuracies:
    """Compare answers to all pairs, shape (P,), with the labels."""
    as_given, as_true = answers == labels.given, answers == labels.true
    return Accuracies(
        _mean(as_given[labels.trained]),
        _mean(as_true[~labels.trained]),
        _mean(as_given[labels.corrupted]),
        _mean(as_true[labels.corrupted]),
        _mean(as_given[labels.trained & ~labels.corrupted]),
    )


def _mean(right: Any) -> float:
    return float(right.mean()) if len(right) else math.nan


def phase(found: Accuracies, corruption: float, best_test: float) -> str:
    """Name the phase of a network.

    Args:
        found: its accuracies now.
        corruption: ξ.
        best_test: the highest test accuracy it has had: a rule can be forgotten only once it was understood.
    """
    if found.test < HIGH_ACCURACY:
        if found.train >= HIGH_ACCURACY:
            return MEMORIZATION
        return FORGETTING if best_test >= HIGH_ACCURACY else CONFUSION
    if corruption == 0:  # nothing wrong to keep or to give up
        return COEXISTENCE
    value, kept, given_up = found.train, HIGH_ACCURACY, 1 + ABOVE_CLEAN - corruption
    if corruption < SMALLEST_TABLE_CORRUPTION:
        value, kept, given_up = found.given, RECALLED, GIVEN_UP
    if value >= kept:
        return COEXISTENCE
    return PARTIAL if value >= given_up else FULL
