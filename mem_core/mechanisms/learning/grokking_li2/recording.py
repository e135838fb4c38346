"""What a run writes down, and the tables that are made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mem_core.engine import Array, Engine
from mem_core.mechanisms.learning.grokking_li2.boundary import Cell, boundary_rows, expected_share
from mem_core.mechanisms.learning.grokking_li2.energy import largest_energy, wave_purity
from mem_core.mechanisms.learning.grokking_li2.lazy import coupling
from mem_core.mechanisms.learning.grokking_li2.milestones import GROKKED, MEMORISED, Milestones, middle
from mem_core.mechanisms.learning.grokking_li2.settings import GrokkingSettings
from mem_core.mechanisms.learning.grokking_li2.training import Moment
from mem_core.mechanisms.tables import Table
from mem_core.nn.spectra import power_spectrum

FIRST_STEPS = 20
"""Measured one by one, for memorising takes about eight."""
EVERY = 5  # steps between measurements afterwards, and between the two ends of a movement
COUPLING_EVERY = 20  # steps; it costs as much as four of them
PURE = 0.9
"""Share of a unit's power in one frequency from which on it counts as a pure wave."""
COUPLING_BOUND = 0.08
"""Off-diagonal share that the paper still calls diagonal (Fig. 3)."""
CURVE_MODULI = (5, 7, 9, 11, 13, 15, 17, 20, 23, 27, 31, 36, 41, 50, 60, 71, 85, 100, 127)
CURVE_END = 41
"""The curve ends here unless the run's own modulus is larger."""
CELL = (3.0, 0.05)
"""Width of a map cell in moduli and its height in training share."""
PARTS = ("u: first number", "v: second number")
LAYERS = ("hidden layer", "output layer")
MEASURES = ("power in each unit's strongest wave", "units that are one wave")
WHENS = ("start", "now")
BINS = 40
"""At most so many bins in the energy histogram, where a choice of `BINS_BELOW_PEAK` allows it."""
BINS_BELOW_PEAK = (7, 3, 1)
"""Whole bins between no energy and the one around M/4."""
ROUNDING = 1e-4  # of a bin: M/2 lies on the edge of one, and float32 on either side of it
KINDS = ("random start", "after the climb, all pairs", "after the climb, training pairs", "trained hidden units")

UNITS: Mapping[str, Mapping[str, str]] = {
    "history": {"step": "steps", "network": "", "split": "", "accuracy": "share of pairs", "loss": ""},
    "moments": {"event": "", "step": "steps", "label": ""},
    "chance": {"accuracy": "share of pairs", "label": ""},
    "movement": {"step": "steps", "network": "", "layer": "", "movement": "cosine distance in 5 steps"},
    "features": {"step": "steps", "network": "", "measure": "", "value": "share"},
    "coupling": {"step": "steps", "network": "", "coupling": "share of the diagonal"},
    "coupling_bound": {"coupling": "share of the diagonal", "label": ""},
    "unit": {"residue": "", "part": "", "when": "", "weight": ""},
    "unit_spectrum": {"frequency": "waves per circle", "when": "", "power": "share of the power"},
    "energy": {"kind": "", "energy": "", "purity": "share of the power", "frequency": "waves per circle"},
    "energy_histogram": {"low": "", "high": "", "kind": "", "share": "share of the units"},
    "energy_levels": {"energy": "", "label": ""},
    "grok_point": {
        "modulus": "",
        "train_share": "share of all pairs",
        "hidden": "units",
        "weight_decay": "",
        "learning_rate": "",
        "steps": "steps",
        "seed": "",
        "network": "",
        "memorised_step": "steps",
        "grokked_step": "steps",
        "test_accuracy": "share of pairs",
        "verdict": "",
    },
    "grok_curve": {"modulus": "", "train_share": "share of all pairs"},
    "map_cells": {
        "modulus": "",
        "left": "",
        "right": "",
        "train_share": "share of all pairs",
        "low": "share of all pairs",
        "high": "share of all pairs",
        "test_accuracy": "share of pairs",
    },
    "boundary": {"modulus": "", "critical_share": "share of all pairs", "multiplier": "ln(M)/M"},
}
"""Every table of a run with its columns in order and their units; all are there from the first frame, some empty."""


def measured_steps(steps: int) -> set[int]:
    """Return the steps at which accuracy and loss are measured."""
    return {*range(min(FIRST_STEPS, steps) + 1), *range(0, steps, EVERY), steps}


class Record:
    """Everything measured so far in one run."""

    def __init__(self, engine: Engine, settings: GrokkingSettings, seed: int) -> None:
        self.engine, self.settings, self.seed = engine, settings, seed
        self.milestones = Milestones(settings.networks)
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in UNITS}
        self._points: list[tuple[Any, ...]] = []
        self._cells: list[Cell] = []
        self._start: Mapping[str, Array] | None = None
        self._before: Mapping[str, Array] | None = None
        self._rows["chance"] = [(1 / settings.modulus, "guessing")]
        self._rows["coupling_bound"] = [(COUPLING_BOUND, "8 %, still called diagonal in the paper")]
        self._rows["energy_levels"] = _energy_levels(settings.modulus)
        self._rows["grok_curve"] = [
            (modulus, expected_share(modulus))
            for modulus in CURVE_MODULI
            if modulus <= max(CURVE_END, settings.modulus)
        ]

    def see(self, moment: Moment) -> None:
        """Write down one measured moment of training."""
        self.milestones.see(moment)
        for split, score in (("train", moment.train), ("test", moment.test)):
            for network, (accuracy, loss) in enumerate(zip(score.accuracy, score.loss, strict=True), start=1):
                self._rows["history"].append((moment.step, network, split, accuracy, loss))
        if moment.step % EVERY == 0:
            self._see_weights(moment)
        if moment.step % COUPLING_EVERY == 0:
            self._add_per_network("coupling", moment.step, (), coupling(self.engine, moment.activations.features))
        self._see_unit(moment)

    def _see_weights(self, moment: Moment) -> None:
        xp = self.engine.xp
        hidden = moment.params["hidden"]
        pure, _ = wave_purity(self.engine, hidden)
        power = xp.sum(hidden * hidden, axis=-2)
        # Weighted, because decay makes units fade that are not needed, and noise is all that is left of those.
        weighted = xp.sum(pure * power, axis=-1) / xp.sum(power, axis=-1)
        share = xp.mean(xp.astype(pure > PURE, self.engine.float_dtype), axis=-1)
        for measure, values in zip(MEASURES, (weighted, share), strict=True):
            self._add_per_network("features", moment.step, (measure,), values)
        if self._before is not None:
            for layer, name in zip(LAYERS, ("hidden", "output"), strict=True):
                moved = _cosine_distance(self.engine, self._before[name], moment.params[name])
                self._add_per_network("movement", moment.step, (layer,), moved)
        self._before = moment.params
        self._start = self._start or moment.params

    def _add_per_network(self, table: str, step: int, names: tuple[str, ...], values: Array) -> None:
        for network, value in enumerate(self.engine.to_numpy(values).tolist(), start=1):
            # Zero has no place on a logarithmic axis: an output layer that starts at zero has no direction yet.
            if table != "movement" or value > 0:
                self._rows[table].append((step, network, *names, value))

    def _see_unit(self, moment: Moment) -> None:
        """Keep what the picture of one unit needs: the first network's weights now."""
        self._now = moment.params["hidden"][0]

    def see_climb(self, units: Mapping[str, Array], energies: Mapping[str, Array]) -> None:
        """Write down the units of the energy panel, by kind."""
        rows: list[tuple[Any, ...]] = []
        for kind in KINDS:
            if kind in units:
                pure, frequency = wave_purity(self.engine, units[kind])
                columns = [self.engine.to_numpy(column).tolist() for column in (energies[kind], pure, frequency)]
                rows += [(kind, *row) for row in zip(*columns, strict=True)]
        self._rows["energy"] = rows
        self._rows["energy_histogram"] = _histogram(rows, self.settings.modulus)

    def see_cell(self, cell: Cell) -> None:
        """Write down one cell of the boundary map."""
        self._cells.append(cell)
        self._points += _points(self.settings, self.seed, cell)
        self._rows["boundary"] = boundary_rows(self._cells)

    def tables(self) -> dict[str, Table]:
        """Return all tables as they stand."""
        own = Cell(self.settings.modulus, self.settings.train_share, self.milestones)
        self._rows["grok_point"] = _points(self.settings, self.seed, own) + self._points
        self._rows["map_cells"] = [_map_cell(cell) for cell in self._cells or [own]]
        self._rows["moments"] = _moments(self.milestones)
        self._rows["unit"], self._rows["unit_spectrum"] = self._unit()
        return {name: _table(units, self._rows[name]) for name, units in UNITS.items()}

    def _unit(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Return weights and spectrum of the first network's purest hidden unit, now and at the start."""
        if self._start is None:
            return [], []
        engine, size = self.engine, self.settings.modulus
        pure, _ = wave_purity(engine, self._now)
        chosen = int(engine.to_numpy(engine.xp.argmax(pure)))
        weights: list[tuple[Any, ...]] = []
        spectrum: list[tuple[Any, ...]] = []
        for when, layer in (("now", self._now), ("start", self._start["hidden"][0])):
            halves = engine.xp.reshape(layer[:, chosen], (2, size))
            for part, half in zip(PARTS, engine.to_numpy(halves).tolist(), strict=True):
                weights += [(residue, part, when, weight) for residue, weight in enumerate(half)]
            power = engine.to_numpy(engine.xp.sum(power_spectrum(engine, halves), axis=0)).tolist()
            total = sum(power) or 1.0
            spectrum += [(frequency, when, value / total) for frequency, value in enumerate(power)]
        return weights, spectrum


def _table(units: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(units)
    return Table.of(units, **{name: list(column) for name, column in zip(units, columns, strict=True)})


def _cosine_distance(engine: Engine, before: Array, after: Array) -> Array:
    """Return 1 − cos of the angle between two layers, per network.

    As half the squared distance of the directions: 1 minus a cosine would lose everything below 1e-7 in float32.
    """
    xp = engine.xp
    turned = _direction(engine, after) - _direction(engine, before)
    return 0.5 * xp.sum(turned * turned, axis=(-2, -1))


def _direction(engine: Engine, layer: Array) -> Array:
    length = engine.xp.sqrt(engine.xp.sum(layer * layer, axis=(-2, -1), keepdims=True))
    return layer / engine.xp.where(length > 0, length, engine.xp.ones_like(length))


def _moments(milestones: Milestones) -> list[tuple[Any, ...]]:
    rows = []
    for event, steps, split, level in (
        ("memorised", milestones.memorised, "train", MEMORISED),
        ("grokked", milestones.grokked, "test", GROKKED),
    ):
        step = middle(steps)
        if step is not None:
            rows.append((event, step, f"{split} {level:.0%}"))
    return rows


def _points(settings: GrokkingSettings, seed: int, cell: Cell) -> list[tuple[Any, ...]]:
    found = cell.milestones
    return [
        (
            cell.modulus,
            cell.share,
            settings.hidden,
            settings.weight_decay,
            settings.learning_rate,
            settings.steps,
            seed,
            network + 1,
            math.nan if found.memorised[network] is None else found.memorised[network],
            math.nan if found.grokked[network] is None else found.grokked[network],
            found.test_accuracy[network],
            found.verdict(network),
        )
        for network in range(len(found.grokked))
    ]


def _map_cell(cell: Cell) -> tuple[Any, ...]:
    across, up = CELL
    edges = (cell.modulus - across / 2, cell.modulus + across / 2, cell.share, cell.share - up / 2, cell.share + up / 2)
    return (cell.modulus, *edges, cell.test_accuracy)


def _energy_levels(modulus: int) -> list[tuple[Any, ...]]:
    levels = [(modulus / 16, "paper: M/16"), (largest_energy(modulus, 1), "M/4")]
    if modulus % 2 == 0:
        levels.append((largest_energy(modulus, modulus // 2), "M/2"))
    return levels


def _histogram(rows: Sequence[tuple[Any, ...]], modulus: int) -> list[tuple[Any, ...]]:
    """Return bars side by side: a bin holds one for each kind, and M/4 lies in the middle of a bin."""
    highest = max(row[1] for row in rows)
    below_peak = next((count for count in BINS_BELOW_PEAK if highest * (count + 0.5) <= BINS * modulus / 4), 1)
    width = modulus / 4 / (below_peak + 0.5)
    bars: list[tuple[Any, ...]] = []
    for place, kind in enumerate(KINDS):
        bins = [int(row[1] / width + ROUNDING) for row in rows if row[0] == kind]
        for number in sorted(set(bins)):
            low = (number + place / len(KINDS)) * width
            bars.append((low, low + width / len(KINDS), kind, bins.count(number) / len(bins)))
    return bars
