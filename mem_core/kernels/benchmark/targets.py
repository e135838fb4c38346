"""What the kernels are held against, looked up in the rows of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mem_core.kernels.benchmark.cases import Device
from mem_core.kernels.benchmark.contestants import INDEXING, OURS, PLAIN, REFERENCE
from mem_core.kernels.benchmark.rows import Row

Rows = Sequence[Row]
Figure = Callable[[Row, Rows], float | None]


@dataclass(frozen=True)
class Target:
    """One aim.

    Attributes:
        statement: what is aimed at, in words.
        device: where.
        about: tells whether it is about a row of ours.
        figure: finds what is compared in such a row and those beside it; None if they do not have it.
        wanted: what the figure is to be.
        at_least: whether it is to be at least that; at most, if not.
    """

    statement: str
    device: Device
    about: Callable[[Row], bool]
    figure: Figure
    wanted: float
    at_least: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of a target in the row where it is furthest from being met."""

    target: Target
    row: Row
    value: float

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        target = self.target
        return self.value >= target.wanted if target.at_least else self.value <= target.wanted


def outcomes(device: Device, rows: Rows) -> list[Outcome]:
    """Return what became of a device's targets; one whose rows are not there is left out."""
    return [found for target in TARGETS if target.device == device and (found := _worst(target, rows))]


def times_ours(row: Row, who: str, rows: Rows) -> float | None:
    """Return how many times as long as our row a contestant takes for the same work."""
    theirs = [other.seconds for other in rows if other.who == who and other.task == row.task and other.seconds]
    return theirs[0] / row.seconds if theirs and row.seconds else None


def _worst(target: Target, rows: Rows) -> Outcome | None:
    found = [
        Outcome(target, row, value)
        for row in rows
        if row.who == OURS and target.about(row) and (value := target.figure(row, rows)) is not None
    ]
    return (min if target.at_least else max)(found, key=lambda outcome: outcome.value, default=None)


def _against(who: str) -> Figure:
    return lambda row, rows: times_ours(row, who, rows)


def _milliseconds(row: Row, rows: Rows) -> float | None:
    return None if row.seconds is None else 1000 * row.seconds


def _share_of_copy(row: Row, rows: Rows) -> float | None:
    return row.share if row.ceiling == "copy" else None


def _memory(row: Row, rows: Rows) -> float | None:
    return row.memory


def _of(*kernels: str, direction: str = "", sizes: str = "", dtype: str = "") -> Callable[[Row], bool]:
    """Pick rows by kernel, and by what else is given."""
    return lambda row: (
        row.kernel in kernels
        and direction in ("", row.direction)
        and sizes in ("", row.sizes)
        and dtype in ("", row.dtype)
    )


_BOTH = "forward and backward"
_FLA = "flash-linear-attention"
_OVER_TIME = (
    "linear_scan",
    "selective_scan",
    "ssd_scan",
    "gated_linear_attention",
    "delta_rule",
    "gated_delta_rule",
    "causal_conv1d",
)
_MAMBA = {"sizes": "B 8 L 2048 D 2048 N 16", "dtype": "bfloat16"}

_CPU_SIZES = "B 4 L 2048 D 256 N 16"

TARGETS = (
    Target(
        "all over time: 5 times as fast as the reference loop, one sequence",
        "numpy",
        _of(*_OVER_TIME, direction="forward"),
        _against(REFERENCE),
        5.0,
    ),
    Target(
        "selective_scan: 10 times as fast as a loop over time that indexes",
        "cpu",
        _of("selective_scan", direction=_BOTH, sizes=_CPU_SIZES),
        _against(INDEXING),
        10.0,
    ),
    Target(
        "selective_scan: 10 times as fast as a loop over unbound steps",
        "cpu",
        _of("selective_scan", direction=_BOTH, sizes=_CPU_SIZES),
        _against(PLAIN),
        10.0,
    ),
    Target(
        "selective_scan: 1.5 times as fast as mambapy",
        "cpu",
        _of("selective_scan", direction=_BOTH, sizes=_CPU_SIZES),
        _against("mambapy"),
        1.5,
    ),
    Target(
        "selective_scan: at most 0.25 ms forward",
        "cuda",
        _of("selective_scan", direction="forward", **_MAMBA),
        _milliseconds,
        0.25,
        at_least=False,
    ),
    Target(
        "selective_scan: as fast as mamba-ssm",
        "cuda",
        _of("selective_scan", direction=_BOTH, **_MAMBA),
        _against("mamba-ssm"),
        1.0,
    ),
    Target(
        "selective_scan: memory at most 1.5 times inputs, outputs and gradients",
        "cuda",
        _of("selective_scan", direction=_BOTH, **_MAMBA),
        _memory,
        1.5,
        at_least=False,
    ),
    Target("ssd_scan: as fast as flash-linear-attention", "cuda", _of("ssd_scan"), _against(_FLA), 1.0),
    Target(
        "gated_linear_attention: as fast as flash-linear-attention",
        "cuda",
        _of("gated_linear_attention"),
        _against(_FLA),
        1.0,
    ),
    Target("gated_delta_rule: as fast as flash-linear-attention", "cuda", _of("gated_delta_rule"), _against(_FLA), 1.0),
    Target("linear_scan: 80 % of the bandwidth of a copy", "cuda", _of("linear_scan"), _share_of_copy, 0.8),
    Target("causal_conv1d: 80 % of the bandwidth of a copy", "cuda", _of("causal_conv1d"), _share_of_copy, 0.8),
)
