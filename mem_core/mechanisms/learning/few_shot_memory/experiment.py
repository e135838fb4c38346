"""One run: learn the language, study the sentences, then read on and ask again and again; each part streamed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Frame, RunError
from mem_core.mechanisms.learning.few_shot_memory.examination import Answers, Examination
from mem_core.mechanisms.learning.few_shot_memory.learning import learn_language, read_on, shape_of, study
from mem_core.mechanisms.learning.few_shot_memory.recording import Record
from mem_core.mechanisms.learning.few_shot_memory.settings import LAGS, FewShotSettings
from mem_core.mechanisms.learning.few_shot_memory.stimuli import Material, prepare
from mem_core.nn.window_language_model import Parameters

LANGUAGE_FRAMES = 8


def run(settings: FewShotSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Yield all tables after each stretch of training; the last frame is the result.

    Raises:
        RunError: if training diverges.
    """
    material = prepare(settings, seed)
    examination = Examination(engine, shape_of(settings), material.seen, material.foils, settings.given)
    course = _Course(settings, engine, seed, material, examination)
    yield from course.learn_language()
    yield from course.study()
    yield from course.read_on()


class _Course:
    """The three parts of a run and what they pass on: the record, the model, and how much is done."""

    def __init__(
        self, settings: FewShotSettings, engine: Engine, seed: int, material: Material, examination: Examination
    ) -> None:
        self.settings, self.engine, self.seed = settings, engine, seed
        self.material, self.examination = material, examination
        self.record = Record(settings)
        self.params: Parameters = {}
        self.done = 0.0
        """Sentences read so far."""

    def learn_language(self) -> Iterator[Frame]:
        """Train on the language, and ask before anything is studied."""
        settings = self.settings
        between = math.ceil(settings.pretraining_steps / LANGUAGE_FRAMES)
        guessing = math.log(settings.vocabulary)
        for update in learn_language(self.engine, settings, self.material.before, self.seed):
            self.done += settings.pretraining_batch
            self.params = update.params
            if update.step % between == 0:
                yield self._frame(
                    f"Learning the language, update {update.step} of {settings.pretraining_steps}: loss "
                    f"{update.loss:.2f} nats per word, guessing would be {guessing:.2f}."
                )
        self.record.see_exposure(self._answers(self.params, "pretraining_rate"))

    def study(self) -> Iterator[Frame]:
        """Study the sentences, ask after each exposure, and keep the model that the new text starts from."""
        settings, seen = self.settings, self.material.seen
        for number, params in enumerate(
            study(self.engine, settings, self.params, seen, settings.studied, self.seed), start=1
        ):
            self.done += settings.sentences
            answers = self._answers(params, "study_rate")
            self.record.see_exposure(answers)
            if number == settings.exposures:
                self.params = params
            yield self._frame(f"Exposure {number}: {_in_words(answers.recognition, answers.recall)}.")

    def read_on(self) -> Iterator[Frame]:
        """Read the new text, and ask at the lags."""
        yield self._asked(0)
        for update in read_on(self.engine, self.settings, self.params, self.material.after):
            self.done += 1
            self.params = update.params
            if update.step in LAGS:
                yield self._asked(update.step)

    def _asked(self, lag: int) -> Frame:
        answers = self._answers(self.params, "new_rate")
        self.record.see_later(lag, answers)
        return self._frame(f"After {lag} updates on new text: {_in_words(answers.recognition, answers.recall)}.")

    def _answers(self, params: Parameters, setting: str) -> Answers:
        """Put the questions to a model; `setting` is the rate that it was trained at last."""
        answers = self.examination.ask(params)
        if not all(map(math.isfinite, (*answers.seen_loss, *answers.foil_loss))):
            raise RunError(f"Training diverged: a loss is no longer a number. Lower {setting}.")
        return answers

    def _frame(self, message: str) -> Frame:
        settings = self.settings
        everything = (
            settings.pretraining_steps * settings.pretraining_batch
            + settings.sentences * settings.studied
            + settings.new_updates
        )
        return Frame(self.done / everything, self.record.tables(), message)


def _in_words(recognition: float, recall: float) -> str:
    return f"recognition {recognition:.2f}, recall {recall:.2f}"
