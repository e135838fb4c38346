"""The rule alone: one row learns the principal direction of a cloud of points, without a network.

Axes: B points, two coordinates.
"""

from __future__ import annotations

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.continual.hebbian_projection.settings import ProjectionSettings
from mem_core.mechanisms.tables import Table
from mem_core.nn.hebbian_subspace import HebbianSubspace
from mem_core.nn.subspaces import principal_cosines, principal_rows

POINTS, UPDATES = 120, 40
CENTRE, LONG_AXIS, SHORT_AXIS = (1.7, 0.7), (-0.45, 0.65), (0.2, 0.14)
"""Of the cloud, whose centre, as that of activity, is away from 0; axes are one standard deviation long."""
DRAWN_LENGTH = 2.0
"""Of a row of length 1."""
CLOUD, ROW, BEST = "activity", "row of H", "best direction"
CLOUD_SERIES = (CLOUD, ROW, BEST)


def cloud_tables(settings: ProjectionSettings, engine: Engine, seed: int) -> dict[str, Table]:
    """Run the rule on the whole cloud again and again; return the cloud, the row's path, and the best direction."""
    generator = philox(seed, "cloud")
    along, across = generator.normal(size=(2, POINTS, 1))
    points = engine.asarray(along * LONG_AXIS + across * SHORT_AXIS + CENTRE)
    subspace = HebbianSubspace(engine, 2, settings.step, generator=generator, normalise=settings.normalise)
    subspace.add(1)
    path = [subspace.H]
    for _ in range(UPDATES):
        subspace.update(points, settings.iterations)
        path.append(subspace.H)
    best = principal_rows(engine, points, 1, subspace.H[:0])
    cosines = [engine.item(principal_cosines(engine, row, best)[0]) for row in path]
    # A row and its negative span the same line: both are drawn on the side on which the cloud is.
    rows = [_drawn(engine, row, towards=path[-1] @ points.T) for row in path]
    line = _drawn(engine, best, towards=best @ points.T)
    return {
        "cloud": _points(CLOUD, engine.to_numpy(points).tolist()),
        "cloud_row": Table.of(
            series=[ROW] * len(rows),
            update=list(range(len(rows))),
            x=[row[0] for row in rows],
            y=[row[1] for row in rows],
            cosine=cosines,
        ),
        "cloud_best": _points(BEST, [[0.0, 0.0], line]),
    }


def _drawn(engine: Engine, row: Array, towards: Array) -> list[float]:
    """Return the end of a row as it is drawn, turned round where `towards`, answers to the cloud, are negative."""
    sign = 1.0 if engine.item(towards.sum()) >= 0 else -1.0
    ends: list[float] = (sign * DRAWN_LENGTH * engine.to_numpy(row)[0]).tolist()
    return ends


def _points(series: str, points: list[list[float]]) -> Table:
    return Table.of(series=[series] * len(points), x=[point[0] for point in points], y=[point[1] for point in points])
