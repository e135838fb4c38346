"""The run: curves and schedule at once in the first frame, then the store, day by day."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.agents.memorybank.fit_tables import fit_tables
from mem_core.mechanisms.agents.memorybank.settings import ForgettingSettings
from mem_core.mechanisms.agents.memorybank.spacing import spacing_tables
from mem_core.mechanisms.agents.memorybank.store import Store
from mem_core.mechanisms.agents.memorybank.store_tables import empty_store_tables, store_tables
from mem_core.mechanisms.contract import Frame

MOST_FRAMES = 36
SMALL_STORE = 5 * 10**5
"""Facts × questions a day × policies × lives below which a run takes some tenths of a second."""
DAYS_PER_FRAME_OF_A_SMALL_STORE = 15
FIRST_PROGRESS = 0.1
"""Share of the run that the first frame counts for."""


def run(settings: ForgettingSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Fit the curves, lay out the schedule, then let the store live; the seed matters for the store alone."""
    at_once = fit_tables(settings, engine) | spacing_tables(settings)
    yield Frame(FIRST_PROGRESS, at_once | empty_store_tables(), "Curves fitted; the store is about to open.")
    store = Store(settings, engine, seed)
    every = days_per_frame(settings)
    while store.day < settings.days:
        store.advance()
        if store.day % every == 0 or store.day == settings.days:
            progress = FIRST_PROGRESS + (1 - FIRST_PROGRESS) * store.day / settings.days
            yield Frame(progress, at_once | store_tables(store), f"Day {store.day} of {settings.days} in the store.")


def days_per_frame(settings: ForgettingSettings) -> int:
    """Say how many days of the store go into one frame."""
    facts = settings.days * settings.facts_per_day
    size = facts * settings.queries_per_day * len(settings.policies) * settings.repeats
    fewest = DAYS_PER_FRAME_OF_A_SMALL_STORE if size <= SMALL_STORE else 1
    return max(fewest, math.ceil(settings.days / MOST_FRAMES))
