"""A run as tables: scores beside the paper's, verdicts, wrong answers, the store of one user, retention."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from mem_core.data.user_timeline import BASIC, BOUNDARY, CONFLICT, QUESTION_KINDS, SLOTS, UPDATED, facts_in
from mem_core.mechanisms.agents.halumem import paper_figures as paper
from mem_core.mechanisms.agents.halumem.blame import STAGES
from mem_core.mechanisms.agents.halumem.flow import flow_tables
from mem_core.mechanisms.agents.halumem.life import Life
from mem_core.mechanisms.tables import Table
from mem_core.training.hallucination_evaluation import (
    CORRECT,
    HALLUCINATION,
    OMISSION,
    Scores,
    evaluate,
    kind_accuracy,
    total,
    verdict_rates,
)

HERE = "this run"
SHOWN_VERDICTS = (CORRECT, HALLUCINATION, OMISSION)
TRUE, STALE, DUPLICATE, FALSE, MISSING = "true", "stale", "duplicate", "false", "missing"
STATES = (TRUE, STALE, FALSE, MISSING, DUPLICATE)
SHORT_NAMES = {BASIC: "Basic", UPDATED: "Update", CONFLICT: "Conflict", BOUNDARY: "Boundary"}
LISTED_USERS = 6
"""Users whose wrong answers are listed one by one."""
FEWEST_FACTS = 20
"""At a lag, below which its retention is left out: one fact would move it too much."""
PERCENT = 100


def life_tables(lives: Sequence[Life]) -> dict[str, Table]:
    """Return everything that the users' lives tell."""
    records = total(life.records for life in lives)
    scores = evaluate(records)
    answers = {kind: [item for item in records.answers if item.kind == kind] for kind in QUESTION_KINDS}
    by_kind = {SHORT_NAMES[kind]: verdict_rates(found) for kind, found in answers.items() if found}
    points = kind_accuracy(records)
    return {
        "scores": scores_table(scores),
        "paper_range": _paper_range(),
        "paper_systems": _paper_systems(),
        "update_verdicts": stacked("system", {HERE: scores.updates, **_paper_verdicts("updates")}),
        "answer_verdicts": stacked("system", {HERE: scores.answers, **_paper_verdicts("answers")}),
        "question_kinds": stacked("kind", by_kind),
        "memory_kinds": Table.of(kind=list(points), share=list(points.values())),
        "blame": _blame(lives),
        "wrong_answers": _wrong_answers(lives),
        "store": store_table(lives[0]),
        "retention": _retention(lives),
        **flow_tables(fact for life in lives for fact in life.facts),
    }


def scores_table(scores: Scores) -> Table:
    """Return the six measures of extraction, in the order of the paper's table."""
    values = [
        scores.recall,
        scores.weighted_recall,
        scores.target_precision,
        scores.accuracy,
        scores.false_memory_resistance,
        scores.f1,
    ]
    return Table.of(measure=paper.MEASURES, share=values, whose=[HERE] * len(values))


def _paper_systems() -> Table:
    rows = [
        (row.system, measure, value / PERCENT)
        for row in paper.MEDIUM
        if row.extraction
        for measure, value in zip(paper.MEASURES, row.extraction, strict=True)
    ]
    systems, measures, shares = zip(*rows, strict=True)
    return Table.of(system=systems, measure=measures, share=shares)


def _paper_range() -> Table:
    """Lowest and highest of the paper's systems, for each measure."""
    columns = list(zip(*(row.extraction for row in paper.MEDIUM if row.extraction), strict=True))
    low, high = ([limit(column) / PERCENT for column in columns] for limit in (min, max))
    return Table.of(measure=paper.MEASURES, low=low, high=high)


def _paper_verdicts(task: str) -> dict[str, Mapping[str, float]]:
    return {
        row.system: {name: value / PERCENT for name, value in zip(SHOWN_VERDICTS, getattr(row, task), strict=True)}
        for row in paper.MEDIUM
        if row.system in paper.SHOWN
    }


def stacked(name: str, rates: Mapping[str, Mapping[str, float]]) -> Table:
    """Return shares of verdicts as pieces that lie on one another, from `low` to `high`."""
    rows = []
    for row, shares in rates.items():
        level = 0.0
        for verdict in SHOWN_VERDICTS:
            share = shares[verdict]
            rows.append((row, verdict, share, level, level + share))
            level += share
    names, verdicts, values, low, high = zip(*rows, strict=True) if rows else ((),) * 5
    return Table.of(**{name: list(names)}, verdict=list(verdicts), share=list(values), low=list(low), high=list(high))


def _blame(lives: Sequence[Life]) -> Table:
    counts = Counter((wrong.stage, wrong.verdict) for life in lives for wrong in life.wrong)
    rows = [(stage, verdict, counts[stage, verdict]) for stage in STAGES for verdict in (HALLUCINATION, OMISSION)]
    stages, verdicts, answers = zip(*rows, strict=True)
    return Table.of(stage=stages, verdict=verdicts, answers=answers)


def _wrong_answers(lives: Sequence[Life]) -> Table:
    wrong = [item for life in lives[:LISTED_USERS] for item in life.wrong]
    return Table.of(
        user=[item.user + 1 for item in wrong],
        session=[item.session + 1 for item in wrong],
        slot=[item.question.slot for item in wrong],
        kind=[item.question.kind for item in wrong],
        gold=[item.question.answer or "unknown" for item in wrong],
        answer=[item.answer or "unknown" for item in wrong],
        verdict=[item.verdict for item in wrong],
        stage=[item.stage for item in wrong],
    )


def store_table(life: Life) -> Table:
    """Return the records of a user at the end, slot by slot, with what ought to be there and is not."""
    told: dict[str, list[str]] = {}
    for fact in life.facts:
        told.setdefault(fact.slot, []).append(fact.value)
    rows = []
    for slot in (slot.name for slot in SLOTS):
        records = sorted(
            ((record.written, value) for record in life.memory.records for name, value in facts_in(record.text)
             if name == slot),
            reverse=True,
        )  # fmt: skip
        seen: set[str] = set()
        for written, value in records:
            rows.append((slot, life.write_sessions[written] + 1, value, _state(value, told.get(slot, []), seen)))
            seen.add(value)
        if slot in told and told[slot][-1] not in seen:
            rows.append((slot, life.current[slot].session + 1, told[slot][-1], MISSING))
    slots, sessions, values, states = zip(*rows, strict=True) if rows else ((),) * 4
    return Table.of(
        slot=list(slots),
        session=list(sessions),
        value=list(values),
        state=list(states),
        words=_words(list(zip(slots, sessions, values, states, strict=True))),
    )


def _words(rows: Sequence[tuple[str, int, str, str]]) -> list[str]:
    """Write each value beside its point; what was stored in place of a missing one bears both."""
    missing = {(slot, session): value for slot, session, value, state in rows if state == MISSING}
    written = {(slot, session) for slot, session, _value, state in rows if state != MISSING}
    words = []
    for slot, session, value, state in rows:
        place = slot, session
        if state == MISSING:
            words.append("" if place in written else value)
        else:
            words.append(f"{value}, not {missing[place]}" if place in missing else value)
    return words


def _state(value: str, told: Sequence[str], newer: set[str]) -> str:
    if value in newer:
        return DUPLICATE
    if value not in told:
        return FALSE
    return TRUE if value == told[-1] else STALE


def _retention(lives: Sequence[Life]) -> Table:
    """Of the facts that are still true so long after they were told, the share that the memory still says."""
    kept: Counter[int] = Counter()
    counted: Counter[int] = Counter()
    for life in lives:
        for lag, (still, all_) in life.kept.items():
            kept[lag] += still
            counted[lag] += all_
    lags = [lag for lag in sorted(counted) if counted[lag] >= FEWEST_FACTS]
    return Table.of(
        {"lag": "sessions"},
        lag=lags,
        retention=[kept[lag] / counted[lag] for lag in lags],
        facts=[counted[lag] for lag in lags],
    )


def share_of(table: Table, **where: str) -> float:
    """Return the share in the one row that matches, NaN if there is none."""
    rows = table.where(**where)["share"].tolist()
    return float(rows[0]) if rows else math.nan
