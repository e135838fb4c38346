"""The charts of a run, as plain data."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.continual.stability_gap import describing
from mem_core.mechanisms.continual.stability_gap.results import PLASTICITY, STABILITY, TASK_NAMES
from mem_core.mechanisms.continual.stability_gap.settings import METHODS

_ITERATION = Axis(title="Training", unit="iterations", zero=True)
_ACCURACY = Axis(title="Accuracy", domain=(0.0, 1.05))
_SINCE = Axis(title="Since the switch", unit="iterations", zero=True)
_LENGTH = Axis(title="Length of the gradient", scale="log")
_SWITCHES = Layer(mark="rule_x", table="switches", x="iteration", text="label")

CURVES = Chart(
    key="curves",
    title="Accuracy on every task, all the way",
    x=_ITERATION,
    y=_ACCURACY,
    layers=(
        _SWITCHES,
        Layer(mark="rule_y", table="worst", y="accuracy", text="label"),
        Layer(mark="line", table="curves", x="iteration", y="accuracy", color="task"),
        Layer(mark="point", table="ends", x="iteration", y="accuracy", color="task", size=80),
        Layer(mark="band", table="curves", x="iteration", y="low", y2="high", color="task"),
    ),
    describe=describing.curves,
    look_for="every line falls where a task begins and climbs back; the marks, at task ends, show none of it.",
    series=TASK_NAMES,
    legend="Measured on",
    height=320,
)

GRADIENTS = Chart(
    key="gradients",
    title="The two gradients",
    x=_ITERATION,
    y=_LENGTH,
    layers=(
        _SWITCHES,
        Layer(mark="line", table="gradients", x="iteration", y="norm", color="gradient"),
    ),
    describe=describing.gradients,
    look_for="plasticity jumps at every switch, before stability has anything to say.",
    series=(PLASTICITY, STABILITY),
    legend="Gradient of",
)

CLOSEUP = Chart(
    key="closeup",
    title="The first iterations after a switch",
    x=_SINCE,
    y=_ACCURACY,
    layers=(
        Layer(mark="line", table="closeup", x="after", y="accuracy", color="task"),
        Layer(mark="point", table="closeup", x="after", y="accuracy", color="task", size=20),
    ),
    describe=describing.closeup,
    look_for="how soon the old tasks fall, and how soon they are back.",
    series=TASK_NAMES,
    legend="Measured on",
)

CLOSEUP_GRADIENTS = Chart(
    key="closeup_gradients",
    title="The two gradients after the same switch",
    x=_SINCE,
    y=_LENGTH,
    layers=(
        Layer(mark="line", table="closeup_gradients", x="after", y="norm", color="gradient"),
        Layer(mark="point", table="closeup_gradients", x="after", y="norm", color="gradient", size=20),
    ),
    describe=describing.closeup_gradients,
    look_for="stability starts far below plasticity; when does it overtake?",
    series=(PLASTICITY, STABILITY),
    legend="Gradient of",
)

OLD_TASKS = Chart(
    key="old_tasks",
    title="All earlier tasks together",
    x=_ITERATION,
    y=_ACCURACY,
    layers=(
        _SWITCHES,
        Layer(mark="line", table="old_tasks", x="iteration", y="accuracy", color="method", detail="during"),
    ),
    describe=describing.old_tasks,
    look_for="how deep each method falls at a switch, and whether it comes back.",
    series=METHODS,
    legend="Method",
)

SCORES = Chart(
    key="scores",
    title="What is reported, and what happened",
    x=Axis(title="Summary of the curves", scale="nominal"),
    y=Axis(title="Accuracy, or difference of two", zero=True),
    layers=(Layer(mark="bar", table="scores", x="measure", y="value", color="method"),),
    describe=describing.scores,
    look_for="ACC and FORG, seen at task ends, beside min-ACC, WC-ACC and WF, which know the way there.",
    series=METHODS,
    legend="Method",
)

CHARTS = (CURVES, CLOSEUP, GRADIENTS, CLOSEUP_GRADIENTS, SCORES, OLD_TASKS)
