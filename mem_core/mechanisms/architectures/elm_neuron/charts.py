"""The views of a run."""

from __future__ import annotations

from mem_core.mechanisms.architectures.elm_neuron import descriptions
from mem_core.mechanisms.architectures.elm_neuron.presentation import BURST, RANKS, STRAY, YOURS, reference_name
from mem_core.mechanisms.architectures.elm_neuron.recipes import DECODED
from mem_core.mechanisms.architectures.elm_neuron.run import COMPARED_TAU_MAX
from mem_core.mechanisms.charts import Axis, Chart, Layer

TIME = Axis(title="Time", unit="ms")
DELAY = Axis(title="Delay since the burst", unit="ms")
SHARE = (0.0, 1.05)
READ_RIGHT = Axis(title="Bursts read right", domain=SHARE)
STEP = Axis(title="Training step")
NEURONS = (YOURS, *map(reference_name, COMPARED_TAU_MAX))

CHARTS = (
    Chart(
        key="spikes",
        title="One burst among stray spikes",
        x=TIME,
        y=Axis(title="Input channel", domain=(0.0, DECODED.channels + 1.0)),
        layers=(
            Layer(mark="point", table="spikes", x="time", y="channel", color="kind", size=40),
            Layer(mark="rule_x", table="marks", x="time", text="text"),
        ),
        describe=descriptions.describe_spikes,
        look_for="the few milliseconds of the burst: all that comes later is noise, and the memory must outlast it.",
        series=(BURST, STRAY),
        legend="Spike",
        height=220,
    ),
    Chart(
        key="memory",
        title="The memory in that trial",
        x=TIME,
        y=Axis(title="Memory m"),
        layers=(
            Layer(mark="rule_x", table="marks", x="time", text="text"),
            Layer(mark="line", table="memory", x="time", y="value", color="unit"),
        ),
        describe=descriptions.describe_memory,
        look_for="how the fast units jump with every spike, and how the slow ones creep and stay.",
        series=RANKS,
        legend="Memory unit",
    ),
    Chart(
        key="trace",
        title="What the burst leaves in each unit",
        x=DELAY,
        y=Axis(title="Trace of the burst, share of its peak", domain=SHARE),
        layers=(
            Layer(mark="line", table="trace", x="lag", y="left", color="unit", dash="kind", label_ends=True),
            Layer(mark="line", table="leak", x="lag", y="left", color="unit", dash="kind", size=1.2),
        ),
        describe=descriptions.describe_trace,
        look_for="fast units above their leak alone: the dendrites tell them what the slow units know.",
        series=RANKS,
        height=300,
    ),
    Chart(
        key="forgetting",
        title="How long the burst can be read",
        x=DELAY,
        y=READ_RIGHT,
        layers=(
            Layer(mark="rule_y", table="chance", y="accuracy", text="text"),
            Layer(mark="rule_x", table="delay", x="delay", text="text"),
            Layer(mark="line", table="forgetting", x="delay", y="accuracy", color="neuron", label_ends=True),
        ),
        describe=descriptions.describe_forgetting,
        look_for="the same curve moved to the right each time the slowest unit gets slower.",
        series=NEURONS,
        height=300,
    ),
    Chart(
        key="units",
        title="More units, better memory",
        x=Axis(title="Memory units", scale="ordinal"),
        y=READ_RIGHT,
        layers=(
            Layer(mark="rule_y", table="chance", y="accuracy", text="text"),
            Layer(mark="errorbar", table="units", x="units", y="lowest", y2="highest"),
            Layer(mark="line", table="units", x="units", y="accuracy"),
            Layer(mark="point", table="units", x="units", y="accuracy"),
        ),
        describe=descriptions.describe_units,
        look_for="the rise of the mean, and how wide the bars are: one random neuron may be lucky.",
    ),
    Chart(
        key="loss",
        title="Learning to add two bursts",
        x=STEP,
        y=Axis(title="Cross-entropy", unit="nats", zero=True),
        layers=(Layer(mark="line", table="loss", x="step", y="loss", color="neuron", label_ends=True),),
        describe=descriptions.describe_loss,
        look_for="the plateau: below it a neuron must hold the first burst until the second has come.",
        series=NEURONS,
    ),
    Chart(
        key="sums",
        title="Sums it gets right",
        x=STEP,
        y=Axis(title="Right sums", domain=SHARE),
        layers=(
            Layer(mark="rule_y", table="one_burst", y="accuracy", text="text"),
            Layer(mark="line", table="sums", x="step", y="accuracy", color="neuron", label_ends=True),
        ),
        describe=descriptions.describe_sums,
        look_for="which neuron stays on the line of those who know one of the two bursts.",
        series=NEURONS,
    ),
    Chart(
        key="confusion",
        title="Your neuron's answers to each sum",
        x=Axis(title="Answer", scale="ordinal"),
        y=Axis(title="Right sum", scale="ordinal", reverse=True),
        layers=(Layer(mark="heatmap", table="confusion", x="answer", y="sum", color="share"),),
        describe=descriptions.describe_confusion,
        look_for="the diagonal: a neuron that has lost the first burst spreads its answers to both sides.",
        legend="Share",
        color_domain=(0.0, 1.0),
    ),
)
