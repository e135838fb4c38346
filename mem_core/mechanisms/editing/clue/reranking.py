"""From a score to an answer: rank the candidates of every problem, and let the best of them vote.

Axes: P problems, k candidates of each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mem_core.engine import philox
from mem_core.mechanisms.editing.clue.settings import CONFIDENCE, D_SUCCESS, MARGIN, RANDOM
from mem_core.mechanisms.editing.clue.traces import Traces
from mem_core.mechanisms.editing.clue.verifying import Verdicts
from mem_core.training.majority_vote import majority, ranked

VOTES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Sizes of the vote that are tried, as far as there are so many candidates."""
PAPER_VOTES = (4, 8, 16)


class References(NamedTuple):
    """What can be had without ranking.

    Attributes:
        mean: share of right candidates, which is what one drawn at random gives.
        majority: share of problems in which the commonest answer is right; ties go to the candidate drawn first.
        any_right: share of problems with a right candidate, the best that any ranking can do.
    """

    mean: float
    majority: float
    any_right: float


def references(traces: Traces) -> References:
    """Measure the three."""
    right = traces.right
    return References(
        float(right.mean()), accuracy(traces.answers, traces, right.shape[1]), float(right.any(axis=1).mean())
    )


def scores_of(verdicts: Verdicts, seed: int) -> dict[str, Any]:
    """Return every score of every candidate, the lowest the most trusted, as NumPy of shape (P, k)."""
    shape = verdicts.margin.shape
    return {
        D_SUCCESS: verdicts.to_success,
        MARGIN: verdicts.margin,
        CONFIDENCE: -verdicts.traces.confidence,
        RANDOM: philox(seed, "clue", "lot").random(shape),
    }


def votes_for(candidates: int, asked: int) -> list[int]:
    """Return the sizes of the vote to try, the one asked for and that of all candidates among them."""
    return sorted({size for size in (*VOTES, asked, candidates) if size <= candidates})


def curve(traces: Traces, scores: Any, sizes: list[int]) -> dict[int, float]:
    """Return the share of problems that the best m of the ranking answer right, for every size m of the vote."""
    answers = ranked(traces.answers, scores)
    return {size: accuracy(answers, traces, size) for size in sizes}


def accuracy(answers: Any, traces: Traces, voters: int) -> float:
    """Return the share of problems in which the majority of the first `voters` answers is right."""
    return float((majority(answers, voters) == traces.truth).mean())
