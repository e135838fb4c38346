"""One user's life with the memory: extract, write, search, answer, and judge every step on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mem_core.data.user_timeline import MemoryPoint, Question, Session, any_value, facts_in, question_text, statement
from mem_core.mechanisms.agents.halumem.blame import Situation, earliest_failure
from mem_core.mechanisms.agents.halumem.extraction import extract
from mem_core.mechanisms.agents.halumem.judging import accuracy_record, answer_verdict, integrity_score, update_verdict
from mem_core.mechanisms.agents.halumem.settings import HallucinationSettings
from mem_core.mechanisms.agents.halumem.users import User
from mem_core.nn.merging_memory import MergingMemory, Record, Similarities
from mem_core.training.hallucination_evaluation import CORRECT, EvaluationRecords, IntegrityRecord, VerdictRecord

UPDATE_SEARCH = 10
"""Records on which a gold update is judged: k of the released adapters."""


@dataclass
class ToldFact:
    """A gold fact on its way through the stages; None where it was not asked for while it was true.

    Attributes:
        slot, value, session: what was told, and in which session.
        written: number of the write that stored it; None if it was missed or corrupted.
        stored: whether it was the newest of its slot when its session was over.
        retrieved, verdict: what the first question that asked for it brought.
    """

    slot: str
    value: str
    session: int
    written: int | None
    stored: bool = False
    retrieved: bool | None = None
    verdict: str | None = None


@dataclass(frozen=True)
class WrongAnswer:
    """A wrong answer and the stage that failed first."""

    user: int
    session: int
    question: Question
    answer: str | None
    verdict: str
    stage: str


@dataclass
class Life:
    """What was judged and seen in one user's life.

    Attributes:
        records: every judgement.
        facts: every gold fact and its way.
        wrong: every wrong answer.
        kept: per lag in sessions, how many of the facts still true were the newest of their slot, and of how many.
        current: the fact that is true now, by slot.
        write_sessions: in which session each write was made.
    """

    user: User
    memory: MergingMemory
    records: EvaluationRecords = field(default_factory=EvaluationRecords)
    facts: list[ToldFact] = field(default_factory=list)
    wrong: list[WrongAnswer] = field(default_factory=list)
    kept: dict[int, tuple[int, int]] = field(default_factory=dict)
    current: dict[str, ToldFact] = field(default_factory=dict)
    write_sessions: list[int] = field(default_factory=list)


def live(
    settings: HallucinationSettings,
    user: User,
    similarities: Similarities,
    threshold: float,
    extractions: Sequence[Sequence[str]] | None = None,
) -> Life:
    """Let a user live through all sessions with an empty memory of this merge threshold.

    Args:
        settings: rates of the simulated extractor and answerer, and records per search.
        user: who lives.
        similarities: cosines between all texts that can come up.
        threshold: of the memory.
        extractions: the memories of each session where something else than the simulator extracted them.
    """
    life = Life(user, MergingMemory(similarities, threshold))
    for number, (session, lots) in enumerate(zip(user.timeline.sessions, user.lots, strict=True)):
        extracted = extract(settings, user.name, session, lots) if extractions is None else extractions[number]
        written = {text: life.memory.writes + place for place, text in enumerate(extracted)}
        for text in extracted:
            life.memory.write(text)
            life.write_sessions.append(number)
        _judge_extraction(life, session, extracted)
        _follow_facts(life, number, session, written)
        for question, luck in zip(session.questions, lots.answers, strict=True):
            _ask(life, settings, number, question, luck)
        _count_kept(life, number)
    return life


def newest_of_slot(records: Iterable[Record], slot: str) -> tuple[str | None, int]:
    """Return the value of the newest record of a slot and the number of its write; (None, −1) if there is none."""
    newest, written = None, -1
    for record in records:
        if record.written > written:
            for name, value in facts_in(record.text):
                if name == slot:
                    newest, written = value, record.written
    return newest, written


def _judge_extraction(life: Life, session: Session, extracted: Sequence[str]) -> None:
    for point in session.points:
        found = _search_update(life, point) if point.is_update else []
        if found:
            verdict = update_verdict(point, found, extracted)
            life.records.updates.append(VerdictRecord(verdict, point.kind))
        else:
            score = integrity_score([(point.slot, point.value)], extracted)
            life.records.integrity.append(IntegrityRecord(score, point.importance, point.interference, point.kind))
    life.records.accuracy += [accuracy_record(text, session) for text in extracted]


def _search_update(life: Life, point: MemoryPoint) -> list[str]:
    query = statement(life.user.name, point.slot, point.value)
    return [record.text for record in life.memory.search(query, UPDATE_SEARCH)]


def _follow_facts(life: Life, number: int, session: Session, written: dict[str, int]) -> None:
    for point in session.points:
        if point.interference:
            continue
        fact = ToldFact(
            point.slot, point.value, number, written.get(statement(life.user.name, point.slot, point.value))
        )
        fact.stored = newest_of_slot(life.memory.records, point.slot)[0] == point.value
        life.current[point.slot] = fact
        life.facts.append(fact)


def _ask(life: Life, settings: HallucinationSettings, number: int, question: Question, luck: Sequence[float]) -> None:
    found_records = life.memory.search(question_text(life.user.name, question.slot), settings.top_k)
    found, _ = newest_of_slot(found_records, question.slot)
    said = answer(settings, question.slot, found, luck)
    verdict = answer_verdict(said, question.answer)
    life.records.answers.append(VerdictRecord(verdict, question.kind))
    fact = life.current.get(question.slot)
    if fact is not None and fact.verdict is None:
        fact.retrieved, fact.verdict = found == fact.value, verdict
    if verdict != CORRECT:
        stored, written = newest_of_slot(life.memory.records, question.slot)
        extracted = fact is not None and fact.written is not None
        superseded = fact is not None and fact.written is not None and written > fact.written
        stage = earliest_failure(Situation(question.answer, found, stored, extracted, superseded))
        life.wrong.append(WrongAnswer(life.user.number, number, question, said, verdict, stage))


def answer(settings: HallucinationSettings, slot: str, found: str | None, luck: Sequence[float]) -> str | None:
    """Simulate the answerer: what was found, or else a guess or “unknown” (None); an error replaces a value.

    Args:
        settings: with the rates `guess` and `answer_error`.
        slot: what is asked for.
        found: newest value of the slot that the search brought back.
        luck: four uniform numbers: whether to guess, what, whether to err, into what.
    """
    if found is None and luck[0] < settings.guess:
        found = any_value(slot, luck[1])
    if found is not None and luck[2] < settings.answer_error:
        found = any_value(slot, luck[3])
    return found


def _count_kept(life: Life, number: int) -> None:
    newest: dict[str, tuple[int, str]] = {}
    for record in life.memory.records:
        for slot, value in facts_in(record.text):
            newest[slot] = max(newest.get(slot, (-1, "")), (record.written, value))
    for slot, fact in life.current.items():
        kept, all_ = life.kept.get(number - fact.session, (0, 0))
        still = slot in newest and newest[slot][1] == fact.value
        life.kept[number - fact.session] = (kept + still, all_ + 1)
