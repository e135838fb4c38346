"""What one run, one learner and the whole queue may take."""

from __future__ import annotations

from dataclasses import dataclass, fields

from mem_core.mechanisms.controls import Number, Whole, Wholes
from mem_core.mechanisms.settings import Settings

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """The limits on runs; every one must be above zero.

    Attributes:
        seconds: how long one run may compute.
        memory_mib: what one run may take beyond what the loaded mechanisms take.
        stop_seconds: how long a worker has to stop a run that nobody wants any more, before it is killed.
        start_seconds: how long a worker may take to start.
        running_per_learner: runs of one learner computed at once, in each queue.
        waiting_per_learner: runs of one learner that may wait.
        queue_length: runs that may wait in one queue.
        light_seconds: a run expected to take no longer stays in the server process; a worker adds some milliseconds
            (`python -m benchmarks.worker_pool`), and while a run is computed here, the pages of others wait for it.
        kept_frames_mib: what the frames of one run may take in memory for readers who come late.

    Raises:
        ValueError: naming the limit that is not above zero.
    """

    seconds: float = 120.0
    memory_mib: int = 1024
    stop_seconds: float = 1.0
    start_seconds: float = 60.0
    running_per_learner: int = 2
    waiting_per_learner: int = 4
    queue_length: int = 200
    light_seconds: float = 0.05
    kept_frames_mib: int = 32

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not value > 0:
                raise ValueError(f"The limit {item.name} must be above 0, got {value!r}.")

    @property
    def memory_bytes(self) -> int:
        """The memory limit in bytes."""
        return self.memory_mib * MIB


def what_to_lower(settings: Settings, default: Settings) -> str:
    """Name the settings that are larger than by default, or all that have a size, in words that follow "lower"."""
    sizes = {name for name, control in settings.controls().items() if isinstance(control, Number | Whole | Wholes)}
    raised = [name for name in settings.controls() if name in sizes and _larger(settings, default, name)]
    shown = [f"{name} (now {settings.formatted()[name]})" for name in raised] or sorted(sizes)
    return " or ".join(shown[:4]) or "what it is asked to do"


def _larger(settings: Settings, default: Settings, name: str) -> bool:
    return bool(getattr(settings, name) > getattr(default, name))
