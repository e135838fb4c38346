"""Which stage failed first, for an answer that is wrong: extraction, updating, retrieval or answering."""

from __future__ import annotations

from dataclasses import dataclass

EXTRACTION, UPDATING, RETRIEVAL, ANSWERING = "extraction", "updating", "retrieval", "answering"
STAGES = (EXTRACTION, UPDATING, RETRIEVAL, ANSWERING)


@dataclass(frozen=True)
class Situation:
    """What there was to answer from.

    Attributes:
        gold: the right value, None for “unknown”.
        found: the value that the search brought back, the newest of the slot; None if it brought none.
        stored: the newest value of the slot anywhere in the memory; None if there is none.
        extracted: whether the fact was extracted with the right value from the session that told it.
        superseded: whether the newest stored value was written after the fact, which only a false memory can be.
    """

    gold: str | None
    found: str | None
    stored: str | None
    extracted: bool
    superseded: bool


def earliest_failure(situation: Situation) -> str:
    """Name the first stage that failed, in the order of the stages.

    Extraction: the fact was missed or corrupted, or a false memory of the slot was let in after it. Updating: the fact
    was stored and overwritten by another slot's. Retrieval: it is in the store, and the search does not bring it back.
    Answering: the right thing was found, and something else was said.
    """
    if situation.found == situation.gold:
        return ANSWERING
    if situation.gold is None:
        return EXTRACTION
    if situation.stored == situation.gold:
        return RETRIEVAL
    if not situation.extracted or situation.superseded:
        return EXTRACTION
    return UPDATING
