"""What every test starts from: poisoned uninitialised memory, and no engine chosen by the environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from benchmarks.real_browser import chromium
from mem_core.engine import Engine, select

# How long an example takes says more of the machine than of the code; the tests' own time limit stands.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def poisoned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill arrays from `empty` with NaN: code that reads what nobody wrote fails instead of passing by luck."""
    for module in (np, torch):
        for name in ("empty", "empty_like"):
            monkeypatch.setattr(module, name, _poisoned(getattr(module, name), module))


def _poisoned(make: Any, module: Any) -> Any:
    def poisoned(*args: Any, **keywords: Any) -> Any:
        made = make(*args, **keywords)
        if (made.dtype.kind == "f") if module is np else made.is_floating_point():
            made[...] = float("nan")
        return made

    return poisoned


@pytest.fixture(autouse=True)
def no_engine_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEM_CORE_ENGINE", raising=False)


@pytest.fixture(params=["numpy", "torch"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each CPU engine in float64."""
    return select(request.param, precision="float64")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium, found by name: once for all tests, since Playwright cannot start twice in a process."""
    with chromium() as opened:
        yield opened
