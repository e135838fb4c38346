"""Training all lanes side by side, and the exact loss of each on the way.

Axes: C contexts, R lanes that are running, V tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from typing import Any, NamedTuple

from mem_core.data.bigram import Bigram
from mem_core.engine import Array, Engine
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.learning.river_valley.lanes import Lane
from mem_core.nn.bigram_table import count_batches, descend, excess_loss


class Measured(NamedTuple):
    """Exact population loss after a step, above the entropy of the language, in nats."""

    step: int
    river: float
    hill: float

    @property
    def loss(self) -> float:
        """River and hill together; the split is exact because contexts share no weights."""
        return self.river + self.hill


@dataclass(eq=False)
class History:
    """What was measured so far.

    Attributes:
        measured: losses of each lane, by step; a branch begins with the losses of its parent where it left.
        kept: tables of logits of shape (C, V) that were asked for, by lane and step.
    """

    measured: defaultdict[Lane, list[Measured]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[tuple[Lane, int], Array] = field(default_factory=dict)

    def at(self, lane: Lane, step: int) -> Measured | None:
        """Return the losses of a lane after a step, if it got there."""
        return next((item for item in reversed(self.measured[lane]) if item.step == step), None)


class Losses:
    """The exact loss of tables of logits, split into river (facts) and hill (open contexts)."""

    def __init__(self, engine: Engine, language: Bigram) -> None:
        self._engine = engine
        self._next_token = engine.asarray(language.next_token)
        self._entropy = engine.asarray(language.entropy)
        frequency = language.context_probability
        self._weights = engine.asarray([frequency * language.certain, frequency * ~language.certain])  # (2, C)

    def parts(self, table: Array) -> Any:
        """Return river and hill loss of tables of shape (C, R, V) as NumPy, shape (2, R)."""
        excess = excess_loss(self._engine, table, self._next_token, self._entropy)
        return self._engine.to_numpy(self._weights @ excess)


def train(
    engine: Engine,
    language: Bigram,
    lanes: Sequence[Lane],
    generator: Any,
    *,
    batch_size: int,
    log_steps: Collection[int],
    frame_steps: Sequence[int],
    keep: Collection[tuple[Lane, int]] = (),
) -> Iterator[tuple[int, History]]:
    """Train all lanes on the same batches and measure them.

    Args:
        engine: where to train.
        language: what to learn.
        lanes: parents before their branches.
        generator: draws the batches.
        batch_size: examples a step.
        log_steps: steps after which all running lanes are measured, beside those at which a lane starts or stops.
        frame_steps: steps after which to hand out the history so far, ascending, the last one the end.
        keep: lanes and steps whose tables to keep.

    Raises:
        RunError: if a loss is no longer a finite number.
    """
    losses = Losses(engine, language)
    rates = {lane: engine.asarray(lane.rates) for lane in lanes}
    turns = {*log_steps, *frame_steps, *(step for lane in lanes for step in (lane.start, lane.stop))}
    turns |= {step for _, step in keep}
    history = History()
    running = [lane for lane in lanes if lane.start == 0]
    contexts, vocabulary = language.next_token.shape
    table = engine.xp.zeros((contexts, len(running), vocabulary))
    _measure(history, losses, running, table, 0)
    for first, last in pairwise([0, *frame_steps]):
        batches = count_batches(engine, *language.draw(generator, last - first, batch_size), vocabulary)
        for start, stop in pairwise(sorted({first, last, *(step for step in turns if first < step < last)})):
            of_each = [rates[lane][start - lane.start : stop - lane.start] for lane in running]
            steps = batches[start - first : stop - first]
            table = descend(engine, table, steps, engine.xp.stack(of_each, axis=1), batch_size)
            _measure(history, losses, running, table, stop)
            history.kept |= {(lane, stop): table[:, running.index(lane)] for lane, at in keep if at == stop}
            running, table = _turn(engine, history, lanes, running, table, stop)
        yield last, history


def _measure(history: History, losses: Losses, running: Sequence[Lane], table: Array, step: int) -> None:
    river, hill = losses.parts(table).tolist()
    for lane, *parts in zip(running, river, hill, strict=True):
        if not all(map(isfinite, parts)):
            raise RunError(f"Training diverged by step {step}: lower peak_rate or raise batch_size.")
        history.measured[lane].append(Measured(step, *parts))


def _turn(
    engine: Engine, history: History, lanes: Sequence[Lane], running: list[Lane], table: Array, step: int
) -> tuple[list[Lane], Array]:
    """Drop the lanes that end after `step` and copy the weights of those that branch off."""
    following = [lane for lane in lanes if lane.start <= step < lane.stop]
    if following == running or not following:
        return following, table
    sources = []
    for lane in following:
        source = lane if lane in running else lane.parent
        assert source is not None, "a lane that starts late needs a parent"
        sources.append(running.index(source))
        if source is not lane:
            history.measured[lane].append(history.measured[source][-1])
    return following, engine.xp.take(table, engine.asarray(sources), axis=1)
