"""Which kind of world a run has."""

from __future__ import annotations

from collections.abc import Sequence

from mem_core.engine import Engine
from mem_core.mechanisms.agents.a_memguard.clinic import draw_clinic
from mem_core.mechanisms.agents.a_memguard.settings import CLINIC, MemGuardSettings
from mem_core.mechanisms.agents.a_memguard.world import Case, World, draw_world


def draw(settings: MemGuardSettings, cases: Sequence[Case], engine: Engine, seed: int) -> World:
    """Draw a world of random vectors, or of clinic questions."""
    return (draw_clinic if settings.embedding == CLINIC else draw_world)(settings, cases, engine, seed)
