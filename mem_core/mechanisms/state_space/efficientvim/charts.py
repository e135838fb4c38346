"""The views of a run, each with the sentence that says what it shows."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.state_space.efficientvim.costs import PARTS, TIMED_CHANNELS, TIMED_STATES
from mem_core.mechanisms.state_space.efficientvim.descriptions import (
    describe_costs,
    describe_learning,
    describe_parts,
    describe_read,
    describe_stages,
    describe_sweep,
    describe_times,
    describe_write,
)
from mem_core.mechanisms.state_space.efficientvim.settings import MOST_STATES
from mem_core.mechanisms.state_space.efficientvim.tables import (
    ALONE,
    AS_MEASURED,
    AS_RECORDED,
    LEARNED,
    OWN,
    TESTED,
    TILE_HEIGHT,
    TILE_WIDTH,
    TILES_A_ROW,
    WEIGHT,
)
from mem_core.nn.hidden_state_mixer_block import MIXERS

ACROSS = Axis(title="Pixels, ten maps side by side", domain=(0, TILES_A_ROW * TILE_WIDTH))
DOWN = Axis(title="Pixels", domain=(0, 2 * TILE_HEIGHT), reverse=True)
TOKENS_AXIS = Axis(title="Tokens L", scale="log")


def _maps(table: str) -> tuple[Layer, ...]:
    """Draw the picture and the maps of some states, with their names."""
    return (
        Layer(mark="heatmap", table=table, x="left", x2="right", y="top", y2="bottom", color="value"),
        Layer(mark="text", table=f"{table}_names", x="left", y="top", text="name"),
    )


def _curves(table: str, value: str) -> tuple[Layer, ...]:
    return (
        Layer(mark="line", table=table, x="length", y=value, color="mixer", label_ends=True),
        Layer(mark="point", table=table, x="length", y=value, color="mixer"),
    )


CHARTS = (
    Chart(
        key="write",
        title="What each state is written from: P∘B",
        x=ACROSS,
        y=DOWN,
        layers=_maps("write"),
        describe=describe_write,
        look_for="each state watches a few places of its own, with either sign, and is one weighted sum of all tokens.",
        legend="Share of the map's largest",
        color_domain=(-1.0, 1.0),
        height=300,
    ),
    Chart(
        key="read",
        title="What each token reads back: C",
        x=ACROSS,
        y=DOWN,
        layers=_maps("read"),
        describe=describe_read,
        look_for="where a state's memory goes: every token is a sum of all states, weighted like this.",
        legend="Share of the map's largest",
        color_domain=(-1.0, 1.0),
        height=300,
    ),
    Chart(
        key="learning",
        title="The model learns the digits",
        x=Axis(title="Epoch", zero=True),
        y=Axis(title="Loss", unit="nats", zero=True),
        layers=(Layer(mark="line", table="learning", x="epoch", y="loss", color="pictures"),),
        describe=describe_learning,
        look_for="four epochs end well above what twelve reach; set Epochs to 12 and compare.",
        series=(LEARNED, TESTED),
        legend="Loss on",
    ),
    Chart(
        key="sweep",
        title="Right answers, by the number of states",
        x=Axis(title="States N", scale="log", domain=(0.9, 1.1 * MOST_STATES)),
        y=Axis(title="Right answers", unit="share"),
        layers=(
            Layer(mark="errorbar", table="sweep", x="states", y="low", y2="high", color="kind"),
            Layer(mark="line", table="sweep", x="states", y="accuracy", color="kind"),
            Layer(mark="point", table="sweep", x="states", y="accuracy", color="kind"),
            Layer(mark="errorbar", table="own", x="states", y="low", y2="high", color="kind", accumulate=True),
            Layer(mark="point", table="own", x="states", y="accuracy", color="kind", size=110, accumulate=True),
        ),
        describe=describe_sweep,
        look_for="what more states buy, from one to nine and beyond; bars go from the lowest seed to the highest, "
        "for your own runs by one standard error.",
        series=(AS_RECORDED, AS_MEASURED, OWN),
        legend="Accuracy",
        height=280,
    ),
    Chart(
        key="stages",
        title="What each head counts, and what it gets right alone",
        x=Axis(title="Head", scale="nominal"),
        y=Axis(title="Share", domain=(0.0, 1.0)),
        layers=(Layer(mark="bar", table="stages", x="head", y="value", color="measure"),),
        describe=describe_stages,
        look_for="how much of the picture can be named from N states alone, before any token is read back.",
        series=(WEIGHT, ALONE),
        legend="Bar",
    ),
    Chart(
        key="costs",
        title="Cost of one layer, by the number of tokens",
        x=TOKENS_AXIS,
        y=Axis(title="Multiply-accumulates", scale="log"),
        layers=(
            *_curves("costs", "multiply_accumulates"),
            Layer(mark="rule_x", table="grid", x="length", text="text"),
        ),
        describe=describe_costs,
        look_for="the gap between the lines: it widens with D and narrows with N.",
        series=MIXERS,
    ),
    Chart(
        key="parts",
        title="Where the cost lies, at the chosen grid",
        x=Axis(title="Part of the layer", scale="nominal"),
        y=Axis(title="Multiply-accumulates", zero=True),
        layers=(Layer(mark="bar", table="parts", x="part", y="multiply_accumulates", color="mixer"),),
        describe=describe_parts,
        look_for=f"of {', '.join(PARTS)} only the mixing differs, and in hidden states it does not grow with the grid.",
        series=MIXERS,
        legend="Channels mixed on",
    ),
    Chart(
        key="times",
        title=f"Measured time of one layer with {TIMED_CHANNELS} channels and {TIMED_STATES} states",
        x=TOKENS_AXIS,
        y=Axis(title="Time, best of five", unit="ms", scale="log"),
        layers=_curves("times", "milliseconds"),
        describe=describe_times,
        look_for="with few tokens calling takes longer than computing, and the lines say little; look at the right.",
        series=MIXERS,
    ),
)
