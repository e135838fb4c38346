"""The sentences under the charts, computed from the tables, whole or partial."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from statistics import fmean

from mem_core.mechanisms.learning.few_shot_memory.examination import ROUGE_1, ROUGE_2, ROUGE_L
from mem_core.mechanisms.learning.few_shot_memory.recording import (
    FOIL,
    RECALL,
    RECOGNITION,
    RIGHT,
    SEEN,
    STUDIED,
)
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]

NOT_STUDIED = "Nothing has been studied yet."
NOT_ASKED = "The new text has not begun yet."

SCORES = (ROUGE_1, ROUGE_2, ROUGE_L, RECALL)
WELL_RECALLED = 0.5
"""Share of the second half from which on a sentence counts as still recalled."""


def study(tables: Tables) -> str:
    """Say what recognition and recall are before study, after one exposure and at the last one."""
    recognition, recall = (_curve(tables["study"].where(measure=name), "exposures", "value") for name in _MEASURES)
    if not recall:
        return NOT_STUDIED
    shown = [number for number in (0, 1, max(recall)) if number in recall]
    words = [
        f"{_exposures(number)} recognition is {recognition[number]:.2f} and recall {recall[number]:.2f}"
        for number in dict.fromkeys(shown)
    ]
    return f"{_sentence('; '.join(words))} (guessing between two: 0.50)."


def rouge(tables: Tables) -> str:
    """Say how high ROUGE starts because the given words count, and how recall alone compares."""
    table = tables["rouge"]
    if len(table) == 0:
        return NOT_STUDIED
    first, last = int(min(table["exposures"])), int(max(table["exposures"]))
    ends = {
        score: [_curve(table.where(score=score), "exposures", "value")[number] for number in (first, last)]
        for score in SCORES
    }
    words = ", ".join(f"{score} {start:.2f} to {end:.2f}" for score, (start, end) in ends.items())
    return f"From {first} to {last} exposures: {words}."


def retention(tables: Tables) -> str:
    """Say what each measure was at the start of the new text, ten updates on and at the end."""
    recognition, recall = (_curve(tables["fading"].where(measure=name), "lag", "retention") for name in _MEASURES)
    if not recall:
        return NOT_ASKED
    shown = [lag for lag in dict.fromkeys((0, 10, max(recall))) if lag in recall]
    words = [f"{_updates(lag)} recognition is {recognition[lag]:.2f} and recall {recall[lag]:.2f}" for lag in shown]
    return f"{_sentence('; '.join(words))}.{_steepest(recall)}"


def _steepest(recall: Mapping[int, float]) -> str:
    """Say between which two questions recall fell fastest."""
    falls = {(start, end): (recall[start] - recall[end]) / (end - start) for start, end in pairwise(sorted(recall))}
    if not falls or max(falls.values()) <= 0:
        return ""
    start, end = max(falls, key=lambda ends: falls[ends])
    return f" Recall falls fastest between updates {start} and {end}: {falls[start, end]:.3f} an update."


def losses_after_study(tables: Tables) -> str:
    """Say how far studied sentences and foils lie apart after study."""
    return _losses(tables["losses_after_study"])


def losses_after_new_text(tables: Tables) -> str:
    """Say how far they lie apart after the new text."""
    return _losses(tables["losses_after_new_text"])


def _losses(table: Table) -> str:
    if len(table) == 0:
        return NOT_ASKED
    seen, foil = (_range(table.where(kind=kind)) for kind in (SEEN, FOIL))
    apart = "The two groups do not overlap" if seen[1] <= foil[0] else "The two groups overlap"
    return (
        f"{_sentence(SEEN)} cost about {seen[0]:.2g} to {seen[1]:.2g} nats per word, {FOIL} {foil[0]:.2g} to "
        f"{foil[1]:.2g}. {apart}."
    )


def _range(table: Table) -> tuple[float, float]:
    """Return the ends of the bins that are not empty; each kind has one half of every bin."""
    rows = [row for row in table.rows() if row["count"] > 0]
    width = 2 * (rows[0]["high"] - rows[0]["low"])
    bins = [int(row["low"] / width + 1e-6) for row in rows]
    return bins[0] * width, (bins[-1] + 1) * width


def sentences(tables: Tables) -> str:
    """Say how many sentences are still recalled, and which one best."""
    table = tables["sentences"]
    if len(table) == 0:
        return NOT_ASKED
    last = int(max(table["lag"]))
    first, now = (_curve(table.where(lag=lag), "sentence", "recall") for lag in (0, last))
    counts = [sum(value >= WELL_RECALLED for value in recalled.values()) for recalled in (first, now)]
    best = table.rows()[0]["sentence"]
    return (
        f"At least half of the second half was recalled for {counts[0]} of {len(first)} sentences at the start and for "
        f"{counts[1]} after {last} updates. Best kept is number {best}, at {now[best]:.2f} after {last} updates."
    )


def recital(tables: Tables) -> str:
    """Say how many of the words to be recalled came back, at each moment shown."""
    rows = [row for row in tables["recital"].rows() if row["verdict"] != STUDIED]
    if not rows:
        return NOT_ASKED
    moments: dict[str, list[bool]] = {}
    for row in rows:
        moments.setdefault(row["row"].partition(" ")[2], []).append(row["verdict"] == RIGHT)
    words = [f"{moment}: {sum(right)} of {len(right)} words ({fmean(right):.0%})" for moment, right in moments.items()]
    return f"Recalled in these sentences {'; '.join(words)}."


_MEASURES = (RECOGNITION, RECALL)


def _curve(table: Table, x: str, y: str) -> dict[int, float]:
    return {row[x]: row[y] for row in table.rows()}


def _updates(lag: int) -> str:
    return f"after {lag} updates" if lag else "at the start"


def _exposures(number: int) -> str:
    return "before study" if number == 0 else f"after {number} exposure{'s' if number > 1 else ''}"


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
