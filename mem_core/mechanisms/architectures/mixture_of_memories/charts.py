"""The views of a run."""

from __future__ import annotations

from mem_core.mechanisms.architectures.mixture_of_memories import descriptions
from mem_core.mechanisms.architectures.mixture_of_memories.settings import ARMS, LAYER_ARMS, LONGEST
from mem_core.mechanisms.architectures.mixture_of_memories.tables import (
    FIRST,
    MET,
    MISSED,
    PROBABILITY,
    RIGHT,
    SENT,
    WRONG,
)
from mem_core.mechanisms.charts import Axis, Chart, Layer

ABOVE_ALL = 1.05
"""End of the axis of a share whose marks often lie at 1, and would be cut in half there."""
RECALL = Axis(title="Items recalled", domain=(0.0, ABOVE_ALL))
KIND = Axis(title="Kind of memory", scale="nominal")

CHARTS = (
    Chart(
        key="recall",
        title="Recall as the memories fill",
        x=Axis(title="Items written, N", unit="items", domain=(0.0, LONGEST)),
        y=RECALL,
        layers=(
            Layer(mark="rule_x", table="knees", x="items", text="text"),
            Layer(mark="line", table="recall", x="items", y="recall", color="memory"),
            Layer(mark="point", table="recall", x="items", y="recall", color="memory", size=25.0),
        ),
        describe=descriptions.describe_recall,
        look_for="the knee of each curve: near K for one memory, further right for the mixture.",
        series=ARMS,
        legend="Memory",
        height=320,
    ),
    Chart(
        key="forgetting",
        title=f"What is left of the first {FIRST} items",
        x=Axis(title="Items written since", unit="items"),
        y=RECALL,
        layers=(Layer(mark="line", table="forgetting", x="lag", y="recall", color="memory"),),
        describe=descriptions.describe_forgetting,
        look_for="how much later the mixture forgets: each of its memories sees only some of the items.",
        series=ARMS,
        legend="Memory",
    ),
    Chart(
        key="routes",
        title="Where the router sends each item",
        x=Axis(title="Item of the first sequence"),
        y=Axis(title="Memory", scale="ordinal"),
        layers=(
            Layer(mark="heatmap", table="routes", x="start", x2="end", y="memory", color="weight", outline="missed"),
        ),
        describe=descriptions.describe_routes,
        look_for="one bright cell in every column at k = 1; an orange edge marks a question sent elsewhere.",
        legend="Weight g",
        color_domain=(0.0, 1.0),
        height=180,
    ),
    Chart(
        key="load",
        title="How evenly the memories are used",
        x=Axis(title="Memory", scale="ordinal"),
        y=Axis(title="Share of the items", domain=(0.0, 1.0)),
        layers=(Layer(mark="bar", table="load", x="memory", y="share", color="measure"),),
        describe=descriptions.describe_load,
        look_for="bars of equal height: an even router. The balance loss multiplies the two bars of each memory.",
        series=(SENT, PROBABILITY),
        legend="Measure",
        height=220,
    ),
    Chart(
        key="answer",
        title="One item asked for: signal and interference",
        x=KIND,
        y=Axis(title="Fit of the answer with the value", zero=True),
        layers=(Layer(mark="bar", table="answer", x="memory", y="fit", color="value"),),
        describe=descriptions.describe_answer,
        look_for="the bar of the right value being the taller one: only then is the item recalled.",
        series=(RIGHT, WRONG),
        legend="Fit with",
    ),
    Chart(
        key="layer_recall",
        title="The trained layers, with more and more pairs",
        x=Axis(title="Pairs in the sequence", unit="pairs", zero=True),
        y=Axis(title="Questions answered right", domain=(0.0, ABOVE_ALL)),
        layers=(
            Layer(mark="rule_x", table="trained_on", x="pairs", text="text"),
            Layer(mark="line", table="layer_recall", x="pairs", y="recall", color="memory"),
            Layer(mark="point", table="layer_recall", x="pairs", y="recall", color="memory"),
        ),
        describe=descriptions.describe_layer,
        look_for="which kinds of mixture beat the single memory, once everything is trained.",
        series=LAYER_ARMS,
        legend="Memory",
    ),
    Chart(
        key="meeting",
        title="Does the question find its answer's memory?",
        x=KIND,
        y=Axis(title="Questions answered right", domain=(0.0, 1.0)),
        layers=(Layer(mark="bar", table="meeting", x="memory", y="recall", color="question"),),
        describe=descriptions.describe_meeting,
        look_for="what is left of questions that are sent elsewhere, without and with a shared memory.",
        series=(MET, MISSED),
        legend="Question",
    ),
    Chart(
        key="training",
        title="Training",
        x=Axis(title="Training step"),
        y=Axis(title="Loss", unit="nats", zero=True),
        layers=(Layer(mark="line", table="training", x="step", y="loss", color="memory"),),
        describe=descriptions.describe_training,
        look_for="the fall from guessing, ln 16 = 2.77 nats, once keys and queries have found each other.",
        series=LAYER_ARMS,
        legend="Memory",
    ),
)
