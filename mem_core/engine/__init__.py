"""Arrays, gradients and randomness on three engines: NumPy, PyTorch on the CPU, PyTorch with Triton on a GPU."""

from mem_core.engine.base import Array, Engine, EngineError, Kind, Precision
from mem_core.engine.randomness import philox
from mem_core.engine.selection import ENVIRONMENT_VARIABLE, available, best_available, select
from mem_core.engine.trees import leaves, map_tree

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "Array",
    "Engine",
    "EngineError",
    "Kind",
    "Precision",
    "available",
    "best_available",
    "leaves",
    "map_tree",
    "philox",
    "select",
]
