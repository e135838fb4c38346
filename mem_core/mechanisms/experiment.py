"""Running a mechanism to its end, and not twice for the same question."""

from __future__ import annotations

import time

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Claim, Evidence, Frame, Mechanism, Result
from mem_core.mechanisms.settings import Settings


def run_to_end(mechanism: Mechanism, settings: Settings, engine: Engine, seed: int) -> Result:
    """Run all frames and return the last as a result.

    Raises:
        RunError: if the run ends early, for example because training diverged.
    """
    started = time.perf_counter()
    last: Frame | None = None
    for last in mechanism.run(settings, engine, seed):  # noqa: B007 - the last frame is the result
        pass
    assert last is not None, f"{mechanism.slug} gave no frame"
    return Result(settings, seed, engine.kind, last.tables, time.perf_counter() - started)


class Laboratory:
    """Runs of one mechanism on one engine, each computed once: claims share the runs that they have in common."""

    def __init__(self, mechanism: Mechanism, engine: Engine) -> None:
        self.mechanism, self.engine = mechanism, engine
        self._results: dict[tuple[Settings, int], Result] = {}

    def remember(self, result: Result) -> None:
        """Keep a run that was made elsewhere."""
        self._results[result.settings, result.seed] = result

    def result(self, settings: Settings, seed: int) -> Result:
        """Return the run with these settings, made now if it was not made before."""
        if (settings, seed) not in self._results:
            self.remember(run_to_end(self.mechanism, settings, self.engine, seed))
        return self._results[settings, seed]

    def evidence(self, claim: Claim, settings: Settings, seed: int) -> Evidence:
        """Measure a claim on the variants of `settings` that it asks for."""
        results = [self.result(settings.changed(**changes), seed) for changes in claim.variants]
        return claim.check(results)
