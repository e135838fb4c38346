"""What a run writes down, and the tables that are made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mem_core.data.modular_arithmetic import all_pairs
from mem_core.engine import Array, Engine
from mem_core.mechanisms.learning.grok_or_not import neurons
from mem_core.mechanisms.learning.grok_or_not.accuracies import Accuracies, accuracies, phase
from mem_core.mechanisms.learning.grok_or_not.network import GAIN
from mem_core.mechanisms.learning.grok_or_not.phase_map import Cell
from mem_core.mechanisms.learning.grok_or_not.settings import BATCH_NORM, DROPOUT, LOW, CorruptionSettings
from mem_core.mechanisms.learning.grok_or_not.training import Classroom, Moment
from mem_core.mechanisms.tables import Table
from mem_core.nn.pruning import kept_units

TRAIN, TEST, GIVEN, TRUE, CLEAN = "training", "test", "wrong label", "true sum", "right label"
MEASURES = (TEST, GIVEN, TRUE, TRAIN, CLEAN)
"""Test and training pairs right; corrupted pairs answered as given, and truly; the other training pairs right."""
WRONG, RULE = "wrong labels", "the rule"
MEMORIES = (RULE, WRONG)
MATRICES = ("U", "V", "W")
START, NOW = "start", "now"
WHENS = (START, NOW)
PERIODIC, APERIODIC = "most periodic neuron", "least periodic neuron"
NEURONS = (PERIODIC, APERIODIC)
KEPT, CUT = "kept", "cut out"
LOW_FIRST, HIGH_FIRST = "pruning_low", "pruning_high"
"""The tables of cutting from the one end and from the other."""
BINS = 20
PICTURED = 47
"""Numbers along one side of the picture of answers; a larger modulus is shown as its corner."""

_SHARE = "share of pairs"
_PLACE = {
    "modulus": "",
    "hidden": "neurons",
    "data_share": "share of all pairs",
    "weight_decay": "",
    "corruption": "share of the training pairs",
    "steps": "steps",
    "seed": "",
    "train": _SHARE,
    "test": _SHARE,
    "given": _SHARE,
    "phase": "",
}
UNITS: Mapping[str, Mapping[str, str]] = {
    "accuracy": {"step": "steps", "measure": "", "accuracy": _SHARE},
    "levels": {"accuracy": _SHARE, "label": ""},
    "neuron_mean": {"step": "steps", "ipr": ""},
    "norms": {"step": "steps", "matrix": "", "norm": ""},
    "histogram": {"low": "", "high": "", "when": "", "neurons": "neurons"},
    "neurons": {"neuron": "", "ipr": "", "strength": "", "state": ""},
    "weights": {"number": "", "neuron": "", "when": "", "weight": ""},
    LOW_FIRST: {"share": "share of the neurons", "measure": "", "accuracy": _SHARE},
    HIGH_FIRST: {"share": "share of the neurons", "measure": "", "accuracy": _SHARE},
    "cut": {"share": "share of the neurons", "label": ""},
    "answers": {
        "first": "",
        "second": "",
        "answer": "",
        "corrupted": "",
        "left": "",
        "right": "",
        "top": "",
        "bottom": "",
    },
    "result": {
        "step": "steps",
        **_PLACE,
        "true": _SHARE,
        "clean": _SHARE,
        "regulariser": "",
        "prune_share": "share of the neurons",
        "prune_from": "",
        "pruned_train": _SHARE,
        "pruned_test": _SHARE,
        "pruned_given": _SHARE,
        "pruned_true": _SHARE,
    },
    "fading": {"lag": "steps", "retention": "share of its best", "series": ""},
    "retention": {"lag": "steps", "retention": "share of its best"},
    "phase_by_decay": _PLACE,
    "phase_by_data": _PLACE,
}
"""Every table of a run with its columns in order and their units; all are there from the first frame, some empty."""


class Record:
    """Everything measured so far in one run."""

    def __init__(self, engine: Engine, settings: CorruptionSettings, seed: int, classroom: Classroom) -> None:
        self.engine, self.settings, self.seed, self.labels = engine, settings, seed, classroom.labels[0]
        self.best_test = 0.0
        self.found = Accuracies(*[math.nan] * 5)
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in UNITS}
        self._rows["levels"] = [(1 - settings.corruption, "share of right labels")] if settings.corruption else []
        if settings.prune_share:
            self._rows["cut"] = [(settings.prune_share, f"{settings.prune_share:.0%} cut out, {settings.prune_from}")]
        self._cells: list[Cell] = []
        self._start: Moment | None = None
        self._now: Moment | None = None

    @property
    def _fading_memory(self) -> str:
        """The memory whose fading is laid beside other mechanisms: the wrong labels, or the rule if all are right."""
        return WRONG if self.settings.corruption else RULE

    @property
    def phase(self) -> str:
        """The phase that the network is in now."""
        return phase(self.found, self.settings.corruption, self.best_test)

    def see(self, moment: Moment) -> None:
        """Write down one measured moment of training."""
        self._start, self._now = self._start or moment, moment
        self.found = accuracies(moment.answers[0], self.labels)
        self.best_test = max(self.best_test, self.found.test)
        for measure, value in _by_measure(self.found).items():
            if not math.isnan(value):
                self._rows["accuracy"].append((moment.step, measure, value))
        self._scores = neurons.periodicity(self.engine, moment.params)
        self._rows["neuron_mean"].append((moment.step, self.engine.item(self.engine.xp.mean(self._scores))))
        for matrix, norm in zip(MATRICES, neurons.matrix_norms(self.engine, moment.params), strict=True):
            self._rows["norms"].append((moment.step, matrix, norm))

    def see_pruning(self, table: str, share: float, answers: Any) -> None:
        """Write down, in one of the two pruning tables, what a network without some of its neurons still knows."""
        for measure, value in _by_measure(accuracies(answers, self.labels)).items():
            if measure != CLEAN and not math.isnan(value):
                self._rows[table].append((share, measure, value))

    def see_cells(self, cells: Sequence[Cell]) -> None:
        """Write down some networks of the phase map."""
        self._cells += cells

    def scores(self) -> Array:
        """Return the neurons' IPR, as last measured."""
        return self._scores

    def tables(self) -> dict[str, Table]:
        """Return all tables as they stand, after at least one moment was seen."""
        assert self._start is not None
        assert self._now is not None
        scores = self.engine.to_numpy(self._scores).tolist()
        at_start = self.engine.to_numpy(neurons.periodicity(self.engine, self._start.params)).tolist()
        kept, answers = self._after_pruning(self._now)
        self._rows["histogram"] = _histogram({START: at_start, NOW: scores})
        self._rows["neurons"] = self._neurons(self._now, scores, kept)
        self._rows["weights"] = self._weights(self._start, self._now, scores)
        self._rows["fading"] = _fading(self._rows["accuracy"])
        self._rows["retention"] = [row[:2] for row in self._rows["fading"] if row[2] == self._fading_memory]
        self._rows["result"] = [self._result(self._now.step, accuracies(answers, self.labels))]
        self._see_phases()
        tables = {name: _table(units, self._rows[name]) for name, units in UNITS.items()}
        tables["answers"] = self._answers(answers)
        return tables

    def _after_pruning(self, now: Moment) -> tuple[list[float], Any]:
        """Return which neurons the settings keep, and the answers that these give."""
        lowest_first = self.settings.prune_from == LOW
        share = self.settings.prune_share
        kept = kept_units(self.engine, self._scores, share, lowest_first=lowest_first)
        answers = neurons.answers_without(
            self.engine, now.features[0], now.params["output"][0], self._scores, share, lowest_first=lowest_first
        )
        return self.engine.to_numpy(kept).tolist(), answers

    def _neurons(self, now: Moment, scores: list[float], kept: list[float]) -> list[tuple[Any, ...]]:
        """Return IPR and strength of each neuron: the gain's size with normalisation, else the norm of its outputs."""
        xp = self.engine.xp
        output = now.params["output"][0]
        strength = xp.abs(now.params[GAIN][0, 0]) if GAIN in now.params else xp.sqrt(xp.sum(output * output, axis=-1))
        sizes = self.engine.to_numpy(strength).tolist()
        states = [KEPT if stays else CUT for stays in kept]
        return list(zip(range(len(scores)), scores, sizes, states, strict=True))

    def _weights(self, start: Moment, now: Moment, scores: list[float]) -> list[tuple[Any, ...]]:
        """Return the weights to the first number of the most and the least periodic neuron, now and at the start."""
        rows: list[tuple[Any, ...]] = []
        for name, score in zip(NEURONS, (max(scores), min(scores)), strict=True):
            chosen = scores.index(score)
            for when, moment in ((NOW, now), (START, start)):
                column = moment.params["hidden"][0][: self.settings.modulus, chosen]
                weights = self.engine.to_numpy(column).tolist()
                rows += [(number, name, when, weight) for number, weight in enumerate(weights)]
        return rows

    def _answers(self, answers: Any) -> Table:
        pairs = all_pairs(self.settings.modulus)
        shown = (pairs.first < PICTURED) & (pairs.second < PICTURED)
        edges = (pairs.second - 0.5, pairs.second + 0.5, pairs.first - 0.5, pairs.first + 0.5)
        columns = (pairs.first, pairs.second, answers, self.labels.corrupted, *edges)
        return Table({name: column[shown] for name, column in zip(UNITS["answers"], columns, strict=True)})

    def _place(self, settings: CorruptionSettings, found: Accuracies, name: str) -> tuple[Any, ...]:
        return (
            settings.modulus,
            settings.hidden,
            settings.data_share,
            settings.acting_decay,
            settings.corruption,
            settings.steps,
            self.seed,
            found.train,
            found.test,
            found.given,
            name,
        )

    def _result(self, step: int, pruned: Accuracies) -> tuple[Any, ...]:
        settings, found = self.settings, self.found
        more = (found.true, found.clean, settings.regulariser, settings.prune_share, settings.prune_from)
        after = (pruned.train, pruned.test, pruned.given, pruned.true)
        return (step, *self._place(settings, found, self.phase), *more, *after)

    def _see_phases(self) -> None:
        """Put this run and the cells of its map into the diagrams that they belong to."""
        own = [self._place(self.settings, self.found, self.phase)]
        cells = [self._place(cell.settings, cell.accuracies, cell.phase) for cell in self._cells]
        by_data = len({cell.settings.data_share for cell in self._cells}) > 1
        # Another regulariser's run would stand at decay 0 and say nothing about decay.
        on_decay_axis = self.settings.regulariser not in (DROPOUT, BATCH_NORM)
        self._rows["phase_by_decay"] = (own if on_decay_axis else []) + ([] if by_data else cells)
        self._rows["phase_by_data"] = own + (cells if by_data else [])


def _table(units: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(units)
    return Table.of(units, **{name: list(column) for name, column in zip(units, columns, strict=True)})


def _by_measure(found: Accuracies) -> dict[str, float]:
    return {TEST: found.test, GIVEN: found.given, TRUE: found.true, TRAIN: found.train, CLEAN: found.clean}


def _histogram(scores: Mapping[str, list[float]]) -> list[tuple[Any, ...]]:
    """Return bars side by side: each bin of IPR holds one for the start and one for now."""
    width = 1.0 / BINS
    bars: list[tuple[Any, ...]] = []
    for place, (when, values) in enumerate(scores.items()):
        bins = [min(int(value * BINS), BINS - 1) for value in values]
        for number in range(BINS):
            low = (number + place / len(scores)) * width
            bars.append((low, low + width / len(scores), when, bins.count(number)))
    return bars


def _fading(accuracy: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return how much of each memory is left, from the step on at which it was at its best.

    The lag is counted from that step, and the recall is divided by what it was there.
    """
    rows: list[tuple[Any, ...]] = []
    for memory, measure in ((RULE, TEST), (WRONG, GIVEN)):
        course = [(step, value) for step, name, value in accuracy if name == measure]
        if course:
            best = max(value for _, value in course)
            stored = next(step for step, value in course if value == best)
            rows += [(step - stored, value / best if best else 0.0, memory) for step, value in course if step >= stored]
    return rows
