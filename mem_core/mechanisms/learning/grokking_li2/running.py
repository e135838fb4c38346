"""One run: training, then the energy panel, then, if asked for, the boundary map; each streamed."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.learning.grokking_li2 import boundary, energy
from mem_core.mechanisms.learning.grokking_li2.milestones import middle
from mem_core.mechanisms.learning.grokking_li2.recording import EVERY, KINDS, Record, measured_steps
from mem_core.mechanisms.learning.grokking_li2.settings import GrokkingSettings
from mem_core.mechanisms.learning.grokking_li2.training import Classroom, Moment, optimizer_of, prepare, train

TRAINING_FRAMES = 32
CLIMBERS = 60
"""Random starts of the energy panel."""
CLIMB_STEPS = 400
CLIMB_FRAMES = 4
TRAINING_SHARE, TRAINING_SHARE_BEFORE_MAP = 0.8, 0.2
"""Which part of the progress bar training takes, without and with a boundary map after it."""


def run(settings: GrokkingSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Train on modular addition and give a frame every few steps; the last frame is the result.

    Raises:
        RunError: if training diverges.
    """
    record = Record(engine, settings, seed)
    classroom = prepare(engine, settings, seed)
    mapped = settings.boundary_map != "off"
    trained = TRAINING_SHARE_BEFORE_MAP if mapped else TRAINING_SHARE
    climbed = 1.5 * trained if mapped else 1.0
    moment: Moment | None = None
    for moment in _training(engine, settings, classroom, record):
        yield Frame(trained * moment.step / settings.steps, record.tables(), _sentence(record, moment.step))
    assert moment is not None
    for share in _climbing(engine, settings, classroom, moment.params["hidden"][0], record):
        yield Frame(trained + (climbed - trained) * share, record.tables(), _sentence(record, moment.step))
    if mapped:
        size = boundary.SIZES[settings.boundary_map]
        for number, cell in enumerate(boundary.train_cells(engine, settings, size, seed), start=1):
            record.see_cell(cell)
            message = f"Boundary map: M = {cell.modulus}, share {cell.share:.2f}, {number} of {size.cells}."
            yield Frame(climbed + (1 - climbed) * number / size.cells, record.tables(), message)


def _training(engine: Engine, settings: GrokkingSettings, classroom: Classroom, record: Record) -> Iterator[Moment]:
    """Train, write every measurement down, and give those moments that deserve a frame."""
    between = max(EVERY, settings.steps // TRAINING_FRAMES // EVERY * EVERY)
    for moment in train(engine, classroom, optimizer_of(settings), settings.steps, measured_steps(settings.steps)):
        record.see(moment)
        finished = settings.stop_when_grokked and record.milestones.all_understood
        if moment.step % between == 0 or moment.step == settings.steps or finished:
            yield moment
        if finished:
            return


def _climbing(
    engine: Engine, settings: GrokkingSettings, classroom: Classroom, hidden: Array, record: Record
) -> Iterator[float]:
    """Let random units climb the energy of all pairs and of the training pairs, and set the trained units beside."""
    kept = energy.not_faded(engine, hidden)
    drawn = philox(record.seed, "climbers").normal(size=(2 * settings.modulus, CLIMBERS))
    starts = energy.normalised(engine, engine.asarray(drawn))
    everything = energy.landscape(engine, settings.modulus)
    training = energy.landscape(engine, settings.modulus, classroom.train.pairs.present[0])
    every = CLIMB_STEPS // CLIMB_FRAMES
    climbs = zip(
        energy.ascend(engine, everything, starts, CLIMB_STEPS, every),
        energy.ascend(engine, training, starts, CLIMB_STEPS, every),
        strict=True,
    )
    for number, (on_all, on_training) in enumerate(climbs, start=1):
        units = dict(zip(KINDS, (starts, on_all, on_training, energy.normalised(engine, kept)), strict=True))
        energies = {kind: energy.energy_of_all_pairs(engine, weights) for kind, weights in units.items()}
        on_its_own_ground, _ = energy.energy_and_gradient(engine, training, on_training)
        energies[KINDS[2]] = on_its_own_ground / training.share**2
        record.see_climb(units, energies)
        yield number / CLIMB_FRAMES


def _sentence(record: Record, step: int) -> str:
    """Say where the run is: still learning by heart, memorised, or understood."""
    memorised, grokked = middle(record.milestones.memorised), middle(record.milestones.grokked)
    if grokked is not None:
        return f"Step {step}: memorised at step {memorised or grokked:g}, understood at step {grokked:g}."
    if memorised is not None:
        return f"Step {step}: memorised at step {memorised:g}, not understood yet."
    return f"Step {step}: learning the training pairs by heart."
