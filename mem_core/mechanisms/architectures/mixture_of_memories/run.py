"""The run: items written into all kinds of memory and asked for again; and, if asked for, layers that are trained."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.architectures.mixture_of_memories import training
from mem_core.mechanisms.architectures.mixture_of_memories.layer import Params
from mem_core.mechanisms.architectures.mixture_of_memories.memories import Memories, counts, draw
from mem_core.mechanisms.architectures.mixture_of_memories.settings import TRAIN_HERE, MixtureSettings
from mem_core.mechanisms.architectures.mixture_of_memories.tables import (
    FIRST,
    Tables,
    answer_table,
    empty,
    forgetting_tables,
    recall_table,
    routing_tables,
    shares,
    tested_tables,
    trained_on_table,
    training_table,
)
from mem_core.mechanisms.architectures.mixture_of_memories.training import Recalled
from mem_core.mechanisms.contract import Frame, RunError
from mem_core.training.trainer import DivergedError

FRAMES_A_LAYER = 6
WRITTEN, WRITTEN_BEFORE_TRAINING = 0.5, 0.05
"""Share of the run that writing takes, where layers are only loaded and where they are trained."""


def run(settings: MixtureSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Write and ask, then train, frame by frame.

    Raises:
        RunError: if training diverges.
    """
    tables = empty(settings)
    trains = settings.layer == TRAIN_HERE
    end_of_writing = WRITTEN_BEFORE_TRAINING if trains else WRITTEN
    for done, message in _write(settings, engine, seed, tables):
        yield Frame(end_of_writing * done, dict(tables), message)
    layers = _train if trains else _load
    for done, message in layers(settings, engine, seed, tables):
        yield Frame(end_of_writing + (1 - end_of_writing) * done, dict(tables), message)


Progress = Iterator[tuple[float, str]]
"""Share of a part that is done, and a sentence; the tables have been filled that far."""


def _write(settings: MixtureSettings, engine: Engine, seed: int, tables: Tables) -> Progress:
    items = draw(settings, engine, seed)
    memories = Memories(settings, engine, items)
    tables |= routing_tables(engine, settings, items)
    recall: dict[int, dict[str, float]] = {}
    of_first: dict[int, dict[str, float]] = {}
    stops = counts(settings)
    for count in stops:
        memories.write(count)
        scores = memories.scores()
        recall[count] = shares(engine, items, scores, count, count)
        tables["recall"] = recall_table(recall)
        if count >= FIRST:
            of_first[count - FIRST] = shares(engine, items, scores, count, FIRST)
            tables |= forgetting_tables(of_first, settings.looked_into)
        if count == settings.items:
            tables["answer"] = answer_table(engine, settings, items, scores)
        yield count / stops[-1], f"{count} items written."


def _load(settings: MixtureSettings, engine: Engine, seed: int, tables: Tables) -> Progress:
    asked = training.AS_SHIPPED
    models = training.shipped(engine)
    tables["training"] = training_table({arm: model.losses for arm, model in models.items()})
    tables["trained_on"] = trained_on_table(asked)
    tested: dict[str, list[Recalled]] = {}
    for arm, model in models.items():
        tested[arm] = training.tests(asked, engine, seed, arm, model.params)
        tables |= tested_tables(tested, asked.layer_pairs)
        yield len(tested) / len(models), f"Trained layers tested: {len(tested)} of {len(models)}."


def _train(settings: MixtureSettings, engine: Engine, seed: int, tables: Tables) -> Progress:
    losses: dict[str, list[float]] = {}
    tables["trained_on"] = trained_on_table(settings)
    tested: dict[str, list[Recalled]] = {}
    for place, arm in enumerate(settings.layer_arms):
        losses[arm] = []
        for params in _train_one(settings, engine, seed, arm, losses[arm]):
            step = len(losses[arm])
            tables["training"] = training_table(losses)
            if step == settings.layer_steps:
                tested[arm] = training.tests(settings, engine, seed, arm, params)
                tables |= tested_tables(tested, settings.layer_pairs)
            done = (place + step / settings.layer_steps) / len(settings.layer_arms)
            yield done, f"Training, {arm}: step {step} of {settings.layer_steps}, loss {losses[arm][-1]:.2f}."


def _train_one(
    settings: MixtureSettings, engine: Engine, seed: int, arm: str, losses: list[float]
) -> Generator[Params, None, None]:
    """Train one layer and hand out its parameters a few times on the way and at the end."""
    every = max(1, settings.layer_steps // FRAMES_A_LAYER)
    try:
        for update in training.trained(settings, engine, seed, arm):
            losses.append(update.loss)
            if update.step % every == 0 or update.step == settings.layer_steps:
                yield update.params
    except DivergedError as error:
        raise RunError(f"{error} Choose a smaller layer_width or another seed.") from error
