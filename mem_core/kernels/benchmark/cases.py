"""What is timed: kernels at sizes, for every device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Device = Literal["numpy", "cpu", "cuda", "interpreter"]
DEVICES: tuple[Device, ...] = ("numpy", "cpu", "cuda", "interpreter")

# The letters of the literature, under which a case is written here and shown in tables.
LETTERS = {
    "B": "batch",
    "R": "rows",
    "L": "length",
    "D": "channels",
    "H": "heads",
    "P": "width",
    "G": "groups",
    "K": "key_width",
    "V": "value_width",
    "N": "state",
    "W": "taps",
    "E": "inner",
    "S": "sums",
}


@dataclass(frozen=True)
class Case:
    """A kernel at one size."""

    kernel: str
    sizes: Mapping[str, int]
    dtype: str = "float32"

    @property
    def axes(self) -> Mapping[str, int]:
        """The size of every axis that an input may have."""
        return {**self.sizes, "one": 1, "two_inner": 2 * self.sizes.get("inner", 0)}

    @property
    def label(self) -> str:
        """The sizes in letters."""
        return " ".join(f"{letter} {self.sizes[axis]}" for letter, axis in LETTERS.items() if axis in self.sizes)


def cases(device: Device, small: bool = False) -> tuple[Case, ...]:
    """Return what is timed on a device; `small` is for a quick look, and for the interpreter."""
    return _SMALL if small or device == "interpreter" else _LARGE[device]


def _case(kernel: str, dtype: str = "float32", **letters: int) -> Case:
    return Case(kernel, {LETTERS[letter]: size for letter, size in letters.items()}, dtype)


def _attention(*kernels: str, dtype: str = "float32", **letters: int) -> tuple[Case, ...]:
    return tuple(_case(kernel, dtype, **letters) for kernel in kernels)


_ATTENTION = ("gated_linear_attention", "delta_rule", "gated_delta_rule")

# Longer than a tile of the interpreter's, and no multiple of one.
_SMALL = (
    _case("linear_scan", B=2, L=40, D=8),
    _case("selective_scan", B=1, L=40, D=8, N=4),
    _case("ssd_scan", B=1, L=40, H=2, P=16, G=1, N=16),
    *_attention(*_ATTENTION, B=1, L=40, H=1, K=16, V=16),
    _case("causal_conv1d", B=1, L=40, D=8, W=4),
    _case("hidden_state_mixer", B=2, L=36, D=16, N=8, E=16),
    _case("scatter_add", R=256, P=8, S=16),
)

# One sequence, as a page of this project has it, and few numbers at a step, so that the loop over steps is what costs.
_NUMPY = (
    _case("linear_scan", B=1, L=4096, D=16),
    _case("linear_scan", B=1, L=4096, D=512),
    _case("selective_scan", B=1, L=4096, D=16, N=16),
    _case("ssd_scan", B=1, L=4096, H=2, P=16, G=1, N=16),
    *_attention(*_ATTENTION, B=1, L=4096, H=2, K=16, V=16),
    _case("causal_conv1d", B=1, L=4096, D=4, W=4),
    _case("hidden_state_mixer", B=1, L=4096, D=64, N=16, E=64),
    _case("scatter_add", R=4096, P=16, S=64),
)

_CPU = (
    _case("linear_scan", B=4, L=2048, D=256),
    _case("linear_scan", B=1, L=16384, D=16),
    _case("selective_scan", B=4, L=2048, D=256, N=16),
    _case("selective_scan", B=1, L=4096, D=32, N=16),
    _case("ssd_scan", B=2, L=2048, H=8, P=64, G=1, N=64),
    *_attention(*_ATTENTION, B=2, L=2048, H=4, K=64, V=64),
    _case("causal_conv1d", B=4, L=2048, D=256, W=4),
    _case("causal_conv1d", B=1, L=131072, D=16, W=4),
    _case("hidden_state_mixer", B=16, L=1024, D=64, N=16, E=64),
    _case("scatter_add", R=2**18, P=64, S=4096),
)

# The shapes of flash-linear-attention's published table; the matrices of its states are 128 by 128.
_PUBLISHED = ((1, 8192, 96), (2, 16384, 16), (4, 2048, 16), (4, 4096, 64))

_CUDA = (
    _case("linear_scan", B=8, L=2048, D=2048),
    _case("linear_scan", "bfloat16", B=8, L=2048, D=2048),
    _case("linear_scan", B=16, L=16384, D=128),  # flash-linear-attention times its own scan at this size
    _case("linear_scan", B=1, L=2**20, D=64),
    _case("selective_scan", "bfloat16", B=8, L=2048, D=2048, N=16),
    _case("selective_scan", B=8, L=2048, D=2048, N=16),
    _case("selective_scan", "bfloat16", B=1, L=2**17, D=256, N=16),
    _case("ssd_scan", "bfloat16", B=8, L=2048, H=32, P=64, G=1, N=128),
    *(_case("ssd_scan", "bfloat16", B=b, L=t, H=h, P=128, G=h, N=128) for b, t, h in _PUBLISHED),
    *(
        _case(kernel, "bfloat16", B=b, L=t, H=h, K=128, V=128)
        for kernel in ("gated_linear_attention", "gated_delta_rule")
        for b, t, h in _PUBLISHED
    ),
    _case("delta_rule", "bfloat16", B=2, L=16384, H=16, K=128, V=128),
    _case("causal_conv1d", "bfloat16", B=8, L=2048, D=4096, W=4),
    _case("causal_conv1d", B=8, L=2048, D=4096, W=4),
    _case("causal_conv1d", "bfloat16", B=1, L=2**21, D=64, W=4),
    _case("hidden_state_mixer", "bfloat16", B=256, L=1024, D=192, N=25, E=192),
    _case("scatter_add", R=2**20, P=128, S=2**16),
)

_LARGE: Mapping[Device, tuple[Case, ...]] = {"numpy": _NUMPY, "cpu": _CPU, "cuda": _CUDA}
