"""The views of a run."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.overview.memory_in_llms import descriptions
from mem_core.mechanisms.overview.memory_in_llms.edit_tables import STAGES
from mem_core.mechanisms.overview.memory_in_llms.editing import MEASURES
from mem_core.mechanisms.overview.memory_in_llms.fact_tables import LUCKY, NOW, PERFECT, SURE
from mem_core.mechanisms.overview.memory_in_llms.recording import ALL, CHANGED, OUTCOMES, UNCHANGED
from mem_core.mechanisms.overview.memory_in_llms.regimes import REGIMES
from mem_core.mechanisms.overview.memory_in_llms.settings import CONSTRAINTS

_REGIME = Axis(title="Regime", scale="nominal")
_SHARE = Axis(title="Share of the facts", domain=(0.0, 1.05))


def _outcomes(part: str, title: str, look_for: str) -> Chart:
    table = f"outcomes_{part}"
    return Chart(
        key=table,
        title=title,
        x=_REGIME,
        y=_SHARE,
        layers=(Layer(mark="bar", table=table, x="regime", y="share", color="outcome"),),
        describe=lambda tables: descriptions.outcomes(tables, part),
        look_for=look_for,
        series=OUTCOMES,
        legend="Answer",
        height=240,
    )


OUTCOMES_ALL = _outcomes(
    ALL,
    "One question, three regimes",
    "The same facts on the same day. PO asks the weights alone, Offline an index made earlier, Online a live source.",
)
OUTCOMES_CHANGED = _outcomes(
    CHANGED,
    "Facts that changed after training",
    "The weights are right about these by accident only, the index about those that changed before it was made.",
)
OUTCOMES_UNCHANGED = _outcomes(
    UNCHANGED,
    "Facts that stayed as they were",
    "Here the weights can be right too, if they have room: set d to 256.",
)

AGEING = Chart(
    key="ageing",
    title="How a store goes out of date",
    x=Axis(title="Time since it was stored", unit="periods"),
    y=Axis(title="Share still answered right", domain=(0.0, 1.05)),
    layers=(
        Layer(mark="line", table="ageing_expected", x="lag", y="share", size=1.2),
        Layer(mark="line", table="ageing", x="lag", y="share", color="regime", label_ends=True),
    ),
    describe=descriptions.ageing,
    look_for="The thin line is algebra: what is stored stays as it is, and the world moves away from it.",
    series=(*REGIMES, PERFECT),
    height=300,
)

ATTRIBUTION = Chart(
    key="attribution",
    title="Right, and right for the right reason",
    x=Axis(title="Attribution", unit="share of facts", domain=(0.0, 1.02)),
    y=Axis(title="Correct", unit="share of facts", domain=(0.0, 1.05)),
    layers=(
        Layer(mark="line", table="attribution_lines", x="attribution", y="correct", color="series"),
        Layer(mark="line", table="attribution", x="attribution", y="correct"),
        Layer(mark="point", table="attribution", x="attribution", y="correct"),
        Layer(mark="point", table="attribution_now", x="attribution", y="correct", color="series", size=160),
    ),
    describe=descriptions.attribution,
    look_for="As the noise grows from σ = 0 at the top right to 3, the points follow the upper line: what lies above "
    "the diagonal is luck.",
    series=(SURE, LUCKY, NOW),
    legend="Live source",
    height=320,
)

RISK = Chart(
    key="risk",
    title="What is gained by answering less",
    x=Axis(title="Coverage", unit="share of questions", domain=(0.0, 1.0)),
    y=Axis(title="Risk", unit="share wrong", domain=(0.0, 1.0)),
    layers=(
        Layer(mark="line", table="risk", x="coverage", y="risk", color="regime", label_ends=True),
        Layer(mark="point", table="risk_now", x="coverage", y="risk", color="regime", size=140),
    ),
    describe=descriptions.risk,
    look_for="A confidence that knows nothing of time cannot tell what is out of date: Offline and PO stay far above "
    "zero, however few answers are given. Large points: this run's own threshold.",
    series=REGIMES,
    height=280,
)

DIFFERENCES = Chart(
    key="differences",
    title="What the differences are worth: means and 95 % intervals",
    x=Axis(title="Pair of regimes", scale="nominal"),
    y=Axis(title="Difference in accuracy", zero=True),
    layers=(
        Layer(mark="errorbar", table="differences", x="pair", y="low", y2="high", size=3),
        Layer(mark="point", table="differences", x="pair", y="difference", size=90),
    ),
    describe=descriptions.differences,
    look_for="Set q₁ and q₂ to 0 and d to 256: nothing is left to tell the regimes apart.",
    height=220,
)

EDITS = Chart(
    key="edits",
    title="What an edit reaches, and what it spares",
    x=Axis(title="Facts edited at once", unit="of 80", domain=(0.0, 66.0)),
    y=Axis(title="Share", domain=(0.0, 1.05)),
    layers=(
        Layer(mark="rule_y", table="gate_lines", y="threshold"),
        Layer(mark="text", table="gate_lines", x="edits", y="threshold", text="label"),
        Layer(mark="rule_x", table="edits_chosen", x="edits"),
        Layer(mark="line", table="edits", x="edits", y="share", color="measure"),
        Layer(mark="point", table="edits", x="edits", y="share", color="measure"),
    ),
    describe=descriptions.edits,
    look_for="Take the identity and λ = 1: every edit succeeds, and the other facts pay for it.",
    series=MEASURES,
    legend="Measure",
    height=320,
)

TRADE_OFF = Chart(
    key="trade_off",
    title="Success against locality, for λ from 0.1 to 200",
    x=Axis(title="Success", unit="share of edits", domain=(0.0, 1.04)),
    y=Axis(title="Locality", unit="share of other facts", domain=(0.5, 1.04)),
    layers=(
        Layer(mark="rule_x", table="trade_off_gate", x="success"),
        Layer(mark="rule_y", table="trade_off_gate", y="locality"),
        Layer(mark="line", table="trade_off", x="success", y="locality", color="constraint"),
        Layer(mark="point", table="trade_off", x="success", y="locality", color="constraint"),
        Layer(mark="text", table="trade_off", x="success", y="locality", text="label"),
    ),
    describe=descriptions.trade_off,
    look_for="The corner at the top right, beyond both dashed lines, passes the gate.",
    series=CONSTRAINTS,
    legend="What is spared",
    height=280,
)

DECISION = Chart(
    key="decision",
    title="What the gate did",
    x=Axis(title="Measure", scale="nominal"),
    y=Axis(title="Share", domain=(0.0, 1.05)),
    layers=(Layer(mark="bar", table="decision", x="measure", y="share", color="stage"),),
    describe=descriptions.decision,
    look_for="After a rollback the third bars equal the first. With the external overlay, edits and locality are both "
    "there, and reworded questions miss the store.",
    series=STAGES,
    legend="Weights",
    height=240,
)

POSITION = Chart(
    key="position",
    title="Where in the context a passage stands",
    x=Axis(title="Place of the passage", unit="0 first, 1 last", domain=(0.0, 1.0)),
    y=Axis(title="Accuracy", domain=(0.0, 1.05)),
    layers=(
        Layer(mark="line", table="position", x="position", y="accuracy"),
        Layer(mark="point", table="position", x="position", y="accuracy"),
        Layer(mark="text", table="position_name", x="position", y="accuracy", text="source"),
    ),
    describe=descriptions.position,
    look_for="A dip in the middle is what position calibration would have to lift. The built-in curve is made by hand.",
    height=220,
)

MAP = Chart(
    key="map",
    title="The gallery by type of memory and link of the chain",
    x=Axis(title="What the mechanism changes", scale="nominal"),
    y=Axis(title="", scale="nominal"),
    layers=(Layer(mark="heatmap", table="map", x="role", y="type", color="mechanisms", outline="yours"),),
    describe=descriptions.gallery,
    look_for="The outlined row is the type that your answers to the quiz point to.",
    legend="Mechanisms",
    height=240,
)

CHARTS = (
    MAP,
    OUTCOMES_ALL,
    OUTCOMES_CHANGED,
    OUTCOMES_UNCHANGED,
    AGEING,
    ATTRIBUTION,
    RISK,
    DIFFERENCES,
    EDITS,
    TRADE_OFF,
    DECISION,
    POSITION,
)
