"""One or two sentences for each chart, computed from the tables of a frame, full or not yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mem_core.mechanisms.state_space.scan_kernels.pictures import WHOLE_MATRIX
from mem_core.mechanisms.state_space.scan_kernels.rounding import BOUND
from mem_core.mechanisms.state_space.scan_kernels.settings import CHUNKS, LOOP, TREE
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
Row = dict[str, Any]

NOTHING_YET = "Nothing has been measured yet."


def describe_states(tables: Tables) -> str:
    """Say where the state is largest, where it ends, and how much a token leaves."""
    states = tables["states"].rows()
    top = max(states, key=lambda row: abs(row["value"]))
    kept = float(tables["decays"]["value"].mean())
    return (
        f"A token leaves {kept:.0%} of the state on average. The state is furthest from zero at token {top['token']}, "
        f"{top['value']:.3g}, and ends at {states[-1]['value']:.3g}."
    )


def describe_retention(tables: Tables) -> str:
    """Say when half of the first input is gone, and what is left at the end."""
    rows = tables["retention"].rows()
    half = next((row["lag"] for row in rows if row["retention"] < 0.5), None)
    told = "At least half is left to the end"
    if half is not None:
        told = f"After {_plural(half, 'token')} less than half is left"
    return f"{told}; after {rows[-1]['lag']} tokens {rows[-1]['retention']:.3g} of the first input is left."


def describe_loop(tables: Tables) -> str:
    """Say what the loop costs."""
    cost = _cost(tables, LOOP)
    return (
        f"{cost['work']} multiplications, the fewest there are, in {cost['depth']} rounds: the last state waits for "
        f"all {cost['depth'] - 1} before it."
    )


def describe_tree(tables: Tables) -> str:
    """Say what the tree costs, and how many tokens are finished half-way."""
    cost, rows = _cost(tables, TREE), tables["tree_steps"].rows()
    half = (cost["depth"] + 1) // 2
    finished = sum(row["share"] == 1 for row in rows if row["step"] == half)
    return (
        f"{cost['work']} multiplications, but only {cost['depth']} rounds. After round {half}, {finished} of "
        f"{rows[-1]['token']} tokens are finished; after the last, all."
    )


def describe_chunks(tables: Tables) -> str:
    """Say what chunks cost, and in which rounds what happens."""
    cost, matrix = _cost(tables, CHUNKS), tables["matrix"]
    size = int(matrix.where(inside=True, source=1)["token"].max())
    count = -(-int(matrix["token"].max()) // size)
    last = cost["depth"] - size - (count - 1)
    rest = f", {count - 1} between them and {last} through them" if count > 1 else ""
    return (
        f"{_plural(count, 'chunk')} of {_plural(size, 'token')}: {cost['work']} multiplications in {cost['depth']} "
        f"rounds, {size} inside the chunks{rest}."
    )


def describe_matrix(tables: Tables) -> str:
    """Say how much of the matrix lies inside chunks, what all of it would cost, and that the cut does not matter."""
    matrix, cuts = tables["matrix"], tables["cuts"]
    inside = int(matrix["inside"].sum())
    return (
        f"{inside} of {len(matrix)} cells lie inside a chunk; the others are reached through carried states. Filling "
        f"in all of it takes {_cost(tables, WHOLE_MATRIX)['work']} multiplications, chunks take "
        f"{_cost(tables, CHUNKS)['work']}. Whatever the chunk length, from 1 to {len(cuts)}, no state is off by more "
        f"than {cuts['difference'].max():.1e}."
    )


def describe_steps(tables: Tables) -> str:
    """Compare the steps at the chosen number of lanes."""
    lanes = int(tables["lanes"]["lanes"][0])
    rows = tables["steps"].where(lanes=lanes).rows()
    if not rows:
        return "The rounds of the long input have not been counted yet."
    told = ", ".join(f"{row['way']} {row['steps']}" for row in rows)
    best = min(rows, key=lambda row: row["steps"])["way"]
    return f"{rows[0]['length']} tokens on {_plural(lanes, 'lane')} take so many steps: {told}. Fewest: {best}."


def describe_rounding(tables: Tables) -> str:
    """Name the largest difference and the bound beside it."""
    rows = [row for row in tables["rounding"].rows() if row["way"] != BOUND]
    if not rows:
        return NOTHING_YET
    worst = max(rows, key=lambda row: row["difference"])
    limit = tables["rounding"].where(way=BOUND, decay=worst["decay"])["difference"][0]
    return (
        f"The largest difference from float64 is {worst['difference']:.1e} ({worst['way']}, decay {worst['decay']:g}); "
        f"rounding could take it to {limit:.1e} there."
    )


def describe_times(tables: Tables) -> str:
    """Rank the ways at the longest input measured so far."""
    table = tables["times"]
    if not len(table):
        return NOTHING_YET
    length = int(table["length"].max())
    rows = sorted(table.where(length=length).rows(), key=lambda row: row["milliseconds"])
    told = ", ".join(f"{row['way']} {row['milliseconds']:.3g} ms" for row in rows)
    times = rows[-1]["milliseconds"] / rows[0]["milliseconds"]
    return f"{length} tokens, {rows[0]['where']}: {told}. The slowest takes {times:.3g} times as long as the fastest."


DESCRIBE: Mapping[str, Callable[[Tables], str]] = {LOOP: describe_loop, TREE: describe_tree, CHUNKS: describe_chunks}
"""What says in words what the grid of each way shows."""


def _cost(tables: Tables, way: str) -> Row:
    return tables["costs"].where(way=way).rows()[0]


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
