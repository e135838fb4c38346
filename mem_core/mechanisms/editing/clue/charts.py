"""The views of a run."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.editing.clue import describing
from mem_core.mechanisms.editing.clue.settings import FEEDBACKS, SCORES
from mem_core.mechanisms.editing.clue.tables import OUTCOMES, SOURCES, feedback_name

_FEEDBACK_NAMES = tuple(feedback_name(feedback) for feedback in FEEDBACKS)
_LAYER = Axis(title="Layer", scale="ordinal")

CLOUD = Chart(
    key="cloud",
    title="Where past traces moved, in one layer",
    x=Axis(title="First principal direction"),
    y=Axis(title="Second principal direction"),
    layers=(
        Layer(mark="point", table="cloud", x="across", y="up", color="outcome", size=16),
        Layer(mark="point", table="cloud_means", x="across", y="up", color="outcome", size=220),
    ),
    describe=describing.cloud,
    look_for="two clouds that overlap almost wholly, and their means, the large marks, which do not. Choose w = 4.",
    series=OUTCOMES,
    legend="Answer",
    height=340,
)


def _by_layer(key: str, title: str, y: Axis, look_for: str) -> Chart:
    return Chart(
        key=key,
        title=title,
        x=_LAYER,
        y=y,
        layers=(
            Layer(mark="line", table="layers", x="layer", y=key, color="feedback"),
            Layer(mark="point", table="layers", x="layer", y=key, color="feedback"),
        ),
        describe=getattr(describing, key),
        look_for=look_for,
        series=_FEEDBACK_NAMES,
        legend="Feedback",
        height=220,
    )


DISTANCE = _by_layer(
    "distance",
    "How far apart the two means lie",
    Axis(title="d(l)", zero=True),
    "the last layer above the first, as in the paper's Figure 4. With w = 0 the curve often flattens at the end.",
)
SEPARATION = _by_layer(
    "separation",
    "The same, in units of the spread of right traces",
    Axis(title="sep(l)", zero=True),
    "feedback widens the separation most in the last layers.",
)

MARGINS = Chart(
    key="margins",
    title="Nearer to which mean? New traces",
    x=Axis(title="Margin: d to success minus d to failure"),
    y=Axis(title="Share of these traces", zero=True),
    layers=(
        Layer(mark="bar", table="margins", x="low", x2="high", y="share", color="outcome"),
        Layer(mark="rule_x", table="threshold", x="margin", text="text"),
    ),
    describe=describing.margins,
    look_for="how much of each outcome lies on its own side of 0.",
    series=OUTCOMES,
    legend="Answer",
)

VOTES = Chart(
    key="votes",
    title="Let only the best-ranked vote",
    x=Axis(title="Vote size m", unit="candidates", scale="log"),
    y=Axis(title="Problems answered right", domain=(0.0, 1.05)),
    layers=(
        Layer(mark="rule_y", table="references", y="value", text="text"),
        Layer(mark="line", table="votes", x="voters", y="accuracy", color="score"),
        Layer(mark="point", table="votes", x="voters", y="accuracy", color="score", size=25),
        Layer(mark="point", table="voted", x="voters", y="accuracy", color="score", size=160),
    ),
    describe=describing.votes,
    look_for="small votes on the left: a good score makes one or a few candidates as good as all of them.",
    series=SCORES,
    legend="Ranked by",
    height=320,
)

METHODS = Chart(
    key="methods",
    title="Beside the paper's Table 2",
    x=Axis(title="Answer taken", scale="nominal"),
    y=Axis(title="Problems answered right", domain=(0.0, 1.0)),
    layers=(Layer(mark="bar", table="methods", x="measure", y="share", color="source"),),
    describe=describing.methods,
    look_for="the step from the mean to the first of the ranking. The problems differ, so compare steps, not heights.",
    series=SOURCES,
    legend="Where",
    height=240,
)

SIZES = Chart(
    key="sizes",
    title="How much experience is needed",
    x=Axis(title="Past traces of each kind", scale="log"),
    y=Axis(title="Balanced accuracy"),
    layers=(
        Layer(mark="band", table="sizes", x="size", y="low", y2="high"),
        Layer(mark="line", table="sizes", x="size", y="balanced"),
        Layer(mark="point", table="own_size", x="size", y="balanced", size=120),
    ),
    describe=describing.sizes,
    look_for="where the curve becomes flat. The band goes from the worst to the best of four draws.",
    height=220,
)

TRAINING = Chart(
    key="training",
    title="Training the reasoners",
    x=Axis(title="Training", unit="steps", zero=True),
    y=Axis(title="Right answers on training traces", domain=(0.0, 1.0)),
    layers=(Layer(mark="line", table="training", x="step", y="right", color="feedback"),),
    describe=describing.training,
    look_for="that feedback costs some answers: it shares the same layers. Some pictures are distracted too much to be "
    "answered at all.",
    series=_FEEDBACK_NAMES,
    legend="Feedback",
    height=180,
)

CHARTS = (TRAINING, CLOUD, DISTANCE, SEPARATION, MARGINS, VOTES, METHODS, SIZES)
