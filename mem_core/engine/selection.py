"""The one door through which engines are chosen and loaded."""

from __future__ import annotations

import importlib.util
import os

from mem_core.engine.base import Engine, EngineError, Precision
from mem_core.engine.numpy_engine import NumpyEngine
from mem_core.engine.threads import use_one_thread

NAMES = ("auto", "numpy", "torch", "cuda")
ENVIRONMENT_VARIABLE = "MEM_CORE_ENGINE"


def select(name: str = "auto", precision: Precision = "float32") -> Engine:
    """Return an engine by name.

    `auto` takes `cuda` if a GPU and Triton work, else `torch`, else `numpy`; the environment variable
    MEM_CORE_ENGINE overrides it.

    Args:
        name: `auto`, `numpy`, `torch` or `cuda`.
        precision: the floating type, `float32` or `float64`.

    Raises:
        EngineError: if the name is unknown, or the engine's packages or device are missing.

    >>> select("numpy").kind
    'numpy'
    """
    if name == "auto":
        name = os.environ.get(ENVIRONMENT_VARIABLE, "auto")
    if name not in NAMES:
        raise EngineError(f"There is no engine called {name!r}; the engines are {', '.join(NAMES)}.")
    if name == "auto":
        name = best_available()
    if name == "numpy":
        use_one_thread()
        return NumpyEngine(precision)
    problem = _missing(name)
    if problem:
        raise EngineError(problem)
    from mem_core.engine.torch_engine import TorchEngine

    use_one_thread()
    return TorchEngine("cuda" if name == "cuda" else "cpu", precision)


def available() -> tuple[str, ...]:
    """Name the engines that work here, slowest first."""
    return tuple(name for name in ("numpy", "torch", "cuda") if not _missing(name))


def best_available() -> str:
    """Name the fastest engine that works here."""
    return available()[-1]


def _missing(name: str) -> str:
    """Say what keeps an engine from working here; empty if nothing does."""
    if name == "numpy":
        return ""
    absent = [package for package in ("torch", "array_api_compat") if importlib.util.find_spec(package) is None]
    if absent:
        return f"The {name} engine needs PyTorch; install it with: pip install 'memory-lab[torch]'."
    if name == "torch":
        return ""
    if importlib.util.find_spec("triton") is None:
        return "The cuda engine needs Triton; install it with: pip install 'memory-lab[triton]' (Linux only)."
    import torch

    return "" if torch.cuda.is_available() else "The cuda engine needs an NVIDIA GPU, and PyTorch sees none here."
