"""How many marked items a uniform sample without replacement holds."""

from __future__ import annotations

import math


def hypergeometric(marked: int, unmarked: int, drawn: int) -> list[float]:
    """Return the chance of each number of marked items, m = 0 ... drawn.

    P(m) = C(P, m)·C(B, k − m) / C(B + P, k), with P `marked`, B `unmarked` and k `drawn`.

    Raises:
        ValueError: if a number is negative, or more items are drawn than there are.

    >>> [round(chance, 3) for chance in hypergeometric(2, 2, 2)]
    [0.167, 0.667, 0.167]
    """
    if min(marked, unmarked, drawn) < 0 or drawn > marked + unmarked:
        raise ValueError(
            f"{drawn} items cannot be drawn from {marked} marked and {unmarked} unmarked ones; draw 0 to all of them."
        )
    ways = math.comb(marked + unmarked, drawn)
    return [math.comb(marked, m) * math.comb(unmarked, drawn - m) / ways for m in range(drawn + 1)]


def chance_of_majority(marked: int, unmarked: int, drawn: int) -> float:
    """Return the chance that more than half of the sample is marked.

    Σ_{m > k/2} P(m), P as in `hypergeometric`.

    >>> round(chance_of_majority(2, 2, 2), 3)
    0.167
    """
    return math.fsum(hypergeometric(marked, unmarked, drawn)[drawn // 2 + 1 :])
