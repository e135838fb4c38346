"""Clocks: the best of many runs on a processor that others may use too, the median of many on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

_FEWEST, _MOST = 3, 200
_SECONDS, _SECONDS_ON_GPU = 1.0, 0.3
"""How long a function is repeated, within these bounds."""

_FLUSHED = 4  # times the second-level cache, written between two runs on a GPU so that no run finds its inputs there


@dataclass(frozen=True)
class Timing:
    """Seconds of one run.

    Attributes:
        seconds: of the run that counts.
        how: which run that is.
        runs: how many there were.
    """

    seconds: float
    how: str
    runs: int


def on_processor(call: Callable[[], Any]) -> Timing:
    """Time a function whose work is done when it returns.

    The best run is the one that other work on the machine disturbed least.
    """
    call()
    times: list[float] = []
    while len(times) < _FEWEST or (sum(times) < _SECONDS and len(times) < _MOST):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return Timing(min(times), "best", len(times))


def once(call: Callable[[], Any]) -> Timing:
    """Time one run, where time means little: in Triton's interpreter."""
    started = time.perf_counter()
    call()
    return Timing(time.perf_counter() - started, "once", 1)


def on_gpu(call: Callable[[], Any]) -> Timing:
    """Time a function's work on the GPU by events around it; launching from Python is left out where that is possible.

    The launches are recorded once as a CUDA graph and the graph is replayed; what cannot be recorded is launched each
    time, and `how` says so.
    """
    import torch

    for _ in range(3):  # compiles kernels and tries block sizes
        call()
    torch.cuda.synchronize()
    run, how = _recorded(call)
    cache = torch.cuda.get_device_properties(torch.cuda.current_device()).L2_cache_size
    flushed = torch.empty(_FLUSHED * cache, dtype=torch.int8, device="cuda")

    def seconds(runs: int) -> float:
        events = [(_event(), _event()) for _ in range(runs)]
        for start, end in events:
            flushed.zero_()
            start.record()
            run()
            end.record()
        torch.cuda.synchronize()
        return float(median(start.elapsed_time(end) for start, end in events)) / 1000  # from milliseconds

    runs = max(_FEWEST, min(_MOST, int(_SECONDS_ON_GPU / seconds(_FEWEST))))
    return Timing(seconds(runs), how, runs)


def _event() -> Any:
    import torch

    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


def _recorded(call: Callable[[], Any]) -> tuple[Callable[[], Any], str]:
    import torch

    graph = torch.cuda.CUDAGraph()
    try:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            call()
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph, stream=stream):
            call()
    except RuntimeError:
        torch.cuda.synchronize()
        return call, "median of launches"
    return graph.replay, "median of replays"
