"""The sentences that say what each chart shows, computed from the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mem_core.mechanisms.architectures.mixture_of_memories.tables import (
    FIRST,
    MISSED,
    RIGHT,
    SENT,
    SHARED_ROW,
    WRONG,
)
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
Row = dict[str, Any]

NOTHING_YET = "Nothing has been measured yet."
ENOUGH = 0.7
"""Recall up to which a curve is followed in words; the exercise asks for as much."""


def describe_recall(tables: Tables) -> str:
    """Say what each kind of memory recalls as set, and how far it keeps enough."""
    asked = int(tables["as_set"]["items"][0])
    by_arm = _by(tables["recall"], "memory")
    if not by_arm:
        return NOTHING_YET
    here = {arm: row for arm, rows in by_arm.items() for row in rows if row["items"] == asked}
    shown = here or {arm: rows[-1] for arm, rows in by_arm.items()}
    count = next(iter(shown.values()))["items"]
    words = ", ".join(f"{arm} {row['recall']:.0%}" for arm, row in shown.items())
    reach = ", ".join(f"{arm} {_reach(rows)}" for arm, rows in by_arm.items())
    return f"Recall of {count} items: {words}. Most items of which {ENOUGH:.0%} are recalled: {reach}."


def _reach(rows: list[Row]) -> str:
    enough = [row["items"] for row in rows if row["recall"] >= ENOUGH]
    return str(max(enough)) if enough else "none"


def describe_forgetting(tables: Tables) -> str:
    """Say what is left of the first items after the longest lag so far."""
    by_arm = _by(tables["forgetting"], "memory")
    if not by_arm:
        return NOTHING_YET
    lag = next(iter(by_arm.values()))[-1]["lag"]
    words = ", ".join(f"{arm} {rows[0]['recall']:.0%} and {rows[-1]['recall']:.0%}" for arm, rows in by_arm.items())
    return f"Recall of the first {FIRST} items at once, and after {lag} more: {words}."


def describe_answer(tables: Tables) -> str:
    """Say which kinds of memory answer the item right."""
    by_arm = _by(tables["answer"], "memory")
    if not by_arm:
        return NOTHING_YET
    fits = {arm: {row["value"]: row["fit"] for row in rows} for arm, rows in by_arm.items()}
    words = ", ".join(f"{arm} {fit[RIGHT]:.2f} against {fit[WRONG]:.2f}" for arm, fit in fits.items())
    right = [arm for arm, fit in fits.items() if fit[RIGHT] > fit[WRONG]]
    item = next(iter(by_arm.values()))[0]["item"]
    return f"Item {item}, fit of the right value and of the best wrong one: {words}. Right: {_listed(right)}."


def describe_routes(tables: Tables) -> str:
    """Say how many items each memory got, and how many questions go elsewhere."""
    table = tables["routes"]
    if len(table) == 0:
        return NOTHING_YET
    memories = _by(table, "memory")
    words = ", ".join(
        f"{memory}: {sum(row['weight'] > 0 for row in rows)}"
        for memory, rows in memories.items()
        if memory != SHARED_ROW
    )
    shared = " The shared memory gets them all." if SHARED_ROW in memories else ""
    lost = len({row["item"] for row in table.rows() if row["missed"]})
    elsewhere = f" For {lost} items the question goes to a memory that the item is not in." if lost else ""
    return f"Items in each memory of the first sequence: {words}.{shared}{elsewhere}"


def describe_load(tables: Tables) -> str:
    """Say how unevenly the memories are used, and what the balance loss makes of it."""
    sent = tables["load"].where(measure=SENT).rows()
    if not sent:
        return NOTHING_YET
    most, least = (choose(sent, key=lambda row: row["share"]) for choose in (max, min))
    balance = tables["balance"].rows()[0]
    words = f"Memory {most['memory']} gets {most['share']:.0%} of the items and memory {least['memory']} "
    words += f"{least['share']:.0%}"
    if most["share"] == least["share"]:
        words = f"Every memory gets {most['share']:.0%} of the items"
    return (
        f"{words}. The balance loss is {balance['loss']:.2f}; {balance['even']} is even, and {balance['worst']} is "
        "the worst."
    )


def describe_training(tables: Tables) -> str:
    """Say how far the loss of each layer has fallen."""
    by_arm = _by(tables["training"], "memory")
    if not by_arm:
        return NOTHING_YET
    words = ", ".join(f"{arm} {rows[-1]['loss']:.2f} at step {rows[-1]['step']}" for arm, rows in by_arm.items())
    return f"Loss in nats, the balance loss included: {words}."


def describe_layer(tables: Tables) -> str:
    """Say what each trained layer recalls at the number of pairs that it was trained on, and at the largest."""
    by_arm = _by(tables["layer_recall"], "memory")
    if not by_arm:
        return NOTHING_YET
    trained = int(tables["trained_on"]["pairs"][0])
    last = next(iter(by_arm.values()))[-1]["pairs"]
    at = {arm: {row["pairs"]: row["recall"] for row in rows} for arm, rows in by_arm.items()}
    words = ", ".join(f"{arm} {found[trained]:.0%}" for arm, found in at.items())
    most = ", ".join(f"{arm} {found[last]:.0%}" for arm, found in at.items())
    return f"Recall of {trained} pairs, as trained: {words}. Of {last}: {most}."


def describe_meeting(tables: Tables) -> str:
    """Say how many questions are sent elsewhere than their answers, and what becomes of them."""
    missed = tables["meeting"].where(question=MISSED).rows()
    if not missed:
        return "Every question is sent to a memory of its answer." if len(tables["meeting"]) else NOTHING_YET
    words = ", ".join(
        f"{row['memory']} {row['share']:.0%} of the questions, of which {row['recall']:.0%} are answered right"
        for row in missed
    )
    return f"Sent to none of the memories that hold the answer: {words}."


def _by(table: Table, column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in table.rows():
        found.setdefault(row[column], []).append(row)
    return found


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"
