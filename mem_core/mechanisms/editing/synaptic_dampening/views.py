"""What the charts show of a network and of what it is to forget."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from mem_core.data.digit_tasks import CLASSES
from mem_core.data.digits import SIDE
from mem_core.engine import leaves, philox
from mem_core.mechanisms.editing.synaptic_dampening.dampening import Selection, dampen
from mem_core.mechanisms.editing.synaptic_dampening.forgetting import (
    BEFORE,
    DAMPENED,
    RETRAINED,
    Importances,
    Outcome,
    Subject,
    hardest_rows,
)
from mem_core.mechanisms.editing.synaptic_dampening.settings import DIGIT, LARGEST_ALPHA, PER_ROW
from mem_core.mechanisms.editing.synaptic_dampening.tables import (
    AFTER,
    AFTER_SHUFFLE,
    FATES,
    FORGET_ROWS,
    FORGET_TEST,
    KEEP_TEST,
    LITTLE,
    LOST,
    MEASURES,
    MOST,
    MUCH,
    SELECTED,
    UNTOUCHED,
    Row,
    Tables,
    by_digit_table,
    ceiling_table,
    cells_table,
    every_digit_table,
    every_network_table,
    methods_table,
    names_table,
    seconds_table,
    summary_table,
    sweep_table,
    thresholds_table,
    weights_table,
)
from mem_core.nn.relu_mlp import Parameters

SMALLEST_ALPHA, SWEPT = 0.1, 25
BEYOND_CEILING = 1.3
"""How far the sweep goes on above 1/f, times it."""
DOTS = 1200
"""Weights that are drawn, a sample of all."""
SHOWN_FROM = 1e-5
"""Importance over the largest from which on a weight is drawn; many have none, and a log axis has no zero."""
DRAWN_NETWORKS = (BEFORE, DAMPENED, RETRAINED)
TILES_A_ROW = 5
TILE_WIDTH, TILE_HEIGHT, NAME_HEIGHT = SIDE + 1, SIDE + 3, 2
"""In pixels of the picture, with room for a name above."""


def swept_alphas(ceiling: float) -> list[float]:
    """Return values of α from 0.1 to above the ceiling, each the same factor above the one before."""
    highest = max(LARGEST_ALPHA, BEYOND_CEILING * ceiling)
    factor = (highest / SMALLEST_ALPHA) ** (1 / (SWEPT - 1))
    return [SMALLEST_ALPHA * factor**number for number in range(SWEPT)]


def sweep_tables(subject: Subject, importances: Importances) -> Tables:
    """Accuracies and the share selected, for many α and for the one that is set."""
    ceiling, settings = subject.task.ceiling, subject.settings
    known = [(ceiling, f"1/f = {ceiling:.3g}")] if settings.importance == PER_ROW else []
    return {
        "sweep": sweep_table(row for alpha in swept_alphas(ceiling) for row in _at(subject, importances, alpha)),
        "own": sweep_table(_at(subject, importances, settings.alpha)),
        "ceiling": ceiling_table(known),
    }


def _at(subject: Subject, importances: Importances, alpha: float) -> Iterator[Row]:
    task, settings = subject.task, subject.settings
    whole, forget = importances.whole, importances.forget
    params, done = dampen(subject.engine, subject.params, whole, forget, alpha, settings.dampening)
    yield alpha, subject.accuracy(params, task.retain_test), KEEP_TEST
    if settings.forget == DIGIT:
        yield alpha, subject.accuracy(params, task.forget_test), FORGET_TEST
    else:
        yield alpha, subject.accuracy(params, task.forget_rows), FORGET_ROWS
    yield alpha, done.selected / done.total, SELECTED


def weight_tables(subject: Subject, importances: Importances, selection: Selection) -> Tables:
    """Both importances of a sample of the weights, the lines that decide their fate, and the summary."""
    trees = (importances.whole, importances.forget, selection.betas, selection.marks)
    weights = list(zip(*(_numbers(subject, tree) for tree in trees), strict=True))
    drawn = philox(subject.seed, "dots").choice(len(weights), min(DOTS, len(weights)), replace=False)
    dots = [weights[dot] for dot in sorted(drawn.tolist())]
    least = [SHOWN_FROM * max(row[side] for row in weights) for side in (0, 1)]
    shown = [
        (whole, forget, _fate(mark, beta))
        for whole, forget, beta, mark in dots
        if whole > least[0] and forget > least[1]
    ]
    shown.sort(key=lambda row: FATES.index(row[2]))  # the selected are drawn on top
    lines = _lines(subject, [row[0] for row in shown])
    largest = max((forget / whole for whole, forget, _, _ in weights if whole > 0), default=math.nan)
    return {
        "weights": weights_table(shown),
        "thresholds": thresholds_table(lines),
        "threshold_names": thresholds_table(lines[1::2]),
        "summary": summary_table([_summary(subject, selection, sum(row[0] for row in weights), largest)]),
    }


def _numbers(subject: Subject, tree: Parameters) -> list[Any]:
    return [number for leaf in leaves(tree) for number in subject.engine.to_numpy(leaf).ravel().tolist()]


def _fate(mark: bool, beta: float) -> str:
    if not mark:
        return UNTOUCHED
    return MOST if beta < 0.1 else MUCH if beta < 0.5 else LITTLE


def _lines(subject: Subject, drawn: Sequence[float]) -> list[Row]:
    """Return both ends of the lines on which the ratio is α, and the largest that there can be."""
    ratios = {"ratio α": subject.settings.alpha}
    if subject.settings.importance == PER_ROW:
        ratios["ratio 1/f"] = subject.task.ceiling
    ends = (min(drawn), max(drawn)) if drawn else ()
    return [(end, end * ratio, name) for name, ratio in ratios.items() for end in ends]


def _summary(subject: Subject, selection: Selection, importance: float, largest_ratio: float) -> Row:
    task, settings = subject.task, subject.settings
    hard, hard_forgotten = hardest_rows(subject)
    carried = sum(_numbers(subject, subject.importance_of(hard))) * len(hard)
    share = carried / (importance * len(task.training)) if importance > 0 else math.nan
    done = selection.summary(subject.engine)
    return (
        *(len(task.forget_rows), len(task.training), len(hard), hard_forgotten),
        *(share, task.ceiling, largest_ratio),
        *(settings.alpha, settings.dampening, done.selected, done.total, done.beta_mean),
    )


def unit_tables(subject: Subject, selection: Selection, after: Parameters) -> Tables:
    """Input weights of the first layer's units of which most weights were selected, before and after."""
    to_numpy = subject.engine.to_numpy
    counts = to_numpy(selection.marks[0]["weight"])[0].sum(axis=0).tolist()
    order = sorted(range(len(counts)), key=lambda unit: (-counts[unit], unit))[:TILES_A_ROW]
    before, after = (to_numpy(params[0]["weight"])[0].T for params in (subject.params, after))
    cells: list[Row] = []
    names: list[Row] = []
    for place, unit in enumerate(order):
        left = place * TILE_WIDTH
        largest = abs(before[unit]).max()
        for line, (weights, name) in enumerate(((before, f"{counts[unit]} hit"), (after, "after"))):
            top = line * TILE_HEIGHT + NAME_HEIGHT
            cells += _tile(left, top, (weights[unit] / largest).tolist())
            names.append((left, top, name, unit, counts[unit]))
    return {"units": cells_table(cells), "unit_names": names_table(names)}


def _tile(left: int, top: int, values: Sequence[float]) -> list[Row]:
    side = math.isqrt(len(values))
    places = [divmod(number, side) for number in range(len(values))]
    return [
        (left + across, left + across + 1, top + down, top + down + 1, value)
        for (down, across), value in zip(places, values, strict=True)
    ]


def outcome_tables(outcomes: Sequence[Outcome], subject: Subject) -> Tables:
    """Accuracies, membership and time of every method so far, and the answers digit by digit."""
    methods = [
        (outcome.method, measure, value)
        for outcome in outcomes
        for measure, value in zip(MEASURES, _measured(outcome), strict=True)
        if not math.isnan(value)
    ]
    by_digit = [
        (digit, share, outcome.method)
        for outcome in outcomes
        if outcome.method in DRAWN_NETWORKS
        for digit, share in enumerate(subject.accuracy_by_digit(outcome.params))
    ]
    return {
        "methods": methods_table(methods),
        "seconds": seconds_table((_part(outcome), outcome.method, outcome.seconds) for outcome in outcomes),
        "by_digit": by_digit_table(by_digit),
    }


def _part(outcome: Outcome) -> str:
    return "first training" if outcome.method == BEFORE else "forgetting"


def _measured(outcome: Outcome) -> tuple[float, ...]:
    found = outcome.accuracies
    return (found.forget_rows, found.forget_test, found.retain_rows, found.retain_test, outcome.members)


def every_digit_tables(rows: Sequence[Row]) -> Tables:
    """What forgetting each digit in turn does to every network so far, and the mean over them."""
    table = every_network_table(rows)
    columns = {AFTER: "forget_test", AFTER_SHUFFLE: "shuffled_forget_test", LOST: "lost"}
    means = [
        (digit, fmean(table.where(digit=digit)[column].tolist()), measure)
        for measure, column in columns.items()
        for digit in range(CLASSES)
    ]
    return {"every_network": table, "every_digit": every_digit_table(means)}
