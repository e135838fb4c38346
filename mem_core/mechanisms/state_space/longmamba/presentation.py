"""The tables of a run: what `charts.py` draws and the claims read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mem_core.data.needle import VALUES
from mem_core.mechanisms.state_space.longmamba.filters import Mode
from mem_core.mechanisms.state_space.longmamba.measurements import CHANCE, CloseLook
from mem_core.mechanisms.tables import Table

Tables = dict[str, Table]

CURVE_POINTS = 64
"""Points of a curve in a chart; a screen shows no more."""
CELLS = 128
"""Cells in one row of the heat map."""
DEEPEST = -8.0
"""Decay curves are cut off here, at a hundred-millionth: local heads go far lower and would hide the global ones."""
SHOWN_RANKS = 64
"""Points of the threshold curve that are drawn at least; its long tail of small step sizes says little."""
SMALLEST_STEP = 1e-8
"""Step sizes are at least this in the heat map, so that their logarithm exists."""


def empty() -> Tables:
    """Return every table with its columns and no rows."""
    return {
        "training": training_table([]),
        "accuracy": accuracy_table([]),
        "chance": Table.of(accuracy=[CHANCE], text=["guessing"]),
        "heads": Table.of(
            head=[], kind=[], log10_target=[], log10_before=[], log10_after=[], kept=[], threshold=[], kept_share=[]
        ),
        "decay": Table.of({"token": "tokens"}, token=[], log10_left=[], head=[], kind=[], when=[], curve=[]),
        "target": Table.of(head=[], log10_target=[], text=[]),
        "steps": Table.of({"token": "tokens"}, token=[], token_end=[], head=[], log10_step=[], kept=[]),
        "needle": Table.of({"token": "tokens"}, token=[], text=[]),
        "curve": Table.of({"rank": "tokens"}, rank=[], step=[], within_budget=[]),
        "threshold": Table.of(head=[], kind=[], threshold=[], budget=[], kept=[], text=[]),
        "answers": Table.of(value=[], probability=[], mode=[], right=[]),
        "retention": retention_table([]),
        "fading": Table.of({"lag": "tokens"}, lag=[], retention=[], mode=[]),
    }


def training_table(losses: Sequence[float]) -> Table:
    """Loss of training, thinned."""
    steps = thinned(len(losses), CURVE_POINTS)
    return Table.of({"step": "steps"}, step=[step + 1 for step in steps], loss=[losses[step] for step in steps])


def accuracy_table(rows: Sequence[tuple[int, Mode, float]]) -> Table:
    """Accuracy by length and mode."""
    lengths, modes, accuracies = ([row[column] for row in rows] for column in range(3))
    return Table.of({"length": "tokens"}, length=lengths, mode=modes, accuracy=accuracies)


def retention_table(curve: Sequence[float]) -> Table:
    """Share of the needle that is left, by tokens since it was read."""
    lags = thinned(len(curve), CURVE_POINTS)
    return Table.of({"lag": "tokens"}, lag=lags, retention=[curve[lag] for lag in lags])


def look_tables(look: CloseLook, head: int) -> Tables:
    """Everything that one close look shows; `head` counts from 1."""
    return {
        "heads": _heads(look),
        "decay": _decay(look),
        "target": _target(look, head - 1),
        "steps": _steps(look),
        "needle": Table.of({"token": "tokens"}, token=[look.place], text=["needle"]),
        **_threshold(look, head - 1),
        "answers": _answers(look),
        "retention": retention_table(look.retention_after),
        "fading": _fading(look),
    }


def thinned(count: int, most: int) -> list[int]:
    """Choose at most `most` of 0 … count−1, evenly, both ends among them."""
    if count <= most:
        return list(range(count))
    return [round(index * (count - 1) / (most - 1)) for index in range(most)]


def head_name(index: int) -> str:
    """Name a head, counted from 0, for a learner."""
    return f"head {index + 1}"


def kind(look: CloseLook, index: int) -> str:
    """Say whether a head may skip tokens."""
    return "global head" if look.global_heads[index] else "local head"


def _heads(look: CloseLook) -> Table:
    """What the sequences looked at have in common, one row for each head."""
    heads = range(len(look.decay))
    return Table.of(
        head=[head_name(index) for index in heads],
        kind=[kind(look, index) for index in heads],
        log10_target=[_log10(float(look.decay[index])) for index in heads],
        log10_before=look.left_before[:, -1].mean(axis=0),
        log10_after=look.left_after[:, -1].mean(axis=0),
        kept=(look.changed > 0).mean(axis=(0, 1)),
        threshold=look.threshold,
        kept_share=look.kept_share,
    )


def _decay(look: CloseLook) -> Table:
    tokens = thinned(look.length, CURVE_POINTS)
    curves = [
        (index, when, values)
        for when, values in (("before", look.left_before[0]), ("after", look.left_after[0]))
        for index in range(len(look.decay))
    ]
    rows = [
        (token, max(DEEPEST, float(values[token, index])), head_name(index), kind(look, index), when)
        for index, when, values in curves
        for token in tokens
    ]
    token, left, head, kinds, when = ([row[column] for row in rows] for column in range(5))
    curve = [f"{name}, {time}" for name, time in zip(head, when, strict=True)]
    return Table.of({"token": "tokens"}, token=token, log10_left=left, head=head, kind=kinds, when=when, curve=curve)


def _target(look: CloseLook, index: int) -> Table:
    name = head_name(index)
    target = max(DEEPEST, _log10(float(look.decay[index])))
    return Table.of(head=[name], log10_target=[target], text=[f"{name} after 32 tokens"])


def _steps(look: CloseLook) -> Table:
    """Step sizes of the drawn sequence; neighbouring tokens share a cell that shows the largest of them."""
    width = math.ceil(look.length / CELLS)
    delta, kept = look.delta[0], look.changed[0] > 0
    filtered = bool((look.changed[0] != look.delta[0]).any())
    rows = []
    for index in range(len(look.decay)):
        outlined = filtered and not bool(kept[:, index].all())
        for first in range(0, look.length, width):
            cell = slice(first, first + width)
            step = _log10(max(SMALLEST_STEP, float(delta[cell, index].max())))
            last = min(first + width, look.length)
            rows.append((first, last, head_name(index), step, outlined and bool(kept[cell, index].any())))
    token, end, head, step_size, outline = ([row[column] for row in rows] for column in range(5))
    return Table.of({"token": "tokens"}, token=token, token_end=end, head=head, log10_step=step_size, kept=outline)


def _threshold(look: CloseLook, index: int) -> Tables:
    curve = look.curve[index].tolist()
    kept = round(float(look.kept_share[index]) * look.length)
    shown = min(look.length, max(SHOWN_RANKS, 8 * kept))
    ranks = sorted({*thinned(shown, 2 * CURVE_POINTS), kept - 1})
    table = Table.of(
        {"rank": "tokens"},
        rank=[rank + 1 for rank in ranks],
        step=[curve[rank] for rank in ranks],
        within_budget=[curve[rank] if rank < kept else 0.0 for rank in ranks],
    )
    threshold = float(look.threshold[index])
    marks = Table.of(
        head=[head_name(index)],
        kind=[kind(look, index)],
        threshold=[threshold],
        budget=[sum(curve[:kept])],
        kept=[kept],
        text=[f"threshold {threshold:.3g}"],
    )
    return {"curve": table, "threshold": marks}


def _answers(look: CloseLook) -> Table:
    modes = list(look.probabilities)
    answer = int(look.drawn.answers[0])
    return Table.of(
        value=[f"value {value + 1}" for _ in modes for value in range(VALUES)],
        probability=[float(share) for mode in modes for share in look.probabilities[mode]],
        mode=[mode for mode in modes for _ in range(VALUES)],
        right=[value == answer for _ in modes for value in range(VALUES)],
    )


def _fading(look: CloseLook) -> Table:
    """The retention of the chosen mode beside that of the plain model."""
    curves = {"off": look.retention_before, look.mode: look.retention_after}
    lags = thinned(len(look.retention_before), CURVE_POINTS)
    return Table.of(
        {"lag": "tokens"},
        lag=lags * len(curves),
        retention=[curve[lag] for curve in curves.values() for lag in lags],
        mode=[mode for mode in curves for _ in lags],
    )


def _log10(value: float) -> float:
    return math.log10(value) if value > 0 else -math.inf


def accuracy_of(tables: Mapping[str, Table], length: int, mode: Mode) -> float:
    """Read one accuracy; NaN if it was not measured."""
    found = tables["accuracy"].where(length=length, mode=mode)["accuracy"]
    return float(found[0]) if len(found) else math.nan
