"""The views of a run: the small input, the three ways round by round, and the long input."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.state_space.scan_kernels.descriptions import (
    DESCRIBE,
    describe_matrix,
    describe_retention,
    describe_rounding,
    describe_states,
    describe_steps,
    describe_times,
)
from mem_core.mechanisms.state_space.scan_kernels.pictures import DECAY, INPUT, STATE
from mem_core.mechanisms.state_space.scan_kernels.rounding import BOUND, KERNEL
from mem_core.mechanisms.state_space.scan_kernels.settings import CHUNKS, LOOP, TREE, WAYS

HELD = "Share of its past held"


def grid(way: str, title: str, look_for: str, height: int) -> Chart:
    """Draw one way with a row for each round: what every token holds, outlined where it has just taken something in."""
    cells = Layer(
        mark="heatmap", table=f"{way}_steps", x="token", y="step", color="share", outline="worked", text="holds"
    )
    return Chart(
        key=f"{way}_steps",
        title=title,
        x=Axis(title="Token", scale="ordinal"),
        y=Axis(title="Round", scale="ordinal"),
        layers=(cells,),
        describe=DESCRIBE[way],
        look_for=look_for,
        legend=HELD,
        color_domain=(0.0, 1.0),
        height=height,
    )


CHARTS = (
    Chart(
        key="states",
        title="What goes in, and the state that comes out",
        x=Axis(title="Token"),
        y=Axis(title="Value", zero=True),
        layers=(
            Layer(mark="bar", table="inputs", x="token", y="value", color="what"),
            Layer(mark="point", table="decays", x="token", y="value", color="what", size=60.0),
            Layer(mark="line", table="states", x="token", y="value", color="what", size=2.5),
        ),
        describe=describe_states,
        look_for="the state jumps where an input comes in, and every token then takes its share of it away.",
        series=(STATE, INPUT, DECAY),
    ),
    Chart(
        key="retention",
        title="What is left of the first input",
        x=Axis(title="Since the first token", unit="tokens", zero=True),
        y=Axis(title="Left", unit="share", domain=(0.0, 1.0)),
        layers=(Layer(mark="line", table="retention", x="lag", y="retention"),),
        describe=describe_retention,
        look_for="the product of all decays so far: it can only fall, and one small decay is enough to forget.",
        height=200,
    ),
    grid(
        LOOP, "The loop: one token a round", "the staircase: one outlined cell in each row, and nothing beside it.", 260
    ),
    grid(
        TREE,
        "The tree: many tokens a round",
        "how fast yellow spreads: on the way up tokens join in pairs, on the way down the rest is filled in.",
        190,
    ),
    grid(
        CHUNKS,
        "Chunks: side by side, hand on, fill in",
        "short staircases side by side, then one cell a round handed from chunk to chunk, then all others at once.",
        190,
    ),
    Chart(
        key="matrix",
        title="The scan as one matrix: what is left of each input in each state",
        x=Axis(title="Input of token", scale="ordinal"),
        y=Axis(title="State at token", scale="ordinal"),
        layers=(Layer(mark="heatmap", table="matrix", x="source", y="token", color="share", outline="inside"),),
        describe=describe_matrix,
        look_for="outlined blocks are done inside a chunk; all that lies below one is handed on as a single state.",
        legend="Share left",
        color_domain=(0.0, 1.0),
        height=320,
    ),
    Chart(
        key="steps",
        title="Steps that the longest input takes, counted",
        x=Axis(title="Lanes", unit="multiplications at a time", scale="log"),
        y=Axis(title="Steps, one after another", scale="log"),
        layers=(
            Layer(mark="line", table="steps", x="lanes", y="steps", color="way"),
            Layer(mark="rule_x", table="lanes", x="lanes", text="text"),
        ),
        describe=describe_steps,
        look_for="where the lines cross: few lanes favour the loop, many the tree, and chunks lie between.",
        series=WAYS,
        legend="Way",
    ),
    Chart(
        key="times",
        title="Times measured in this run",
        x=Axis(title="Length", unit="tokens", scale="log"),
        y=Axis(title="Time of one scan, best of several", unit="ms", scale="log"),
        layers=(
            Layer(mark="line", table="times", x="length", y="milliseconds", color="way"),
            Layer(mark="point", table="times", x="length", y="milliseconds", color="way"),
        ),
        describe=describe_times,
        look_for="the loop grows with the length; the others stay nearly flat until the machine has its hands full.",
        series=(*WAYS, KERNEL),
        legend="Way",
    ),
    Chart(
        key="rounding",
        title="How far each way is from the truth",
        x=Axis(title="Decay, the same for all 512 tokens", scale="ordinal"),
        y=Axis(title="Largest difference from float64", scale="log"),
        layers=(
            Layer(mark="line", table="rounding", x="decay", y="drawn", color="way"),
            Layer(mark="point", table="rounding", x="decay", y="drawn", color="way"),
        ),
        describe=describe_rounding,
        look_for="all ways err alike, and more the longer the state remembers; no line comes near the bound.",
        series=(*WAYS, KERNEL, BOUND),
        legend="Way",
    ),
)
