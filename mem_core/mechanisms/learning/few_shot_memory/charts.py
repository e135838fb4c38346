"""The views of a run."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.learning.few_shot_memory import descriptions
from mem_core.mechanisms.learning.few_shot_memory.recording import (
    FOIL,
    MEASURES,
    RIGHT,
    SEEN,
    STUDIED,
    WRONG,
)

_EXPOSURES = Axis(title="Exposures", unit="readings of each sentence")
_UPDATES = Axis(title="Updates on new text", scale="ordinal")
_SHARE = Axis(title="Share", domain=(0.0, 1.1))
_LOSS = Axis(title="Mean loss", unit="nats per word")
_COUNT = Axis(title="Sentences", zero=True)

STUDY = Chart(
    key="study",
    title="How often must it be read?",
    x=_EXPOSURES,
    y=_SHARE,
    layers=(
        Layer(mark="rule_y", table="guessing", y="value", text="label"),
        Layer(mark="rule_x", table="start", x="exposures"),
        Layer(mark="line", table="study", x="exposures", y="value", color="measure"),
        Layer(mark="point", table="study", x="exposures", y="value", color="measure"),
    ),
    describe=descriptions.study,
    look_for="Recognition is there after one exposure; recall takes several. The upright line marks the exposure from "
    "which the new text starts.",
    series=MEASURES,
    legend="Question",
)

ROUGE = Chart(
    key="rouge",
    title="Recall as the paper scores it",
    x=_EXPOSURES,
    y=Axis(title="Score", domain=(0.0, 1.1)),
    layers=(Layer(mark="line", table="rouge", x="exposures", y="value", color="score"),),
    describe=descriptions.rouge,
    look_for="ROUGE starts above one half before anything is studied, because the given half counts as recalled; "
    "recall counts the second half alone.",
    series=descriptions.SCORES,
    legend="Score",
)

RETENTION = Chart(
    key="retention",
    title="What is left while other text is read",
    x=_UPDATES,
    y=_SHARE,
    layers=(
        Layer(mark="rule_y", table="guessing", y="value", text="label"),
        Layer(mark="line", table="fading", x="lag", y="retention", color="measure", label_ends=True),
        Layer(mark="point", table="fading", x="lag", y="retention", color="measure"),
    ),
    describe=descriptions.retention,
    look_for="Recall collapses within tens of updates, and then fades slowly; recognition hardly moves.",
    series=MEASURES,
    height=300,
)

RECITAL = Chart(
    key="recital",
    title="Six second halves, word by word",
    x=Axis(title="Place in the sentence", scale="ordinal"),
    y=Axis(title="", scale="nominal"),
    layers=(
        Layer(mark="point", table="recital", x="place", y="row", color="verdict"),
        Layer(mark="text", table="recital", x="place", y="row", text="word"),
    ),
    describe=descriptions.recital,
    look_for="Each first row has the last given words on the left, and what was studied after them. One wrong word "
    "often leads the rest astray, for the model goes on from what it wrote itself.",
    series=(STUDIED, WRONG, RIGHT),
    legend="Word",
    height=460,
)

SENTENCES = Chart(
    key="sentences",
    title="Each sentence on its own",
    x=_UPDATES,
    y=Axis(title="Sentences, best kept at the top", unit="share", domain=(0.0, 1.0), reverse=True),
    layers=(Layer(mark="heatmap", table="sentences", x="lag", y="top", y2="bottom", color="recall"),),
    describe=descriptions.sentences,
    look_for="Some sentences are lost at once, others only after many updates, and a few come back.",
    legend="Recall",
    color_domain=(0.0, 1.0),
    height=320,
)


def _losses(key: str, title: str, look_for: str) -> Chart:
    return Chart(
        key=key,
        title=title,
        x=_LOSS,
        y=_COUNT,
        layers=(Layer(mark="bar", table=key, x="low", x2="high", y="count", color="kind"),),
        describe=getattr(descriptions, key),
        look_for=look_for,
        series=(SEEN, FOIL),
        legend="Sentences",
        height=200,
    )


LOSSES_AFTER_STUDY = _losses(
    "losses_after_study",
    "What recognition sees: after study",
    "The gap between the two groups: recognition only needs the studied one of each pair to be the cheaper.",
)
LOSSES_AFTER_NEW_TEXT = _losses(
    "losses_after_new_text",
    "What recognition sees: after the new text",
    "The gap has narrowed and is still there, although hardly a sentence can be recited.",
)

CHARTS = (STUDY, ROUGE, RETENTION, SENTENCES, RECITAL, LOSSES_AFTER_STUDY, LOSSES_AFTER_NEW_TEXT)
