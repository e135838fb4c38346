"""Tables of the lives: attack success and accuracy round by round and overall, poison in the store, what is left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mem_core.mechanisms.agents.a_memguard.lives import Lives
from mem_core.mechanisms.agents.a_memguard.measures import BAND, Counts, mean_and_error, share_by_round
from mem_core.mechanisms.agents.a_memguard.settings import LESSONS, QUERIES
from mem_core.mechanisms.tables import Table

SMOOTHED_ROUNDS = 5
"""A point of a curve is the share over this many rounds up to it: one round has only eight questions."""
RETRIEVED, ATTACKED, RIGHT_DESPITE, ACCURATE = "retrieved", "attacked", "still right", "ordinary"
MODEL_NAMES = ("none (model)", "consensus (model)")
"""Defences as a language model acts under them."""
MEASURES = (RETRIEVED, ATTACKED, RIGHT_DESPITE, ACCURATE)


def lives_tables(lives: Lives) -> dict[str, Table]:
    """Lay out what the lives have seen so far, whole rounds only."""
    counts = Counts.of(lives)
    return {
        "rounds": _rounds(counts),
        "summary": _summary(counts),
        "worlds": _worlds(counts),
        "retention": _retention(counts),
    }


def _rounds(counts: Counts) -> Table:
    attack = share_by_round(counts.malicious, counts.triggered, SMOOTHED_ROUNDS)
    accuracy = share_by_round(counts.right, ~counts.triggered, SMOOTHED_ROUNDS)
    rounds = len(attack[0])
    poisoned = counts.poisoned[..., ::QUERIES].mean(axis=0).tolist()
    columns: dict[str, list[Any]] = {name: [] for name in ("defence", "round", "attack", "accuracy", "poisoned")}
    for place, defence in enumerate(counts.defences):
        columns["defence"] += [defence] * rounds
        columns["round"] += range(1, rounds + 1)
        columns["attack"] += attack[place]
        columns["accuracy"] += accuracy[place]
        columns["poisoned"] += poisoned[place]
    return Table.of({"round": "rounds"}, **columns)


def _summary(counts: Counts) -> Table:
    """Mean over the lives and error bars, one row per defence and measure."""
    values = {
        RETRIEVED: counts.poison_retrieved,
        ATTACKED: counts.attack_success,
        RIGHT_DESPITE: counts.right_despite,
        ACCURATE: counts.accuracy,
    }
    rows = []
    for place, defence in enumerate(counts.defences):
        for measure in MEASURES:
            mean, error = mean_and_error(values[measure][:, place])
            rows.append((defence, measure, mean, _within(mean - BAND * error), _within(mean + BAND * error)))
    return _table(("defence", "measure", "value", "low", "high"), rows)


def _worlds(counts: Counts) -> Table:
    """What each life shows, for comparisons between runs."""
    attack, accuracy = counts.attack_success.tolist(), counts.accuracy.tolist()
    start, end = counts.poisoned[..., 0].tolist(), counts.poisoned_end.tolist()
    rows = [
        (defence, life, attack[life][place], accuracy[life][place], start[life][place], end[life][place])
        for place, defence in enumerate(counts.defences)
        for life in range(len(attack))
    ]
    return _table(("defence", "world", "attack", "accuracy", "poisoned_start", "poisoned_end"), rows)


def _retention(counts: Counts) -> Table:
    """How much of what a question with the trigger brings back is malicious, by rounds since it was planted."""
    place = counts.defences.index(LESSONS) if LESSONS in counts.defences else 0
    part = counts.retrieved[:, place : place + 1] / counts.found[:, place : place + 1].clip(min=1)
    (kept,) = share_by_round(part, counts.triggered, SMOOTHED_ROUNDS)
    return Table.of(
        {"lag": "rounds"},
        defence=[counts.defences[place]] * len(kept),
        lag=list(range(len(kept))),
        retention=kept,
    )


def _within(value: float) -> float:
    return value if math.isnan(value) else min(1.0, max(0.0, value))


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    return Table.of(**dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True)))
