"""The workers, their queues, and the runs that are waiting or computed: one for each content, however many read it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from mem_core.lab.runner import Request
from mem_core.mechanisms.contract import Frame
from server.runs.attempt import NoResultError, closing
from server.runs.events import Happening, Listener, Reason, RunEvent, Where
from server.runs.expected_seconds import ExpectedSeconds
from server.runs.lane import Lane, LaneClosedError, Place, QueueFullError
from server.runs.limits import RunLimits
from server.runs.result_cache import ResultCache
from server.runs.shared_run import SharedRun
from server.runs.supervisor import Supervisor
from server.runs.worker_process import WorkerProcess

GPU_PROBLEMS = ("crash", "memory", "program")
GPU_NOTICE = "The GPU failed, so this run is made on the CPU."
NO_GPU_NOTICE = "There is no GPU for runs here, so this one is made on the CPU."
ATTEMPTS_ON_CPU, ATTEMPTS_ON_GPU = 2, 1
"""How often a run is begun if its worker crashes; what crashed on the GPU goes to the CPU."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Workers:
    """How many processes there are, and the command that starts one.

    Raises:
        ValueError: if there is to be none on the CPU.
    """

    cpu: int
    gpu: int
    program: Sequence[str]

    def __post_init__(self) -> None:
        if self.cpu < 1 or self.gpu < 0:
            raise ValueError(f"Runs need at least one worker on the CPU, got {self.cpu}, and {self.gpu} on the GPU.")


class Pool:
    """Computes runs on workers.

    Args:
        workers: how many, and how they are started.
        limits: on runs, learners and queues.
        cache: where results go.
        expected: how long runs take.
        listener: told what happens; it must not raise.
    """

    def __init__(
        self, workers: Workers, limits: RunLimits, cache: ResultCache, expected: ExpectedSeconds, listener: Listener
    ) -> None:
        self._workers, self._limits = workers, limits
        self._cache, self._expected, self._listener = cache, expected, listener
        self._lock = threading.Lock()  # taken before a lane's or a run's own
        self._runs: dict[str, SharedRun] = {}
        self._cpu = Lane(workers.cpu, limits, expected)
        self._gpu = Lane(workers.gpu, limits, expected)
        self._supervisors = [
            *[Supervisor(self._cpu, self._start_on_cpu, limits, self, ATTEMPTS_ON_CPU) for _ in range(workers.cpu)],
            *[Supervisor(self._gpu, self._start_on_gpu, limits, self, ATTEMPTS_ON_GPU) for _ in range(workers.gpu)],
        ]
        self._leaving: SimpleQueue[tuple[SharedRun, str] | None] = SimpleQueue()
        self._doorkeeper = threading.Thread(target=self._let_leave, name="readers that leave", daemon=True)
        self._doorkeeper.start()
        for supervisor in self._supervisors:
            supervisor.start()

    def join(self, request: Request, key: str) -> SharedRun | Frame:
        """Return the run of that key, begun now if nobody else has; or its result, if it has just come.

        Raises:
            QueueFullError: if it is not even queued.
        """
        with self._lock:
            run = self._runs.get(key)
            if run is not None:
                run.learners.append(request.learner)
                return run
            kept = self._cache.in_memory(key)
            if kept is not None:
                return kept
            run = SharedRun(request, key, self._limits.kept_frames_mib)
            if run.engine == "cuda" and not self._workers.gpu:
                run.engine, run.notice = "torch", NO_GPU_NOTICE
            try:
                self._lane(run).put(run)
            except (QueueFullError, LaneClosedError) as refusal:
                refused = refusal
            else:
                self._runs[key] = run
                return run
        self._tell("refused", run, refused.reason)
        raise refused

    def leave(self, run: SharedRun, learner: str) -> None:
        """Take a reader off a run, soon; when the last one leaves, it is cancelled.

        It takes no lock: a reader may leave by being collected as garbage, in a thread that is anywhere.
        """
        self._leaving.put((run, learner))

    def _let_leave(self) -> None:
        while (leaving := self._leaving.get()) is not None:
            self._left(*leaving)

    def _left(self, run: SharedRun, learner: str) -> None:
        with self._lock:
            if self._runs.get(run.key) is not run:
                return  # it is over
            if len(run.learners) > 1:
                self._lane(run).leave(run, learner)
                return
            run.abandoned = True
            del self._runs[run.key]
            waited = self._lane(run).withdraw(run)
        if waited:
            run.end()
            self._tell("cancelled", run)

    def place(self, key: str) -> Place | None:
        """Return where the run of that key waits, or None if it does not."""
        with self._lock:
            run = self._runs.get(key)
        return None if run is None else self._lane(run).place(run)

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return how many runs wait and how many are computed, on the CPU and the GPU."""
        return {"cpu": self._cpu.counts(), "gpu": self._gpu.counts()}

    def worker_pids(self) -> list[int]:
        """List the process ids of the workers there are."""
        return [pid for supervisor in self._supervisors if (pid := supervisor.pid) is not None]

    def close(self, seconds: float) -> None:
        """Take no more runs, give those under way so long to finish, and end the workers."""
        for lane in (self._cpu, self._gpu):
            for run in lane.close():
                self._over(run, closing())
        until = time.monotonic() + seconds
        while any(running for _, running in self.counts().values()) and time.monotonic() < until:
            time.sleep(0.02)
        for supervisor in self._supervisors:
            supervisor.close()
        for supervisor in self._supervisors:
            supervisor.join()
        self._leaving.put(None)
        self._doorkeeper.join()

    def started(self, run: SharedRun) -> None:
        """Note that computing begins."""
        self._tell("started", run)

    def retried(self, run: SharedRun) -> None:
        """Note that it begins again after a crash."""
        self._tell("retried", run, "crash")

    def finished(self, run: SharedRun, result: bytes) -> None:
        """Keep the result and let the readers know."""
        if not run.notice:  # else it is not quite what was asked for
            self._expected.measured(run.request, run.seconds)
            self._keep(run.key, result)
        self._lane(run).done(run)
        self._over(run)

    def gave_nothing(self, run: SharedRun, why: NoResultError) -> None:
        """Let the readers know, or make on the CPU what failed on the GPU."""
        if why.reason in ("cancelled", "time"):
            self._expected.measured(run.request, run.seconds, finished=False)
        self._lane(run).done(run)
        if run.engine == "cuda" and why.reason in GPU_PROBLEMS and not run.abandoned:
            try:
                self._move_to_cpu(run)
                return
            except LaneClosedError:
                why = closing()
        self._over(run, why)

    def _move_to_cpu(self, run: SharedRun) -> None:
        with self._lock:
            run.engine, run.notice = "torch", GPU_NOTICE
        self._tell("retried", run, "device")
        self._cpu.put_first(run)

    def _keep(self, key: str, result: bytes) -> None:
        try:
            self._cache.put(key, result)
        except Exception:  # the readers have it all the same
            _log.exception("A result could not be kept.")

    def _over(self, run: SharedRun, why: NoResultError | None = None) -> None:
        with self._lock:
            if self._runs.get(run.key) is run:
                del self._runs[run.key]
        if why is None:
            self._tell("finished", run)
        elif run.abandoned or why.reason == "cancelled":
            self._tell("cancelled", run)
        else:
            self._tell("failed", run, why.reason)
        run.end(why.sentence if why is not None else "")

    def _lane(self, run: SharedRun) -> Lane:
        return self._gpu if run.engine == "cuda" else self._cpu

    def _tell(self, happening: Happening, run: SharedRun, reason: Reason = "") -> None:
        where: Where = "gpu" if run.engine == "cuda" else "cpu"
        slug = run.request.slug
        self._listener(
            RunEvent(happening=happening, slug=slug, where=where, waited=run.waited, seconds=run.seconds, reason=reason)
        )

    def _start_on_cpu(self) -> WorkerProcess:
        return WorkerProcess(self._workers.program, self._limits.memory_mib)

    def _start_on_gpu(self) -> WorkerProcess:
        # No limit on data in a process with CUDA, which reserves much and uses little; its memory is still watched.
        return WorkerProcess(self._workers.program, 0, gpu=True)
