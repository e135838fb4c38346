"""One thread for each run.

The arrays here are small. Splitting them among threads gains nothing on a quiet machine, and where other work keeps a
core busy, threads that wait for one another were measured to make a run of 0.1 seconds take 9. A server with many
learners has better use for its cores.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from functools import cache

CHOSEN_BY_USER = "OMP_NUM_THREADS"
"""If this environment variable is set, its owner has decided, and nothing is changed."""


def use_one_thread() -> None:
    """Keep NumPy's linear algebra, and PyTorch if it is loaded, to one thread in this process."""
    if CHOSEN_BY_USER not in os.environ:
        _limit("torch" in sys.modules)


@cache
def _limit(with_torch: bool) -> None:
    if importlib.util.find_spec("threadpoolctl") is not None:  # a browser has neither it nor threads
        import threadpoolctl

        threadpoolctl.threadpool_limits(1)
    if with_torch:
        sys.modules["torch"].set_num_threads(1)
