"""What it costs to compute a run in a worker process, and what several workers bring.

Run with `python -m benchmarks.worker_pool [SLUG] [--workers N] [--runs N] [--json]`. Every run has a seed of its own,
so that none is taken from the cache, and takes one thread. Runs in this process and on workers take turns, so that
whatever else the machine does meets both. The throughput is that of as many learners as there are workers, each asking
for one run after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median

from mem_core.__main__ import OneSentenceParser, whole
from mem_core.engine import select
from mem_core.lab.runner import InProcessRunner, Request, Runner
from mem_core.mechanisms import catalog
from server.runs.limits import RunLimits
from server.runs.pool_runner import PoolRunner
from server.runs.result_cache import ResultCache

NEVER_LIGHT = 1e-9
"""Seconds below which a run stays in process: no run does here."""
RUNS, WORKERS = 40, 2
ROUNDS = 5
"""In which the runs for the throughput are made, in this process and on workers by turns."""


@dataclass(frozen=True)
class Costs:
    """What one mechanism measured: medians in milliseconds, throughput in runs a second."""

    mechanism: str
    runs: int
    workers: int
    load: float
    in_process_ms: float
    pooled_ms: float
    kept_ms: float
    in_process_runs_a_second: float
    pooled_runs_a_second: float

    @property
    def overhead_ms(self) -> float:
        """Milliseconds that a worker adds to a run."""
        return self.pooled_ms - self.in_process_ms

    @property
    def ratio(self) -> float:
        """A run on a worker over one in this process."""
        return self.pooled_ms / self.in_process_ms

    @property
    def speed_up(self) -> float:
        """Runs a second with all workers over those of one after the other in this process."""
        return self.pooled_runs_a_second / self.in_process_runs_a_second


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, as lines or as one JSON object."""
    options = _parser().parse_args(arguments)
    costs = measure(options.slug, options.workers, options.runs)
    if options.json:
        derived = {"overhead_ms": costs.overhead_ms, "ratio": costs.ratio, "speed_up": costs.speed_up}
        print(json.dumps(asdict(costs) | derived))
        return 0
    print(f"{costs.mechanism}, default run, median of {costs.runs}, load {costs.load:.1f} before")
    print(f"in process    {costs.in_process_ms:8.2f} ms")
    print(f"on a worker   {costs.pooled_ms:8.2f} ms   {costs.overhead_ms:+.2f} ms, {costs.ratio:.2f} ×")
    print(f"kept          {costs.kept_ms:8.2f} ms")
    print(f"one after the other in process   {costs.in_process_runs_a_second:8.1f} runs a second")
    print(f"on {costs.workers} workers   {costs.pooled_runs_a_second:8.1f} runs a second, {costs.speed_up:.2f} ×")
    return 0


def measure(slug: str, workers: int, runs: int) -> Costs:
    """Measure one mechanism's default run, in this process and on workers."""
    load = os.getloadavg()[0]
    requests = _requests(slug)
    limits = RunLimits(light_seconds=NEVER_LIGHT)
    here = InProcessRunner()
    with tempfile.TemporaryDirectory() as folder:
        results = ResultCache(Path(folder))
        with closing(PoolRunner(results, workers=workers, gpu_workers=0, limits=limits)) as pool:
            for _ in range(2 * workers):  # workers have started, and everything is imported and compiled
                _side_by_side(pool, requests, workers, 1)
                _seconds(here, next(requests))
            in_process, pooled, kept = [], [], []
            for _ in range(runs):
                in_process.append(_seconds(here, next(requests)))
                request = next(requests)
                pooled.append(_seconds(pool, request))
                kept.append(_seconds(pool, request))
            each = max(1, runs // ROUNDS)
            rounds = [
                (_side_by_side(here, requests, 1, each), _side_by_side(pool, requests, workers, each))
                for _ in range(ROUNDS)
            ]
    here_ms, pooled_ms, kept_ms = (1000 * median(times) for times in (in_process, pooled, kept))
    alone, together = (median(rates) for rates in zip(*rounds, strict=True))
    return Costs(slug, runs, workers, load, here_ms, pooled_ms, kept_ms, alone, together)


def _requests(slug: str) -> Iterator[Request]:
    mechanism = catalog.load(slug)
    engine = select(mechanism.faster_on_cpu)
    return (Request(slug, mechanism.presets["browser"], seed, engine, f"learner {seed}") for seed in count())


def _seconds(runner: Runner, request: Request) -> float:
    began = time.perf_counter()
    for _ in runner.frames(request):
        pass
    return time.perf_counter() - began


def _side_by_side(runner: Runner, requests: Iterator[Request], learners: int, runs: int) -> float:
    """Let learners make so many runs each, one after the other; return how many were made a second."""

    def make(mine: list[Request]) -> None:
        for request in mine:
            _seconds(runner, request)

    threads = [threading.Thread(target=make, args=[list(islice(requests, runs))]) for _ in range(learners)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return learners * runs / (time.perf_counter() - began)


def _parser() -> argparse.ArgumentParser:
    parser = OneSentenceParser(prog="worker_pool", description="What computing in worker processes costs and brings.")
    parser.add_argument("slug", nargs="?", default="memorybank", choices=catalog.slugs(), metavar="SLUG")
    parser.add_argument("--workers", type=whole(1, 64), default=WORKERS)
    parser.add_argument("--runs", type=whole(1, 10_000), default=RUNS)
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
