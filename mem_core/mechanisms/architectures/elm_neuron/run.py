"""The run: a close look at one burst, forgetting curves, sizes of neurons, and then a neuron that is trained."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.architectures.elm_neuron.decoding import Decoder
from mem_core.mechanisms.architectures.elm_neuron.presentation import (
    Tables,
    empty,
    forgetting_table,
    look_tables,
    retention_table,
    training_tables,
    units_table,
)
from mem_core.mechanisms.architectures.elm_neuron.recipes import RECIPES, Recipe
from mem_core.mechanisms.architectures.elm_neuron.settings import ElmSettings
from mem_core.mechanisms.architectures.elm_neuron.training import Addition, Report
from mem_core.mechanisms.contract import Frame, RunError
from mem_core.training.trainer import DivergedError

DELAYS = (0, 5, 10, 20, 30, 40, 60, 80, 120, 160)
"""Points of a forgetting curve, in ms."""
COMPARED_TAU_MAX = (5.0, 20.0, 100.0, 500.0)
COMPARED_UNITS = (1, 2, 4, 8, 16, 32)
RANDOM_NEURONS = 5
"""Neurons of each size: one alone may be lucky."""
TRAINED_BESIDE = (5.0,)
"""Slowest time constant of the neuron that is trained beside the learner's own, in ms."""
TRAINING_FRAMES = 25
FORGETTING_UNTIL, SIZES_UNTIL = 0.15, 0.3
"""Parts of the progress bar."""


def run(settings: ElmSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Run both experiments, frame by frame.

    Raises:
        RunError: if training diverges.
    """
    recipe = RECIPES.get(settings.training)
    decoder = Decoder(engine, settings, seed)
    tables = empty(recipe) | look_tables(decoder, settings)
    yield Frame(0.0, dict(tables), "One burst and what it leaves; next, how long it can be read.")
    yield from _forgetting(decoder, settings, tables)
    yield from _sizes(decoder, settings, tables)
    if recipe:
        yield from _training(Addition(engine, settings, recipe, _trained(settings), seed), settings, recipe, tables)
    else:
        yield Frame(1.0, dict(tables), "Nothing was trained.")


def _forgetting(decoder: Decoder, settings: ElmSettings, tables: Tables) -> Iterator[Frame]:
    delays = sorted({*DELAYS, settings.delay})
    tau_maxes = settings.tau_maxes(COMPARED_TAU_MAX)
    curves: dict[float, dict[int, float]] = {}
    for tau_max in tau_maxes:
        accuracies = decoder.accuracies(delays, tau_max, settings.units)
        curves[tau_max] = dict(zip(delays, accuracies, strict=True))
        tables["forgetting"] = forgetting_table(curves, settings)
        tables["retention"] = retention_table(curves[settings.tau_max])
        progress = FORGETTING_UNTIL * len(curves) / len(tau_maxes)
        yield Frame(progress, dict(tables), f"Forgetting of a neuron with τmax = {tau_max:g} ms.")


def _sizes(decoder: Decoder, settings: ElmSettings, tables: Tables) -> Iterator[Frame]:
    sizes = sorted({*COMPARED_UNITS, settings.units})
    found: dict[int, list[float]] = {}
    for units in sizes:
        found[units] = [
            decoder.accuracies([settings.delay], settings.tau_max, units, neuron)[0] for neuron in range(RANDOM_NEURONS)
        ]
        tables["units"] = units_table(found)
        progress = FORGETTING_UNTIL + (SIZES_UNTIL - FORGETTING_UNTIL) * len(found) / len(sizes)
        yield Frame(progress, dict(tables), f"{RANDOM_NEURONS} neurons of {units} units.")


def _trained(settings: ElmSettings) -> list[float]:
    return settings.tau_maxes(TRAINED_BESIDE)


def _training(addition: Addition, settings: ElmSettings, recipe: Recipe, tables: Tables) -> Iterator[Frame]:
    reports: list[Report] = []
    try:
        for report in addition.train(TRAINING_FRAMES):
            reports.append(report)
            tables |= training_tables(reports, _trained(settings), settings, recipe.sums)
            progress = SIZES_UNTIL + (1 - SIZES_UNTIL) * report.step / recipe.steps
            message = f"Training, step {report.step} of {recipe.steps}: {report.accuracy[0]:.0%} of the sums are right."
            yield Frame(progress, dict(tables), message)
    except DivergedError as error:
        raise RunError(f"{error} Lower strength, or choose another size of training.") from error
