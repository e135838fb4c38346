"""Training all runs side by side, task after task, with an annealed copy for every checkpoint.

Axes: R runs (and copies while they are annealed), I of them under the infinite schedule and first, K tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mem_core.engine import Array, Engine, map_tree
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.learning.infinite_lr.plans import Plan
from mem_core.mechanisms.learning.infinite_lr.problems import Problem
from mem_core.mechanisms.learning.infinite_lr.settings import AUTHORS, COSINE, INFINITE, TASKS, InfiniteSettings
from mem_core.training.optimizers import AdamState, Tree
from mem_core.training.schedules import Rates

MAIN, COPY = "main", "copy"
LARGEST_LOSS = 20.0
"""Times the loss on any task before training; above it a run counts as diverged."""


class Measured(NamedTuple):
    """Loss on every task after a step, of the main branch or of a copy that began in `task`."""

    schedule: str
    part: str
    task: int
    step: int
    losses: Sequence[float]


@dataclass(eq=False)
class History:
    """What was measured so far, in order of steps.

    Attributes:
        measured: of the settings' own run under each schedule.
        checkpoints: for each task learned so far the losses of all runs on all tasks, NumPy of shape (R, K).
    """

    measured: list[Measured] = field(default_factory=list)
    checkpoints: list[Any] = field(default_factory=list)

    def losses(self, schedule: str, part: str) -> list[Measured]:
        """Return what was measured of one branch."""
        return [item for item in self.measured if (item.schedule, item.part) == (schedule, part)]


def train(
    engine: Engine,
    problem: Problem,
    settings: InfiniteSettings,
    plans: Sequence[Plan],
    log_steps: Collection[int],
    frame_steps: Collection[int],
) -> Iterator[tuple[int, History]]:
    """Train all plans on the same batches and measure them.

    Args:
        engine: where to train.
        problem: the tasks, the model and its optimizer.
        settings: lengths of the phases, and what the main branch does while a copy is annealed.
        plans: those with annealed copies first.
        log_steps: steps after which to measure, beside the ends of the phases.
        frame_steps: steps after which to hand out the history so far; the end of the last task is always one.

    Raises:
        RunError: if a loss is no longer a finite number, or much larger than at the start.
    """
    runs = _Runs(engine, problem, plans)
    steps, branching = settings.steps, settings.steps - settings.anneal_steps
    for task in range(TASKS):
        batches = problem.batches(task)
        for local in range(steps):
            if local == branching:
                runs.branch_off(task, waiting=settings.branch == AUTHORS)
            done = task * steps + local + 1
            runs.step(next(batches), done - 1, local - branching)
            if done in log_steps or local + 1 in (branching, steps):
                runs.measure(done, task)
            if local + 1 == steps:
                runs.finish_task(done)
            if done in frame_steps or done == TASKS * steps:
                yield done, runs.history


class _Runs:
    """All runs and, while they are annealed, their copies: weights and optimizer state on one leading axis."""

    def __init__(self, engine: Engine, problem: Problem, plans: Sequence[Plan]) -> None:
        self.history = History()
        self._engine, self._problem = engine, problem
        self._count, self._infinite = len(plans), sum(plan.annealing is not None for plan in plans)
        self._rates = _side_by_side(engine, [plan.rates for plan in plans])
        self._annealing = _side_by_side(engine, [plan.annealing for plan in plans if plan.annealing is not None])
        self._params: Tree = problem.start(self._count)
        self._state: AdamState = problem.optimizer.init(self._params)
        self._waiting: Tree = None
        self._branched = False
        self._largest = float("inf")
        self._losses = self._measured_losses(0)
        self._largest = LARGEST_LOSS * float(self._losses.max())
        self._record(0, 0)

    def step(self, batch: Any, step: int, annealed: int) -> None:
        """Update all runs; `annealed` counts the steps since copies branched off."""
        rates = self._rates[step]
        if self._branched and self._waiting is None:
            rates = self._joined(rates, self._annealing[annealed])
        elif self._branched:
            rates = self._joined(self._annealing[annealed], rates[self._infinite :])
        gradient = self._problem.gradient(self._params, batch)
        self._params, self._state = self._problem.optimizer.update(self._params, gradient, self._state, rates)

    def branch_off(self, task: int, *, waiting: bool) -> None:
        """Copy every run under the infinite schedule; where the main branch is `waiting`, the copy takes its place."""
        self._branched = True
        fork = self.history.losses(INFINITE, MAIN)[-1]
        self.history.measured.append(fork._replace(part=COPY, task=task))
        if waiting:
            self._waiting = map_tree(lambda leaf: leaf[: self._infinite], self._params)
        else:
            self._transform(lambda leaf: self._joined(leaf, leaf[: self._infinite]))

    def measure(self, step: int, task: int) -> None:
        """Measure every run and write down those that are drawn."""
        self._losses = self._measured_losses(step)
        self._record(step, task)

    def finish_task(self, step: int) -> None:
        """Write down the checkpoints of a task and go on from the main branches."""
        infinite, count = self._infinite, self._count
        if self._waiting is None:
            self.history.checkpoints.append([*self._losses[count:], *self._losses[infinite:count]])
            self._transform(lambda leaf: leaf[:count])
        else:
            self.history.checkpoints.append([*self._losses])
            waited = self.history.losses(INFINITE, MAIN)[-1]
            self.history.measured.append(waited._replace(step=step))
            # The weights go back to where the copies left; Adam's running means stay as the copies left them.
            self._params = map_tree(
                lambda saved, leaf: self._joined(saved, leaf[infinite:]), self._waiting, self._params
            )
        self._waiting, self._branched = None, False

    def _record(self, step: int, task: int) -> None:
        rows = {(COSINE, MAIN): self._infinite}
        if self._branched:
            rows[INFINITE, COPY] = self._count if self._waiting is None else 0
        if self._waiting is None:
            rows[INFINITE, MAIN] = 0
        for (schedule, part), row in rows.items():
            self.history.measured.append(Measured(schedule, part, task, step, self._losses[row].tolist()))

    def _measured_losses(self, step: int) -> Any:
        losses = self._engine.to_numpy(self._problem.losses(self._params))
        if not float(losses.max()) <= self._largest:  # false for NaN too
            raise RunError(f"Training diverged by step {step}: lower peak_rate, or raise warmup or batch_size.")
        return losses

    def _transform(self, change: Callable[[Array], Array]) -> None:
        """Change the leading axis of the weights and of Adam's running means alike."""
        state = self._state
        self._params = map_tree(change, self._params)
        self._state = AdamState(state.step, map_tree(change, state.mean), map_tree(change, state.mean_square))

    def _joined(self, first: Array, second: Array) -> Array:
        return self._engine.xp.concat([first, second], axis=0)


def _side_by_side(engine: Engine, rates: Sequence[Rates]) -> Array:
    """Stack the rates of several runs so that one step's multiply weights of shape (R, ., .)."""
    moved = engine.xp.stack([engine.asarray(of_run) for of_run in rates], axis=1)
    return moved[:, :, None, None]
