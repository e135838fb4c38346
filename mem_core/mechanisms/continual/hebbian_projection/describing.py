"""The sentence of every chart, computed from the tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mem_core.mechanisms.continual.hebbian_projection.results import AVERAGE, BEST, LEARNED, LEARNING, TRANSFER
from mem_core.mechanisms.continual.hebbian_projection.settings import LAYERS
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
Row = dict[str, Any]

NOT_YET = "The first task is not learned yet."
NOT_ALL = "Not all tasks are learned yet."
NO_LATERAL = "There are no lateral neurons in this run: choose Hebbian as a protection, and a subspace size above 0."
MEASURED = {AVERAGE: "average accuracy", LEARNING: "when learned", TRANSFER: "backward transfer"}
FOUND, ALIGNED = 0.95, "found to a cosine of 0.95"
STRETCHED = math.sqrt(2)
"""Rows that stretch more turn an activity round and make it larger: |1 − ‖H‖²| > 1."""


def cloud(tables: Tables) -> str:
    """Say how near the row comes to the principal direction."""
    rows = tables["cloud_row"].rows()
    first, last = rows[0], rows[-1]
    near = next((row["update"] for row in rows if row["cosine"] >= 0.99), None)
    reached = "does not come nearer than that" if near is None else f"reaches 0.99 after {near} updates"
    return (
        f"The cosine between the row and the principal direction goes from {first['cosine']:.2f} to "
        f"{last['cosine']:.3f} in {last['update']} updates; it {reached}."
    )


def first_task(tables: Tables) -> str:
    """Say how well the first task is done now, and was when it ended."""
    ends = tables["tasks"]["batch"].tolist()[0]
    words = []
    for name, rows in _by(tables["first_task"].rows(), "protection").items():
        learned = [row["accuracy"] for row in rows if row["batch"] <= ends][-1]
        now = f"{rows[-1]['accuracy']:.0%}"
        words.append(f"{name} {learned:.0%} → {now}" if rows[-1]["batch"] > ends else f"{name} {now}")
    batch = tables["first_task"]["batch"].max()
    when = f"from the end of task 1 to batch {batch}" if batch > ends else f"after batch {batch}"
    return f"Accuracy on task 1 {when}: {', '.join(words)}."


def matrix(tables: Tables) -> str:
    """Say how the accuracy on the first task falls from task to task."""
    rows = tables["matrix"].rows()
    if not rows:
        return NOT_YET
    words = [
        f"{name} {' → '.join(_percent(row) for row in own if row['task'] == 1)}"
        for name, own in _by(rows, "protection").items()
    ]
    return f"Accuracy on task 1, after one task after another: {'; '.join(words)}.{_transfers(tables)}"


def _transfers(tables: Tables) -> str:
    """Say what backward transfer and average are, from the second task on."""
    scores = tables["scores"].rows()
    transfers = [_named(row) for row in scores if row["measure"] == TRANSFER]
    return f" Backward transfer (BWT): {', '.join(transfers)}." if transfers else ""


def scores(tables: Tables) -> str:
    """List the summaries of every network."""
    rows = tables["scores"].rows()
    if not rows:
        return NOT_YET
    words = [f"{MEASURED[measure]} {', '.join(map(_named, own))}" for measure, own in _by(rows, "measure").items()]
    return _sentence(words)


def captured(tables: Tables) -> str:
    """Say what the lateral neurons capture now, and what the best rows would."""
    rows = tables["captured"].rows()
    if not rows:
        return NO_LATERAL
    last = max(row["batch"] for row in rows)
    newest = [row for row in rows if row["batch"] == last]
    task = newest[-1]["task"]  # at the end of a task the next one has rows of the same batch
    found = {(row["layer"], row["kind"]): row["captured"] for row in newest if row["task"] == task}
    words = [f"{layer} {found[layer, LEARNED]:.1%} of {found[layer, BEST]:.1%} possible" for layer in LAYERS]
    return f"After batch {last}, of the activity in {task}: {', '.join(words)}."


def gram(tables: Tables) -> str:
    """Say how far the rows are from orthonormal, and warn where they stretch."""
    cells = tables["gram"].rows()
    if not cells:
        return NO_LATERAL
    diagonal = [cell["product"] for cell in cells if cell["row"] == cell["column"]]
    beside = max((abs(cell["product"]) for cell in cells if cell["row"] != cell["column"]), default=0.0)
    stretches = {row["layer"]: row["stretch"] for row in tables["stretch"].rows()}
    worst, longest = max(stretches.items(), key=lambda item: item[1])
    words = (
        f"The products of the rows drawn are {min(diagonal):.2f} to {max(diagonal):.2f} on the diagonal and at most "
        f"{beside:.2f} beside it. The largest stretch ‖H‖ of any layer is {longest:.2f} ({worst}); along that "
        f"direction 1 − ‖H‖² = {1 - longest**2:.2f} of the activity is left."
    )
    return (
        f"{words} Warning: that is more than there was, turned round, and training may diverge."
        if longest > STRETCHED
        else words
    )


def angles(tables: Tables) -> str:
    """Say how many of the newest directions are found."""
    by_layer = _by(tables["angles"].rows(), "layer")
    if not by_layer:
        return "The newest task has no rows of its own in this run."
    words = [
        f"{layer} {sum(row['cosine'] >= FOUND for row in rows)} of {len(rows)}" for layer, rows in by_layer.items()
    ]
    return f"Directions of the newest task that are {ALIGNED} or better: {', '.join(words)}."


def pictures(tables: Tables) -> str:
    """Say how much of the two pictures is left to learn from."""
    rows = tables["picture_energy"].rows()
    if not rows:
        return NO_LATERAL
    words = " and ".join(f"{row['left']:.1%} as task {row['task']} shows it" for row in rows)
    return f"Outside of the finished subspace of the input are {words}, of the energy of one test picture."


def spikes(tables: Tables) -> str:
    """Say how often the neurons drawn spike."""
    rows = tables["spikes"].rows()
    if not rows:
        return NO_LATERAL
    fired, steps = sum(row["spike"] for row in rows), max(row["step"] for row in rows)
    neurons = len(rows) // steps
    silent = neurons - len({row["neuron"] for row in rows if row["spike"]})
    return (
        f"In {rows[0]['layer']}, the {neurons} busiest neurons fire {fired} spikes in {steps} steps; {silent} of them "
        f"are silent, and the largest trace is {max(row['trace'] for row in rows):.2f}."
    )


def tradeoff(tables: Tables) -> str:
    """Say where the points of the page's runs lie."""
    rows = tables["tradeoff"].rows()
    if not rows:
        return NOT_ALL
    words = [f"{row['protection']} misses {row['missed']:.1%} and forgets {row['forgetting']:.3f}" for row in rows]
    shown = words[: len(set(tables["tradeoff"]["protection"].tolist()))]
    more = f" {len(rows)} points of this page's runs are drawn." if len(rows) > len(shown) else ""
    return f"{_sentence(shown)}{more}"


def _percent(row: Row) -> str:
    return f"{row['accuracy']:.0%}"


def _named(row: Row) -> str:
    return f"{row['protection']} {row['accuracy']:.3f}"


def _by(rows: Iterable[Row], name: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[name], []).append(row)
    return found


def _sentence(parts: Sequence[str]) -> str:
    joined = "; ".join(parts)
    return f"{joined[:1].upper()}{joined[1:]}."
