"""Looking inside the protected network: its rows, their angles to the best ones, spikes, and what a picture leaves.

Axes: T time steps, B pictures, n inputs of a layer, k rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mem_core.data.digits import SIDE
from mem_core.engine import Array, Engine
from mem_core.mechanisms.continual.hebbian_projection.settings import (
    HEBBIAN,
    INPUT,
    LAYERS,
    PIXELS,
    ProjectionSettings,
)
from mem_core.mechanisms.continual.hebbian_projection.stream import Stream
from mem_core.mechanisms.continual.hebbian_projection.training import LateralRows, Networks
from mem_core.mechanisms.tables import Table
from mem_core.nn.subspaces import principal_cosines, project_out, stretch

MOST_ROWS = 28
"""Of H, compared with one another in a chart; of more than these every second, third, ... is drawn."""
NEURONS = 24
"""Whose spikes are drawn: those that fire most."""
GAP = 1
"""Between pictures drawn side by side, pixels."""
WHOLE, COVERED, LEFT = "picture", "covered", "left"


def looking_tables(
    settings: ProjectionSettings, engine: Engine, stream: Stream, networks: Networks
) -> dict[str, Table]:
    """Lay out what the protected network looks like now; all empty where no network has lateral neurons."""
    lateral = networks.lateral
    return {
        "gram": _gram(engine, settings, lateral),
        "stretch": _stretch(engine, lateral),
        "angles": _angles(engine, lateral),
        "spikes": _spikes(settings, engine, stream, networks),
        **_pictures(settings, engine, stream, networks, lateral),
    }


def _all_rows(engine: Engine, rows: LateralRows) -> Array:
    return engine.xp.concat([rows.old, rows.new], axis=0)


def _gram(engine: Engine, settings: ProjectionSettings, lateral: Sequence[LateralRows]) -> Table:
    """Lay out HHᵀ of the layer that is looked at, a cell from one drawn row to the next."""
    cells: list[Sequence[Any]] = []
    if lateral:
        rows = _all_rows(engine, lateral[LAYERS.index(settings.layer)])
        stride = -(-len(rows) // MOST_ROWS) or 1
        drawn = rows[::stride]
        products = engine.to_numpy(drawn @ engine.xp.matrix_transpose(drawn)).tolist()
        cells = [
            (1 + stride * row, 1 + stride * (row + 1), 1 + stride * column, 1 + stride * (column + 1), product)
            for row, of_row in enumerate(products)
            for column, product in enumerate(of_row)
        ]
    return Table.of_rows(("row", "row_end", "column", "column_end", "product"), cells)


def _stretch(engine: Engine, lateral: Sequence[LateralRows]) -> Table:
    """Lay out how far the rows of each layer stretch an activity at most: 1 if they are orthonormal."""
    rows = [
        (layer, len(found.old), len(found.new), stretch(engine, _all_rows(engine, found)))
        for layer, found in zip(LAYERS, lateral, strict=False)
    ]
    return Table.of_rows(("layer", "old_rows", "new_rows", "stretch"), rows)


def _angles(engine: Engine, lateral: Sequence[LateralRows]) -> Table:
    """Lay out the cosines between the newest rows and the best there are, best first."""
    rows = [
        (layer, number, min(cosine, 1.0))
        for layer, found in zip(LAYERS, lateral, strict=False)
        if len(found.new)
        for number, cosine in enumerate(
            engine.to_numpy(principal_cosines(engine, found.new, found.best)).tolist(), start=1
        )
    ]
    return Table.of_rows(("layer", "direction", "cosine"), rows)


def _spikes(settings: ProjectionSettings, engine: Engine, stream: Stream, networks: Networks) -> Table:
    """Lay out spikes and traces of a hidden layer for one picture of the first task, the busiest neurons first."""
    rows: list[Sequence[Any]] = []
    if HEBBIAN in networks.names:
        layer = max(LAYERS.index(settings.layer), 1)  # the input's trace is the picture itself
        trains = networks.hidden_layer(_chosen(settings, stream, 0), HEBBIAN, layer - 1)
        by_neuron = zip(*(engine.to_numpy(part)[:, 0].T.tolist() for part in trains), strict=True)
        busiest = sorted(by_neuron, key=lambda trains: -sum(trains[0]))[:NEURONS]
        rows = [
            (LAYERS[layer], step, step + 1, neuron, neuron + 1, trace, spike > 0)
            for neuron, of_neuron in enumerate(busiest, start=1)
            for step, (spike, trace) in enumerate(zip(*of_neuron, strict=True), start=1)
        ]
    return Table.of_rows(("layer", "step", "step_end", "neuron", "neuron_end", "trace", "spike"), rows)


def _pictures(
    settings: ProjectionSettings, engine: Engine, stream: Stream, networks: Networks, lateral: Sequence[LateralRows]
) -> dict[str, Table]:
    """Lay out a picture as the first and as the newest task show it: whole, the part in the subspace, and the rest."""
    pixels: list[Sequence[Any]] = []
    titles: list[Sequence[Any]] = []
    energies: list[Sequence[Any]] = []
    if lateral:
        old = lateral[LAYERS.index(INPUT)].old
        for line, task in enumerate((0, max(networks.task, 1))):
            whole = _chosen(settings, stream, task)
            left = project_out(engine, whole, old)
            top = line * (SIDE + 2 * GAP)
            for place, (name, image) in enumerate(((WHOLE, whole), (COVERED, whole - left), (LEFT, left))):
                side = place * (SIDE + GAP)
                pixels += _cells(engine.to_numpy(image)[0].tolist(), top, side)
                titles.append((side, top, f"task {task + 1}" if name == WHOLE else name))
            energies.append((task + 1, engine.item((left * left).sum()) / engine.item((whole * whole).sum())))
    return {
        "pictures": Table.of_rows(("column", "column_end", "line", "line_end", "brightness"), pixels),
        "picture_names": Table.of_rows(("column", "line", "name"), titles),
        "picture_energy": Table.of_rows(("task", "left"), energies),
    }


def _chosen(settings: ProjectionSettings, stream: Stream, task: int) -> Array:
    """Return the picture that is looked at as a task shows it, (1, pixels)."""
    return stream.tests[task].images[settings.picture : settings.picture + 1]


def _cells(image: Sequence[float], top: float, side: float) -> Iterator[Sequence[Any]]:
    for pixel in range(PIXELS):
        line, column = top + pixel // SIDE, side + pixel % SIDE
        yield column, column + 1, line, line + 1, image[pixel]
