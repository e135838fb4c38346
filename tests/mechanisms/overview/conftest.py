"""Runs that several of these tests look at, each made once."""

from __future__ import annotations

import pytest

from mem_core.engine import select
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.overview.memory_in_llms.mechanism import MECHANISM
from mem_core.mechanisms.overview.memory_in_llms.run import run
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings


@pytest.fixture(scope="session")
def numpy_engine():
    return select("numpy")


@pytest.fixture(scope="session")
def frames(numpy_engine):
    """Every frame of a small run."""
    return list(run(MapSettings(repeats=2, dimension=32), numpy_engine, 0))


@pytest.fixture(scope="session")
def roomy(numpy_engine):
    """Return a run whose weights have room for all facts."""
    return run_to_end(MECHANISM, MapSettings(dimension=256), numpy_engine, 0)


@pytest.fixture(scope="session")
def default(numpy_engine):
    return run_to_end(MECHANISM, MapSettings(), numpy_engine, 0)
