"""The simulated extractor: which statements of a session become memories, and which memories nobody stated.

It is no language model. Its rates are inputs of the experiment; what the memory makes of its output is measured.
"""

from __future__ import annotations

from mem_core.data.user_timeline import SLOTS, MemoryPoint, Session, any_value, other_value, statement
from mem_core.mechanisms.agents.halumem.settings import GATE, HallucinationSettings
from mem_core.mechanisms.agents.halumem.users import SessionLots, StatementLots

TRUE_SALIENCE = 1.3
"""Mean salience of a true fact; that of interference and of small talk is 0, both with standard deviation 1."""


def extract(settings: HallucinationSettings, name: str, session: Session, lots: SessionLots) -> list[str]:
    """Return the memories extracted from a session, as texts in the order of the dialogue; a fabrication comes last."""
    texts = []
    points, rest = session.points, lots.statements[len(session.points) :]
    for point, lot in zip(points, lots.statements, strict=False):
        if point_is_taken(settings, point, lot):
            texts.append(statement(name, point.slot, _value(settings, point, lot)))
    for said, lot in zip(session.small_talk, rest, strict=True):
        if _small_talk_is_taken(settings, lot):
            texts.append(said)
    chance, slot_share, value_share = lots.fabrication
    if chance < settings.fabricate:
        slot = SLOTS[int(slot_share * len(SLOTS))].name
        texts.append(statement(name, slot, any_value(slot, value_share)))
    return texts


def point_is_taken(settings: HallucinationSettings, point: MemoryPoint, lot: StatementLots) -> bool:
    """Say whether a memory point is extracted: by its rate, or by its salience."""
    if settings.mode == GATE:
        return salience(point, lot) > settings.gate
    if point.interference:
        return lot.miss < settings.accept_interference
    return lot.miss >= settings.miss


def salience(point: MemoryPoint, lot: StatementLots) -> float:
    """Return how important a statement seems: normal around 1.3 for a true fact, around 0 for interference."""
    return lot.noise if point.interference else TRUE_SALIENCE + lot.noise


def _small_talk_is_taken(settings: HallucinationSettings, lot: StatementLots) -> bool:
    return lot.noise > settings.gate if settings.mode == GATE else lot.miss >= settings.miss


def _value(settings: HallucinationSettings, point: MemoryPoint, lot: StatementLots) -> str:
    if not point.interference and lot.corrupt < settings.corrupt:
        return other_value(point.slot, point.value, lot.value)
    return point.value
