"""The program of a worker process: python -m server.runs.worker --wire FD [--memory-mib N].

It loads every mechanism once, then computes one run at a time and sends its frames. It ends when the server does.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import queue
import resource
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from mem_core.engine import Engine, EngineError, Precision, available, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Frame, RunError
from server.runs.frame_bytes import write_frame
from server.runs.limits import MIB
from server.runs.messages import Ended, Failed, Ready, Shown, Stop, Task, Wire, WireClosedError

POLITENESS = 5
"""Added to the niceness: pages that are open come before runs."""
OUT_OF_MEMORY_SCORE = "500"
"""If the machine runs out of memory, the kernel is to end a worker and not the server."""
NO_MEMORY_WORDS = ("can't allocate memory", "not enough memory")
"""How PyTorch says on a CPU that memory ran out: by a RuntimeError with these words."""

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute runs until the server is gone."""
    parser = argparse.ArgumentParser(prog="worker")
    parser.add_argument("--wire", type=int, required=True, help="number of an open socket")
    parser.add_argument("--memory-mib", type=int, default=0, help="what a run may take; 0 for no limit")
    options = parser.parse_args(arguments)
    _be_modest()
    _load()
    wire = Wire(socket.socket(fileno=options.wire))
    with contextlib.suppress(WireClosedError):
        Worker(wire, options.memory_mib * MIB).serve()
    return 0


class Worker:
    """Computes the tasks that come over a wire, one after the other."""

    def __init__(self, wire: Wire, memory: int) -> None:
        self._wire, self._memory = wire, memory
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._stopped = -1  # number of the newest task that is to stop

    def serve(self) -> None:
        """Compute for ever.

        Raises:
            WireClosedError: when the server is gone.
        """
        threading.Thread(target=self._listen, daemon=True).start()
        self._wire.send(Ready())
        while True:
            task = self._tasks.get()
            self._wire.send(self._outcome(task))
            gc.collect()  # what the run held must not count against the next

    def _listen(self) -> None:
        try:
            while True:
                message = self._wire.receive()
                if isinstance(message, Task):
                    self._tasks.put(message)
                elif isinstance(message, Stop):
                    self._stopped = message.number
        except WireClosedError:
            os._exit(0)  # the main thread may be deep in a run that nobody will read

    def _outcome(self, task: Task) -> Ended | Failed:
        try:
            if self._memory:
                _limit_memory(self._memory)
            return self._compute(task)
        except RunError as error:
            return Failed("run", str(error))
        except MemoryError:
            return Failed("memory", "MemoryError")
        except WireClosedError:
            raise
        except Exception as error:
            out_of_memory = isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY_WORDS)
            return Failed("memory" if out_of_memory else "program", type(error).__name__, traceback.format_exc())

    def _compute(self, task: Task) -> Ended:
        with contextlib.closing(_Frames(task)) as frames:
            for frame in frames:
                self._wire.send(Shown(write_frame(frame)))
                if self._stopped == task.number:
                    return Ended(stopped=True)
        return Ended()


class _Frames:
    """The frames of a task; closing them ends the run at once."""

    def __init__(self, task: Task) -> None:
        mechanism = catalog.load(task.slug)
        settings = mechanism.presets["browser"].parsed(task.settings)
        engine: Engine = select(task.engine, cast(Precision, task.precision))
        self._frames = mechanism.run(settings, engine, task.seed)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()


def _be_modest() -> None:
    os.nice(POLITENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text(OUT_OF_MEMORY_SCORE)


def _load() -> None:
    """Import what runs need; a mechanism that cannot be imported must not keep the others from running."""
    for name in available():
        with contextlib.suppress(EngineError):
            select(name)
    for slug in catalog.slugs():
        try:
            catalog.load(slug)
        except Exception:
            _log.exception("The mechanism %s cannot be loaded.", slug)
    gc.collect()
    gc.freeze()  # what is loaded stays: later collections need not look at it


def _limit_memory(bytes_: int) -> None:
    """Let this process's data grow by so much from now on; beyond it, allocations fail with MemoryError.

    RLIMIT_DATA and not RLIMIT_AS: libraries reserve much more address space than they use.
    """
    with contextlib.suppress(OSError):  # Linux only; elsewhere the server watches alone
        pages = int(Path("/proc/self/statm").read_text().split()[5])
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize() + bytes_, hard))


if __name__ == "__main__":
    sys.exit(main())
