"""The views of a run."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.editing.pmet import descriptions
from mem_core.mechanisms.editing.pmet.run import LINES
from mem_core.mechanisms.editing.pmet.scoring import EFFICACY, MEASURES, SPECIFICITY
from mem_core.mechanisms.editing.pmet.settings import METHODS, SPREADS
from mem_core.mechanisms.editing.pmet.tables import ANSWERS, AS_SET, TERMS

_SHARE = Axis(title="Share", domain=(0.0, 1.05))
"""A little above 1, where marks often lie and would be cut in half."""
_PRESERVATION = Axis(title="Preservation λ", scale="log")
_SET_AT = Layer(mark="rule_x", table="set_at", x="preservation", text="text")


def _recipes(measure: str, look_for: str) -> Chart:
    return Chart(
        key=measure,
        title=f"{measure.capitalize()} of every method, by λ",
        x=_PRESERVATION,
        y=Axis(title=measure.capitalize(), domain=(0.0, 1.05)),
        layers=(
            _SET_AT,
            Layer(mark="line", table="sweep", x="preservation", y=measure, color="recipe"),
            Layer(mark="point", table="sweep", x="preservation", y=measure, color="recipe"),
        ),
        describe=descriptions.describe_recipes(measure),
        look_for=look_for,
        series=(*LINES, AS_SET),
        legend="Method and spread",
    )


TRAINING = Chart(
    key="training",
    title="Learning the facts",
    x=Axis(title="Training", unit="steps", zero=True),
    y=Axis(title="Facts answered right", domain=(0.0, 1.05)),
    layers=(Layer(mark="line", table="training", x="step", y="right"),),
    describe=descriptions.describe_training,
    look_for="whether the model knows everything before it is edited.",
)

FACTS = Chart(
    key="facts",
    title="All facts, before and after the edit",
    x=Axis(title="Person"),
    y=Axis(title="Model and fact", scale="nominal"),
    layers=(
        Layer(
            mark="heatmap",
            table="facts",
            x="left_edge",
            x2="right_edge",
            y="row",
            color="right",
            text="name",
            outline="edited",
        ),
    ),
    describe=descriptions.describe_facts,
    look_for="outlined cells, the edits, that turn bright, and cells elsewhere in the lower half that turn dark.",
    legend="p(right)",
    color_domain=(0.0, 1.0),
    height=280,
)

TERMS_CHART = Chart(
    key="terms",
    title="Looking for the value that gives the new answer",
    x=Axis(title="Optimisation", unit="steps", zero=True),
    y=Axis(title="Loss", unit="nats", zero=True),
    layers=(Layer(mark="line", table="terms", x="step", y="value", color="term"),),
    describe=descriptions.describe_terms,
    look_for="the KL term, which first rises: the change reaches more than it should.",
    series=TERMS,
    legend="Term",
)

ANSWERS_CHART = Chart(
    key="answers",
    title="The two answers while it is found",
    x=Axis(title="Optimisation", unit="steps", zero=True),
    y=Axis(title="Probability", domain=(0.0, 1.05)),
    layers=(Layer(mark="line", table="answers", x="step", y="probability", color="answer", label_ends=True),),
    describe=descriptions.describe_answers,
    look_for="where the new answer overtakes the true one, and how it yields once it is ahead and ν falls.",
    series=ANSWERS,
)

SCORES = Chart(
    key="scores",
    title="What each method reaches, and what it costs",
    x=Axis(title="Measure", scale="nominal"),
    y=_SHARE,
    layers=(Layer(mark="bar", table="scores", x="measure", y="share", color="method"),),
    describe=descriptions.describe_scores,
    look_for="the trade: who writes the new facts best, and who keeps the others best.",
    series=METHODS,
    legend="Method",
)

TRADE = Chart(
    key="trade",
    title="The trade-off, by λ",
    x=_PRESERVATION,
    y=_SHARE,
    layers=(
        _SET_AT,
        Layer(mark="line", table="trade", x="preservation", y="share", color="measure"),
        Layer(mark="point", table="trade", x="preservation", y="share", color="measure"),
    ),
    describe=descriptions.describe_trade,
    look_for="where efficacy begins to fall while specificity still climbs; the best λ lies between.",
    series=MEASURES[:3],
    legend="Measure",
    height=300,
)

SPECIFICITY_CHART = _recipes(
    SPECIFICITY, "the distance between PMET and FFN only: what is gained by giving attention its share."
)
EFFICACY_CHART = _recipes(EFFICACY, "the linear spread, which gives up first as λ grows.")

LENGTHS = Chart(
    key="lengths",
    title="How far each layer's weights move",
    x=Axis(title="Edited layer", scale="nominal"),
    y=Axis(title="Length of the change ‖Δ‖", zero=True),
    layers=(Layer(mark="bar", table="lengths", x="layer", y="length", color="spread"),),
    describe=descriptions.describe_lengths,
    look_for="how much more the lower layers take under the square root.",
    series=SPREADS,
    legend="Spread",
)

RETENTION = Chart(
    key="retention",
    title="What is left of all other facts",
    x=Axis(title="Edits made at once", unit="edits", zero=True),
    y=Axis(title="Other facts still right", domain=(0.0, 1.05)),
    layers=(
        Layer(mark="line", table="retention", x="lag", y="retention"),
        Layer(mark="point", table="retention", x="lag", y="retention"),
    ),
    describe=descriptions.describe_retention,
    look_for="the slope: each edit is harmless alone, and together they push the old facts out.",
)

CHARTS = (
    TRAINING,
    FACTS,
    TERMS_CHART,
    ANSWERS_CHART,
    SCORES,
    TRADE,
    SPECIFICITY_CHART,
    EFFICACY_CHART,
    LENGTHS,
    RETENTION,
)
