"""Tables of the small input: what goes in and comes out, each way round by round, and the whole matrix."""

from __future__ import annotations

from typing import NamedTuple

from mem_core.engine import Engine
from mem_core.mechanisms.state_space.scan_kernels.counting import Cost, cost_of, scan
from mem_core.mechanisms.state_space.scan_kernels.settings import TREE, WAYS, ScanSettings
from mem_core.mechanisms.state_space.scan_kernels.small_input import SmallInput
from mem_core.mechanisms.state_space.scan_kernels.three_ways import Scan, loop, states, whole_matrix
from mem_core.mechanisms.tables import Table

INPUT, DECAY, STATE = "input b", "decay a", "state h"
WHOLE_MATRIX = "whole matrix"
TOKEN = {"token": "position"}


class Cell(NamedTuple):
    """One token after one round, for a grid with a row for each round.

    Attributes:
        step: rounds done so far.
        token: from 1.
        share: part of all inputs up to this token that it already holds; 1 is finished.
        worked: whether it took something in in this round.
        holds: which inputs, and their value, in words.
    """

    step: int
    token: int
    share: float
    worked: bool
    holds: str


def tables_of(settings: ScanSettings, engine: Engine, small: SmallInput) -> dict[str, Table]:
    """Build every table of the small input."""
    return {
        **_in_and_out(engine, small),
        **{f"{way}_steps": _grid(way, settings, engine, small) for way in WAYS},
        **_matrix(settings, engine, small),
        "costs": _costs(settings, engine, small),
    }


def _in_and_out(engine: Engine, small: SmallInput) -> dict[str, Table]:
    columns = {INPUT: small.b, DECAY: small.a, STATE: states(loop(engine, small.a, small.b))}
    tokens = range(1, small.length + 1)
    return {
        name: Table.of(TOKEN, token=tokens, value=engine.to_numpy(values)[0, :, 0], what=[what] * small.length)
        for name, (what, values) in zip(("inputs", "decays", "states"), columns.items(), strict=True)
    }


def _grid(way: str, settings: ScanSettings, engine: Engine, small: SmallInput) -> Table:
    # On ones everywhere, what a token holds is how many inputs it has taken in: the same code counts them.
    ones = engine.xp.ones_like(small.b)
    covered = _held(engine, scan(way, settings, engine, ones, ones, _size(settings)), small.length)
    values = _held(engine, scan(way, settings, engine, small.a, small.b, _size(settings)), small.length)
    # In a tree every token holds its own input from the start; a loop and a chunk have yet to come to it.
    covered.insert(0, [1.0 if way == TREE else 0.0] * small.length)
    values.insert(0, engine.to_numpy(small.b)[0, :, 0].tolist())
    # Token by token, because a chart shows tokens and rounds in the order in which they come.
    cells = [
        Cell(
            step,
            token + 1,
            count / (token + 1),
            step > 0 and count > covered[step - 1][token],
            _words(token, count, values[step][token]),
        )
        for token in range(small.length)
        for step, count in enumerate(row[token] for row in covered)
        if count > 0
    ]
    return Table.of(TOKEN | {"step": "rounds"}, **{name: [getattr(c, name) for c in cells] for name in Cell._fields})


def _held(engine: Engine, rounds: Scan, length: int) -> list[list[float]]:
    """Copy what the tokens hold after every round."""
    return [engine.to_numpy(round_.held).reshape(-1)[:length].tolist() for round_ in rounds]


def _words(token: int, count: float, value: float) -> str:
    first, last = token + 2 - round(count), token + 1
    inputs = f"input {last}" if first == last else f"inputs {first}–{last}"
    return f"{inputs}: {value:.3g}"


def _matrix(settings: ScanSettings, engine: Engine, small: SmallInput) -> dict[str, Table]:
    """Return the matrix of the scan, and its first column: what is left of the first input."""
    *_, last = whole_matrix(engine, small.a, small.b)
    shares = engine.to_numpy(last.held)[0].tolist()
    size = _size(settings)
    cells = [(t, s) for t in range(small.length) for s in range(t + 1)]
    matrix = Table.of(
        TOKEN,
        token=[t + 1 for t, _ in cells],
        source=[s + 1 for _, s in cells],
        share=[shares[t][s] for t, s in cells],
        inside=[t // size == s // size for t, s in cells],
    )
    left = [row[0] for row in shares]
    return {"matrix": matrix, "retention": Table.of({"lag": "tokens"}, lag=range(small.length), retention=left)}


def _costs(settings: ScanSettings, engine: Engine, small: SmallInput) -> Table:
    """Count the work and the depth of each way, and of the whole matrix."""
    costs = {way: cost_of(way, settings, engine, small.length, _size(settings)) for way in WAYS}
    costs[WHOLE_MATRIX] = Cost.of(whole_matrix(engine, small.a, small.b))
    return Table.of(
        {"work": "multiplications", "depth": "rounds"},
        way=list(costs),
        work=[cost.work for cost in costs.values()],
        depth=[cost.depth for cost in costs.values()],
    )


def _size(settings: ScanSettings) -> int:
    """Return the chunk length; a chunk longer than the input is the whole input."""
    return min(settings.chunk, settings.length)
