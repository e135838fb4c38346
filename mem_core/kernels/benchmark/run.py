"""Measuring everything on one device: ceilings first, then every case."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from mem_core.engine import EngineError, available, select
from mem_core.kernels import availability
from mem_core.kernels.benchmark import ceilings
from mem_core.kernels.benchmark.cases import Case, Device, cases
from mem_core.kernels.benchmark.contestants import OURS
from mem_core.kernels.benchmark.peers import PEERS
from mem_core.kernels.benchmark.place import Place
from mem_core.kernels.benchmark.rows import Row, rows

_ENGINES: Mapping[Device, str] = {"numpy": "numpy", "cpu": "torch", "cuda": "cuda"}


@dataclass(frozen=True)
class Start:
    """What is known before the first kernel: the device, how fast it can be, and which libraries take part.

    Attributes:
        device: its name.
        threads: of a processor; 0 on a GPU.
        ceilings: of this machine.
        peers: versions of the libraries that take part.
        absent: why the others do not.
    """

    device: Device
    threads: int
    ceilings: ceilings.Ceilings
    peers: dict[str, str]
    absent: dict[str, str]

    def as_plain(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Start:
        """Make it of what `as_plain` returned, among which other values may stand."""
        known = {field.name: values[field.name] for field in fields(cls)}
        return cls(**{**known, "ceilings": ceilings.Ceilings(**values["ceilings"])})


class Run:
    """The measurements on one device: what is known at the start, and rows, which are measured as one asks for them.

    Attributes:
        start: device, ceilings and libraries.
        rows: those measured so far.
    """

    def __init__(self, start: Start, cases: Iterator[list[Row]]) -> None:
        self.start, self._cases = start, cases
        self.rows: list[Row] = []

    def __iter__(self) -> Iterator[list[Row]]:
        """Measure case after case and give the rows of all who took part."""
        for measured in self._cases:
            self.rows += measured
            yield measured

    @property
    def failed(self) -> bool:
        """Whether a kernel of ours could not be measured."""
        return any(row.who == OURS and row.problem for row in self.rows)


def devices_here() -> tuple[Device, ...]:
    """Name the devices that kernels can be timed on here; the interpreter, which has no speed, is not among them."""
    return tuple(device for device, engine in _ENGINES.items() if engine in available())


def measure(device: Device, small: bool = False, only: str = "") -> Run:
    """Prepare to time kernels on one device, and measure how fast the device is.

    Args:
        device: where.
        small: at small sizes, for a quick look.
        only: this kernel and no other.

    Raises:
        EngineError: if the device, or what it needs, is not here.
    """
    with _interpreting(device):
        place = _place(device)
        found = ceilings.measure(place)
    threads = 0 if device == "cuda" else place.threads
    absent = {peer.name: reason for peer in PEERS if (reason := peer.obstacle(device))}
    peers = {peer.name: peer.version() for peer in PEERS if peer.name not in absent}
    wanted = [case for case in cases(device, small) if only in ("", case.kernel)]
    return Run(Start(device, threads, found, peers, absent), _measured(wanted, place, found))


def _measured(wanted: Sequence[Case], place: Place, found: ceilings.Ceilings) -> Iterator[list[Row]]:
    for case in wanted:
        with _interpreting(place.device):
            measured = list(rows(case, place, found))
        yield measured


def _place(device: Device) -> Place:
    if device in _ENGINES and _ENGINES[device] not in available():
        select(_ENGINES[device])  # says what is missing
    if device == "numpy":
        from mem_core.kernels.benchmark.on_numpy import OnNumpy

        return OnNumpy()
    from mem_core.kernels.benchmark.on_torch import OnTorch

    return OnTorch(device)


@contextlib.contextmanager
def _interpreting(device: Device) -> Iterator[None]:
    """Let Triton's kernels run in its interpreter, on CPU tensors, if that is the device."""
    if device != "interpreter":
        yield
        return
    if importlib.util.find_spec("triton") is None:
        raise EngineError(
            "The interpreter is Triton's; install it with: pip install 'memory-lab[triton]' (Linux only)."
        )
    if "triton" in sys.modules and not sys.modules["triton"].knobs.runtime.interpret:
        raise EngineError(
            "Triton has been loaded without its interpreter; set TRITON_INTERPRET=1 before Python starts."
        )
    os.environ["TRITON_INTERPRET"] = "1"
    before, availability.DEVICES = availability.DEVICES, ("cuda", "cpu")
    try:
        yield
    finally:
        availability.DEVICES = before
