"""When consensus passes the poison: as counted in the run, by the closed rule, and by chance without a trigger.

Axes: L lives, G judged defences, S questions in the order asked, K retrieved records.
"""

from __future__ import annotations

import math
from typing import Any

from mem_core.engine import Array
from mem_core.mechanisms.agents.a_memguard.lives import Lives
from mem_core.mechanisms.agents.a_memguard.settings import MOST_POISON, TOPICS
from mem_core.mechanisms.agents.a_memguard.world import MALICIOUS
from mem_core.mechanisms.tables import Table
from mem_core.nn.hypergeometric import chance_of_majority

MEASURED, RULE = "measured", "rule of the majority"
KINDS = (MEASURED, RULE)


def poison_passes(poison: int, retrieved: int, poison_first: bool) -> bool:
    """Say whether consensus keeps the poison where paths have no noise and all honest records agree.

    The larger of two groups wins, and of equal ones the one whose member is the most similar; a record alone is no
    group.
    """
    honest = retrieved - poison
    if poison < 2:
        return False
    return poison > honest or (poison == honest and poison_first)


def majority_tables(lives: Lives) -> dict[str, Table]:
    """Lay out how often the poison passed, by how much of it was retrieved, and how often chance would do that."""
    return {"majority": _majority(lives), "chance": _chance(lives), "chance_here": _chance_here(lives)}


def _majority(lives: Lives) -> Table:
    if not lives.judged:
        empty: list[float] = []
        return Table.of(kind=empty, poison=empty, passed=empty, questions=empty, as_ruled=empty, ruled=empty)
    poison, retrieved, passed, agree, first = (part.reshape(-1).tolist() for part in _judged(lives))
    most = max(retrieved)
    seen, through = [0] * (most + 1), [0] * (most + 1)
    ruled, as_ruled = [0] * (most + 1), [0] * (most + 1)
    for m, k, did_pass, one_topic, poison_first in zip(poison, retrieved, passed, agree, first, strict=True):
        seen[m] += 1
        through[m] += did_pass
        if one_topic:
            ruled[m] += 1
            as_ruled[m] += did_pass == poison_passes(m, k, poison_first)
    there, whole = [m for m in range(most + 1) if seen[m]], range(most + 1)
    none = [0] * (most + 1)
    # The rule comes first: it has every number, and so gives the axis its order.
    return Table.of(
        {"poison": "records"},
        kind=[RULE] * (most + 1) + [MEASURED] * len(there),
        poison=[*whole, *there],
        passed=[float(poison_passes(m, most, False)) for m in whole] + [through[m] / seen[m] for m in there],
        questions=none + [seen[m] for m in there],
        ruled=none + [ruled[m] for m in there],
        as_ruled=none + [as_ruled[m] for m in there],
    )


def _judged(lives: Lives) -> tuple[Any, ...]:
    """For one judged defence (L, S): poison and records retrieved, whether any poison is consistent, whether the
    honest records agree and differ from the poison, whether the most similar record is poison."""
    place, done = lives.judged[0], len(lives.moments)
    consistent = [moment.judged.consistent[:, 0] for moment in lives.moments if moment.judged is not None]
    numpy = lives.engine.to_numpy
    passing = numpy(lives.engine.xp.stack(consistent, axis=1))
    actions = lives.answered("actions")[:, place]
    found = numpy(lives.found[:, place, :done])
    bad = (actions == MALICIOUS) & found
    honest = found & ~bad
    lowest = (actions * honest + TOPICS * ~honest).min(axis=-1)
    highest = (actions * honest - ~honest * 1).max(axis=-1)
    apart = numpy(_apart(lives))
    clear = (lowest >= highest) & apart.take(lowest + _rows_of(apart, lowest))
    return bad.sum(axis=-1), found.sum(axis=-1), (bad & passing).any(axis=-1), clear, bad[..., 0]


def _apart(lives: Lives) -> Array:
    """Say which actions' paths are farther than eps from the malicious one's without noise, (L, A).

    Two random directions in 32 dimensions are nearer than that about twice in a thousand pairs. The malicious action
    itself stands here for "no honest record".
    """
    xp, contents = lives.engine.xp, lives.world.contents
    flat = xp.reshape(contents, (lives.lives, -1, contents.shape[-1]))
    cosines = flat @ xp.matrix_transpose(contents[:, MALICIOUS])  # (L, A·W, W)
    nearest = xp.max(xp.reshape(cosines, (*contents.shape[:2], -1)), axis=-1)
    return (1 - nearest > lives.settings.eps) | (xp.arange(contents.shape[1]) == MALICIOUS)


def _rows_of(table: Any, column: Any) -> Any:
    """Where each life's row of a flattened table begins, to be added to numbers of columns (L, S)."""
    starts = (table * 0 + 1).cumsum(axis=0)[:, :1] - 1
    return starts * table.shape[1] + column * 0


def _chance(lives: Lives) -> Table:
    """Chance of a poisoned majority among k records drawn at random, by how many are planted."""
    honest, k = TOPICS * lives.settings.records_per_topic, lives.settings.k
    planted = list(range(MOST_POISON + 1))
    chances = [chance_of_majority(count, honest, min(k, honest + count)) for count in planted]
    return Table.of({"planted": "records"}, planted=planted, chance=chances)


def _chance_here(lives: Lives) -> Table:
    """Share of the questions with the trigger that brought back a poisoned majority, in the first judged defence."""
    done = len(lives.moments)
    triggered = lives.engine.to_numpy(lives.world.script.triggered)[:, :done]
    place = lives.judged[0] if lives.judged else 0
    found = lives.engine.to_numpy(lives.found[:, place, :done])
    bad = ((lives.answered("actions")[:, place] == MALICIOUS) & found).sum(axis=-1)
    majority = bad > found.sum(axis=-1) / 2
    count = int(triggered.sum())
    chance = float((majority & triggered).sum()) / count if count else math.nan
    known = [] if math.isnan(chance) else [chance]
    return Table.of(chance=known, label=[f"with the trigger, in this run: {chance:.2f}"] * len(known))
