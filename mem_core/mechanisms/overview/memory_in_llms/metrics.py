"""The survey's measures as functions of plain lists: one truth value or number for each question, fact or event.

Source: arXiv 2509.18868, sections 4 to 6, tables 4.7 and equations 1 to 4, 9 and 10. Where the text names a measure
and gives no formula, the formula is ours and its docstring says so.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from statistics import fmean
from typing import TypeVar

One = TypeVar("One")
Other = TypeVar("Other")
Truths = Sequence[bool]


def share(truths: Truths) -> float:
    """Return the share that is true; NaN of nothing."""
    return fmean(map(float, truths)) if len(truths) else math.nan


# Parametric memory


def edit_success(answers: Sequence[int], wanted: Sequence[int]) -> float:
    """ESR: share of the edits after which the wanted answer is given. On reworded questions: generalisation."""
    return share(_equal(answers, wanted))


def locality(before: Sequence[int], after: Sequence[int]) -> float:
    """Share of the facts that were not edited and are answered as before, right or wrong."""
    return share(_equal(before, after))


def drawdown(before: Sequence[int], after: Sequence[int], truth: Sequence[int]) -> float:
    """Accuracy that the facts that were not edited have lost; negative if they gained."""
    return share(_equal(before, truth)) - share(_equal(after, truth))


def parametric_proxy_rate(random_context: float, oracle_context: float) -> float:
    """PPR = Acc(random context)/Acc(oracle context), equation 1: near 1 where the context adds nothing.

    Raises:
        ValueError: if an accuracy is not in [0, 1] or the oracle's is 0.
    """
    _shares(random_context=random_context, oracle_context=oracle_context)
    if oracle_context == 0:
        raise ValueError("oracle_context is 0, but a rate needs an accuracy above 0 to be measured against.")
    return random_context / oracle_context


def long_term_retention(initial: float, delayed: float, decay: float) -> float:
    """LTRS = (delayed recall/initial recall)·(1 − decay factor), equation 2.

    Raises:
        ValueError: if a number is not in [0, 1] or the initial recall is 0.
    """
    _shares(initial=initial, delayed=delayed, decay=decay)
    if initial == 0:
        raise ValueError("initial is 0, but retention needs some recall to lose.")
    return delayed / initial * (1 - decay)


def knowledge_integration(hybrid: float, parametric: float, weight: float) -> float:
    """KIR = (accuracy with both − accuracy of the parameters)/weight of the context, equation 3.

    Raises:
        ValueError: if a number is not in [0, 1] or the weight is 0.
    """
    _shares(hybrid=hybrid, parametric=parametric, weight=weight)
    if weight == 0:
        raise ValueError("weight is 0, but a gain needs a context that counts for something.")
    return (hybrid - parametric) / weight


def factual_grounding(supported: int, factual: int) -> float:
    """FGS = supported/factual sentences·100 %, equation 4, in percent.

    Raises:
        ValueError: if the counts are not 0 ≤ supported ≤ factual with factual above 0.
    """
    if not 0 <= supported <= factual or factual == 0:
        raise ValueError(f"supported must be 0 to {factual} factual sentences, at least one, got {supported}.")
    return 100 * supported / factual


# Contextual memory


def middle_drop(positions: Sequence[float], accuracy: Sequence[float]) -> float:
    """Mean accuracy of the first and last fifth of the context minus that of the middle fifth (formula ours).

    Raises:
        ValueError: if the lengths differ, a number is not in [0, 1], or one of the fifths holds no position.
    """
    for position, value in _together(positions, accuracy):
        _shares(position=position, accuracy=value)
    points = list(zip(positions, accuracy, strict=True))
    ends = [value for at, value in points if at <= 0.2 or at >= 0.8]
    middle = [value for at, value in points if 0.4 <= at <= 0.6]
    if not ends or not middle:
        raise ValueError("A curve needs positions up to 0.2 or from 0.8 on, and some from 0.4 to 0.6.")
    return fmean(ends) - fmean(middle)


def length_normalised_accuracy(accuracy: float, length: float) -> float:
    """LN-Acc(L) = Acc/log L, equation 9, with the natural logarithm.

    Raises:
        ValueError: if the accuracy is not in [0, 1] or the length is not above 1.
    """
    _shares(accuracy=accuracy)
    if not length > 1:
        raise ValueError(f"length is {length!r}, but it must be above 1 token.")
    return accuracy / math.log(length)


def robustness_loss(clean: float, noisy: float) -> float:
    """Return 1 − Acc_noise/Acc_clean, equation 10: the share of the accuracy that noise takes.

    Raises:
        ValueError: if an accuracy is not in [0, 1] or the clean one is 0.
    """
    _shares(clean=clean, noisy=noisy)
    if clean == 0:
        raise ValueError("clean is 0, but a loss needs an accuracy to lose.")
    return 1 - noisy / clean


# External memory


def recall_at(found: Sequence[Collection[Hashable]], wanted: Sequence[Hashable]) -> float:
    """Recall@k: share of the questions with the wanted passage among those found."""
    return share([passage in among for among, passage in _together(found, wanted)])


def citation_coverage(cited: Truths) -> float:
    """Share of the answers that cite any passage."""
    return share(cited)


def unsupported_rate(supported: Truths) -> float:
    """UCR: share of the answers given that the passage cited does not support. Attribution is 1 − UCR."""
    return 1 - share(supported)


# Procedural and episodic memory


def event_f1(stored: Collection[Hashable], true: Collection[Hashable]) -> float:
    """F1 of the events written against those that happened; 1 if there was neither."""
    hits = len(set(stored) & set(true))
    return 2 * hits / (len(set(stored)) + len(set(true))) if stored or true else 1.0


def time_anchoring_error(given: Sequence[float], true: Sequence[float]) -> float:
    """TAE: mean absolute difference of the time that an answer stands for and the true one, in the unit of both."""
    return fmean([abs(one - other) for one, other in _together(given, true)])


def conflicts_resolved(conflict: Truths, right: Truths) -> float:
    """CCR: share of the right answers where two sources disagree; NaN if they never do."""
    return share([answer for disagree, answer in _together(conflict, right) if disagree])


# Time


def fresh_at(found: Sequence[Collection[Hashable]], current: Sequence[Hashable]) -> float:
    """Fresh@k: share of the questions with the current value among those of the k passages found."""
    return recall_at(found, current)


def refusal_at_stale(stale: Truths, refused: Truths) -> float:
    """Refusal@Stale: share refused where what is stored is out of date; NaN if nothing is."""
    return share([answer for old, answer in _together(stale, refused) if old])


def _equal(first: Sequence[int], second: Sequence[int]) -> list[bool]:
    return [one == other for one, other in _together(first, second)]


def _together(first: Sequence[One], second: Sequence[Other]) -> list[tuple[One, Other]]:
    if len(first) != len(second):
        raise ValueError(f"Both lists must have the same length, got {len(first)} and {len(second)}.")
    return list(zip(first, second, strict=True))


def _shares(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value!r}, but it must lie between 0 and 1.")
