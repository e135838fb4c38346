"""One measurement: what a contestant took for a case, and how near that is to what the machine allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from mem_core.kernels.benchmark.cases import Case
from mem_core.kernels.benchmark.ceilings import Ceilings
from mem_core.kernels.benchmark.contestants import INDEXING, OURS, PLAIN, Contestant, contestants
from mem_core.kernels.benchmark.inputs import INPUTS
from mem_core.kernels.benchmark.place import Place
from mem_core.kernels.benchmark.timing import Timing
from mem_core.kernels.benchmark.work import fewest_bytes, size, work

Direction = Literal["forward", "forward and backward"]
DIRECTIONS: tuple[Direction, ...] = ("forward", "forward and backward")


@dataclass(frozen=True)
class Row:
    """One line of the results; a number that does not apply, or could not be had, is None.

    Attributes:
        kernel: the public function.
        sizes: of the case, in letters.
        dtype: type of the numbers.
        direction: forward, or forward and backward.
        who: the contestant.
        seconds: of one run.
        how: which of the runs that is, and of how many steps if not of all; the seconds are for all.
        runs: how many there were.
        gigabytes_per_second: the fewest bytes there are to move, over the seconds.
        gigaflops_per_second: the operations there are to do, over the seconds.
        ceiling: which of the machine's ceilings is nearest.
        share: how much of it is reached, 1 for all.
        memory: what is held at most, over inputs, outputs and gradients.
        difference: of the outputs, ‖theirs − ours‖ / ‖ours‖.
        problem: what went wrong, if anything.
    """

    kernel: str
    sizes: str
    dtype: str
    direction: Direction
    who: str
    seconds: float | None = None
    how: str = ""
    runs: int = 0
    gigabytes_per_second: float | None = None
    gigaflops_per_second: float | None = None
    ceiling: str = ""
    share: float | None = None
    memory: float | None = None
    difference: float | None = None
    problem: str = ""

    @property
    def task(self) -> tuple[str, ...]:
        """What was done, whoever did it."""
        return (self.kernel, self.sizes, self.dtype, self.direction)

    def as_plain(self) -> dict[str, Any]:
        """Return the row as plain values for JSON."""
        return asdict(self)


def rows(case: Case, place: Place, ceilings: Ceilings) -> Iterator[Row]:
    """Measure every contestant of a case, forward and then forward and backward."""
    contest = _Contest(case, place, ceilings)
    for contestant in contestants(case, contest.arrays, place.device):
        for direction in DIRECTIONS[: 1 + contestant.differentiable]:
            named = Row(case.kernel, case.label, case.dtype, direction, contestant.who)
            try:
                yield contest.measured(named, contestant)
            except Exception as error:  # whatever a library raises, the others still have their turn
                yield replace(named, problem=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")


class _Contest:
    """A case, its arguments, and the output that all outputs are compared with: ours, or the first there is."""

    def __init__(self, case: Case, place: Place, ceilings: Ceilings) -> None:
        self._case, self._place, self._ceilings = case, place, ceilings
        self.arrays = place.draw(case)
        self._standard: Any = None
        self._output: tuple[str, Any] = ("", None)  # the last one, and whose it is

    def measured(self, row: Row, contestant: Contestant) -> Row:
        """Fill in a row."""
        forward = self._place.forward(contestant.call, contestant.arrays)
        if self._output[0] != contestant.who:
            self._output = (contestant.who, forward())
        output = self._output[1]
        if self._standard is None:
            self._standard = contestant.as_ours(output)
        if row.direction == "forward":
            row = self._with_time(row, contestant, self._place.time(forward))
            return row if row.who == OURS else replace(row, difference=self._difference(contestant, output))
        both = self._place.with_gradient(contestant.call, contestant.arrays, output)
        row = self._with_time(row, contestant, self._place.time(both))
        # To note all that a loop takes and gives back takes longer than the loop.
        return row if row.who in (PLAIN, INDEXING) else replace(row, memory=self._memory(self._place.peak(both)))

    def _with_time(self, row: Row, contestant: Contestant, timing: Timing) -> Row:
        case, with_gradient = self._case, row.direction != "forward"
        seconds, how = timing.seconds, timing.how
        if contestant.steps:
            seconds *= case.sizes["length"] / contestant.steps
            how += f", of {contestant.steps} steps"
        done = work(case.kernel, case.sizes, with_gradient)
        moved = fewest_bytes(case.kernel, self.arrays, self._standard, with_gradient)
        ceiling, floor = self._ceilings.nearest(moved, done, case.dtype)
        return replace(
            row,
            seconds=seconds,
            how=how,
            runs=timing.runs,
            gigabytes_per_second=moved / seconds / 1e9,
            gigaflops_per_second=done.operations / seconds / 1e9,
            ceiling=ceiling,
            share=floor / seconds,
        )

    def _difference(self, contestant: Contestant, output: Any) -> float:
        ours, theirs = (self._place.to_numpy(array) for array in (self._standard, contestant.as_ours(output)))
        if contestant.steps:
            inputs = INPUTS[self._case.kernel].values()
            ours = ours.take(range(contestant.steps), axis=next(iter(inputs)).axes.index("length"))
        return float(np.linalg.norm(theirs - ours) / np.linalg.norm(ours))

    def _memory(self, peak: int | None) -> float | None:
        if peak is None:
            return None
        given = sum(size(array) for array in self.arrays.values())
        gradients = sum(size(self.arrays[name]) for name in INPUTS[self._case.kernel])
        output = size(self._standard)
        # The output's gradient is there before the passes begin, as the inputs are.
        return (given + output + peak) / (given + 2 * output + gradients)
