"""The views of a run."""

from __future__ import annotations

from mem_core.mechanisms.architectures.titans import descriptions
from mem_core.mechanisms.architectures.titans.layer import GATES
from mem_core.mechanisms.architectures.titans.lesson import MEMORIES
from mem_core.mechanisms.architectures.titans.overfull import VARIANTS
from mem_core.mechanisms.architectures.titans.tables import CURVES, MOMENTARY, MOVING
from mem_core.mechanisms.charts import Axis, Chart, Layer

ERROR, ERROR_UNIT = "Error, 1 is nothing known", "‖M(k) − v‖²"
LOWEST_ERROR, HIGHEST_ERROR = 0.0, 1.5
"""Beyond 1.5 a memory knows less than nothing; the lines leave the picture there, and the sentence has the numbers."""
ABOVE_ALL = 1.05
"""End of the axis of a share whose marks often lie at 1, and would be cut in half there."""

CHARTS = (
    Chart(
        key="ages",
        title="What is left of a pair, by its age",
        x=Axis(title="Age of the pair", unit="tokens"),
        y=Axis(title=ERROR, unit=ERROR_UNIT, scale="log"),
        layers=(
            Layer(mark="rule_y", table="nothing", y="error"),
            Layer(mark="line", table="ages", x="age", y="error", color="memory"),
        ),
        describe=descriptions.describe_ages,
        look_for="the lowest point a few tokens back: momentum is still writing the newest pairs.",
        series=VARIANTS,
        legend="Memory",
        height=300,
    ),
    Chart(
        key="retention",
        title="Pairs recalled, by their age",
        x=Axis(title="Age of the pair", unit="tokens"),
        y=Axis(title="Pairs recalled", domain=(0.0, 1.0)),
        layers=(Layer(mark="line", table="retention", x="lag", y="retention"),),
        describe=descriptions.describe_retention,
        look_for="how the span of good recall gets longer with less forgetting, and its top lower.",
    ),
    Chart(
        key="sweep",
        title="The last 12 pairs under every forget gate",
        x=Axis(title="Forget gate α (0 at the left edge)", scale="log"),
        y=Axis(title=ERROR, unit=ERROR_UNIT, domain=(LOWEST_ERROR, HIGHEST_ERROR)),
        layers=(
            Layer(mark="line", table="sweep", x="shown", y="error", color="curve"),
            Layer(mark="rule_x", table="as_set", x="shown", text="text"),
            Layer(mark="point", table="as_set", x="shown", y="error", size=80.0),
        ),
        describe=descriptions.describe_sweep,
        look_for="the U: too little forgetting overfills the memory, too much empties it before it is read.",
        series=CURVES,
        legend="Surprise decay",
        height=300,
    ),
    Chart(
        key="surprise",
        title="Surprise, token by token",
        x=Axis(title="Token"),
        y=Axis(title="Length of the step", zero=True),
        layers=(
            Layer(mark="rule_x", table="burst", x="token", text="text"),
            Layer(mark="line", table="surprise", x="token", y="length", color="part"),
        ),
        describe=descriptions.describe_surprise,
        look_for="the tail behind a burst: it is gone at once in the moment, and lasts about 1/(1 − η) tokens with η.",
        series=(MOMENTARY, MOVING),
        legend="Surprise",
    ),
    Chart(
        key="weights",
        title="The memory itself: weights of the first stream",
        x=Axis(title="Input number", scale="ordinal"),
        y=Axis(title="Output number", scale="ordinal"),
        layers=(Layer(mark="heatmap", table="weights", x="column", y="row", color="weight"),),
        describe=descriptions.describe_weights,
        look_for="that no pair has a place of its own: all of them lie on top of one another.",
        legend="Weight",
        height=320,
    ),
    Chart(
        key="lesson",
        title="Pairs that were never seen, by pairs learned from",
        x=Axis(title="Pairs learned from", unit="pairs"),
        y=Axis(title=ERROR, unit=ERROR_UNIT, zero=True),
        layers=(
            Layer(mark="rule_y", table="nothing", y="error"),
            Layer(mark="line", table="lesson", x="pairs", y="error", color="memory"),
        ),
        describe=descriptions.describe_lesson,
        look_for="where two layers overtake one: depth pays late, and not at all if the rule is linear.",
        series=MEMORIES,
        legend="Layers",
    ),
    Chart(
        key="gates",
        title="The gates that outer training chose",
        x=Axis(title="Kind of token", scale="nominal"),
        y=Axis(title="Gate", zero=True),
        layers=(Layer(mark="bar", table="gates", x="kind", y="value", color="gate"),),
        describe=descriptions.describe_gates,
        look_for="what is worth writing: values more than keys, and blanks hardly at all.",
        series=GATES,
        legend="Gate",
    ),
    Chart(
        key="layer_recall",
        title="The trained layer with more and more pairs",
        x=Axis(title="Pairs in the sequence", unit="pairs"),
        y=Axis(title="Queries answered right", domain=(0.0, ABOVE_ALL)),
        layers=(
            Layer(mark="rule_x", table="trained_on", x="pairs", text="text"),
            Layer(mark="line", table="layer_recall", x="pairs", y="recalled"),
            Layer(mark="point", table="layer_recall", x="pairs", y="recalled"),
        ),
        describe=descriptions.describe_layer,
        look_for="how far beyond the trained number of pairs the learned writing still works.",
    ),
    Chart(
        key="training",
        title="Outer training",
        x=Axis(title="Training step"),
        y=Axis(title="Loss", unit="nats", zero=True),
        layers=(Layer(mark="line", table="training", x="step", y="loss"),),
        describe=descriptions.describe_training,
        look_for="the fall from guessing, ln 16 = 2.77 nats, once keys and queries have found each other.",
    ),
)
