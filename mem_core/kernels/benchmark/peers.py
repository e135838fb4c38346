"""Other libraries, each behind a look whether it is here.

An adapter takes the arguments of this project's function and returns the same work for the library. Where a library
wants another order of axes, or something already computed that our function computes itself, it gets it ready made,
before the clock starts.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.benchmark.cases import Device


def _same(output: Array) -> Array:
    return output


@dataclass(frozen=True)
class Adapted:
    """A case as a library takes it: arrays by name, and how its output gets the axes of ours."""

    call: Callable[..., Array]
    arrays: Mapping[str, Array]
    as_ours: Callable[[Array], Array] = _same


@dataclass(frozen=True)
class Peer:
    """A library.

    Attributes:
        name: as it is known.
        distribution: as `pip install` takes it.
        module: imported to see whether it works.
        devices: what it runs on.
        adapters: by the names of our kernels.
    """

    name: str
    distribution: str
    module: str
    devices: tuple[Device, ...]
    adapters: Mapping[str, Callable[..., Adapted]]

    def obstacle(self, device: Device) -> str:
        """Say why it cannot take part on a device; empty if it can."""
        if importlib.util.find_spec(self.module.split(".")[0]) is None:
            return f"not installed: pip install {self.distribution}"
        if device not in self.devices:
            return f"left out: made for {' and '.join(self.devices)}"
        return _why_not(self.module)

    def version(self) -> str:
        """Return the version that is installed."""
        return importlib.metadata.version(self.distribution)


@cache
def _why_not(module: str) -> str:
    """Say what keeps a module from being imported; empty if nothing does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(module)
    except Exception as error:  # a library built for another PyTorch raises whatever it likes
        return f"not importable: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return ""


def _function(module: str, name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _first_of(module: str, name: str, **options: Any) -> Callable[..., Array]:
    """Return a function of a library without the state that it returns beside the output."""
    function = _function(module, name)
    return lambda **arrays: function(**arrays, **options)[0]


def _turned(array: Array) -> Array:
    return array.transpose(1, 2).contiguous()


def _turned_back(output: Array) -> Array:
    return output.transpose(1, 2)


def _fla_linear_scan(a: Array, b: Array) -> Adapted:
    return Adapted(_first_of("fla.ops.hgrn", "chunk_hgrn"), {"x": b, "g": a.log()})


def _fla_ssd_scan(x: Array, dt: Array, A: Array, B: Array, C: Array) -> Adapted:
    each = x.shape[2] // B.shape[2]
    q, k = (vectors.repeat_interleave(each, dim=2) for vectors in (C, B))
    ready = {"q": q, "k": k, "v": (dt[..., None] * x).to(x.dtype), "g": dt * A}
    return Adapted(_first_of("fla.ops.simple_gla", "chunk_simple_gla", scale=1.0), ready)


def _fla(module: str, name: str) -> Callable[..., Adapted]:
    return lambda **arrays: Adapted(_first_of(module, name), arrays)


def _fla_causal_conv1d(x: Array, weight: Array, bias: Array) -> Adapted:
    call = _first_of("fla.modules.causal_conv1d", "causal_conv1d", activation="silu")
    return Adapted(call, {"x": _turned(x), "weight": weight, "bias": bias}, _turned_back)


def _mamba_selective_scan(**arrays: Array) -> Adapted:
    scan = _function("mamba_ssm.ops.selective_scan_interface", "selective_scan_fn")
    return Adapted(lambda **given: scan(**given, delta_softplus=True), arrays)


def _mamba_ssd_scan(**arrays: Array) -> Adapted:
    scan = _function("mamba_ssm.ops.triton.ssd_combined", "mamba_chunk_scan_combined")
    return Adapted(lambda **given: scan(**given, chunk_size=256), arrays)


def _dao_causal_conv1d(**arrays: Array) -> Adapted:
    convolve = _function("causal_conv1d", "causal_conv1d_fn")
    return Adapted(lambda **given: convolve(**given, activation="silu"), arrays)


def _mambapy_linear_scan(a: Array, b: Array) -> Adapted:
    scan = _function("mambapy.pscan", "pscan")
    return Adapted(lambda a, b: scan(a, b), {"a": a[..., None], "b": b[..., None]}, lambda h: h[..., 0])


def _mambapy_selective_scan(
    u: Array, delta: Array, A: Array, B: Array, C: Array, D: Array, z: Array, delta_bias: Array
) -> Adapted:
    from torch.nn import functional

    scan = _function("mambapy.mamba", "MambaBlock").selective_scan  # type: ignore[attr-defined]

    def block(x: Array, delta: Array, A: Array, B: Array, C: Array, D: Array, z: Array, bias: Array) -> Array:
        # As in `MambaBlock.ssm`; the scan, a method, makes no use of its block.
        return scan(None, x, functional.softplus(delta + bias), A, B, C, D) * functional.silu(z)

    turned = {"x": u, "delta": delta, "B": B, "C": C, "z": z}
    arrays = {name: _turned(array) for name, array in turned.items()}
    return Adapted(block, {**arrays, "A": A, "D": D, "bias": delta_bias}, _turned_back)


PEERS = (
    Peer(
        "flash-linear-attention",
        "fla-core",
        "fla.ops",
        ("cuda",),
        {
            "linear_scan": _fla_linear_scan,
            "ssd_scan": _fla_ssd_scan,
            "gated_linear_attention": _fla("fla.ops.gla", "chunk_gla"),
            "delta_rule": _fla("fla.ops.delta_rule", "chunk_delta_rule"),
            "gated_delta_rule": _fla("fla.ops.gated_delta_rule", "chunk_gated_delta_rule"),
            "causal_conv1d": _fla_causal_conv1d,
        },
    ),
    Peer(
        "mamba-ssm",
        "mamba-ssm",
        "mamba_ssm.ops.selective_scan_interface",
        ("cuda",),
        {"selective_scan": _mamba_selective_scan, "ssd_scan": _mamba_ssd_scan},
    ),
    Peer("causal-conv1d", "causal-conv1d", "causal_conv1d", ("cuda",), {"causal_conv1d": _dao_causal_conv1d}),
    Peer(
        "mambapy",
        "mambapy",
        "mambapy.mamba",
        ("cpu",),
        {"linear_scan": _mambapy_linear_scan, "selective_scan": _mambapy_selective_scan},
    ),
)
