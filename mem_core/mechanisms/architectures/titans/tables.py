"""The tables of a run: what the charts draw and the claims read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mem_core.engine import Engine
from mem_core.mechanisms.architectures.titans import layer, lesson, outer
from mem_core.mechanisms.architectures.titans.overfull import VARIANTS, Recording, burst_token, spread
from mem_core.mechanisms.architectures.titans.settings import SWEPT_MOMENTUM, TitansSettings
from mem_core.mechanisms.tables import Table

Tables = dict[str, Table]

MOMENTARY, MOVING = "of the moment, θ‖∇‖", "with its past, ‖S‖"
CURVES = (*(f"η = {momentum:g}" for momentum in SWEPT_MOMENTUM), "η as set")
CURVE_POINTS = 200
"""Points of a curve over tokens or steps; a screen shows no more."""
MOST_SHOWN = 16
"""Rows and columns of the weights that are shown."""
ZERO_AT = 0.0005
"""Where α = 0 is drawn on a logarithmic axis: left of the smallest other one, 0.001."""
NOTHING_KNOWN = Table.of(error=[1.0])
"""Error of a memory that answers nothing: the squared length of a value."""


def empty() -> Tables:
    """Return every table with its columns and no rows."""
    return {
        "ages": Table.of({"age": "tokens"}, age=[], error=[], memory=[]),
        "nothing": NOTHING_KNOWN,
        "retention": Table.of({"lag": "tokens"}, lag=[], retention=[]),
        "surprise": Table.of({"token": "tokens"}, token=[], length=[], part=[]),
        "burst": Table.of({"token": "tokens"}, token=[], text=[]),
        "weights": Table.of({"token": "tokens"}, row=[], column=[], weight=[], token=[]),
        "sweep": sweep_table({}),
        "as_set": as_set_table([]),
        "lesson": lesson_table([]),
        "training": training_table([]),
        "gates": Table.of(kind=[], gate=[], value=[]),
        "layer_recall": layer_table([]),
        "trained_on": Table.of({"pairs": "pairs"}, pairs=[outer.TASK.pairs], text=["trained on"]),
    }


def recording_tables(settings: TitansSettings, engine: Engine, recording: Recording) -> Tables:
    """Everything about the memory that reads the stream, as far as it has read."""
    reading = recording.ask()
    rows = [
        (age, float(error), name)
        for name, errors, gone in zip(VARIANTS, reading.error, recording.diverged, strict=True)
        if gone is None
        for age, error in zip(reading.ages, errors, strict=True)
    ]
    burst = [burst_token(settings) + 1] if settings.burst else []
    return {
        "ages": Table.of_rows(("age", "error", "memory"), rows, age="tokens"),
        "retention": Table.of({"lag": "tokens"}, lag=reading.lags, retention=reading.recalled),
        "surprise": _surprise_table(recording),
        "burst": Table.of({"token": "tokens"}, token=burst, text=["burst"] * len(burst)),
        "weights": _weights_table(engine, recording),
    }


def sweep_table(errors: Mapping[float, Mapping[float, float]]) -> Table:
    """Error on the last pairs, by surprise decay and then by forget gate; a memory that diverged has no row."""
    rows = [
        (max(forget, ZERO_AT), error, _curve(momentum), forget, momentum)
        for momentum, curve in errors.items()
        for forget, error in curve.items()
        if math.isfinite(error)
    ]
    return Table.of_rows(("shown", "error", "curve", "forget", "momentum"), rows)


def as_set_table(points: Sequence[tuple[float, float]]) -> Table:
    """The memory as set among those of the sweep, as (forget, error)."""
    rows = [(max(forget, ZERO_AT), error, forget, "α as set") for forget, error in points]
    return Table.of_rows(("shown", "error", "forget", "text"), rows)


def lesson_table(measured: Sequence[tuple[int, Sequence[float]]]) -> Table:
    """Error on pairs that were never seen, by pairs read and memory."""
    rows = [
        (count, error, name) for count, errors in measured for name, error in zip(lesson.MEMORIES, errors, strict=True)
    ]
    return Table.of_rows(("pairs", "error", "memory"), rows, pairs="pairs")


def training_table(losses: Sequence[float]) -> Table:
    """Loss of outer training, thinned."""
    steps = spread(len(losses), CURVE_POINTS)
    return Table.of(
        {"step": "steps", "loss": "nats"}, step=[step + 1 for step in steps], loss=[losses[step] for step in steps]
    )


def gates_table(by_kind: Mapping[str, Sequence[float]]) -> Table:
    """Mean gates of each kind of token."""
    rows = [
        (kind, gate, value) for kind, values in by_kind.items() for gate, value in zip(layer.GATES, values, strict=True)
    ]
    return Table.of_rows(("kind", "gate", "value"), rows)


def layer_table(measured: Sequence[tuple[int, float]]) -> Table:
    """Share of queries that the trained layer answers, by pairs in the sequence."""
    return Table.of_rows(("pairs", "recalled"), measured, pairs="pairs")


def _surprise_table(recording: Recording) -> Table:
    tokens = spread(recording.count, CURVE_POINTS)
    rows = [
        (token + 1, lengths[token], part)
        for part, lengths in ((MOMENTARY, recording.momentary), (MOVING, recording.moving))
        for token in tokens
    ]
    return Table.of_rows(("token", "length", "part"), rows, token="tokens")


def _weights_table(engine: Engine, recording: Recording) -> Table:
    matrix = engine.to_numpy(recording.weights[:MOST_SHOWN, :MOST_SHOWN])
    token = min(recording.shown_token + 1, recording.count)
    rows = [
        (row + 1, column + 1, float(weight), token)
        for row, weights in enumerate(matrix)
        for column, weight in enumerate(weights)
    ]
    return Table.of_rows(("row", "column", "weight", "token"), rows, token="tokens")


def _curve(momentum: float) -> str:
    return f"η = {momentum:g}" if momentum in SWEPT_MOMENTUM else CURVES[-1]
