"""The run: weights, calibration, one close look, then accuracy at one length after the other."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import cast

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Frame, RunError
from mem_core.mechanisms.state_space.longmamba.filters import Mode
from mem_core.mechanisms.state_space.longmamba.measurements import CloseLook, Laboratory
from mem_core.mechanisms.state_space.longmamba.models import RECIPES, TRAINED_LENGTH, Model, Task, shipped, trained
from mem_core.mechanisms.state_space.longmamba.presentation import (
    Tables,
    accuracy_table,
    empty,
    look_tables,
    training_table,
)
from mem_core.mechanisms.state_space.longmamba.settings import TRAIN_HERE, ScanFilterSettings
from mem_core.nn.mamba2_classifier import Params
from mem_core.training.trainer import DivergedError

COMPARED: tuple[Mode, ...] = ("off", "LongMamba", "random skip")
"""Modes in the accuracy chart whatever the filter setting is."""
SHOWN_SEQUENCES = 16
"""Sequences that the retention curve is the mean of; the first is drawn."""
TRAINING_FRAMES = 25
TRAINING_SHARE = 0.7
"""Part of the progress bar that training takes."""


def run(settings: ScanFilterSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Run the experiment, frame by frame.

    Raises:
        RunError: if training diverges.
    """
    tables = empty()
    done = 0.0
    if settings.source == TRAIN_HERE:
        model = yield from _training(settings, engine, tables)
        done = TRAINING_SHARE
    else:
        model = shipped(engine, _task(settings), settings.model)
    tables["training"] = training_table(model.losses)

    mode = cast(Mode, settings.mode)  # its control admits no other
    laboratory = Laboratory(engine, _task(settings), model, settings.clamp, settings.theta, seed)
    look = CloseLook(laboratory, mode, settings.test_length, settings.needle_position, SHOWN_SEQUENCES)
    tables |= look_tables(look, settings.head)
    yield Frame(done, dict(tables), f"One sequence of {settings.test_length} tokens; accuracy comes next.")

    modes = COMPARED if mode in COMPARED else (*COMPARED, mode)
    lengths = test_lengths(settings.test_length)
    rows: list[tuple[int, Mode, float]] = []
    for index, length in enumerate(lengths, start=1):
        measured = laboratory.accuracies(modes, settings.sequences, length)
        rows += [(length, mode, accuracy) for mode, accuracy in zip(modes, measured, strict=True)]
        tables["accuracy"] = accuracy_table(rows)
        progress = done + (1 - done) * index / len(lengths)
        yield Frame(progress, dict(tables), f"Accuracy at {length} tokens, on {settings.sequences} sequences.")


def test_lengths(longest: int) -> list[int]:
    """Double from the trained length, and end at the longest."""
    lengths = [TRAINED_LENGTH]
    while lengths[-1] * 2 < longest:
        lengths.append(lengths[-1] * 2)
    return lengths if lengths[-1] == longest else [*lengths, longest]


def _task(settings: ScanFilterSettings) -> Task:
    return cast(Task, settings.task)  # its control admits no other


def _training(settings: ScanFilterSettings, engine: Engine, tables: Tables) -> Generator[Frame, None, Model]:
    task = _task(settings)
    steps = RECIPES[task].steps
    every = max(1, steps // TRAINING_FRAMES)
    losses: list[float] = []
    params: Params = {}
    try:
        for update in trained(engine, task, settings.model):
            params = update.params
            losses.append(update.loss)
            if update.step % every == 0:
                tables["training"] = training_table(losses)
                progress = TRAINING_SHARE * update.step / steps
                message = f"Training: step {update.step} of {steps}, loss {update.loss:.3f}."
                yield Frame(progress, dict(tables), message)
    except DivergedError as error:
        raise RunError(f"{error} Choose another model, or the shipped weights.") from error
    return Model(params, tuple(losses))
