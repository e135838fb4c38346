"""What the stop button of a page does to a run on a worker."""

from __future__ import annotations

from typing import Any

import pytest

from mem_core.lab import live as live_module
from mem_core.lab import runner
from mem_core.lab.live import Live


def test_stopping_a_run_frees_its_worker_though_the_page_still_shows_it(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_chosen", lab.runner)
    monkeypatch.setattr(live_module, "SECONDS_BETWEEN_FRAMES", 0.0)
    live = Live(lab.request("steady", steps=400, pause=0.05), None, lambda: None).start()
    lab.until(lambda: live.frame is not None and live.frame.tables)
    live.stop()
    lab.until(lambda: lab.happenings("steady") == ["started", "cancelled"])
    assert (live.finished, live.stopped, live.problem) == (False, True, "")
    assert live.tables
