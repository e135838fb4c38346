"""The run: costs and the recorded sweep at once, then a model trained before one's eyes, then the times."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.state_space.efficientvim.costs import milliseconds
from mem_core.mechanisms.state_space.efficientvim.model import Params, Shape, init, look
from mem_core.mechanisms.state_space.efficientvim.recording import SEEDS, STATES, Measured
from mem_core.mechanisms.state_space.efficientvim.settings import MEASURED_HERE, HiddenStateMixerSettings
from mem_core.mechanisms.state_space.efficientvim.tables import (
    AS_MEASURED,
    TIMED_LENGTHS,
    Tables,
    cost_tables,
    empty,
    final_accuracy,
    inert_table,
    learning_table,
    look_tables,
    own_table,
    recorded_tables,
    stages_table,
    sweep_tables,
    test_table,
    times_table,
)
from mem_core.mechanisms.state_space.efficientvim.training import (
    FULL_EPOCHS,
    STEPS_AN_EPOCH,
    Pictures,
    Score,
    change_by_shift,
    measure,
    pictures,
    slope_by_shift,
    trained,
)
from mem_core.mechanisms.tables import Table

STEPS_A_FRAME = 5
"""About a fifth of a second in a browser."""
MOST_FRAMES = 24
"""Of one training."""
HALF_EPOCH = STEPS_AN_EPOCH // 2
"""Steps from one test on all test pictures to the next, in a run shorter than twelve epochs."""
STEPS_A_SIGN_OF_LIFE = 4 * STEPS_AN_EPOCH
"""Between frames of a sweep, which may take minutes."""
SHARE_ALONE, SHARE_BEFORE_SWEEP = 0.95, 0.1
"""Part of the progress bar that this run's own training takes."""
USUAL_SHIFT = 20.0
"""By how much a is moved to see what that changes, where the learner moves it by nothing."""


def run(settings: HiddenStateMixerSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Run the experiment, frame by frame.

    Raises:
        RunError: if training diverges, or the pictures are not installed.
    """
    training, test = pictures(engine)
    sweeping = settings.sweep == MEASURED_HERE
    share = SHARE_BEFORE_SWEEP if sweeping else SHARE_ALONE
    record = Record(settings, engine, seed, test)
    record.look(init(engine, settings.recipe.shape, seed))
    yield Frame(0.0, dict(record.tables), "A model that has learned nothing yet.")

    steps = settings.recipe.steps
    every = max(STEPS_A_FRAME, math.ceil(steps / MOST_FRAMES))
    for step, loss, params in trained(engine, settings.recipe, seed, training):
        record.see(step, loss, params)
        if step % every == 0 or step == steps:
            record.look(params)
            yield Frame(share * step / steps, dict(record.tables), f"Step {step} of {steps}, loss {loss:.2f}.")
    record.finish(params)

    if sweeping:
        for done, table in _sweep(settings, engine, training, test):
            record.tables |= table
            yield Frame(share + (1 - share) * done, dict(record.tables), f"The sweep: {done:.0%} of it trained.")
    accuracy = final_accuracy(record.tables)
    yield Frame(1.0, dict(record.tables), f"{accuracy:.1%} of the test pictures are named right.")


class Record:
    """Everything measured so far in one run.

    Attributes:
        tables: what the charts and claims read.
    """

    def __init__(self, settings: HiddenStateMixerSettings, engine: Engine, seed: int, test: Pictures) -> None:
        self._settings, self._engine, self._seed, self._test = settings, engine, seed, test
        self._losses: list[float] = []
        self._scores: list[tuple[int, Score]] = []
        self.tables: Tables = {**empty(), **cost_tables(settings), **_still_to_come(settings)}

    def see(self, step: int, loss: float, params: Params) -> None:
        """Note one step of training; once an epoch, twice in a short run, the test pictures are named."""
        self._losses.append(loss)
        if step % (STEPS_AN_EPOCH if self._settings.epochs >= FULL_EPOCHS else HALF_EPOCH) == 0:
            score = measure(self._engine, params, self._shape, self._test)
            self._scores.append((step, score))
            self.tables["test"] = test_table(self._scores)
            self.tables["stages"] = stages_table(self._engine, params, self._shape, score)
            self.tables["own"] = own_table(self._settings, step / STEPS_AN_EPOCH, score, self._seed)

    def look(self, params: Params) -> None:
        """Draw the learner's picture as the model sees it now."""
        chosen = self._settings.picture - 1
        nearby = self._test.nearby[chosen : chosen + 1]
        seen = look(self._engine, params, self._shape, nearby, self._settings.shift)
        self.tables |= look_tables(self._engine, seen, self._settings, self._test)
        self.tables["learning"] = learning_table(self._losses, self._scores)

    def finish(self, params: Params) -> None:
        """Move a, which changes nothing, and time the layers."""
        given = self._engine, params, self._shape, self._test
        shift = self._settings.shift or USUAL_SHIFT
        self.tables["inert"] = inert_table(shift, change_by_shift(*given, shift), slope_by_shift(*given))
        self.tables["times"] = _times(self._engine, self._settings.timed_pictures)

    @property
    def _shape(self) -> Shape:
        return self._settings.recipe.shape


def _still_to_come(settings: HiddenStateMixerSettings) -> Tables:
    """Return the recorded sweep, or the place of the one that will be measured."""
    if settings.sweep == MEASURED_HERE:
        return sweep_tables([], AS_MEASURED, "The sweep is measured when this run's own model is trained.")
    return recorded_tables(settings)


def _times(engine: Engine, together: int) -> Table:
    measured = {length: milliseconds(engine, length, together) for length in TIMED_LENGTHS}
    rows = [(length, mixer, ms) for length, times in measured.items() for mixer, ms in times.items()]
    return times_table(rows, together)


def _sweep(
    settings: HiddenStateMixerSettings, engine: Engine, training: Pictures, test: Pictures
) -> Iterator[tuple[float, Tables]]:
    """Train a model for every number of states and every seed; yield the share done and what there is to show."""
    cases = [(states, seed) for states in STATES for seed in SEEDS]
    measured: list[Measured] = []
    for index, (states, seed) in enumerate(cases):
        recipe = settings.recipe_for(states)
        for step, _, params in trained(engine, recipe, seed, training):  # noqa: B007 - the last ones are measured
            if step % STEPS_A_SIGN_OF_LIFE == 0:
                yield (index + step / recipe.steps) / len(cases), {}
        accuracy = measure(engine, params, recipe.shape, test).accuracy
        measured.append(Measured(settings.channels, states, seed, accuracy))
        yield (index + 1) / len(cases), sweep_tables(measured, AS_MEASURED, f"Measured here on {engine.badge}.")
