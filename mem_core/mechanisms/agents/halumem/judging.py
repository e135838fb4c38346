"""The judges: the paper's rubric as rules. They read texts, as a judge of a real system would, and no hidden labels."""

from __future__ import annotations

from collections.abc import Sequence

from mem_core.data.user_timeline import MemoryPoint, Session, facts_in
from mem_core.training.hallucination_evaluation import CORRECT, HALLUCINATION, OMISSION, AccuracyRecord


def integrity_score(facts: Sequence[tuple[str, str]], extracted: Sequence[str]) -> int:
    """Score how far a gold point is covered by the extracted memories: 2 fully, 1 partly, 0 not at all or wrongly.

    Args:
        facts: what the point says, as (slot, value).
        extracted: the texts extracted from its session.
    """
    said = {fact for text in extracted for fact in facts_in(text)}
    covered = sum(fact in said for fact in facts)
    return 2 if covered == len(facts) else 1 if covered else 0


def accuracy_record(text: str, session: Session) -> AccuracyRecord:
    """Judge an extracted memory: 2 if all its facts are supported by the session, 1 if some are, 0 if none is.

    `in_gold` asks for the slots alone: a wrong value of a slot in the gold list is still on target. Interference
    points are no part of that list, and support nothing: the assistant says them, and the user does not confirm them.
    (The paper's prompt asks for support "by the dialogue or golden memories", Fig. 13, and leaves open who must speak.)
    """
    gold = [point for point in session.points if not point.interference]
    facts = facts_in(text)
    if not facts:
        return AccuracyRecord(2 if text in session.small_talk else 0, False)
    supported = sum((slot, value) in {(point.slot, point.value) for point in gold} for slot, value in facts)
    in_gold = all(slot in {point.slot for point in gold} for slot, _ in facts)
    return AccuracyRecord(2 if supported == len(facts) else 1 if supported else 0, in_gold)


def update_verdict(point: MemoryPoint, found: Sequence[str], extracted: Sequence[str]) -> str:
    """Judge a gold update on what a search for it returns.

    Correct: the new value is there and none that it replaces. Hallucination: a memory of this session has the slot
    with another value, be it an older one. Omission: the new value is not there, or beside an old one.

    These rules know which texts are new. The paper's judge (Fig. 16) reads texts only, and cannot tell an old value
    that was written again from one that was left.

    Args:
        point: the gold update.
        found: texts of the ten records nearest to it.
        extracted: texts extracted from the session of the update.
    """
    values = {value for text in found for slot, value in facts_in(text) if slot == point.slot}
    new = {value for text in found if text in extracted for slot, value in facts_in(text) if slot == point.slot}
    if new - {point.value}:
        return HALLUCINATION
    stale = values & (set(point.originals) - {point.value})
    return CORRECT if point.value in values and not stale else OMISSION


def answer_verdict(answer: str | None, gold: str | None) -> str:
    """Judge an answer; None is “unknown”. A fact where “unknown” is right is a hallucination."""
    if answer == gold:
        return CORRECT
    return OMISSION if answer is None else HALLUCINATION
