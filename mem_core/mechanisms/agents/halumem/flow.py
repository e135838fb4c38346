"""The way of every gold fact through the stages, as an alluvial picture: columns of states with bands between them.

Facts are grouped by the states that they pass. A band from one column to the next is as high as its share of the
facts, and has the colour of how it ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mem_core.mechanisms.agents.halumem.life import ToldFact
from mem_core.mechanisms.tables import Table
from mem_core.training.hallucination_evaluation import CORRECT, HALLUCINATION

RIGHT, WRONG, UNKNOWN, UNASKED = "right", "wrong", "unknown", "unasked"
ENDS = (RIGHT, WRONG, UNKNOWN, UNASKED)
COLUMNS = (("told",), ("extracted", "missed"), ("stored", "lost"), ("found", "not found", UNASKED), ENDS)
"""States of each column from the bottom up."""
GAP = 0.05
"""Between the states of a column, as a share of all facts."""
STEPS = 12
"""Points along a band."""
Path = tuple[str, ...]


def path_of(fact: ToldFact) -> Path:
    """Name the states that a fact passes."""
    extracted = "missed" if fact.written is None else "extracted"
    stored = "stored" if fact.stored else "lost"
    if fact.verdict is None:
        return "told", extracted, stored, UNASKED, UNASKED
    end = RIGHT if fact.verdict == CORRECT else WRONG if fact.verdict == HALLUCINATION else UNKNOWN
    return "told", extracted, stored, "found" if fact.retrieved else "not found", end


def flow_tables(facts: Iterable[ToldFact]) -> dict[str, Table]:
    """Return the bands and the states of the picture."""
    paths = Counter(path_of(fact) for fact in facts)
    count = sum(paths.values())
    shares = {path: number / count for path, number in paths.items()}
    bands = [row for left in range(len(COLUMNS) - 1) for row in _bands(shares, left)]
    position, low, high, ends, names = zip(*bands, strict=True) if bands else ((),) * 5
    nodes = [(column, *node) for column in range(len(COLUMNS)) for node in _nodes(shares, column)]
    columns, states, starts, tops, sizes = zip(*nodes, strict=True) if nodes else ((),) * 5
    middles = [(start + top) / 2 for start, top in zip(starts, tops, strict=True)]
    return {
        "flow_bands": Table.of(stage=list(position), low=list(low), high=list(high), end=list(ends), band=list(names)),
        "flow_states": Table.of(
            stage=list(columns),
            state=list(states),
            low=list(starts),
            high=list(tops),
            middle=middles,
            share=list(sizes),
        ),
    }


def _nodes(shares: dict[Path, float], column: int) -> list[tuple[str, float, float, float]]:
    nodes, level = [], 0.0
    for state in COLUMNS[column]:
        size = sum(share for path, share in shares.items() if path[column] == state)
        if size > 0:
            nodes.append((state, level, level + size, size))
            level += size + GAP
    return nodes


def _bands(shares: dict[Path, float], left: int) -> list[tuple[float, float, float, str, str]]:
    starts = [{state: low for state, low, *_ in _nodes(shares, column)} for column in (left, left + 1)]
    groups: dict[tuple[str, str, str], float] = {}
    for path, share in shares.items():
        key = path[left], path[left + 1], path[-1]
        groups[key] = groups.get(key, 0.0) + share
    at_left = _levels(groups, starts[0], 0)
    at_right = _levels(groups, starts[1], 1)
    rows = []
    for key, share in groups.items():
        for step in range(STEPS + 1):
            along = step / STEPS
            eased = along * along * (3 - 2 * along)
            low = at_left[key] + (at_right[key] - at_left[key]) * eased
            rows.append((left + along, low, low + share, key[2], f"{left}: {' → '.join(key)}"))
    return rows


def _levels(
    groups: dict[tuple[str, str, str], float], starts: dict[str, float], side: int
) -> dict[tuple[str, str, str], float]:
    """Stack the bands that meet a state, in the order of the states on the other side and then of the ends."""
    order = [state for column in COLUMNS for state in column]

    def rank(key: tuple[str, str, str]) -> tuple[int, int]:
        return order.index(key[1 - side]), ENDS.index(key[2])

    levels, filled = {}, dict(starts)
    for key in sorted(groups, key=rank):
        levels[key] = filled[key[side]]
        filled[key[side]] += groups[key]
    return levels


def lost_between(table: Table) -> list[tuple[str, float]]:
    """Return the first state of each column with its share: what is still on the right way."""
    first = [column[0] for column in COLUMNS]
    rows = {(row["stage"], row["state"]): row["share"] for row in table.rows()}
    return [(state, rows.get((column, state), 0.0)) for column, state in enumerate(first)]
