"""The run: lives under every defence, a few rounds a frame, then the phase diagram, then a language model if wanted."""

from __future__ import annotations

from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.agents.a_memguard.drawing import draw
from mem_core.mechanisms.agents.a_memguard.language_model import consult
from mem_core.mechanisms.agents.a_memguard.lives import Lives
from mem_core.mechanisms.agents.a_memguard.majority import majority_tables
from mem_core.mechanisms.agents.a_memguard.phase import Diagram, phase_diagram
from mem_core.mechanisms.agents.a_memguard.scene import (
    empty_scene_tables,
    inspected_moment,
    lesson_counts,
    lessons_table,
    scene_tables,
)
from mem_core.mechanisms.agents.a_memguard.settings import LANGUAGE_MODEL, OFF, QUERIES, MemGuardSettings
from mem_core.mechanisms.agents.a_memguard.tables import lives_tables
from mem_core.mechanisms.agents.a_memguard.world import cases_of
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.language_model import model_or_sentence
from mem_core.mechanisms.tables import Table

FRAMES_OF_LIVES = 6
SHARE_OF_LIVES = 0.6
"""Of the progress, where a phase diagram follows."""


def run(settings: MemGuardSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Let the lives go on and draw them; a language model, where one is wanted, and the diagram come after them."""
    model = model_or_sentence() if settings.reasoner == LANGUAGE_MODEL else None
    done = 1.0 if settings.phase == OFF else SHARE_OF_LIVES
    cases = cases_of(settings)
    lives = Lives(settings, cases, draw(settings, cases, engine, seed), engine)
    diagram = Diagram().tables()
    tables: dict[str, Table] = {}
    for progress, tables, message in _live(lives):
        yield Frame(done * progress, tables | diagram, message)
    if model is not None:
        yield Frame(done, tables | diagram, f"{model.model} is reasoning.")
        tables = tables | {"summary": tables["summary"].joined([consult(lives, seed, model)])}
        yield Frame(done, tables | diagram, f"{model.model} has answered {QUERIES} questions.")
    for progress, cells in phase_diagram(settings, engine, seed):
        yield Frame(done + (1 - done) * progress, tables | cells.tables(), f"Phase diagram: {progress:.0%}.")


def _live(lives: Lives) -> Iterator[tuple[float, dict[str, Table], str]]:
    rounds, scene = lives.settings.rounds, empty_scene_tables()
    looked_at = min(lives.settings.inspected_round, rounds)
    every = max(1, round(rounds / FRAMES_OF_LIVES))
    for number in range(1, rounds + 1):
        for _ in range(QUERIES):
            lives.advance()
        if number == looked_at:
            scene = scene_tables(lives, inspected_moment(lives))
        if number % every == 0 or number == rounds:
            yield number / rounds, _tables(lives) | scene, f"Round {number} of {rounds}.{_warning(lives)}"


def _warning(lives: Lives) -> str:
    """Say so where the memory is smaller than what should be retrieved."""
    first = int(lives.engine.xp.sum(lives.engine.xp.astype(lives.found[0, 0, 0], lives.engine.xp.int64)))
    wanted = lives.settings.k
    return f" The memory begins with {first} records, fewer than k = {wanted}: all are used." if first < wanted else ""


def _tables(lives: Lives) -> dict[str, Table]:
    lessons = {"lessons": lessons_table(lives), "lesson_counts": lesson_counts(lives)}
    return lives_tables(lives) | majority_tables(lives) | lessons
