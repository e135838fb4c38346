"""The tables of a run: what was measured of the training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mem_core.data.digit_tasks import CLASSES
from mem_core.mechanisms.continual.hebbian_projection.settings import HEBBIAN, NONE, ProjectionSettings
from mem_core.mechanisms.continual.hebbian_projection.training import Networks
from mem_core.mechanisms.tables import Table
from mem_core.training.continual import TaskMatrix

AVERAGE, LEARNING, TRANSFER = "average", "learning", "transfer"
"""ACC; accuracy on each task just after it was learned; and BWT, backward transfer."""
MEASURES = (AVERAGE, LEARNING, TRANSFER)
LEARNED, BEST = "rows", "best"
"""What the rows of H capture, and what the best choice of the new ones would."""
CHANCE = 1 / CLASSES


def measured_tables(settings: ProjectionSettings, networks: Networks, batches_a_task: int) -> dict[str, Table]:
    """Lay out everything that was measured so far."""
    first_task = _first_task(networks)
    return {
        "tasks": _tasks(settings, batches_a_task),
        "first_task": first_task,
        "retention": _retention(first_task, networks.names, batches_a_task),
        "matrix": _matrix(networks),
        "scores": _scores(networks),
        "captured": _captured(networks),
        "protected": _protected(networks),
        "tradeoff": _tradeoff(settings, networks),
    }


def matrix_of(networks: Networks, network: int) -> TaskMatrix:
    """Return the accuracies of one network on every task, after every task so far."""
    rows = [of_network[network] for of_network in networks.history.checkpoints]
    return TaskMatrix.of(rows, lower_is_better=False)


def _tasks(settings: ProjectionSettings, batches_a_task: int) -> Table:
    rows = [(task * batches_a_task, f"task {task + 1}") for task in range(1, settings.tasks)]
    return Table.of_rows(("batch", "label"), rows, batch="batches")


def _first_task(networks: Networks) -> Table:
    rows = [
        (name, batch, accuracies[number])
        for number, name in enumerate(networks.names)
        for batch, accuracies in networks.history.first_task
    ]
    return Table.of_rows(("protection", "batch", "accuracy"), rows, batch="batches")


def _retention(first_task: Table, names: Sequence[str], batches_a_task: int) -> Table:
    """Lay out what is left of the first task, of the lateral neurons' network if there is one.

    retention = (accuracy − chance) / (accuracy when task 1 ended − chance), kept within [0, 1]
    """
    shown = HEBBIAN if HEBBIAN in names else names[-1]
    since = [row for row in first_task.where(protection=shown).rows() if row["batch"] >= batches_a_task]
    learned = since[0]["accuracy"] - CHANCE if since else 0.0
    left = [(row["accuracy"] - CHANCE) / learned if learned > 0 else 0.0 for row in since]
    rows = [(row["batch"] - batches_a_task, min(max(share, 0.0), 1.0)) for row, share in zip(since, left, strict=True)]
    return Table.of_rows(("lag", "retention"), rows, lag="batches")


def _matrix(networks: Networks) -> Table:
    rows = [
        (f"{name} {after + 1}", name, after + 1, task + 1, accuracy, task == after)
        for number, name in enumerate(networks.names)
        for after, of_networks in enumerate(networks.history.checkpoints)
        for task, accuracy in enumerate(of_networks[number])
    ]
    return Table.of_rows(("checkpoint", "protection", "after", "task", "accuracy", "just_learned"), rows)


def _scores(networks: Networks) -> Table:
    rows: list[Sequence[Any]] = []
    if networks.history.checkpoints:
        for number, name in enumerate(networks.names):
            matrix = matrix_of(networks, number)
            rows += [(AVERAGE, name, matrix.average()), (LEARNING, name, matrix.learning())]
            if matrix.learned > 1:
                rows.append((TRANSFER, name, -matrix.forgetting()))
    rows.sort(key=lambda row: MEASURES.index(row[0]))
    return Table.of_rows(("measure", "protection", "accuracy"), rows)


def _captured(networks: Networks) -> Table:
    rows = [
        (found.layer, kind, f"task {found.task + 1}", found.batch, energy)
        for kind in (LEARNED, BEST)
        for found in networks.history.captured
        for energy in [found.captured if kind == LEARNED else found.best]
    ]
    return Table.of_rows(("layer", "kind", "task", "batch", "captured"), rows, batch="batches")


def _protected(networks: Networks) -> Table:
    rows = [(found.protection, found.task + 1, found.layer, found.captured) for found in networks.history.protected]
    return Table.of_rows(("protection", "task", "layer", "captured"), rows)


def _tradeoff(settings: ProjectionSettings, networks: Networks) -> Table:
    """Lay out what the worst layer misses of earlier tasks, and how much is forgotten of them, once all are learned."""
    rows: list[Sequence[Any]] = []
    if len(networks.history.checkpoints) == settings.tasks:
        for number, name in enumerate(networks.names):
            missed = [1 - _least_captured(networks, name, task) for task in range(settings.tasks - 1)]
            forgotten = matrix_of(networks, number).forgetting()
            size = 0.0 if name == NONE else settings.size_factor
            rows.append((name, size, sum(missed) / len(missed), forgotten))
    return Table.of_rows(("protection", "size_factor", "missed", "forgetting"), rows)


def _least_captured(networks: Networks, name: str, task: int) -> float:
    """Return what the worst layer captured of a task's activity when the task ended."""
    protected = networks.history.protected
    return min(found.captured for found in protected if (found.protection, found.task) == (name, task))
