"""One run: train a reasoner, let it think, judge its traces by its own past; then the reasoners to compare it with."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.editing.clue.reasoner import STAGES, Course, learn
from mem_core.mechanisms.editing.clue.settings import FEEDBACKS, ClueSettings
from mem_core.mechanisms.editing.clue.tables import Row, empty, feedback_name, table
from mem_core.mechanisms.editing.clue.views import (
    cloud_tables,
    gather,
    layer_rows,
    layers_table,
    reasoner_row,
    size_tables,
    verdict_tables,
    vote_tables,
)

NAMES = {feedback: feedback_name(feedback) for feedback in FEEDBACKS}


def run(settings: ClueSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Yield all tables after each stage of training; the reasoner that is asked for comes first.

    Raises:
        RunError: if training diverges, a class of traces has no examples, or the digits are not installed.
    """
    yield from _Course(settings, engine, seed).frames()


class _Course:
    """What was found so far, frame by frame."""

    def __init__(self, settings: ClueSettings, engine: Engine, seed: int) -> None:
        self._settings, self._engine, self._seed = settings, engine, seed
        self._tables = empty()
        self._training: list[Row] = []
        self._layers: list[tuple[int, int, float, float]] = []
        self._reasoners: list[Row] = []
        self._done = 0

    def frames(self) -> Iterator[Frame]:
        """Train and examine every reasoner in turn."""
        settings = self._settings
        others = [feedback for feedback in FEEDBACKS if feedback != settings.feedback]
        for model in range(settings.models):
            for feedback in (settings.feedback, *others):
                course = Course.of(self._engine, settings, self._seed, model, feedback)
                yield from self._train(course)
                yield self._examine(course)

    @property
    def _parts(self) -> int:
        """Of a run: the stages of every training, and an examination after each."""
        return self._settings.models * len(FEEDBACKS) * (STAGES + 1)

    def _train(self, course: Course) -> Iterator[Frame]:
        for learned in learn(course):
            if course.model == 0:
                self._training.append((learned.state.step, learned.right, NAMES[course.feedback]))
                self._tables["training"] = table("training", sorted(self._training, key=lambda row: (row[2], row[0])))
            yield self._frame(
                f"Training reasoner {course.model + 1} with {NAMES[course.feedback]}: step {learned.state.step} of "
                f"{self._settings.steps}, {learned.right:.0%} right."
            )

    def _examine(self, course: Course) -> Frame:
        settings, seed = self._settings, self._seed
        experience, verdicts = gather(course, settings)
        if (course.model, course.feedback) == (0, settings.feedback):
            self._tables |= cloud_tables(experience, settings, seed)
            self._tables |= verdict_tables(experience, verdicts, settings)
            self._tables |= vote_tables(verdicts, settings, seed)
            self._tables |= size_tables(experience, verdicts, settings, seed)
        self._layers += layer_rows(course, experience)
        self._reasoners.append(reasoner_row(course, experience, verdicts))
        self._tables["layers"] = table("layers", layers_table(self._layers, NAMES))
        self._tables["reasoners"] = table("reasoners", self._reasoners)
        rates = verdicts.rates
        if self._done + 1 == self._parts:
            return self._frame(f"All {len(self._reasoners)} reasoners have been trained and examined.")
        return self._frame(
            f"Reasoner {course.model + 1} with {NAMES[course.feedback]}: {rates.true_positive:.0%} of its right traces "
            f"and {rates.true_negative:.0%} of its wrong ones are told."
        )

    def _frame(self, message: str) -> Frame:
        self._done += 1
        return Frame(self._done / self._parts, dict(self._tables), message)
