"""Who takes part for a case: this project's kernel, what one would first write instead, and other libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mem_core import kernels
from mem_core.engine import Array
from mem_core.kernels.benchmark.cases import Case, Device
from mem_core.kernels.benchmark.inputs import INPUTS, options
from mem_core.kernels.benchmark.peers import PEERS

OURS = "mem_core"
REFERENCE, PLAIN, INDEXING = "reference loop", "plain PyTorch", "indexing loop"

# A step costs what another does, and what autograd keeps of a large state at every step would not fit into a GPU.
_MOST_STEPS: Mapping[Device, int] = {"cpu": 16384, "cuda": 256, "interpreter": 256}
"""How many steps of a loop over time are timed; longer sequences take in proportion."""


@dataclass(frozen=True)
class Contestant:
    """Something that computes what a case asks for.

    Attributes:
        who: the name shown.
        call: takes the arrays by name and returns the output.
        arrays: what it is given, as it likes it, made before the clock starts.
        as_ours: turns the output's axes into those of this project's function.
        differentiable: whether it has a gradient.
        steps: how many of a longer sequence's steps it is given; 0 for all.
    """

    who: str
    call: Callable[..., Array]
    arrays: Mapping[str, Array]
    as_ours: Callable[[Array], Array] = lambda output: output
    differentiable: bool = True
    steps: int = 0


def contestants(case: Case, arrays: Mapping[str, Array], device: Device) -> Iterator[Contestant]:
    """Name this project's kernel first, then the plain version, then the libraries that are here.

    Args:
        case: kernel and sizes.
        arrays: its arguments, where they are computed.
        device: the name of that place.
    """
    public = getattr(kernels, case.kernel)
    yield Contestant(OURS, _with_options(public, case), arrays)
    if device == "numpy":
        from mem_core.kernels.benchmark import plain_numpy

        call = _with_options(plain_numpy.FUNCTIONS[case.kernel], case)
        yield Contestant(REFERENCE, call, arrays, differentiable=False)
        return
    yield from _plain_torch(case, arrays, device)
    for peer in PEERS:
        if case.kernel in peer.adapters and not peer.obstacle(device):
            adapted = peer.adapters[case.kernel](**arrays)
            yield Contestant(peer.name, adapted.call, adapted.arrays, adapted.as_ours)


def _with_options(function: Callable[..., Any], case: Case) -> Callable[..., Array]:
    given = options(case)
    return lambda **arrays: function(**arrays, **given)


def _plain_torch(case: Case, arrays: Mapping[str, Array], device: Device) -> Iterator[Contestant]:
    from mem_core.kernels.benchmark import plain_torch

    call = _with_options(plain_torch.FUNCTIONS[case.kernel], case)
    steps = _MOST_STEPS[device]
    if case.kernel in plain_torch.LOOPS and case.sizes["length"] > steps:
        yield Contestant(PLAIN, call, _first(steps, case, arrays), steps=steps)
        return
    yield Contestant(PLAIN, call, arrays)
    if device == "cpu" and case.kernel == "selective_scan":
        yield Contestant(INDEXING, _with_options(plain_torch.selective_scan_that_indexes, case), arrays)


def _first(steps: int, case: Case, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the first steps of all arrays that have steps."""
    axes = {name: given.axes for name, given in INPUTS[case.kernel].items()}
    return {
        name: array.narrow(axes[name].index("length"), 0, steps).contiguous() if "length" in axes[name] else array
        for name, array in arrays.items()
    }
