"""The sentence under each chart, computed from the run's tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from mem_core.mechanisms.agents.halumem.blame import STAGES
from mem_core.mechanisms.agents.halumem.flow import lost_between
from mem_core.mechanisms.agents.halumem.paper_figures import MEDIUM_KINDS
from mem_core.mechanisms.agents.halumem.sweeps import ANSWER_CORRECT, UPDATE_CORRECT, UPDATE_MISSING, UPDATE_WRONG
from mem_core.mechanisms.agents.halumem.tables import HERE, LISTED_USERS, STATES, TRUE, share_of
from mem_core.mechanisms.tables import Table
from mem_core.training.hallucination_evaluation import CORRECT, HALLUCINATION, OMISSION

Tables = Mapping[str, Table]
NOT_YET = "This knob has not been turned: it comes last, and not at all where a language model sets it."


def percent(share: float | None) -> str:
    """Write a share in percent, and what is not defined as a dash."""
    return "–" if share is None or math.isnan(share) else f"{100 * share:.0f} %"


def scores(tables: Tables) -> str:
    """Give the six measures of extraction."""
    rows = tables["scores"].rows()
    told = ", ".join(f"{row['measure']} {percent(row['share'])}" for row in rows)
    missing = " A dash: there was nothing to judge." if any(row["share"] is None for row in rows) else ""
    return f"{told}.{missing}"


def updates(tables: Tables) -> str:
    """Give the verdicts on updates."""
    return _verdicts(tables["update_verdicts"], "updates")


def answers(tables: Tables) -> str:
    """Give the verdicts on answers."""
    return _verdicts(tables["answer_verdicts"], "answers")


def _verdicts(table: Table, what: str) -> str:
    here, best = ({name: share_of(table, system=system, verdict=name) for name in (CORRECT, HALLUCINATION, OMISSION)}
                  for system in (HERE, "MemOS"))  # fmt: skip
    told = ", ".join(f"{name.lower()} {percent(share)}" for name, share in here.items())
    paper = ", ".join(f"{name.lower()} {100 * share:.1f} %" for name, share in best.items())
    return f"Of the {what} here: {told}. MemOS in the paper: {paper}."


def question_kinds(tables: Tables) -> str:
    """Give the share of right answers for each kind of question."""
    rows = tables["question_kinds"].where(verdict=CORRECT).rows()
    told = ", ".join(f"{row['kind']} {percent(row['share'])}" for row in rows)
    points = ", ".join(f"{row['kind']} {percent(row['share'])}" for row in tables["memory_kinds"].rows())
    theirs = ", ".join(f"{kind} {share:.0f} %" for kind, share in MEDIUM_KINDS.items())
    return (
        f"Right answers: {told}. Points extracted or updated correctly, by kind of memory: {points} "
        f"(MemOS in the paper, Table 4: {theirs})."
    )


def flow(tables: Tables) -> str:
    """Follow the facts that are on the right way from column to column."""
    told = ", ".join(f"{state} {percent(share)}" for state, share in lost_between(tables["flow_states"])[1:])
    return f"Of all facts told: {told} at the first question."


def blame(tables: Tables) -> str:
    """Say which stage failed first how often."""
    counts: Counter[str] = Counter()
    for row in tables["blame"].rows():
        counts[row["stage"]] += row["answers"]
    wrong = sum(counts.values())
    if not wrong:
        return "Every answer is right: nobody is to blame."
    told = ", ".join(f"{stage} {counts[stage]} ({percent(counts[stage] / wrong)})" for stage in STAGES)
    return f"{wrong} answers are wrong; the stage that failed first: {told}."


def wrong_answers(tables: Tables) -> str:
    """Tell one wrong answer."""
    rows = tables["wrong_answers"].rows()
    if not rows:
        return f"None of the first {LISTED_USERS} users got a wrong answer."
    row = rows[-1]
    return (
        f"The last of {len(rows)}: after session {row['session']} user {row['user']} asked for the {row['slot']}, "
        f"which is {row['gold']}; the answer was {row['answer']}. The first stage that failed was {row['stage']}."
    )


def store(tables: Tables) -> str:
    """Count the records of the store by their state."""
    counts = Counter(tables["store"]["state"].tolist())
    told = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    good = percent(counts[TRUE] / max(1, counts.total()))
    return f"The first user's memory at the end: {told or 'nothing'}. What is stored and true makes up {good} of it."


def cosines(tables: Tables) -> str:
    """Say what the threshold leaves and what it overwrites."""
    threshold, middle = tables["threshold"].rows()[0], tables["midpoint"].rows()[0]
    return (
        f"At θ = {threshold['cosine']:.2f}, {percent(threshold['same_below'])} of the changed facts would stay as "
        f"stale copies and {percent(threshold['different_above'])} of the pairs of different facts could overwrite "
        f"one another; the middle between the two means is {middle['cosine']:.2f}."
    )


def miss_sweep(tables: Tables) -> str:
    """Say what the lowest and the highest rate of missed facts do."""
    return _ends(tables["miss_sweep"], "miss", "missed", (ANSWER_CORRECT, UPDATE_MISSING, UPDATE_WRONG))


def threshold_sweep(tables: Tables) -> str:
    """Say where answers and updates are at their best."""
    table = tables["threshold_sweep"]
    if not len(table):
        return NOT_YET
    best = {name: _best(table.where(measure=name).rows()) for name in (ANSWER_CORRECT, UPDATE_CORRECT)}
    told = ", ".join(f"{name} are highest at θ = {at:g} ({percent(share)})" for name, (at, share) in best.items())
    return f"{told[:1].upper()}{told[1:]}."


def _best(rows: Sequence[Mapping[str, float]]) -> tuple[float, float]:
    row = max(rows, key=lambda row: row["share"] or 0.0)
    return row["threshold"], row["share"]


def _ends(table: Table, knob: str, word: str, measures: Sequence[str]) -> str:
    if not len(table):
        return NOT_YET
    low, high = min(table[knob].tolist()), max(table[knob].tolist())
    told = ", ".join(
        f"{name} {percent(share_of(table.where(measure=name), **{knob: low}))} → "
        f"{percent(share_of(table.where(measure=name), **{knob: high}))}"
        for name in measures
    )
    return f"From {percent(low)} to {percent(high)} {word}: {told}."


def gate(tables: Tables) -> str:
    """Say where this run stands, and the range that the gate spans."""
    row = tables["gate_here"].rows()[0]
    recall, resistance = (percent(row[name]) for name in ("recall", "resistance"))
    rows = tables["gate"].rows()
    ends = f"from R {percent(rows[0]['recall'])} at τ = −2 to {percent(rows[-1]['recall'])} at τ = 3"
    return f"This run has R {recall} and FMR {resistance}; the gate goes {ends} on the same users."


def retention(tables: Tables) -> str:
    """Say how much of what was told is there at once and at the longest lag."""
    rows = tables["retention"].rows()
    if not rows:
        return "There are too few facts to follow."
    first, last = rows[0], rows[-1]
    return (
        f"When its session ends, {percent(first['retention'])} of what was told is what the memory says; of what is "
        f"still true after {last['lag']} sessions, {percent(last['retention'])} ({last['facts']} facts)."
    )
