"""Whether the Triton kernels can take a tensor here, and if not, why: nothing slower ever runs in silence."""

from __future__ import annotations

import importlib.util
import logging
import sys
from typing import Any

# Tests add "cpu" when Triton's interpreter stands in for a GPU.
DEVICES: tuple[str, ...] = ("cuda",)
DTYPES = ("float16", "bfloat16", "float32")
_OLDEST_GPU = (8, 0)  # Ampere, the first generation that Triton 3 supports

_log = logging.getLogger("mem_core.kernels")
_logged: set[tuple[str, str]] = set()


def missing() -> str:
    """Say why no Triton kernel can run here, whatever the tensor; empty if one can."""
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed (pip install 'memory-lab[triton]', Linux only)"
    torch = sys.modules.get("torch")
    if "cpu" not in DEVICES and not (torch is not None and torch.cuda.is_available()):
        return "PyTorch sees no GPU"
    return ""


def obstacle(tensor: Any) -> str:
    """Say why the Triton kernels cannot take this tensor on a GPU; empty if they can."""
    if str(tensor.dtype).removeprefix("torch.") not in DTYPES:
        return f"Triton kernels take {', '.join(DTYPES)}, and this is {str(tensor.dtype).removeprefix('torch.')}"
    if tensor.device.type == "cuda":
        properties = sys.modules["torch"].cuda.get_device_properties(tensor.device)
        if (properties.major, properties.minor) < _OLDEST_GPU:
            found = f"{properties.major}.{properties.minor}"
            return f"Triton needs a GPU of compute capability 8.0 or more, and this one has {found}"
    return missing()


def log_once(kernel: str, reason: str) -> None:
    """Say once for every kernel and reason that PyTorch does what Triton should have done."""
    if (kernel, reason) not in _logged:
        _logged.add((kernel, reason))
        _log.warning("%s runs in PyTorch on the GPU, slower than in Triton: %s.", kernel, reason)
