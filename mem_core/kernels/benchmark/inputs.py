"""The arrays that every kernel is timed on: their axes, and what numbers they hold.

Time is the axis `length` everywhere, so that a slow contestant can be given the first steps alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mem_core.engine import Array
from mem_core.kernels.activations import softplus
from mem_core.kernels.benchmark.cases import Case
from mem_core.kernels.dispatch import namespace


@dataclass(frozen=True)
class Input:
    """One argument of a kernel.

    Attributes:
        axes: names of its axes.
        draw: makes the argument of standard normal numbers.
        wide: whether it is float32 where the case is narrower, as the literature's code has it.
        again: whether the gradient needs it.
    """

    axes: tuple[str, ...]
    draw: Callable[[Array], Array]
    wide: bool = False
    again: bool = True

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return the shape for the sizes of a case."""
        return tuple(sizes[axis] for axis in self.axes)


def _plain(x: Array) -> Array:
    return x


def _step_bias(x: Array) -> Array:
    return x / 2 - 4.0  # after the softplus about 0.02, in the middle of the 0.001 … 0.1 that Mamba starts with


def _step(x: Array) -> Array:
    return softplus(_step_bias(x))


def _rate(x: Array) -> Array:
    return -namespace(x).exp(x)


def _share(x: Array) -> Array:
    return 1.0 / (1.0 + namespace(x).exp(-x))


def _decay(x: Array) -> Array:
    return _share(x + 3.0)  # about 0.95


def _log_decay(x: Array) -> Array:
    return -softplus(-x - 3.0)


def _unit(x: Array) -> Array:
    return x / (x * x).sum(-1)[..., None] ** 0.5


def _input(axes: str, draw: Callable[[Array], Array] = _plain, wide: bool = False, again: bool = True) -> Input:
    return Input(tuple(axes.split()), draw, wide, again)


_ATTENTION = {
    "q": _input("batch length heads key_width"),
    "k": _input("batch length heads key_width", _unit),
    "v": _input("batch length heads value_width"),
}
_CORRECTING = {**_ATTENTION, "beta": _input("batch length heads", _share)}

INPUTS: Mapping[str, Mapping[str, Input]] = {
    "linear_scan": {
        "a": _input("batch length channels", _decay),
        "b": _input("batch length channels"),
    },
    "selective_scan": {
        "u": _input("batch channels length"),
        "delta": _input("batch channels length"),
        "A": _input("channels state", _rate, wide=True),
        "B": _input("batch state length"),
        "C": _input("batch state length"),
        "D": _input("channels", wide=True),
        "z": _input("batch channels length"),
        "delta_bias": _input("channels", _step_bias, wide=True),
    },
    "ssd_scan": {
        "x": _input("batch length heads width"),
        "dt": _input("batch length heads", _step, wide=True),
        "A": _input("heads", _rate, wide=True),
        "B": _input("batch length groups state"),
        "C": _input("batch length groups state"),
    },
    "gated_linear_attention": {**_ATTENTION, "g": _input("batch length heads key_width", _log_decay)},
    "delta_rule": _CORRECTING,
    "gated_delta_rule": {**_CORRECTING, "g": _input("batch length heads", _log_decay, wide=True)},
    "causal_conv1d": {
        "x": _input("batch channels length"),
        "weight": _input("channels taps"),
        "bias": _input("channels"),
    },
    "hidden_state_mixer": {
        "x": _input("batch channels length"),
        "dt": _input("batch state length"),
        "A": _input("state", wide=True),
        "B": _input("batch state length"),
        "C": _input("batch state length"),
        "D": _input("one", wide=True),
        "hz_weight": _input("two_inner channels", lambda x: x / x.shape[1] ** 0.5),
        "out_weight": _input("channels inner", lambda x: x / x.shape[1] ** 0.5),
    },
    "scatter_add": {"rows": _input("rows width", again=False)},
}
"""Arguments of floating-point numbers, which are differentiated; `scatter_add` has an index besides."""

_OPTIONS: Mapping[str, Mapping[str, object]] = {
    "selective_scan": {"delta_softplus": True},
    "causal_conv1d": {"activation": "silu"},
}


def options(case: Case) -> Mapping[str, object]:
    """Return what a case's kernel is called with besides arrays."""
    return {"size": case.sizes["sums"]} if case.kernel == "scatter_add" else _OPTIONS.get(case.kernel, {})
