"""A worker process as the server holds it: started, spoken to, stopped or killed.

Plain `subprocess` instead of `multiprocessing`: a fresh interpreter with an environment of our choosing, one socket to
it and nothing else in common. `multiprocessing` would import the program's `__main__` again, which marimo replaces by
a notebook, and would unpickle what a worker sends.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from mem_core.nn.chat_model import VARIABLES as CHAT_VARIABLES
from server.runs.messages import Message, Ready, Wire

ROOT = Path(__file__).parent.parent.parent
PROGRAM = (sys.executable, "-m", "server.runs.worker")
PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", *CHAT_VARIABLES)
PASSED_ON_BEGINNINGS = ("LC_", "XDG_", "CUDA_", "NVIDIA_", "TRITON_")
"""The environment variables a worker gets: what mechanisms read. The server's own hold its secret and its database's
password."""
KILLED_SECONDS = 5.0
"""How long the end of a killed process is waited for; longer, and it is stuck in the kernel, at a device perhaps."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class WorkerProcess:
    """One process that computes runs.

    Args:
        program: the command that starts it.
        memory_mib: what one run may take; 0 for no limit set in the process.
        gpu: whether it may see the GPU, on which every process that does takes memory.

    Raises:
        OSError: if it cannot be started.
    """

    def __init__(self, program: Sequence[str] = PROGRAM, memory_mib: int = 0, gpu: bool = False) -> None:
        ours, theirs = socket.socketpair()
        self._wire = Wire(ours)
        with theirs:
            command = [*program, "--wire", str(theirs.fileno()), "--memory-mib", str(memory_mib)]
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env=environment(gpu),
                    start_new_session=True,  # Ctrl-C is for the server, which then ends its workers
                )
            except OSError:
                ours.close()
                raise
        self._seen = psutil.Process(self._process.pid)
        self._killed = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return not self._killed and self._process.poll() is None

    def wait_until_ready(self, seconds: float) -> bool:
        """Wait until everything is loaded there; say whether it came to that.

        Raises:
            WireClosedError: if it ended instead.
        """
        return isinstance(self._wire.receive(seconds), Ready)

    def send(self, message: Message) -> None:
        """Send it a message.

        Raises:
            WireClosedError: if it has ended.
        """
        self._wire.send(message)

    def receive(self, seconds: float) -> Message | None:
        """Return its next message, or None if none comes within that time.

        Raises:
            WireClosedError: if it has ended.
        """
        return self._wire.receive(seconds)

    def memory(self) -> int:
        """Return the bytes of memory it has in use, 0 if it has ended."""
        try:
            return int(self._seen.memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self) -> None:
        """End it, and whatever it started, at once."""
        self._killed = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(KILLED_SECONDS)
        self._wire.close()

    def how_it_ended(self) -> str:
        """Say in words how it ended, after its end was noticed."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(1.0)
            return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return "closed its connection"


def environment(gpu: bool) -> dict[str, str]:
    """Return the environment of a worker: one thread, no secrets, the server's modules, and perhaps a GPU."""
    kept = {
        name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith(PASSED_ON_BEGINNINGS)
    }
    ours = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | ({} if gpu else {"CUDA_VISIBLE_DEVICES": ""})
    return kept | dict.fromkeys(ONE_THREAD, "1") | ours
