"""The charts of a run, as plain data."""

from __future__ import annotations

from mem_core.data.digits import SIDE
from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.continual.hebbian_projection import describing
from mem_core.mechanisms.continual.hebbian_projection.cloud import CLOUD_SERIES
from mem_core.mechanisms.continual.hebbian_projection.looking import GAP, NEURONS
from mem_core.mechanisms.continual.hebbian_projection.settings import LAYERS, PROTECTIONS

_BATCHES = Axis(title="Training", unit="batches", zero=True)
_TASKS = Layer(mark="rule_x", table="tasks", x="batch", text="label")
_PICTURES_WIDE, _PICTURES_HIGH = 3 * SIDE + 2 * GAP, 2 * SIDE + 2 * GAP

CLOUD = Chart(
    key="cloud",
    title="The rule alone, on a cloud of points",
    x=Axis(title="First input", domain=(-2.2, 3.5)),
    y=Axis(title="Second input", domain=(-2.2, 3.0)),
    layers=(
        Layer(mark="point", table="cloud", x="x", y="y", color="series", size=14),
        Layer(mark="line", table="cloud_best", x="x", y="y", color="series"),
        Layer(mark="line", table="cloud_row", x="x", y="y", color="series"),
        Layer(mark="point", table="cloud_row", x="x", y="y", color="series", size=22),
    ),
    describe=describing.cloud,
    look_for="the row of H turning until it points at the cloud, and keeping its length.",
    series=CLOUD_SERIES,
    height=300,
)

FIRST_TASK = Chart(
    key="first_task",
    title="How well task 1 is remembered",
    x=_BATCHES,
    y=Axis(title="Accuracy on task 1", domain=(0.0, 1.02)),
    layers=(_TASKS, Layer(mark="line", table="first_task", x="batch", y="accuracy", color="protection")),
    describe=describing.first_task,
    look_for="what happens where task 2 begins, without protection and with it.",
    series=PROTECTIONS,
    legend="Protection",
)

MATRIX = Chart(
    key="matrix",
    title="Every task after every task",
    x=Axis(title="Measured on task", scale="ordinal"),
    y=Axis(title="Network after task", scale="nominal"),
    layers=(Layer(mark="heatmap", table="matrix", x="task", y="checkpoint", color="accuracy", outline="just_learned"),),
    describe=describing.matrix,
    look_for="the columns, from top to bottom: they fade below the outlined cell without protection.",
    legend="Accuracy",
    color_domain=(0.0, 1.0),
    height=300,
)

SCORES = Chart(
    key="scores",
    title="Average, learning and backward transfer",
    x=Axis(title="Summary of the tasks learned so far", scale="nominal"),
    y=Axis(title="Accuracy, or its change", zero=True),
    layers=(Layer(mark="bar", table="scores", x="measure", y="accuracy", color="protection"),),
    describe=describing.scores,
    look_for="backward transfer: how much earlier tasks have lost since they were learned.",
    series=PROTECTIONS,
    legend="Protection",
)

CAPTURED = Chart(
    key="captured",
    title="How much of the activity is captured",
    x=_BATCHES,
    y=Axis(title="Share of the energy of the task's activity"),
    layers=(
        Layer(mark="rule_x", table="tasks", x="batch"),
        Layer(mark="line", table="captured", x="batch", y="captured", color="layer", dash="kind", detail="task"),
    ),
    describe=describing.captured,
    look_for="how soon the lateral neurons reach the dashed line, the most that as many rows can capture.",
    series=LAYERS,
    legend="Layer",
    height=300,
)

GRAM = Chart(
    key="gram",
    title="The rows of H against one another",
    x=Axis(title="Row"),
    y=Axis(title="Row", reverse=True),
    layers=(
        Layer(
            mark="heatmap",
            table="gram",
            x="column",
            x2="column_end",
            y="row",
            y2="row_end",
            color="product",
        ),
    ),
    describe=describing.gram,
    look_for="1 on the diagonal and 0 beside it: such rows take nothing away twice.",
    legend="Inner product",
    color_domain=(-0.2, 1.0),
    height=300,
)

ANGLES = Chart(
    key="angles",
    title="The newest rows against principal components",
    x=Axis(title="Direction, best learned first"),
    y=Axis(title="Cosine of the principal angle", domain=(0.0, 1.02)),
    layers=(Layer(mark="line", table="angles", x="direction", y="cosine", color="layer"),),
    describe=describing.angles,
    look_for="how many directions are found; the last ones have so little energy that missing them costs little.",
    series=LAYERS,
    legend="Layer",
)

PICTURES = Chart(
    key="pictures",
    title="What a picture leaves to learn from",
    x=Axis(title="Pixels", domain=(-0.5, _PICTURES_WIDE + 0.5)),
    y=Axis(title="Pixels", domain=(-2.0, _PICTURES_HIGH + 0.5), reverse=True),
    layers=(
        Layer(
            mark="heatmap",
            table="pictures",
            x="column",
            x2="column_end",
            y="line",
            y2="line_end",
            color="brightness",
        ),
        Layer(mark="text", table="picture_names", x="column", y="line", text="name"),
    ),
    describe=describing.pictures,
    look_for="a picture of task 1 leaves almost nothing, so learning cannot change what it does to the network.",
    legend="Brightness",
    color_domain=(-1.0, 2.0),
    height=340,
)

SPIKES = Chart(
    key="spikes",
    title="Spikes and traces of one picture",
    x=Axis(title="Time step"),
    y=Axis(title="Neuron, busiest first", domain=(1.0, NEURONS + 1.0), reverse=True),
    layers=(
        Layer(
            mark="heatmap",
            table="spikes",
            x="step",
            x2="step_end",
            y="neuron",
            y2="neuron_end",
            color="trace",
            outline="spike",
        ),
    ),
    describe=describing.spikes,
    look_for="outlined cells are spikes; the trace rises by 1 with each and halves from step to step.",
    legend="Trace",
    color_domain=(0.0, 2.0),
    height=320,
)

TRADEOFF = Chart(
    key="tradeoff",
    title="What is missed is forgotten",
    x=Axis(title="Energy missed in the worst layer", domain=(0.0, 1.05)),
    y=Axis(title="Forgetting of earlier tasks", zero=True),
    layers=(Layer(mark="point", table="tradeoff", x="missed", y="forgetting", color="protection", accumulate=True),),
    describe=describing.tradeoff,
    look_for="a rising cloud, as you change subspace size and step: every run adds its points.",
    series=PROTECTIONS,
    legend="Protection",
)

CHARTS = (CLOUD, FIRST_TASK, MATRIX, SCORES, CAPTURED, GRAM, ANGLES, PICTURES, SPIKES, TRADEOFF)
