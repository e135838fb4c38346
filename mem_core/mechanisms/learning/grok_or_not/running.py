"""One run: training, then the neurons cut out one twentieth after the other, then, if asked for, the phase map."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.learning.grok_or_not import phase_map
from mem_core.mechanisms.learning.grok_or_not.neurons import pruning_curve
from mem_core.mechanisms.learning.grok_or_not.recording import HIGH_FIRST, LOW_FIRST, Record
from mem_core.mechanisms.learning.grok_or_not.settings import OFF, CorruptionSettings
from mem_core.mechanisms.learning.grok_or_not.training import Moment, prepare, train

MEASUREMENTS = 100
"""Of a run, evenly spaced."""
MEASUREMENTS_IN_A_FRAME = 4
PRUNING_CUTS = 20
TRAINING_SHARE, TRAINING_SHARE_BEFORE_MAP = 0.9, 0.1
"""Which part of the progress bar training takes, without and with a phase map after it."""
PRUNING_SHARE = 0.05
"""Which part each of the two orders of cutting takes."""


def run(settings: CorruptionSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Train on additions of which some have wrong labels, cut neurons out, and give a frame every few steps.

    Raises:
        RunError: if training diverges.
    """
    classroom = prepare(engine, [settings], seed)
    record = Record(engine, settings, seed, classroom)
    mapped = settings.phase_map != OFF
    trained = TRAINING_SHARE_BEFORE_MAP if mapped else TRAINING_SHARE
    moment: Moment | None = None
    every = max(1, settings.steps // MEASUREMENTS)
    measured = {*range(0, settings.steps, every), settings.steps}
    for moment in train(engine, classroom, settings, seed, measured):
        record.see(moment)
        if moment.step % (every * MEASUREMENTS_IN_A_FRAME) == 0 or moment.step == settings.steps:
            yield Frame(trained * moment.step / settings.steps, record.tables(), _sentence(record, moment.step))
    assert moment is not None
    for number, table in enumerate((LOW_FIRST, HIGH_FIRST), start=1):
        _prune(engine, moment, table, record)
        done = trained + number * PRUNING_SHARE
        yield Frame(done, record.tables(), _sentence(record, moment.step))
    if mapped:
        groups = len(phase_map.groups(settings))
        for number, cells in enumerate(phase_map.train_cells(engine, settings, seed), start=1):
            record.see_cells(cells)
            yield Frame(done + (1 - done) * number / groups, record.tables(), f"Phase map: {number} of {groups} parts.")


def _prune(engine: Engine, moment: Moment, table: str, record: Record) -> None:
    features, output = moment.features[0], moment.params["output"][0]
    lowest_first = table == LOW_FIRST
    for share, answers in pruning_curve(
        engine, features, output, record.scores(), PRUNING_CUTS, lowest_first=lowest_first
    ):
        record.see_pruning(table, share, answers)


def _sentence(record: Record, step: int) -> str:
    """Say which phase the network is in, and what it knows of the rule."""
    return f"Step {step}: {record.phase.lower()}, {record.found.test:.0%} of the test pairs right."
