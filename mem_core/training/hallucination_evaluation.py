"""Where a memory system hallucinates: the scores of each of its operations, summed over all users and then divided.

HaluMem (arXiv 2511.03506) judges four operations, each by records of its own: what was extracted against the gold
memory points (integrity), what is true of what was extracted (accuracy), what became of gold updates, and the answers.
A score is 2 (fully), 1 (partly) or 0; a verdict is one of Correct, Hallucination, Omission, Other; None is a judgement
that failed. The formulas are those of the released `evaluation.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

CORRECT, HALLUCINATION, OMISSION, OTHER = "Correct", "Hallucination", "Omission", "Other"
VERDICTS = (CORRECT, HALLUCINATION, OMISSION, OTHER)
FULL = 2
"""The score of what is covered, or supported, in full; recall counts nothing less."""

Basis = Literal["all", "valid"]


@dataclass(frozen=True)
class IntegrityRecord:
    """How far the memories extracted from a session cover one gold point."""

    score: int | None
    importance: float = 1.0
    interference: bool = False
    kind: str = ""

    def __post_init__(self) -> None:
        _check_score(self.score)
        if not 0 <= self.importance <= 1:
            raise ValueError(f"The importance of a memory point lies in 0 to 1, got {self.importance!r}.")


@dataclass(frozen=True)
class AccuracyRecord:
    """How much of one extracted memory is supported; `in_gold`: all its fields are in the gold list, true or not."""

    score: int | None
    in_gold: bool

    def __post_init__(self) -> None:
        _check_score(self.score)


@dataclass(frozen=True)
class VerdictRecord:
    """The verdict on one gold update, or on one answer."""

    verdict: str | None
    kind: str = ""

    def __post_init__(self) -> None:
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise ValueError(f"{self.verdict!r} is no verdict; there are {', '.join(VERDICTS)}, and None.")


@dataclass
class EvaluationRecords:
    """Every judgement on one user, or on several: `a + b` holds those of both."""

    integrity: list[IntegrityRecord] = field(default_factory=list)
    accuracy: list[AccuracyRecord] = field(default_factory=list)
    updates: list[VerdictRecord] = field(default_factory=list)
    answers: list[VerdictRecord] = field(default_factory=list)

    def __add__(self, other: EvaluationRecords) -> EvaluationRecords:
        return EvaluationRecords(
            self.integrity + other.integrity,
            self.accuracy + other.accuracy,
            self.updates + other.updates,
            self.answers + other.answers,
        )


@dataclass(frozen=True)
class Scores:
    """The scores of a memory system, each a share; NaN where there was nothing to judge.

    Attributes:
        recall: R, gold points with score 2, without interference points.
        weighted_recall: Σ ½·score·importance / Σ importance over the same points.
        target_precision: P, mean of ½·score over extracted memories with `in_gold`.
        accuracy: mean of ½·score over all extracted memories.
        false_memory_resistance: interference points with score 0.
        updates, answers: share of each verdict.
    """

    recall: float
    weighted_recall: float
    target_precision: float
    accuracy: float
    false_memory_resistance: float
    updates: Mapping[str, float]
    answers: Mapping[str, float]

    @property
    def f1(self) -> float:
        """F1 = 2PR/(P + R), and 0 where nothing on target was extracted or recalled."""
        total = self.target_precision + self.recall
        return 2 * self.target_precision * self.recall / total if total > 0 else 0.0


def evaluate(records: EvaluationRecords, basis: Basis = "all") -> Scores:
    """Score the records of any number of users; every judgement counts the same, whoever's it is.

    Args:
        records: the judgements.
        basis: whether failed judgements count in the denominators (`all`, the headline numbers) or not (`valid`).
    """
    gold = [item for item in records.integrity if not item.interference and _counts(item.score, basis)]
    false = [item for item in records.integrity if item.interference and _counts(item.score, basis)]
    extracted = [item for item in records.accuracy if _counts(item.score, basis)]
    return Scores(
        recall=_share(sum(item.score == FULL for item in gold), len(gold)),
        weighted_recall=_share(
            math.fsum(0.5 * (item.score or 0) * item.importance for item in gold),
            math.fsum(item.importance for item in gold),
        ),
        target_precision=_mean_half([item.score for item in extracted if item.in_gold]),
        accuracy=_mean_half([item.score for item in extracted]),
        false_memory_resistance=_share(sum(item.score == 0 for item in false), len(false)),
        updates=verdict_rates(records.updates, basis),
        answers=verdict_rates(records.answers, basis),
    )


def verdict_rates(records: Sequence[VerdictRecord], basis: Basis = "all") -> dict[str, float]:
    """Return the share of each verdict; over `valid` records they add up to one."""
    counted = [item.verdict for item in records if _counts(item.verdict, basis)]
    return {verdict: _share(counted.count(verdict), len(counted)) for verdict in VERDICTS}


def kind_accuracy(records: EvaluationRecords) -> dict[str, float]:
    """Return, for each kind of memory point, the share of points fully extracted or correctly updated.

    Interference points are left out (§6.2.2: "excluding distractor memories").
    """
    hits: dict[str, list[bool]] = {}
    for point in records.integrity:
        if point.interference:
            continue
        hits.setdefault(point.kind, []).append(point.score == FULL)
    for update in records.updates:
        hits.setdefault(update.kind, []).append(update.verdict == CORRECT)
    return {kind: sum(found) / len(found) for kind, found in hits.items()}


def total(records: Iterable[EvaluationRecords]) -> EvaluationRecords:
    """Put the records of several users together."""
    together = EvaluationRecords()
    for one in records:
        together.integrity += one.integrity
        together.accuracy += one.accuracy
        together.updates += one.updates
        together.answers += one.answers
    return together


def _counts(judgement: object, basis: Basis) -> bool:
    return basis == "all" or judgement is not None


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _mean_half(scores: Sequence[int | None]) -> float:
    return _share(0.5 * sum(score or 0 for score in scores), len(scores))


def _check_score(score: int | None) -> None:
    if score not in (0, 1, 2, None):
        raise ValueError(f"A score is 0, 1 or 2, or None where the judgement failed, got {score!r}.")
