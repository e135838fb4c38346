"""The charts of a run, as plain data."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.learning.grok_or_not import describing
from mem_core.mechanisms.learning.grok_or_not.accuracies import PHASES
from mem_core.mechanisms.learning.grok_or_not.recording import (
    CUT,
    HIGH_FIRST,
    KEPT,
    LOW_FIRST,
    MATRICES,
    MEASURES,
    MEMORIES,
    NEURONS,
    WHENS,
)

_TRAINING = Axis(title="Training", unit="steps", zero=True)
_RIGHT = Axis(title="Answered so", unit="share of pairs", domain=(0.0, 1.25))
_IPR = Axis(title="IPR, how periodic", domain=(0.0, 1.0))
_CORRUPTION = Axis(title="Wrong labels ξ", unit="of the training pairs", domain=(-0.03, 0.93))
_CUT = Layer(mark="rule_x", table="cut", x="share", text="label")


def _phases(table: str, x: str) -> Layer:
    return Layer(mark="point", table=table, x=x, y="corruption", color="phase", size=90, accumulate=True)


ACCURACY = Chart(
    key="accuracy",
    title="The rule and its exceptions",
    x=_TRAINING,
    y=_RIGHT,
    layers=(
        Layer(mark="rule_y", table="levels", y="accuracy", text="label"),
        Layer(mark="line", table="accuracy", x="step", y="accuracy", color="measure", label_ends=True),
    ),
    describe=describing.accuracy,
    look_for="The wrong labels are learned first. With enough decay they are given up again while the test pairs turn "
    "right: the network ends with fewer training labels right than it had.",
    series=MEASURES,
    legend="Pairs",
    height=320,
)

PHASE_BY_DECAY = Chart(
    key="phase_by_decay",
    title="Your runs, by decay and wrong labels",
    x=Axis(title="Weight decay", domain=(-1.0, 26.0)),
    y=_CORRUPTION,
    layers=(
        Layer(
            mark="point",
            table="phase_by_decay",
            x="weight_decay",
            y="corruption",
            color="phase",
            size=90,
            accumulate=True,
        ),
    ),
    describe=describing.phase_by_decay,
    look_for="Move the decay from 0 over 5 and 10 to 20: coexistence, partial inversion, full inversion, and then "
    "nothing is kept.",
    series=PHASES,
    legend="Phase",
)

HISTOGRAM = Chart(
    key="histogram",
    title="Two kinds of neurons",
    x=_IPR,
    y=Axis(title="Neurons", zero=True),
    layers=(Layer(mark="bar", table="histogram", x="low", x2="high", y="neurons", color="when"),),
    describe=describing.histogram,
    look_for="All start without a period. After training there are two heaps with a valley between them; decay takes "
    "neurons from the left one.",
    series=WHENS,
    legend="Neurons",
)

NEURON_SCATTER = Chart(
    key="neurons",
    title="Every neuron: how periodic, how strong",
    x=_IPR,
    y=Axis(title="Strength", unit="output norm or gain", zero=True),
    layers=(Layer(mark="point", table="neurons", x="ipr", y="strength", color="state"),),
    describe=describing.neurons,
    look_for="Neurons on the left hold the exceptions, on the right the rule. Strength is the norm of a neuron's "
    "output weights; with BatchNorm it is the gain, and that is turned down on the left.",
    series=(KEPT, CUT),
    legend="Neuron",
)

WEIGHTS = Chart(
    key="weights",
    title="A neuron for the rule, one for exceptions",
    x=Axis(title="First number"),
    y=Axis(title="Weight"),
    layers=(Layer(mark="line", table="weights", x="number", y="weight", color="neuron", dash="when"),),
    describe=describing.weights,
    look_for="One becomes a wave around the circle of numbers, the other stays noise.",
    series=NEURONS,
    legend="Weights U",
)

PRUNING_LOW = Chart(
    key="pruning_low",
    title="Cutting the least periodic neurons first",
    x=Axis(title="Neurons cut out", unit="of all", domain=(0.0, 1.0)),
    y=_RIGHT,
    layers=(_CUT, Layer(mark="line", table=LOW_FIRST, x="share", y="accuracy", color="measure")),
    describe=describing.pruning_low,
    look_for="From left to right the wrong labels are forgotten while the test pairs stay right.",
    series=MEASURES,
    legend="Pairs",
)

PRUNING_HIGH = Chart(
    key="pruning_high",
    title="Cutting the most periodic neurons first",
    x=Axis(title="Neurons cut out", unit="of all", domain=(0.0, 1.0)),
    y=_RIGHT,
    layers=(Layer(mark="line", table=HIGH_FIRST, x="share", y="accuracy", color="measure"),),
    describe=describing.pruning_high,
    look_for="Now the rule goes first, and the wrong labels are kept longer.",
    series=MEASURES,
    legend="Pairs",
)

ANSWERS = Chart(
    key="answers",
    title="All answers; outlined: labelled at random",
    x=Axis(title="Second number"),
    y=Axis(title="First number", reverse=True),
    layers=(
        Layer(
            mark="heatmap",
            table="answers",
            x="left",
            x2="right",
            y="top",
            y2="bottom",
            color="answer",
            outline="corrupted",
        ),
    ),
    describe=describing.answers,
    look_for="Stripes are the rule. A network that believes wrong labels breaks them in the outlined cells; cut the "
    "least periodic half of the neurons, and the stripes close.",
    legend="Answer",
    height=420,
)

RETENTION = Chart(
    key="fading",
    title="How much of each memory's best is left",
    x=Axis(title="Time since its best", unit="steps", zero=True),
    y=Axis(title="Left", unit="share of its best", domain=(0.0, 1.15)),
    layers=(Layer(mark="line", table="fading", x="lag", y="retention", color="series", label_ends=True),),
    describe=describing.fading,
    look_for="Without decay both stay. With decay 5 to 10 only the wrong labels fade; with 20 and long training the "
    "rule fades too.",
    series=MEMORIES,
    legend="Memory",
)

NORMS = Chart(
    key="norms",
    title="Size of the weights",
    x=_TRAINING,
    y=Axis(title="Frobenius norm", zero=True),
    layers=(Layer(mark="line", table="norms", x="step", y="norm", color="matrix", label_ends=True),),
    describe=describing.norms,
    look_for="U belongs to the first number, V to the second, W to the answer. Where the rule is forgotten, all three "
    "shrink.",
    series=MATRICES,
    legend="Weights",
)

PHASE_BY_DATA = Chart(
    key="phase_by_data",
    title="Your runs, by training share and wrong labels",
    x=Axis(title="Training share α", unit="of all pairs", domain=(0.0, 1.0)),
    y=_CORRUPTION,
    layers=(
        Layer(
            mark="point", table="phase_by_data", x="data_share", y="corruption", color="phase", size=90, accumulate=True
        ),
    ),
    describe=describing.phase_by_data,
    look_for="Few pairs or many wrong labels leave only memorising, and then not even that. Runs that differ in decay "
    "alone lie on one spot.",
    series=PHASES,
    legend="Phase",
)

CHARTS = (
    ACCURACY,
    PHASE_BY_DECAY,
    HISTOGRAM,
    NEURON_SCATTER,
    WEIGHTS,
    PRUNING_LOW,
    PRUNING_HIGH,
    ANSWERS,
    RETENTION,
    NORMS,
    PHASE_BY_DATA,
)
