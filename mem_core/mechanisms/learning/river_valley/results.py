"""The tables of a run: what was measured, thinned to what a screen can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mem_core.engine import Engine
from mem_core.mechanisms.learning.river_valley.lanes import Checkpoint, Plan
from mem_core.mechanisms.learning.river_valley.settings import CONSTANT, WSD, RiverValleySettings
from mem_core.mechanisms.learning.river_valley.training import History, Losses, Measured
from mem_core.mechanisms.learning.river_valley.valley import Valley, Walk
from mem_core.mechanisms.tables import Table
from mem_core.nn.interpolation import loss_along_line

RIVER, HILL = "river", "hill"
STABLE_PAIR, DECAYED_PAIR = "two stable checkpoints", "two decayed checkpoints"

POINTS_OF_A_CURVE = 50
POINTS_OF_A_DECAY = 8
SKIPPED_PART = 10  # the picture of river and hill leaves out the first tenth, which would flatten the rest
SHARES = tuple(number / 20 for number in range(21))  # points of the line between two checkpoints
CONTOUR_LEVELS = (0.2, 0.3, 0.5, 0.8, 1.3)
CONTOUR_POINTS = 40
PICTURE_BEFORE_SPRING = -0.4  # left end of the valley's picture
PICTURE_PAST_END = 0.3  # how far it goes on past the furthest particle
PICTURE_HEIGHT = 1.2  # the picture shows y from minus this to this

LOSS = "nats above the entropy"


def rates_table(settings: RiverValleySettings, plan: Plan) -> Table:
    """Lay out the learning rate of every schedule, each jump with the steps on both sides of it."""
    rows: list[Sequence[Any]] = []
    corners = _corners(settings, plan)
    for schedule in settings.schedules:
        for checkpoint in _curves(plan, schedule):
            lane = checkpoint.lane
            pieces = [(lane, lane.start, lane.stop)]
            if lane.parent and checkpoint is plan.of(schedule)[-1]:
                pieces.insert(0, (lane.parent, 0, lane.start))
            for piece, start, stop in pieces:
                shown = _shown_steps(start, stop, corners)
                rows += [(schedule, _name(checkpoint), step, float(piece.rates[step - piece.start])) for step in shown]
    return Table.of_rows(("schedule", "branch", "step", "rate"), rows, step="steps")


def loss_table(settings: RiverValleySettings, plan: Plan, history: History) -> Table:
    """Lay out the loss of every schedule step by step, and of WSD's earlier branches."""
    rows = [
        (schedule, _name(checkpoint), item.step, item.loss, item.river, item.hill)
        for schedule in settings.schedules
        for checkpoint in _curves(plan, schedule)
        for item in _measured(plan, checkpoint, history)
    ]
    units = {"step": "steps", "loss": LOSS, "river": LOSS, "hill": LOSS}
    return Table.of_rows(("schedule", "branch", "step", "loss", "river", "hill"), rows, **units)


def parts_table(plan: Plan, history: History, schedule: str, last: int) -> Table:
    """Lay out river and hill of one schedule, one row for each part and step, without the first tenth of the run."""
    measured = _measured(plan, plan.of(schedule)[-1], history)
    measured = [item for item in measured if item.step * SKIPPED_PART >= last] or measured
    rows = [(schedule, part, item.step, getattr(item, part)) for part in (RIVER, HILL) for item in measured]
    return Table.of_rows(("schedule", "part", "step", "loss"), rows, step="steps", loss=LOSS)


def budgets_table(plan: Plan, history: History) -> Table:
    """Lay out the checkpoints made so far: their loss, the steps they took and the steps charged for them."""
    rows = []
    for item in plan.checkpoints:
        found = history.at(item.lane, item.step)
        if found is not None:
            losses = (found.loss, found.river, found.hill)
            rows.append((item.schedule, item.budget, *losses, item.step, item.charged))
    names = ("schedule", "budget", "loss", "river", "hill", "steps", "charged")
    units = {"budget": "steps", "loss": LOSS, "river": LOSS, "hill": LOSS, "steps": "steps", "charged": "steps"}
    return Table.of_rows(names, sorted(rows, key=lambda row: row[1]), **units)


def line_table(engine: Engine, plan: Plan, history: History, losses: Losses) -> Table:
    """Lay out the loss along the lines between two stable and two decayed checkpoints, once all four exist."""
    rows: list[Sequence[Any]] = []
    for pair, ends in checkpoint_pairs(plan).items():
        if all(end in history.kept for end in ends):
            start, end = (history.kept[key] for key in ends)
            along = loss_along_line(engine, lambda points: _totals(engine, losses, points), start, end, SHARES)
            rows += [(pair, share, float(loss)) for share, loss in zip(SHARES, along, strict=True)]
    return Table.of_rows(("pair", "share", "loss"), rows, loss=LOSS)


def checkpoint_pairs(plan: Plan) -> Mapping[str, tuple[Any, Any]]:
    """Name the two pairs of (lane, step) between which lines are drawn: the last two budgets of WSD."""
    branches = plan.of(WSD)
    if not branches:
        return {}
    earlier, later = branches[-2:]
    stable = later.lane.parent
    return {
        STABLE_PAIR: ((stable, earlier.step), (stable, later.lane.start)),
        DECAYED_PAIR: ((earlier.lane, earlier.step), (later.lane, later.step)),
    }


def walk_table(schedules: Sequence[str], walk: Walk) -> Table:
    """Lay out the mean losses in the two-dimensional valley, without the start high up on the wall."""
    rows = [
        (schedule, average.step, average.river[index] + average.hill[index], average.river[index], average.hill[index])
        for index, schedule in enumerate(schedules)
        for average in walk.averages[1:]
    ]
    return Table.of_rows(("schedule", "step", "loss", "river", "hill"), rows, step="steps")


def path_tables(schedules: Sequence[str], shown: str, walk: Walk) -> dict[str, Table]:
    """Lay out the path of one particle under one schedule, and where the same particle ends under each."""
    index = schedules.index(shown)
    points = zip(walk.path_x[index], walk.path_y[index], strict=True)
    path = [(shown, f"path of {shown}", step, x, y) for step, (x, y) in enumerate(points) if abs(y) <= PICTURE_HEIGHT]
    ends = [
        (schedule, xs[-1], ys[-1])
        for schedule, xs, ys in zip(schedules, walk.path_x, walk.path_y, strict=True)
        if abs(ys[-1]) <= PICTURE_HEIGHT
    ]
    return {
        "valley_path": Table.of_rows(("schedule", "name", "step", "x", "y"), path, step="steps"),
        "valley_ends": Table.of_rows(("schedule", "x", "y"), ends),
    }


def landscape_tables(valley: Valley, path: Table) -> dict[str, Table]:
    """Lay out the river bed and the lines of equal loss around the path."""
    right = max([1.0, *path["x"].tolist()]) + PICTURE_PAST_END
    left = PICTURE_BEFORE_SPRING
    grid = [left + (right - left) * number / CONTOUR_POINTS for number in range(CONTOUR_POINTS + 1)]
    lines: list[Sequence[Any]] = []
    labels: list[Sequence[Any]] = []
    for level in CONTOUR_LEVELS:
        tip = 1 / level - 1  # where the river bed itself has this height; no tip for levels above the spring
        walls = [(x, valley.contour(level, x)) for x in [max(tip, left), *(x for x in grid if x > tip)]]
        found = [(x, *ends) for x, ends in walls if ends is not None and x <= right]
        lines += [(level, "lower", x, low) for x, low, _ in found]
        lines += [(level, "upper", x, high) for x, _, high in found]
        labels += [(found[-1][0], found[-1][2], f"loss {level:g}")] if found else []
    named = [(level, f"{level:g} {side}", x, y) for level, side, x, y in lines]
    return {
        "contours": Table.of_rows(("level", "line", "x", "y"), named),
        "contour_labels": Table.of_rows(("x", "y", "level"), labels),
        "river_bed": Table.of_rows(("x", "y"), [(x, valley.bed(x)) for x in grid]),
    }


def notes_table(notes: Sequence[tuple[str, str]]) -> Table:
    """Lay out what a learner should be warned of."""
    return Table.of_rows(("about", "note"), notes)


def _curves(plan: Plan, schedule: str) -> Sequence[Checkpoint]:
    """Return the runs whose course is drawn: the longest of each schedule, and WSD's earlier branches."""
    return plan.of(schedule) if schedule == WSD else plan.of(schedule)[-1:]


def _measured(plan: Plan, checkpoint: Checkpoint, history: History) -> list[Measured]:
    """Return the losses of a run; those of the last branch start with its parent's."""
    lane = checkpoint.lane
    own = history.measured[lane]
    if lane.parent is None or checkpoint is not plan.of(checkpoint.schedule)[-1]:
        return own
    return [item for item in history.measured[lane.parent] if item.step < lane.start] + own


def _name(checkpoint: Checkpoint) -> str:
    whole = checkpoint.schedule == CONSTANT
    return "to the end" if whole else f"to {checkpoint.step}"


def _corners(settings: RiverValleySettings, plan: Plan) -> set[int]:
    """Return the steps at which a rate may jump or bend: both sides of each budget, and the course of each decay."""
    corners = {step for budget in settings.budgets for step in (budget - 1, budget)}
    for start, stop in plan.decays:
        corners |= {start - 1, *(start + (stop - start) * n // POINTS_OF_A_DECAY for n in range(POINTS_OF_A_DECAY))}
    return corners


def _shown_steps(start: int, stop: int, corners: Iterable[int]) -> list[int]:
    """Thin the steps from `start` to `stop` - 1, keeping both ends and the corners."""
    stride = max(1, (stop - start) // POINTS_OF_A_CURVE)
    return sorted({*range(start, stop, stride), stop - 1, *(step for step in corners if start <= step < stop)})


def _totals(engine: Engine, losses: Losses, points: Any) -> Any:
    """Return the loss of each of several tables, shape (points, C, V)."""
    return losses.parts(engine.xp.permute_dims(points, (1, 0, 2))).sum(axis=0)
