"""`explain`: which version of every kernel runs here, and why."""

from __future__ import annotations

import importlib.metadata
import importlib.util

from mem_core.kernels import availability
from mem_core.kernels.dispatch import NAMED


def explain() -> str:
    """Say which version of every kernel runs on this machine for which arrays, and why; one line each.

    Source:
        What `Kernel` does when it is called (`mem_core/kernels/dispatch.py`).

    >>> print(explain().splitlines()[0])
    NumPy arrays run the NumPy versions, under autograd too, and CPU tensors the PyTorch versions; on a GPU:
    """
    return "\n".join(
        [
            "NumPy arrays run the NumPy versions, under autograd too, and CPU tensors the PyTorch versions; on a GPU:",
            *(f"{name}: {_on_gpu(NAMED[name].has_triton)}." for name in sorted(NAMED)),
        ]
    )


def _on_gpu(has_triton: bool) -> str:
    if importlib.util.find_spec("torch") is None:
        return "nothing, because PyTorch is not installed (pip install 'memory-lab[torch]')"
    if not has_triton:
        return "the PyTorch version, which is a single call of PyTorch already"
    reason = availability.missing()
    if reason:
        return f"the PyTorch version, because {reason}"
    version = importlib.metadata.version("triton")
    return f"Triton {version} for {', '.join(availability.DTYPES)}, the PyTorch version for float64"
