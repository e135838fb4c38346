"""The tables of a run: what `charts.py` draws and the claims read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from mem_core.data.digits import SIDE
from mem_core.engine import Engine
from mem_core.mechanisms.state_space.efficientvim.costs import (
    PARTS,
    TIMED_CHANNELS,
    TIMED_STATES,
    multiply_accumulates,
    total,
)
from mem_core.mechanisms.state_space.efficientvim.model import Params, Seen, Shape
from mem_core.mechanisms.state_space.efficientvim.recording import (
    Measured,
    Recording,
    RecordingError,
    by_states,
    shipped,
)
from mem_core.mechanisms.state_space.efficientvim.settings import HiddenStateMixerSettings
from mem_core.mechanisms.state_space.efficientvim.training import STEPS_AN_EPOCH, TEST_PICTURES, Pictures, Score
from mem_core.mechanisms.tables import Table
from mem_core.nn.fusion_head import fusion_weights
from mem_core.nn.hidden_state_mixer_block import MIXERS

Tables = dict[str, Table]

LEARNED, TESTED = "training batches", "test pictures"
WEIGHT, ALONE = "weight β̂", "right answers alone"
AS_RECORDED, AS_MEASURED, OWN = "12 epochs, recorded", "12 epochs, measured here", "runs on this page"

OWN_COLUMNS = ("states", "accuracy", "low", "high", "kind", "channels", "epochs", "seed")
OWN_UNITS = {"states": "states", "accuracy": "share", "epochs": "epochs"}

COST_SIDES = (8, 11, 16, 23, 32, 45, 64)
"""Sides of the grids whose costs make the curves: areas double, or nearly so."""
TIMED_LENGTHS = (64, 256, 1024, 4096)
TILES_A_ROW = 5
TILES_OF_STATES = 9
"""So many states are drawn, and the picture: two rows of five."""
TILE_WIDTH, TILE_HEIGHT = SIDE + 1, SIDE + 3
"""In pixels of the picture, with room for a name above."""
INK = 0.5
"""Brightness from which on a pixel counts as ink."""
LOSS_POINTS = 60
"""Points of the curve of training losses, each the mean of a stretch of steps."""


def empty() -> Tables:
    """Return every table that training fills, with its columns and no rows."""
    return {
        "write": _cells({}),
        "write_names": _names({}, ""),
        "read": _cells({}),
        "read_names": _names({}, ""),
        "looked": Table.of(picture=[], digit=[], said=[], sure=[], state=[], on_ink=[], negative=[]),
        "learning": learning_table([], []),
        "test": test_table([]),
        "stages": Table.of(head=[], measure=[], value=[]),
        "own": _rows(OWN_UNITS, OWN_COLUMNS, []),
        "inert": inert_table(math.nan, math.nan, math.nan),
        "times": times_table([], 1),
    }


def cost_tables(settings: HiddenStateMixerSettings) -> Tables:
    """Multiply-accumulates: over the tokens, by part at the chosen grid, and of the layers that are timed."""
    channels, states, chosen = settings.channels, settings.states, settings.grid * settings.grid
    lengths = sorted({side * side for side in COST_SIDES} | {chosen})
    unit = {"length": "tokens", "multiply_accumulates": "multiply-accumulates"}
    rows = [(length, mixer, total(mixer, length, channels, states)) for mixer in MIXERS for length in lengths]
    timed = [
        (length, mixer, total(mixer, length, TIMED_CHANNELS, TIMED_STATES))
        for mixer in MIXERS
        for length in TIMED_LENGTHS
    ]
    parts = [
        (part, mixer, multiply_accumulates(mixer, chosen, channels, states)[part]) for mixer in MIXERS for part in PARTS
    ]
    return {
        "costs": _rows(unit, ("length", "mixer", "multiply_accumulates"), rows),
        "timed_costs": _rows(unit, ("length", "mixer", "multiply_accumulates"), timed),
        "parts": _rows(unit, ("part", "mixer", "multiply_accumulates"), parts),
        "grid": Table.of({"length": "tokens"}, length=[chosen], text=[f"{settings.grid} × {settings.grid}"]),
    }


def recorded_tables(settings: HiddenStateMixerSettings) -> Tables:
    """The recorded sweep for these channels, and one sentence on where it comes from or why there is none."""
    try:
        recording = shipped()
    except RecordingError as problem:
        return sweep_tables([], AS_RECORDED, f"{problem} Choose 'measure here' to make one now.")
    found = recording.of(settings.channels)
    if not found:
        return sweep_tables([], AS_RECORDED, f"Nothing is recorded for D = {settings.channels}.")
    return sweep_tables(found, AS_RECORDED, _provenance(recording))


def sweep_tables(measured: Sequence[Measured], kind: str, note: str) -> Tables:
    """Mean, lowest and highest accuracy over the seeds, by number of states."""
    rows = [
        (states, fmean(accuracies), min(accuracies), max(accuracies), len(accuracies), kind)
        for states, accuracies in by_states(measured).items()
    ]
    columns = ("states", "accuracy", "low", "high", "seeds", "kind")
    return {
        "sweep": _rows({"states": "states", "accuracy": "share"}, columns, rows),
        "sweep_note": Table.of(note=[note]),
    }


def learning_table(losses: Sequence[float], scores: Sequence[tuple[int, Score]]) -> Table:
    """Loss on training batches, averaged over short stretches, and on the test pictures."""
    stretch = max(1, math.ceil(len(losses) / LOSS_POINTS))
    rows = []
    for start in range(0, len(losses), stretch):
        part = losses[start : start + stretch]
        rows.append(((start + (len(part) + 1) / 2) / STEPS_AN_EPOCH, fmean(part), LEARNED))
    rows += [(step / STEPS_AN_EPOCH, score.loss, TESTED) for step, score in scores]
    return _rows({"epoch": "epochs", "loss": "nats"}, ("epoch", "loss", "pictures"), rows)


def test_table(scores: Sequence[tuple[int, Score]]) -> Table:
    """Right answers on the test pictures on the way."""
    rows = [(step / STEPS_AN_EPOCH, score.accuracy, score.loss) for step, score in scores]
    return _rows({"epoch": "epochs", "accuracy": "share", "loss": "nats"}, ("epoch", "accuracy", "loss"), rows)


def stages_table(engine: Engine, params: Params, shape: Shape, score: Score) -> Table:
    """What every head counts, and what it gets right alone."""
    weights = engine.to_numpy(fusion_weights(engine, params["head"])).tolist()
    heads = [f"states, block {block}" for block in range(1, shape.stages + 1)] + ["last tokens"]
    rows = [(head, WEIGHT, weight) for head, weight in zip(heads, weights, strict=True)]
    rows += [(head, ALONE, right) for head, right in zip(heads, score.heads, strict=True)]
    rows.append(("all, weighted", ALONE, score.accuracy))
    return _rows({"value": "share"}, ("head", "measure", "value"), rows)


def own_table(settings: HiddenStateMixerSettings, epoch: float, score: Score, seed: int) -> Table:
    """Return this run as a point among those of the sweep, with one standard error of a share of 500 pictures."""
    accuracy = score.accuracy
    error = math.sqrt(accuracy * (1 - accuracy) / TEST_PICTURES)
    row = (settings.states, accuracy, accuracy - error, accuracy + error, OWN, settings.channels, epoch, seed)
    return _rows(OWN_UNITS, OWN_COLUMNS, [row])


def look_tables(engine: Engine, seen: Seen, settings: HiddenStateMixerSettings, test: Pictures) -> Tables:
    """Write and read maps of up to nine states beside the picture, and what the model says of it."""
    picture = test.digits.images[settings.picture - 1].reshape(-1).tolist()
    chosen = min(settings.state, settings.states)
    first = (chosen - 1) // TILES_OF_STATES * TILES_OF_STATES
    shown = range(first, min(first + TILES_OF_STATES, settings.states))
    writes, reads = (engine.to_numpy(maps)[0].tolist() for maps in (seen.writes, seen.maps.C))
    tables: Tables = {}
    for name, maps in (("write", writes), ("read", reads)):
        tiles = {"picture": picture} | {f"state {index + 1}": maps[index] for index in shown}
        tables[name] = _cells(tiles)
        tables[f"{name}_names"] = _names(tiles, f"state {chosen}")
    looked = _looked(engine, seen, writes[chosen - 1], picture)
    digit = int(test.digits.labels[settings.picture - 1])
    return {**tables, "looked": Table.of(picture=[settings.picture], digit=[digit], state=[chosen], **looked)}


def inert_table(shift: float, change: float, slope: float) -> Table:
    """What moving the learned vector a by `shift` changes."""
    known = not math.isnan(change)
    return _rows({}, ("shift", "largest_change", "largest_slope"), [(shift, change, slope)] if known else [])


def times_table(measured: Sequence[tuple[int, str, float]], together: int) -> Table:
    """Measured time of one layer for `together` pictures at once."""
    rows = [(*row, f"{together} picture{'s' if together > 1 else ''}") for row in measured]
    return _rows({"length": "tokens", "milliseconds": "ms"}, ("length", "mixer", "milliseconds", "pictures"), rows)


def final_accuracy(tables: Mapping[str, Table]) -> float:
    """Read the share of right answers at the end of a run; NaN if there is none."""
    accuracies = tables["test"]["accuracy"]
    return float(accuracies[-1]) if len(accuracies) else math.nan


def _provenance(recording: Recording) -> str:
    seeds = ", ".join(map(str, sorted({one.seed for one in recording.measured})))
    how = ", ".join(f"{name} {text}" for name, text in recording.settings.items())
    made = f"Recorded on {recording.date} with {recording.engine}, seeds {seeds}, by {recording.command}"
    return f"{made}, with {how}."


def _looked(engine: Engine, seen: Seen, write: Sequence[float], picture: Sequence[float]) -> dict[str, list[float]]:
    xp = engine.xp
    scores = seen.logits[0]
    exponentials = xp.exp(scores - xp.max(scores))
    sure = engine.to_numpy(exponentials / xp.sum(exponentials)).tolist()
    size = math.fsum(map(abs, write)) or 1.0
    on_ink = math.fsum(abs(weight) for weight, bright in zip(write, picture, strict=True) if bright > INK)
    negative = math.fsum(-weight for weight in write if weight < 0)
    said = max(range(len(sure)), key=sure.__getitem__)
    return {"said": [said], "sure": [sure[said]], "on_ink": [on_ink / size], "negative": [negative / size]}


def _cells(tiles: Mapping[str, Sequence[float]]) -> Table:
    """Lay square maps side by side, each divided by its largest number without its sign."""
    rows = []
    for index, (name, values) in enumerate(tiles.items()):
        left, top = _corner(index)
        largest = max(map(abs, values)) or 1.0
        for place, value in enumerate(values):
            row, column = divmod(place, SIDE)
            x, y = left + column, top + row
            rows.append((x, x + 1, y, y + 1, name, value / largest))
    return _rows({}, ("left", "right", "top", "bottom", "map", "value"), rows)


def _names(tiles: Mapping[str, Sequence[float]], chosen: str) -> Table:
    rows = [(*_corner(index), f"▸ {name}" if name == chosen else name) for index, name in enumerate(tiles)]
    return _rows({}, ("left", "top", "name"), rows)


def _corner(index: int) -> tuple[int, int]:
    row, column = divmod(index, TILES_A_ROW)
    return column * TILE_WIDTH, row * TILE_HEIGHT + TILE_HEIGHT - SIDE


def _rows(units: Mapping[str, str], columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> Table:
    values = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return Table.of(units, **{name: list(column) for name, column in zip(columns, values, strict=True)})
