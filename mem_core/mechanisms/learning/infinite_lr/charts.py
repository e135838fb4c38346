"""The charts of a run, as plain data."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.learning.infinite_lr import describing
from mem_core.mechanisms.learning.infinite_lr.results import COSINE_AVERAGE, MEASURES, TASK_NAMES
from mem_core.mechanisms.learning.infinite_lr.settings import COSINE, INFINITE, SCHEDULES

_STEP = Axis(title="Training", unit="steps", zero=True)
_LOSS_UNIT = "nats, or squared error"
_LOG_LOSS = Axis(title="Loss", unit=_LOSS_UNIT, scale="log")
_LOSS = Axis(title="Loss", unit=_LOSS_UNIT, zero=True)
_TASKS = Layer(mark="rule_x", table="tasks", x="step", text="label")

RATES = Chart(
    key="rates",
    title="The learning rate of both schedules",
    x=_STEP,
    y=Axis(title="Learning rate", zero=True),
    layers=(
        Layer(mark="rule_x", table="tasks", x="step"),
        Layer(mark="line", table="rates", x="step", y="rate", color="schedule", dash="part", detail="branch"),
        Layer(mark="text", table="tasks", x="step", y="above_rates", text="label"),
    ),
    describe=describing.rates,
    look_for="what happens where a task begins: the cosine climbs again, the infinite schedule does not move.",
    series=SCHEDULES,
    legend="Schedule",
)

FIRST_TASK = Chart(
    key="first_task",
    title="The loss on task 1, all the way",
    x=_STEP,
    y=_LOG_LOSS,
    layers=(
        _TASKS,
        Layer(mark="line", table="first_task", x="step", y="loss", color="schedule", dash="part", detail="branch"),
    ),
    describe=describing.first_task,
    look_for="the jump at the start of task 2, while the cosine warms up again.",
    series=SCHEDULES,
    legend="Schedule",
    height=300,
)


def _every_task(key: str, schedule: str, look_for: str) -> Chart:
    return Chart(
        key=key,
        title=f"The loss on every task: {schedule}",
        x=_STEP,
        y=_LOG_LOSS,
        layers=(
            _TASKS,
            Layer(mark="line", table=key, x="step", y="loss", color="task", dash="part", detail="branch"),
        ),
        describe=describing.every_task(key, schedule),
        look_for=look_for,
        series=TASK_NAMES,
        legend="Measured on",
    )


INFINITE_LOSSES = _every_task(
    "infinite_losses",
    INFINITE,
    "how slowly the loss on earlier tasks rises; dashed are the copies, while they are annealed.",
)
COSINE_LOSSES = _every_task(
    "cosine_losses", COSINE, "how far each new task falls, and what the earlier ones pay for it."
)

MATRIX = Chart(
    key="matrix",
    title="Every checkpoint on every task",
    x=Axis(title="Measured on task", scale="ordinal"),
    y=Axis(title="Checkpoint after task", scale="nominal"),
    layers=(Layer(mark="heatmap", table="matrix", x="task", y="checkpoint", color="loss", outline="just_learned"),),
    describe=describing.matrix,
    look_for="the column of task 1, from top to bottom; outlined is the task just learned.",
    legend="Loss",
)

SCORES = Chart(
    key="scores",
    title="Average, forgetting and learning",
    x=Axis(title="Summary of the checkpoints", scale="nominal"),
    y=_LOSS,
    layers=(Layer(mark="bar", table="scores", x="measure", y="loss", color="schedule"),),
    describe=describing.scores,
    look_for="the trade: the cosine learns each task better and forgets more. Lower is better in all three.",
    series=SCHEDULES,
    legend="Schedule",
)

FADING = Chart(
    key="fading",
    title="How much of task 1 is left",
    x=Axis(title="Since task 1 ended", unit="steps", zero=True),
    y=Axis(title="Retention of task 1", domain=(0.0, 1.05)),
    layers=(Layer(mark="line", table="fading", x="lag", y="retention", color="schedule", label_ends=True),),
    describe=describing.fading,
    look_for="the steep fall of the cosine while it warms up again, against a slow fade.",
    series=SCHEDULES,
    legend="Schedule",
)

SWEEP = Chart(
    key="sweep",
    title="The trade-off, swept",
    x=Axis(title="Constant over peak rate; or peak rate, if swept", scale="log"),
    y=_LOSS,
    layers=(
        Layer(mark="line", table="sweep", x="value", y="loss", color="line", label_ends=True),
        Layer(mark="point", table="sweep", x="value", y="loss", color="line"),
    ),
    describe=describing.sweep,
    look_for="with a sweep of the constant rate: forgetting rises, the learning loss falls, and the average is lowest "
    "in between.",
    series=(*MEASURES, COSINE_AVERAGE),
    height=300,
)

CHARTS = (RATES, FIRST_TASK, INFINITE_LOSSES, COSINE_LOSSES, FADING, MATRIX, SCORES, SWEEP)
