"""The run: the rule alone on a cloud, then all tasks one after another in all networks."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.continual.hebbian_projection.cloud import cloud_tables
from mem_core.mechanisms.continual.hebbian_projection.looking import looking_tables
from mem_core.mechanisms.continual.hebbian_projection.results import matrix_of, measured_tables
from mem_core.mechanisms.continual.hebbian_projection.settings import ProjectionSettings
from mem_core.mechanisms.continual.hebbian_projection.stream import Stream
from mem_core.mechanisms.continual.hebbian_projection.training import Networks, train
from mem_core.mechanisms.contract import Frame


def run(settings: ProjectionSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Train all networks and yield all tables after each stretch of batches.

    Raises:
        RunError: if training diverges, or if the digits are not installed.
    """
    cloud = cloud_tables(settings, engine, seed)
    stream = Stream(settings, engine, seed)
    networks = Networks(engine, settings, stream, seed)
    last = settings.tasks * stream.batches_a_task
    for _ in train(networks, stream, settings.tasks):
        tables = {
            **cloud,
            **measured_tables(settings, networks, stream.batches_a_task),
            **looking_tables(settings, engine, stream, networks),
        }
        yield Frame(networks.batch / last, tables, _sentence(settings, networks))


def _sentence(settings: ProjectionSettings, networks: Networks) -> str:
    """Say where the run is, and at its end how much was forgotten."""
    if len(networks.history.checkpoints) < settings.tasks:
        return f"Batch {networks.batch}: task {networks.task + 1} of {settings.tasks} is being learned."
    words = ", ".join(
        f"{name} {-matrix_of(networks, number).forgetting():+.3f}" for number, name in enumerate(networks.names)
    )
    return f"Backward transfer after {settings.tasks} tasks: {words}."
