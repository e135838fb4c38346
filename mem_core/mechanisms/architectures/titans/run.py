"""The run: an overfull memory, a sweep over its gates, the lesson for two depths, and the trained layer."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.architectures.titans import lesson, outer
from mem_core.mechanisms.architectures.titans.layer import Params
from mem_core.mechanisms.architectures.titans.outer import Model
from mem_core.mechanisms.architectures.titans.overfull import Recording, draw, swept_forget, toward_the_end
from mem_core.mechanisms.architectures.titans.settings import SWEPT_MOMENTUM, TRAIN_HERE, TitansSettings
from mem_core.mechanisms.architectures.titans.tables import (
    Tables,
    as_set_table,
    empty,
    gates_table,
    layer_table,
    lesson_table,
    recording_tables,
    sweep_table,
    training_table,
)
from mem_core.mechanisms.contract import Frame, RunError
from mem_core.nn.neural_memory import Gates
from mem_core.training.trainer import DivergedError

FIRST_STRETCH = 8
"""Pairs before the first frame."""
STRETCHES = 4
LESSON_FRAMES = 8
TRAINING_FRAMES = 16
TRAINING_SHARE = 0.95
"""Share of the last part that training takes, before the layer is tested."""
PARTS = {"stream": 0.0, "sweep": 0.1, "lesson": 0.4, "layer": 0.9}
"""Where each part begins on the progress bar."""
TRAINING_PARTS = {"stream": 0.0, "sweep": 0.02, "lesson": 0.05, "layer": 0.1}
"""The same where the layer is trained, which takes most of the time."""


def run(settings: TitansSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Run all parts, frame by frame.

    Raises:
        RunError: if the memory as set, or outer training, diverges.
    """
    tables = empty()
    begins = TRAINING_PARTS if settings.trained == TRAIN_HERE else PARTS
    for part, steps in (("stream", _stream), ("sweep", _sweep), ("lesson", _lesson), ("layer", _layer)):
        start = begins[part]
        end = min((other for other in begins.values() if other > start), default=1.0)
        for done, message in steps(settings, engine, seed, tables):
            yield Frame(start + (end - start) * done, dict(tables), message)


Progress = Iterator[tuple[float, str]]
"""Share of a part that is done, and a sentence; the tables have been filled that far."""


def _stream(settings: TitansSettings, engine: Engine, seed: int, tables: Tables) -> Progress:
    recording = Recording(settings, engine, seed)
    quarters = (settings.pairs * number // STRETCHES for number in range(1, STRETCHES + 1))
    for count in sorted({FIRST_STRETCH, *quarters}):
        recording.read(count)
        gone = recording.diverged[0]
        if gone is not None:
            deep = " Two layers need a step_size of about 0.01." if settings.depth > 1 else ""
            raise RunError(
                f"The memory diverged at token {gone}: lower step_size (θ is {settings.step_size:g}) or momentum (η is "
                f"{settings.momentum:g}), or raise forget (α is {settings.forget:g}).{deep}"
            )
        tables |= recording_tables(settings, engine, recording)
        yield count / settings.pairs, f"Pair {count} of {settings.pairs}."


def _sweep(settings: TitansSettings, engine: Engine, seed: int, tables: Tables) -> Progress:
    stream = draw(settings, engine, seed)
    errors: dict[float, dict[float, float]] = {}
    momenta = dict.fromkeys((*SWEPT_MOMENTUM, settings.momentum))
    forgets = swept_forget(settings.forget)
    for momentum in momenta:
        gates = [Gates(forget=forget, momentum=momentum, step_size=settings.step_size) for forget in forgets]
        before = len(errors)
        for count, found in toward_the_end(settings, engine, seed, stream, gates):
            if found:
                errors[momentum] = dict(zip(forgets, found, strict=True))
                tables["sweep"] = sweep_table(errors)
            if found and momentum == settings.momentum:
                tables["as_set"] = as_set_table([(settings.forget, errors[momentum][settings.forget])])
            done = (before + count / settings.pairs) / len(momenta)
            yield done, f"Every forget gate at a surprise decay of {momentum:g}."


def _lesson(settings: TitansSettings, engine: Engine, seed: int, tables: Tables) -> Progress:
    measured: list[tuple[int, list[float]]] = []
    shown = 0
    for count, errors in lesson.learn(settings, engine, seed):
        measured.append((count, errors))
        done = count / settings.depth_pairs
        if done * LESSON_FRAMES >= shown + 1:
            shown = int(done * LESSON_FRAMES)
            tables["lesson"] = lesson_table(measured)
            yield done, f"Lesson: pair {count} of {settings.depth_pairs}."


def _layer(settings: TitansSettings, engine: Engine, seed: int, tables: Tables) -> Progress:
    if settings.trained == TRAIN_HERE:
        model = yield from _outer_training(engine, seed, tables)
    else:
        model = outer.shipped(engine)
    tables["training"] = training_table(model.losses)
    tables["gates"] = gates_table(outer.gates_by_kind(engine, model.params))
    measured = [(pairs, outer.recalled(engine, model.params, pairs, seed)) for pairs in outer.TESTED_PAIRS]
    tables["layer_recall"] = layer_table(measured)
    yield 1.0, "The trained layer, with more and more pairs to keep."


def _outer_training(engine: Engine, seed: int, tables: Tables) -> Generator[tuple[float, str], None, Model]:
    losses: list[float] = []
    params: Params = {}
    try:
        for update in outer.trained(engine, seed):
            params = update.params
            losses.append(update.loss)
            if update.step % (outer.STEPS // TRAINING_FRAMES) == 0:
                tables["training"] = training_table(losses)
                tables["gates"] = gates_table(outer.gates_by_kind(engine, params))
                message = f"Outer training: step {update.step} of {outer.STEPS}, loss {update.loss:.3f}."
                yield TRAINING_SHARE * update.step / outer.STEPS, message
    except DivergedError as error:
        raise RunError(f"{error} Choose another seed, or the shipped weights under 'trained'.") from error
    return Model(params, tuple(losses))
