"""The sentence of every chart, computed from the tables."""

from __future__ import annotations

from collections.abc import Mapping

from mem_core.mechanisms.editing.clue.settings import SCORES
from mem_core.mechanisms.editing.clue.tables import HERE, OUTCOMES
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
NOT_YET = "The reasoner is still being trained."
NEAR = 0.01
"""Balanced accuracies this close count as the same."""


def training(tables: Tables) -> str:
    """Say how many traces of the last stage end in the right answer."""
    last = {row["feedback"]: row for row in tables["training"].rows()}
    if not last:
        return NOT_YET
    words = "; ".join(f"{name}: {row['right']:.0%} after {row['step']} steps" for name, row in last.items())
    return f"Right answers on training traces, {words}."


def cloud(tables: Tables) -> str:
    """Say how much of the cloud the picture shows, and how far the means lie apart beside the spread."""
    if not len(tables["cloud"]):
        return NOT_YET
    facts = tables["cloud_facts"].rows()[0]
    spots = {row["outcome"]: (row["across"], row["up"]) for row in tables["cloud_means"].rows()}
    apart = _length(*(first - second for first, second in zip(*(spots[name] for name in OUTCOMES), strict=True)))
    dots = [row for row in tables["cloud"].rows() if row["outcome"] == OUTCOMES[0]]
    centre = spots[OUTCOMES[0]]
    spread = (sum(_length(row["across"] - centre[0], row["up"] - centre[1]) ** 2 for row in dots) / len(dots)) ** 0.5
    return (
        f"Layer {facts['layer']}: the two directions hold {facts['explained']:.0%} of the variance of "
        f"{facts['traces']} past traces. In this picture the means lie {apart:.2f} apart, and right traces lie "
        f"{spread:.2f} from theirs."
    )


def distance(tables: Tables) -> str:
    """Say how d(l) runs from the first layer to the last."""
    return _layers(tables, "distance", "Distance of the means")


def separation(tables: Tables) -> str:
    """Say how sep(l) runs from the first layer to the last."""
    return _layers(tables, "separation", "Separation")


def _layers(tables: Tables, column: str, words: str) -> str:
    rows = tables["layers"].rows()
    if not rows:
        return NOT_YET
    names = dict.fromkeys(row["feedback"] for row in rows)
    lines = {name: [row[column] for row in rows if row["feedback"] == name] for name in names}
    found = "; ".join(f"{name}: {line[0]:.2f} to {line[-1]:.2f}" for name, line in lines.items())
    return f"{words}, first to last layer, {found}."


def margins(tables: Tables) -> str:
    """Say how often the verdict is right: TPR, TNR, balanced accuracy."""
    if not len(tables["verdict"]):
        return NOT_YET
    row = tables["verdict"].rows()[0]
    layers = "one layer" if row["layers_used"] == 1 else f"{row['layers_used']} layers"
    return (
        f"With {layers} and {row['per_class']} past traces of each kind: {row['true_positive']:.1%} of the right "
        f"traces are called right (TPR), {row['true_negative']:.1%} of the wrong ones are called wrong (TNR). Balanced "
        f"accuracy {row['balanced']:.3f}; 0.5 is chance."
    )


def votes(tables: Tables) -> str:
    """Say what the chosen score and vote give, beside the lines that need no ranking."""
    if not len(tables["voted"]):
        return NOT_YET
    own = tables["voted"].rows()[0]
    lines = "; ".join(f"{row['text']} {row['value']:.2f}" for row in tables["references"].rows())
    best = "the first one answers" if own["voters"] == 1 else f"the best {own['voters']} answer"
    first = {row["score"]: row["accuracy"] for row in tables["votes"].where(voters=1).rows()}
    alone = ", ".join(f"{name} {first[name]:.2f}" for name in SCORES)
    return (
        f"Ranked by {own['score']}, {best} {own['accuracy']:.0%} of the problems right "
        f"(large dot). The first candidate alone: {alone}. Without ranking: {lines}."
    )


def methods(tables: Tables) -> str:
    """Say what the first candidate and the vote of sixteen add, here and in the paper."""
    rows = tables["methods"].rows()
    if not rows:
        return NOT_YET
    sources = dict.fromkeys(row["source"] for row in rows)
    values = {name: {row["measure"]: row["share"] for row in rows if row["source"] == name} for name in sources}
    parts = [
        f"{name}: mean {each['mean']:.2f}, majority {each['maj.']:.2f}, first of the ranking {each['top 1']:.2f}, "
        f"any right {each['any']:.2f}"
        for name, each in values.items()
    ]
    return f"{'; '.join(part.removeprefix(HERE + ': ').capitalize() for part in parts[:1])}. In the {parts[1]}."


def sizes(tables: Tables) -> str:
    """Say how much experience is enough."""
    rows = tables["sizes"].rows()
    if not rows:
        return NOT_YET
    own = tables["own_size"].rows()[0]
    most = rows[-1]["balanced"]
    first = next(
        place for place in range(len(rows)) if all(abs(row["balanced"] - most) <= NEAR for row in rows[place:])
    )
    enough = rows[first]["size"]
    return (
        f"With {rows[0]['size']} past traces of each kind the balanced accuracy is {rows[0]['balanced']:.3f} on "
        f"average ({rows[0]['low']:.3f} to {rows[0]['high']:.3f}), with all {rows[-1]['size']} it is {most:.3f}; from "
        f"{enough} on it is within {NEAR} of that. The dot is this run: {own['size']}, {own['balanced']:.3f}."
    )


def _length(across: float, up: float) -> float:
    return float((across**2 + up**2) ** 0.5)
