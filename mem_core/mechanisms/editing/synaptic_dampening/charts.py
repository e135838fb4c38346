"""The charts of a run, as plain data."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.editing.synaptic_dampening import describing
from mem_core.mechanisms.editing.synaptic_dampening.forgetting import METHODS
from mem_core.mechanisms.editing.synaptic_dampening.tables import (
    DIGIT_MEASURES,
    FATES,
    SWEEP_LINES,
)
from mem_core.mechanisms.editing.synaptic_dampening.views import (
    DRAWN_NETWORKS,
    TILE_HEIGHT,
    TILE_WIDTH,
    TILES_A_ROW,
)

_SHARE = Axis(title="Share", domain=(0.0, 1.0))
_DIGIT = Axis(title="Digit", scale="ordinal")

SWEEP = Chart(
    key="sweep",
    title="What is kept, forgotten and selected, by α",
    x=Axis(title="Selection α", scale="log"),
    y=Axis(title="Share right, or selected", domain=(0.0, 1.05)),
    layers=(
        Layer(mark="rule_x", table="ceiling", x="alpha", text="text"),
        Layer(mark="line", table="sweep", x="alpha", y="share", color="line"),
        Layer(mark="point", table="own", x="alpha", y="share", color="line", size=90),
    ),
    describe=describing.sweep,
    look_for="from right to left: first what is to be forgotten falls, then everything. The dots are at your α.",
    series=SWEEP_LINES,
    legend="Answers, or weights",
    height=300,
)

WEIGHTS = Chart(
    key="weights",
    title="Every weight's two importances",
    x=Axis(title="Importance for all rows", scale="log"),
    y=Axis(title="Importance for the rows to forget", scale="log"),
    layers=(
        Layer(mark="line", table="thresholds", x="whole", y="forget", detail="name", size=1.2),
        Layer(mark="point", table="weights", x="whole", y="forget", color="fate", size=18),
        Layer(mark="text", table="threshold_names", x="whole", y="forget", text="name"),
    ),
    describe=describing.weights,
    look_for="the dots above the line of ratio α: these are dampened, harder the higher they lie. None lies above 1/f.",
    series=FATES,
    legend="Weight",
    height=340,
)

BY_DIGIT = Chart(
    key="by_digit",
    title="Right answers on the test rows of every digit",
    x=_DIGIT,
    y=_SHARE,
    layers=(Layer(mark="bar", table="by_digit", x="digit", y="accuracy", color="method"),),
    describe=describing.by_digit,
    look_for="which other digits pay, and whether those look like the one forgotten.",
    series=DRAWN_NETWORKS,
    legend="Network",
)

UNITS = Chart(
    key="units",
    title="Input weights of the units hit most",
    x=Axis(title="Pixels, five units side by side", domain=(0, TILES_A_ROW * TILE_WIDTH)),
    y=Axis(title="Pixels; after, below", domain=(0, 2 * TILE_HEIGHT), reverse=True),
    layers=(
        Layer(mark="heatmap", table="units", x="left", x2="right", y="top", y2="bottom", color="value"),
        Layer(mark="text", table="unit_names", x="left", y="top", text="name"),
    ),
    describe=describing.units,
    look_for="what each unit saw before, and how much of it is left. With the last layer alone nothing here changes.",
    legend="Share of the largest",
    color_domain=(-1.0, 1.0),
    height=300,
)

METHODS_COMPARED = Chart(
    key="methods",
    title="Six ways to forget, or not to",
    x=Axis(title="Right on these rows; called members", scale="nominal"),
    y=_SHARE,
    layers=(Layer(mark="bar", table="methods", x="measure", y="value", color="method"),),
    describe=describing.methods,
    look_for="the network trained again: that is the aim, and lower than it is not better.",
    series=METHODS,
    legend="Method",
    height=280,
)

SECONDS = Chart(
    key="seconds",
    title="How long each took",
    x=Axis(title="What for", scale="nominal"),
    y=Axis(title="Time", unit="s", zero=True),
    layers=(Layer(mark="bar", table="seconds", x="what", y="seconds", color="method"),),
    describe=describing.seconds,
    look_for="the price of training again, which dampening saves.",
    series=METHODS,
    legend="Method",
    height=200,
)

EVERY_DIGIT = Chart(
    key="every_digit",
    title="Every digit forgotten in turn",
    x=Axis(title="Digit that is forgotten", scale="ordinal"),
    y=Axis(title="Share of test rows"),
    layers=(Layer(mark="bar", table="every_digit", x="digit", y="share", color="measure"),),
    describe=describing.every_digit,
    look_for="a digit that stays: its weights never matter α times as much. Lower α.",
    series=DIGIT_MEASURES,
    legend="Right, or lost",
)

CHARTS = (SWEEP, WEIGHTS, BY_DIGIT, UNITS, METHODS_COMPARED, SECONDS, EVERY_DIGIT)
