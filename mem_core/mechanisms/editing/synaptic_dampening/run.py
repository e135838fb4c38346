"""The run: train, measure importances, forget in every way, and then every digit in turn."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.data.digit_tasks import CLASSES
from mem_core.engine import Engine, map_tree
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.editing.synaptic_dampening.classifier import classifier_of
from mem_core.mechanisms.editing.synaptic_dampening.forgetting import (
    BEFORE,
    RETRAINED,
    Importances,
    Outcome,
    Subject,
    dampened,
    quick_outcomes,
    selection_of,
    shuffled_control,
)
from mem_core.mechanisms.editing.synaptic_dampening.rows import Task, chosen_task, forgetting_digit, splits
from mem_core.mechanisms.editing.synaptic_dampening.settings import DampeningSettings
from mem_core.mechanisms.editing.synaptic_dampening.tables import D_F, D_R, Row, Tables, empty, value_of
from mem_core.mechanisms.editing.synaptic_dampening.training import (
    STAGES,
    Learned,
    epochs_of_stage,
    retrain,
    train_all,
)
from mem_core.mechanisms.editing.synaptic_dampening.views import (
    every_digit_tables,
    outcome_tables,
    sweep_tables,
    unit_tables,
    weight_tables,
)

TRAINED, COMPARED, EVERY_DIGIT = 0.4, 0.5, 0.6
"""Progress of a run after each of its parts; training again is the last."""


def run(settings: DampeningSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Yield all tables after each stage of training and each way to forget.

    Raises:
        RunError: if training or gradient ascent diverges, or if the digits are not installed.
    """
    tables = empty(settings)
    learned = None
    for stage, learned in enumerate(train_all(engine, settings, seed), start=1):
        epoch = epochs_of_stage(settings, stage).stop
        words = f"Epoch {epoch} of {settings.epochs}: loss {learned.loss:.3f} nats a row."
        yield Frame(TRAINED * stage / STAGES, tables, words)
    assert learned is not None, "a training has stages"
    yield from _Forgetting(settings, engine, seed, learned, tables).frames()


class _Forgetting:
    """All that follows on training: what was found so far, frame by frame."""

    def __init__(
        self, settings: DampeningSettings, engine: Engine, seed: int, learned: Learned, tables: Tables
    ) -> None:
        self._settings, self._engine, self._seed = settings, engine, seed
        self._learned, self._tables = learned, dict(tables)
        self._splits = splits(engine, seed, settings.networks)
        self._outcomes: list[Outcome] = []
        self._subject = self._subject_of(0, chosen_task(settings, self._splits[0], seed))

    def frames(self) -> Iterator[Frame]:
        """Measure importances, then forget in every way, and the rest."""
        subject = self._subject
        importances = subject.importances()
        selection = selection_of(subject, importances)
        self._tables |= sweep_tables(subject, importances) | weight_tables(subject, importances, selection)
        self._tables |= unit_tables(subject, selection, dampened(subject, importances))
        yield Frame(COMPARED, dict(self._tables), self._selected())
        seconds = self._learned.seconds / self._settings.networks
        yield self._with(subject.outcome(BEFORE, subject.params, seconds), COMPARED)
        for outcome in quick_outcomes(subject, importances):
            yield self._with(outcome, COMPARED)
        yield from self._every_digit()
        yield from self._retrained()

    def _every_digit(self) -> Iterator[Frame]:
        rows: list[Row] = []
        for network, split in enumerate(self._splits):
            whole = self._subject_of(network, forgetting_digit(*split, 0)).importances().whole
            for digit in range(CLASSES):
                subject = self._subject_of(network, forgetting_digit(*split, digit))
                rows.append((network, digit, *_consequences(subject, subject.importances(whole))))
            self._tables |= every_digit_tables(rows)
            yield Frame(EVERY_DIGIT, dict(self._tables), f"Network {network + 1} has forgotten every digit in turn.")

    def _retrained(self) -> Iterator[Frame]:
        stages = enumerate(retrain(self._engine, self._settings, self._seed), start=1)
        for stage, learned in stages:
            if stage < STAGES:
                progress = EVERY_DIGIT + (1 - EVERY_DIGIT) * stage / STAGES
                words = f"Training again without what is to be forgotten: part {stage} of {STAGES}."
                yield Frame(progress, dict(self._tables), words)
            else:
                yield self._with(self._subject.outcome(RETRAINED, learned.params, learned.seconds), 1.0)

    def _with(self, outcome: Outcome, progress: float) -> Frame:
        self._outcomes.append(outcome)
        self._tables |= outcome_tables(self._outcomes, self._subject)
        forgotten, kept = (value_of(self._tables, outcome.method, part) for part in (D_F, D_R))
        words = (
            f"{outcome.method.capitalize()}: {forgotten:.0%} of the rows to forget are right, {kept:.0%} of the rest."
        )
        return Frame(progress, dict(self._tables), words)

    def _selected(self) -> str:
        row = self._tables["summary"].rows()[0]
        return f"{row['selected']} of {row['total']} weights are selected."

    def _subject_of(self, network: int, task: Task) -> Subject:
        """Return one of the networks and what it is to forget."""
        params = map_tree(lambda leaf: leaf[network : network + 1], self._learned.params)
        return Subject(self._engine, classifier_of(self._settings), params, task, self._settings, self._seed)


def _consequences(subject: Subject, importances: Importances) -> tuple[float, ...]:
    """Return the accuracy on the forgotten test and training rows and what the others lost: dampened, shuffled."""
    task = subject.task
    before = subject.accuracy(subject.params, task.retain_test)
    found: list[float] = []
    for params in (dampened(subject, importances), shuffled_control(subject, importances)):
        found += [subject.accuracy(params, rows) for rows in (task.forget_test, task.forget_rows)]
        found.append(before - subject.accuracy(params, task.retain_test))
    return tuple(found)
