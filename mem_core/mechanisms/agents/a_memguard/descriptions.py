"""The sentences under the charts, computed from the tables, whole or partial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mem_core.mechanisms.agents.a_memguard.majority import MEASURED
from mem_core.mechanisms.agents.a_memguard.scene import AGAINST_HONEST, AGAINST_POISON
from mem_core.mechanisms.agents.a_memguard.settings import CONSENSUS, LESSONS, NO_DEFENCE
from mem_core.mechanisms.agents.a_memguard.tables import ACCURATE, ATTACKED, RETRIEVED, RIGHT_DESPITE
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]

NOT_LOOKED_AT = "The question that is looked at has not come yet, or the defence looked into is not among the chosen."
NO_LESSONS = "No lesson is kept."
NO_DIAGRAM = "The diagram has not been drawn in this run yet, or is off."
NO_CONSENSUS = "No chosen defence compares paths."
NO_TRIGGER = "No question had the trigger."
PHASE_LOOK_FOR = {
    NO_DEFENCE: "Weak triggers do nothing; a strong one needs a single record.",
    CONSENSUS: "Consensus moves the border, and does not remove it: where poison fills the majority, it wins.",
    LESSONS: "Lessons clear the middle. The strongest trigger stays: unanimous poison leaves no disagreement to learn "
    "from.",
}


def attack(tables: Tables) -> str:
    """Say how often the attack succeeds at the start and at the end, per defence."""
    ends = _ends(tables["rounds"], "attack")
    return _sentence("Attack success from the first round to the last", ends) if ends else NO_TRIGGER


def accuracy(tables: Tables) -> str:
    """Say how accurate the agent is on ordinary questions at the end, per defence."""
    ends = _ends(tables["rounds"], "accuracy")
    return _sentence("Accuracy from the first round to the last", ends) if ends else "Every question had the trigger."


def poisoned(tables: Tables) -> str:
    """Say how the share of poisoned records changes, per defence."""
    return _sentence(
        "Poisoned share of the memory from the first round to the last", _ends(tables["rounds"], "poisoned", 3)
    )


def summary(tables: Tables) -> str:
    """Compare the defences over the whole run."""
    table = tables["summary"]
    parts = []
    for defence in dict.fromkeys(table["defence"].tolist()):
        rows = {row["measure"]: row["value"] for row in table.where(defence=defence).rows()}
        said = [
            f"{words} {rows[measure]:.2f}"
            for measure, words in (
                (RETRIEVED, "poison retrieved"),
                (ATTACKED, "attack"),
                (RIGHT_DESPITE, "right despite the trigger"),
                (ACCURATE, "ordinary questions right"),
            )
            if rows.get(measure) is not None
        ]
        parts.append(f"{defence}: {', '.join(said)}")
    return f"{_capital('; '.join(parts))}."


def map_of_memory(tables: Tables) -> str:
    """Say how much poison is in the memory and how much of it the question brings back."""
    if not len(tables["map_query"]):
        return NOT_LOOKED_AT
    links = tables["map_links"]
    retrieved, bad = len(links) // 2, int(links["poison"].sum()) // 2
    poison = len(tables["map_poison"])
    records = len(tables["map"]) + poison
    return f"The question brings back {retrieved} of {records} records, {bad} of them poisoned; {poison} are in all."


def paths(tables: Tables) -> str:
    """Say which group is the largest, and what it would have the agent do."""
    rows = tables["path_labels"].rows()
    if not rows:
        return NOT_LOOKED_AT
    kept = [row for row in rows if row["kept"]]
    bad = sum(row["poison"] for row in rows)
    start = f"{bad} of the {len(rows)} paths are the poison's. "
    if not kept:
        return f"{start}No two paths agree, so nothing is kept and the agent acts without memory."
    actions = ", ".join(dict.fromkeys(row["action"] for row in kept))
    dropped = len(kept) - sum(row["passed"] for row in kept)
    warned = f" Lessons then reject {dropped} of these." if dropped else ""
    verdict = "the attacker's" if any(row["poison"] for row in kept) else "none of the attacker's"
    return f"{start}The largest group has {len(kept)} and says {actions}, {verdict}.{warned}"


def lessons(tables: Tables) -> str:
    """Count the lessons and what they rejected."""
    rows = {row["kind"]: row for row in tables["lesson_counts"].rows()}
    against, others = rows[AGAINST_POISON], rows[AGAINST_HONEST]
    if not against["lessons"] + others["lessons"]:
        return NO_LESSONS
    kept = against["lessons"] + others["lessons"]
    return (
        f"In the mean of the worlds {against['lessons']:.1f} of {kept:.1f} lessons kept are against the malicious "
        f"action. Lessons have rejected {against['rejected']:.1f} poisoned and {others['rejected']:.1f} other paths so "
        "far."
    )


def majority(tables: Tables) -> str:
    """Say how often poison passed below and above one half."""
    rows = [row for row in tables["majority"].rows() if row["kind"] == MEASURED]
    if not rows:
        return NO_CONSENSUS
    most = max(row["poison"] for row in tables["majority"].rows())
    parts = []
    for words, group in (
        ("in the minority or a tie", [row for row in rows if 0 < row["poison"] <= most / 2]),
        ("in the majority", [row for row in rows if row["poison"] > most / 2]),
    ):
        questions = sum(row["questions"] for row in group)
        if questions:
            passed = sum(row["passed"] * row["questions"] for row in group) / questions
            parts.append(f"{words} it passed at {passed:.0%} of {questions} questions")
    return f"Where poison was retrieved, {'; '.join(parts)}." if parts else "No poison was retrieved."


def chance(tables: Tables) -> str:
    """Compare the chance of a poisoned majority without a trigger to what the trigger did."""
    by_chance, most = tables["chance"]["chance"].max(), tables["chance"]["planted"].max()
    here = tables["chance_here"]["chance"].tolist()
    start = f"Drawn at random, even {most} planted records have the majority {by_chance:.1%} of the time."
    return f"{start} The trigger did it at {here[0]:.0%} of its questions." if here else start


def phase(key: str, defence: str) -> Callable[[Tables], str]:
    """Return the sentence about one phase diagram."""

    def describe(tables: Tables) -> str:
        rows = [row for row in tables[key].rows() if row["attack"] is not None]
        if not rows:
            return NO_DIAGRAM
        won = sum(row["attack"] > 0.5 for row in rows)
        worst = max(rows, key=lambda row: row["attack"])
        return (
            f"The attack succeeds more often than not in {won} of {len(rows)} cells; at most {worst['attack']:.2f}, "
            f"with {worst['planted']} planted and {worst['other']} (defence: {defence})."
        )

    return describe


def _ends(table: Table, column: str, digits: int = 2) -> list[str]:
    parts = []
    for defence in dict.fromkeys(table["defence"].tolist()):
        values = [row[column] for row in table.where(defence=defence).rows() if row[column] is not None]
        if values:
            parts.append(f"{defence} {values[0]:.{digits}f} to {values[-1]:.{digits}f}")
    return parts


def _sentence(start: str, parts: Sequence[Any]) -> str:
    return f"{start}: {'; '.join(parts)}."


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
